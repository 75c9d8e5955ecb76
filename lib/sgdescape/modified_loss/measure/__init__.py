"""Measure of chapter `modified_loss`: experiments that give numbers; no theory."""
