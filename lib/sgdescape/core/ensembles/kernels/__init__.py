"""Engines of the ensembles: batched torch, numba for CPUs, Triton for GPUs; the same paths.

Nothing is imported from here unless it is used.
"""
