"""Tests of chapter `decoupling`."""
