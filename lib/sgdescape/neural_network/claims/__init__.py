"""Claims of chapter `neural_network`: statements with their verdicts."""
