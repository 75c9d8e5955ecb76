"""Theory, measurement and drawing of chapter `modified_loss`, which offers them."""
