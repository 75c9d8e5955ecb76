"""Experiments of chapter `momentum_escape`: passage times of SGD with momentum; no theory."""
