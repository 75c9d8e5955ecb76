"""Stochastic differential equations: models, paths, first passages, stationary averages.

No operators on grids: those are in `core.fokker_planck`.
"""
