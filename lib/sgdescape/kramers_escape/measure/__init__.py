"""Measure of chapter `kramers_escape`: experiments that give numbers; no theory."""
