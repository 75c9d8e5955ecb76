"""Estimates of chapter `anomalous_diffusion`: from numbers to values with intervals."""
