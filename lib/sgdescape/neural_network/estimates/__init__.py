"""Estimates of chapter `neural_network`: from numbers to values with intervals."""
