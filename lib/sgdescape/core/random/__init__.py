"""Counter-based random numbers: Philox in NumPy, torch and numba, Brownian paths, seeds.

A draw is a function of where it is used; nothing here keeps a state. No statistics of samples.
"""
