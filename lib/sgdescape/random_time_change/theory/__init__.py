"""Theory of chapter `random_time_change`: one pure function an equation."""
