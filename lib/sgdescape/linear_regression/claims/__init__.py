"""Claims of chapter `linear_regression`: statements with their verdicts."""
