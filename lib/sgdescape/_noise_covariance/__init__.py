"""The measuring and drawing halves of chapter `noise_covariance`; its theory is in the chapter."""
