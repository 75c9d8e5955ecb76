"""Quasi-potentials: what it costs noise to carry a system somewhere, for any convex Hamiltonian.

`line` knows climbs and jumps on a line, `action` finds cheapest paths in a few dimensions, `plane`
the whole quasi-potential on a grid in two. Here is no model: a model hands in its Hamiltonian.
"""

from sgdescape.core.quasi_potential.action import (
    ActionPath,
    diffusion_hamiltonian,
    minimum_action,
    path_cost,
    step_cost,
)
from sgdescape.core.quasi_potential.line import LinePotential, line_potential, refined_cost
from sgdescape.core.quasi_potential.plane import plane_potential

__all__ = [
    "ActionPath",
    "LinePotential",
    "diffusion_hamiltonian",
    "line_potential",
    "minimum_action",
    "path_cost",
    "plane_potential",
    "refined_cost",
    "step_cost",
]
