"""Measure of chapter `underdamped_langevin`: experiments that give numbers; no theory."""
