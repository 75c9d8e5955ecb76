"""Theory of chapter `linear_regression`: one pure function an equation."""
