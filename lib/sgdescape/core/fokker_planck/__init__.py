"""Exact answers without sampling: operators on grids, generators, elimination, quadrature.

No chapter's formulas: potentials and noises are arguments.
"""
