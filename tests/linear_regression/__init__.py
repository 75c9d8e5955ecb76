"""Tests of chapter `linear_regression`."""
