"""Claims of chapter `anomalous_diffusion`: statements with their verdicts."""
