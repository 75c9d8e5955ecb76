"""Tests of chapter `neural_network`."""
