"""Tests of chapter `anomalous_diffusion`."""
