"""The limiting dynamics of networks: a small one, completely known, then a ResNet-18.

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.
"""

from sgdescape.network_limits import claims, figures
from sgdescape.network_limits.config import PAPER, QUICK, Config
from sgdescape.network_limits.experiment import run
from sgdescape.network_limits.prose import summary
from sgdescape.network_limits.theory import (
    critical_curvature,
    displacement,
    equipartition,
    filtered_variance,
    impulse,
    moments,
    noise_ratio,
    ring,
    speed,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "claims",
    "critical_curvature",
    "displacement",
    "equipartition",
    "figures",
    "filtered_variance",
    "impulse",
    "moments",
    "noise_ratio",
    "ring",
    "run",
    "speed",
    "summary",
]
