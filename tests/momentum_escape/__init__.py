"""Tests of chapter `momentum_escape`."""
