"""Theory of chapter `underdamped_langevin`: one pure function an equation."""
