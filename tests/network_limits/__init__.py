"""Tests of chapter `network_limits`."""
