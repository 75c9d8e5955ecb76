"""Theory, measurement and drawing of chapter `underdamped_langevin`, which offers them."""
