"""Tests of chapter `modified_loss`."""
