"""Stochastic differential equations: models, paths, first passages, stationary averages.

Operators on grids are in `core.fokker_planck`.
"""
