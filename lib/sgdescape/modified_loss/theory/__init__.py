"""Theory of chapter `modified_loss`: one pure function an equation."""
