"""Theory, measurement and drawing of chapter `linear_regression`, which offers them."""
