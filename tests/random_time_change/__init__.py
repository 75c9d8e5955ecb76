"""Tests of chapter `random_time_change`."""
