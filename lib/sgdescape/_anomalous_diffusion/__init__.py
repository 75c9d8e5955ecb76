"""Second floor of chapter `anomalous_diffusion`: theory, measurements, claims and figures."""
