"""Escape with momentum: one barrier between the two papers, and a map of where each holds.

Chapter `momentum_escape`: the barrier of SGD with momentum at every damping, its limits, inputs of
several laws, two directions, and the map of temperature and damping on which both papers lie.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.momentum_escape import claims, figures, predictions
from sgdescape.momentum_escape.config import PAPER, QUICK, Config
from sgdescape.momentum_escape.experiment import run
from sgdescape.momentum_escape.predictions import predict
from sgdescape.momentum_escape.prose import summary
from sgdescape.momentum_escape.theory.barrier import (
    barrier,
    diffusion_barrier,
    gibbs_barrier,
    weak_friction,
)
from sgdescape.momentum_escape.theory.energy import energy_tail, gibbs_tail, tail_exponent, turnover
from sgdescape.momentum_escape.theory.minimum_action import minimum_action, push_cost
from sgdescape.momentum_escape.theory.plane import circle_barrier, orbit_hamiltonian, plane_barrier
from sgdescape.momentum_escape.theory.pushes import (
    Push,
    cumulant,
    input_law,
    largest_tilt,
    normal_push,
)
from sgdescape.momentum_escape.theory.scales import (
    damping,
    second_moment_radius,
    settings,
    stable_step,
    temperature,
)
from sgdescape.momentum_escape.theory.tail import tail_slope

__all__ = [
    "Config",
    "PAPER",
    "Push",
    "QUICK",
    "barrier",
    "circle_barrier",
    "claims",
    "cumulant",
    "damping",
    "diffusion_barrier",
    "energy_tail",
    "figures",
    "gibbs_barrier",
    "gibbs_tail",
    "input_law",
    "largest_tilt",
    "minimum_action",
    "normal_push",
    "orbit_hamiltonian",
    "plane_barrier",
    "predict",
    "predictions",
    "push_cost",
    "run",
    "second_moment_radius",
    "settings",
    "stable_step",
    "summary",
    "tail_exponent",
    "tail_slope",
    "temperature",
    "turnover",
    "weak_friction",
]
