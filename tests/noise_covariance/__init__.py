"""Tests of chapter `noise_covariance`."""
