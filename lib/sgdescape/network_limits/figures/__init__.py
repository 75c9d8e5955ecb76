"""Figures of chapter `network_limits`: plots of a dataset."""
