"""Theory of chapter `heavy_tails`: one pure function an equation; no simulations."""
