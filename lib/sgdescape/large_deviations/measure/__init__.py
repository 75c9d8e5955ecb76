"""Experiments of chapter `large_deviations`: exact chains and runs of SGD; no theory of them."""
