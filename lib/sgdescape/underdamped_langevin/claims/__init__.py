"""Claims of chapter `underdamped_langevin`: statements with their verdicts."""
