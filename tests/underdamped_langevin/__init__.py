"""Tests of chapter `underdamped_langevin`."""
