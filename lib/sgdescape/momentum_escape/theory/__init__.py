"""Formulas of chapter `momentum_escape`: the barrier at every damping, its limits, and the map.

One pure function an equation; no simulation and no measurement.
"""
