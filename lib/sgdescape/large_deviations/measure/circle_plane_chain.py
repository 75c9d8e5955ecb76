r"""Mean passage times of SGD on the circle with one further quadratic direction, without sampling.

A step from (theta, w) is -(eta/B) S, where S is the sum of B = 4 products of a normal residual with
a normal pair: a variance-gamma law in the plane, whose density is smooth enough for a lattice. The
signs of theta and w do not matter, so that (|theta|, |w|) is a Markov chain.
"""

import numpy as np
import xarray as xr
from scipy import linalg, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.large_deviations.measure.circle_chain import circle_passage, step_density
from sgdescape.large_deviations.measure.circle_plane import BATCH

_PER_STEP = (2.0, 3.0)  # places of the two lattices in a standard deviation of a step
_LEAST_PLACES = (12, 18)
_DEVIATIONS = 11.0  # of w over the saddle, up to which it is followed
_MOST_STATES = 6000


def pair_density(first, second, *, angle, extra, noise_variance):
    r"""Return the density of S = (S_1, S_2), sums of a batch of four gradients at (theta, w).

    .. math:: f(S)=\frac{e^{S\cdot m/D}}{4\pi\sqrt{2LD}}\sqrt{q/c}\,K_1(\sqrt{qc}),\quad
        m=(\sin\theta,w),\ D=2L-|m|^2,\ c=\frac{2L}D,\
        q=\frac{|S|^2+(S\cdot m)^2/D}{2L}

    Args:
        first: S_1, along theta.
        second: S_2, along w; broadcast with ``first``, not both 0.
        angle: theta.
        extra: w.
        noise_variance: sigma^2.

    Example:
        >>> s = np.linspace(-80, 80, 1000)
        >>> f = pair_density(s[:, None], s, angle=1.0, extra=0.5, noise_variance=2.0)
        >>> area = (s[1] - s[0]) ** 2
        >>> print((f.sum() * area).round(3), ((s * f.sum(axis=1)).sum() * area).round(2))
        1.0 3.37
    """
    rise = 1 - np.cos(angle)
    spread, slope = noise_variance + rise**2, np.sin(angle)
    twice = 2 * rise + extra**2 + noise_variance
    along = (first * slope + second * extra) / spread
    square = (first**2 + second**2 + along**2 * spread) / twice
    c = twice / spread
    z = np.sqrt(square * c)
    scale = 4 * np.pi * np.sqrt(twice * spread) * c
    return z * special.k1e(z) * np.exp(along - z) / scale


@door
def direction_effect(*, noise_variance: float, rate: float) -> tuple[float, float]:
    r"""Return by how much a further direction lowers log t to \|theta\| >= pi, and its error.

    Batches are of four. Both times are taken on the same lattice: most of its error cancels.

    Args:
        noise_variance: sigma^2, positive.
        rate: eta/B.

    Returns:
        log(t_1/t_2) from two lattices, and its difference from the finer one's.

    Raises:
        ValueError: if the lattice would need more places than fit.

    Example:
        >>> value, error = direction_effect(noise_variance=8.0, rate=0.2)
        >>> print(round(value, 2), error < 0.01)
        0.3 True
    """
    variance = validate.positive("noise_variance", noise_variance)
    rate = validate.positive("rate", rate)
    step = rate * np.sqrt(BATCH * variance)
    counts = [
        max(int(np.ceil(np.pi * share / step)), least)
        for share, least in zip(_PER_STEP, _LEAST_PLACES, strict=True)
    ]
    widest = _DEVIATIONS * np.sqrt(rate * (2 + variance / 2))
    states = counts[1] * np.ceil(widest * (counts[1] - 0.5) / np.pi)
    if states > _MOST_STATES:
        raise ValueError(
            f"rate must be larger for noise_variance = {variance:g}: {states:.0f} places would be "
            f"needed, {_MOST_STATES} are allowed: got {rate:g}"
        )
    coarse, fine = (
        np.log(_steps_alone(n, variance, rate) / _steps_of_two(n, widest, variance, rate))
        for n in counts
    )
    # the error falls as the square of the width
    change = (fine - coarse) / ((counts[1] - 0.5) ** 2 / (counts[0] - 0.5) ** 2 - 1)
    return float(fine + change), float(abs(change))


def plane_chains(config) -> xr.Dataset:
    """Return what a further direction does to the circle's passage times, B = 4.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``plane_effect`` (plane_rate), by how much it lowers log t, ``plane_effect_error``, a bound,
        and ``circle_alone`` (plane_rate), the time of the circle alone.
    """
    variance, rates = config.plane_variance, list(config.plane_rates)
    effects = [direction_effect(noise_variance=variance, rate=rate) for rate in rates]
    alone = [
        circle_passage(noise_variance=variance, learning_rate=BATCH * rate, batch_size=BATCH).time
        for rate in rates
    ]
    return xr.Dataset(
        {
            "plane_effect": ("plane_rate", [value for value, _ in effects]),
            "plane_effect_error": ("plane_rate", [error for _, error in effects]),
            "circle_alone": ("plane_rate", alone, {"units": "t = eta k"}),
        },
        coords={"plane_rate": rates},
    )


def _steps_alone(count, variance, rate):
    """Mean number of steps of the circle alone on the same lattice."""
    width = np.pi / (count - 0.5)
    ends = width * np.arange(-3 * count, 3 * count + 1)
    chances = []
    for angle in width * np.arange(count):
        first = (angle - ends) / rate
        first = np.where(first == 0, 1e-9, first)
        law = step_density(first, angle, variance, BATCH)
        chances.append(_folded(law / law.sum(), count))
    return _mean_steps(np.array(chances))


def _steps_of_two(count, widest, variance, rate):
    """Mean number of steps with the further direction on a lattice of ``count`` angles."""
    width = np.pi / (count - 0.5)
    rows = int(np.ceil(widest / width))
    ends = width * np.arange(-3 * count, 3 * count + 1)  # those beyond pi are out
    others = width * np.arange(-rows + 1, rows)
    chances = []
    for angle in width * np.arange(count):
        first = (angle - ends) / rate
        first = np.where(first == 0, 1e-9, first)  # where the density has its limit
        for extra in width * np.arange(rows):
            second = (extra - others) / rate
            at = {"angle": angle, "extra": extra, "noise_variance": variance}
            law = pair_density(first[:, None], second, **at)
            law = _folded(law / law.sum(), count)
            chances.append(_folded(law.T, rows).T.ravel())
    return _mean_steps(np.array(chances))


def _folded(law, count):
    """Chances of the absolute places 0 ... count - 1 of a symmetric lattice's first axis."""
    middle = len(law) // 2
    folded = law[middle : middle + count].copy()
    folded[1:] += law[middle - count + 1 : middle][::-1]
    return folded


def _mean_steps(chances):
    """Mean number of steps from the first state until a chain leaves its states."""
    # at the rates in question it is below 1e9, so that no digits matter that subtraction loses
    system = np.eye(len(chances)) - chances
    return linalg.solve(system, np.ones(len(chances)), check_finite=False)[0]
