"""The figures of chapter `anomalous_diffusion`: theory as lines, measurement as points.

Functions draw a dataset of `anomalous_diffusion.run`, or exact curves, into given axes.
"""

from sgdescape.anomalous_diffusion.figures.displacement import (
    SHOWN_LEVEL,
    bowl,
    displacement,
    exponents,
    orders,
    oscillation,
    power_law,
    variances,
    windows,
)
from sgdescape.anomalous_diffusion.figures.exponents import (
    grid_exponents,
    published_exponents,
    published_sweeps,
)

__all__ = [
    "SHOWN_LEVEL",
    "bowl",
    "displacement",
    "exponents",
    "grid_exponents",
    "orders",
    "oscillation",
    "power_law",
    "published_exponents",
    "published_sweeps",
    "variances",
    "windows",
]
