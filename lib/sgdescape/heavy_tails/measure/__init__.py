"""Experiments of chapter `heavy_tails`: states of SGD, and exact chains without sampling."""
