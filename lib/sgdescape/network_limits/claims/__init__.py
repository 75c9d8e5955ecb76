"""Claims of chapter `network_limits`: statements with their verdicts."""
