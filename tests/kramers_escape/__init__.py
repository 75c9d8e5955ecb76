"""Tests of chapter `kramers_escape`."""
