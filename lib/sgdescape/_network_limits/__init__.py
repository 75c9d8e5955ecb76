"""Second floor of chapter `network_limits`."""
