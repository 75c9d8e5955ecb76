"""Theory of chapter `neural_network`: one pure function an equation."""
