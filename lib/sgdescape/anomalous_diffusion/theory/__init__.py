"""Theory of chapter `anomalous_diffusion`: one pure function an equation."""
