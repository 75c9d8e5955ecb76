"""The figures of chapter `anomalous_diffusion`: theory as lines, measurement as points.

Functions draw a dataset of `anomalous_diffusion.run`, or exact curves, into given axes:
`displacement` its growth, `collapse` the exponents of many settings. No claims in here.
"""

from sgdescape.anomalous_diffusion.figures.collapse import (
    grid_exponents,
    published_exponents,
    published_sweeps,
)
from sgdescape.anomalous_diffusion.figures.displacement import (
    bowl,
    displacement,
    exponents,
    orders,
    oscillation,
    power_law,
    variances,
    windows,
)

__all__ = [
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
