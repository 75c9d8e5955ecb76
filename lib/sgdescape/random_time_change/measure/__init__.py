"""Measure of chapter `random_time_change`: experiments that give numbers; no theory."""
