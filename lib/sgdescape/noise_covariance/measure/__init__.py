"""Measure of chapter `noise_covariance`: experiments that give numbers; no theory."""
