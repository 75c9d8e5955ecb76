"""Checkpoints, measurements, bowls, claims and figures of the chapter `neural_network`."""
