"""Formulas of chapter `momentum_escape`."""
