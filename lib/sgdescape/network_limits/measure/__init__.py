"""Measure of chapter `network_limits`: experiments that give numbers; no theory."""
