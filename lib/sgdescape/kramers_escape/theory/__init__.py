"""Theory of chapter `kramers_escape`: one pure function an equation."""
