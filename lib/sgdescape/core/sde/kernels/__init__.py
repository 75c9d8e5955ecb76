"""Engines of the SDE ensembles: numba for CPUs, Triton for GPUs; the same paths.

Nothing is imported from here unless it is used.
"""
