"""Measurement, claims and figures of the chapter `noise_strength`; its theory is in the module."""
