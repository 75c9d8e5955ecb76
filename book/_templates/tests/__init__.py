"""Tests of chapter `template_trial`."""
