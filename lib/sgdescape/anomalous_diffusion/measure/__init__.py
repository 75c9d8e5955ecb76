"""Measure of chapter `anomalous_diffusion`: experiments that give numbers; no theory."""
