"""What several chapters share; nothing here imports a chapter."""
