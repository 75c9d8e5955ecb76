"""Numbers of Kunin et al. that this chapter analyses again, as data.

Provenance: the stored outputs of the authors' public notebooks (github.com/danielkunin/
rethinking-SGD, commit eb408e0): `EXPONENTS` is the legend of the grid of ResNet-18 runs, printed
there as text; `RUNS` and `SWEEPS` are read off stored figures, to about 3 per cent. The numbers in
the printed paper were not available to us.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

SAMPLES = 1_281_167
"""Training images of ImageNet, N."""

_TABLE = """
1e-5 128 1.335 1.202 .983
1e-5 256 1.453 1.326 1.000
1e-5 512 1.593 1.497 1.087
1e-4 128 1.000 .976 .882
1e-4 256 1.054 .987 .915
1e-4 512 1.177 1.063 .958
1e-3 128 .924 .873 .530
1e-3 256 .924 .895 .627
1e-3 512 .945 .925 .750
"""


@dataclass(frozen=True, eq=False)
class Exponents:
    """Fitted exponents and the settings of their runs."""

    learning_rate: np.ndarray  # (runs,)
    batch_size: np.ndarray  # (runs,)
    momentum: np.ndarray  # (runs,)
    exponent: np.ndarray  # (runs,)
    samples: float  # N


def published_exponents() -> Exponents:
    """Return the 27 exponents of ResNet-18 on ImageNet: a line through the second epoch."""
    rows = np.array([line.split() for line in _TABLE.split("\n") if line], dtype=float)
    eta, size = np.repeat(rows[:, 0], 3), np.repeat(rows[:, 1], 3)
    beta = np.tile([0.8, 0.9, 0.99], len(rows))
    return Exponents(eta, size, beta, rows[:, 2:].ravel(), SAMPLES)


@dataclass(frozen=True)
class Run:
    """One pretrained network, followed for ten epochs; momentum 0.9, batch size 256."""

    name: str
    step: float  # |delta|^2, flat in time
    exponent: float  # of the fitted line
    distance: float  # |Delta|^2 after 5 10^4 steps


RUNS = (
    Run("ResNet-18", 1.27e-6, 1.075, 1.55),
    Run("ResNet-34", 1.57e-6, 1.085, 2.0),
    Run("VGG16-BN", 1.75e-8, 1.370, 0.155),
    Run("VGG16", 2.85e-8, 1.616, 0.095),
    Run("VGG11-BN", 1.62e-8, 1.401, 0.145),
)
"""Training runs of the paper's Fig. 1, read off the figure."""

RUN_STEPS = 50_000
"""Steps of `Run.distance`."""

RUN_MOMENTUM = 0.9
"""Momentum of `RUNS`."""

READING = 0.03
"""Relative error of reading the figure."""

SWEEPS = (  # learning rate, batch size, momentum, exponent
    (1e-5, 256, 0.9, 1.325),
    (6.2e-5, 256, 0.9, 1.03),
    (1e-3, 256, 0.9, 0.893),
    (1e-4, 32, 0.9, 1.147),
    (1e-4, 84, 0.9, 1.03),
    (1e-4, 188, 0.9, 0.97),
    (1e-4, 345, 0.9, 1.0),
    (1e-4, 1024, 0.9, 1.17),
    (1e-4, 256, 0.8, 1.053),
    (1e-4, 256, 0.99, 0.912),
)
"""Points of the one-at-a-time sweeps (Fig. 7, bottom), read off a stored figure: of its sixty those
that our reading notes hold. The one at S = 188 stands for several between 136 and 240."""

DEFAULT_STEP = 1.2e-6
SPEEDS = (  # learning rate, batch size, momentum, |delta|^2 of the last step
    (1e-3, 256, 0.9, 1.24e-4),
    (1e-4, 32, 0.9, 1.14e-5),
    (1e-4, 256, 0.99, 1.28e-5),
)
"""Ends of the sweeps of |delta|^2 (Fig. 7, top), and its default point (1e-4, 256, 0.9), read off
the same figure."""

PRINTED_STEPS = (40036, 16014, 9420, 6962)
"""Steps an epoch that the notebook printed for the first four batch sizes of its sweep."""


@door
def actual_batch_size(batch_size, *, cores=8):
    """Return the batch that ``cores`` machines make of a nominal one, each with a whole number.

    Args:
        batch_size: B, a whole number, at least ``cores``; any shape.
        cores: number of machines, at least 1.

    Example:
        >>> actual_batch_size([100, 256]).tolist()
        [96, 256]
    """
    nominal = validate.each_whole("batch_size", batch_size, low=validate.count("cores", cores))
    return (cores * (nominal // cores)).astype(int)
