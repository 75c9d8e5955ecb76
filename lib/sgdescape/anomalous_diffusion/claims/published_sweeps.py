"""Claims of chapter `anomalous_diffusion` on the paper's one-at-a-time sweeps (Fig. 7).

The numbers are read off a figure that the authors' notebook stores; theory and data meet with the
error of that reading.
"""

import numpy as np

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.drift_curve import published_curve, sweep_times
from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import computed

SOURCE = "Kunin et al., Fig. 7, read off the authors' stored figure"
METHOD = "3 % of reading"


@claim
def published_batch(ds) -> Claim:
    """Four times the default batch: beyond the runs that the curve was fitted to."""
    return _exponent(1024, "confirmed")


@claim
def published_small_batch(ds) -> Claim:
    """An eighth of it, four images a core: off the curve."""
    return _exponent(32, "refuted")


def _exponent(size, expected):
    """One point of the sweep in S on the curve of drift and noise through the grid of 27."""
    curve = published_curve()
    (c,) = (row[3] for row in published.SWEEPS if row[1] == size)
    default = (1e-4, 256, 0.9, None)
    here, blind = curve(sweep_times([(1e-4, size, 0.9, None), default]))
    error = published.READING * c
    return check(
        rf"ResNet-18 on ImageNet, $S={size}$: the published c is that of drift and noise fitted "
        "to the 27 runs of the grid, in which $S$ goes from 128 to 512.",
        source=SOURCE,
        predicted=round(float(here), 3),
        measured=computed(c, c - error, c + error, METHOD),
        rivals={r"$\eta/(1-\beta)$ or $\gamma$, blind to $S$": round(float(blind), 3)},
        tolerance=0.05,
        expected=expected,
    )


@claim
def published_speed(ds) -> Claim:
    """The last step's length over a factor of ten in the learning rate."""
    (value,) = (row[3] for row in published.SPEEDS if row[0] == 1e-3)
    ratio = value / published.DEFAULT_STEP
    ends = np.array([-1, 1]) * 2 * published.READING
    return check(
        r"ResNet-18 on ImageNet: $\|\delta\|^2$ of the last step at $\eta=10^{-3}$ over that at "
        "the default $10^{-4}$ is the square of the factor.",
        source=SOURCE,
        predicted=100.0,
        measured=computed(ratio, *(ratio * (1 + ends)), "3 % of reading on both numbers"),
        rivals={r"if it were $\propto\eta$": 10.0},
        expected="confirmed",
    )
