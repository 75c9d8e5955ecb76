"""Tests of chapter `noise_strength`."""
