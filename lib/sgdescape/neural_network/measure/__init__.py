"""Measure of chapter `neural_network`: experiments that give numbers; no theory."""
