"""Theory of chapter `noise_covariance`: one pure function an equation."""
