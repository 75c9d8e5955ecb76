"""Exponents of a power-law tail of which nothing else is known, continuous or of whole numbers.

`hill` takes the largest independent values, `choose_minimum` says where a tail begins;
`discrete_tail_exponent` and `choose_discrete_minimum` do it for whole numbers. Where a law is
known as a whole, its exponent is in `core.stats.power_law`.
A continuous density fitted to whole numbers is wrong by more than its own interval (Clauset,
Shalizi and Newman 2009): values that repeat are refused there, with the name of the discrete twin.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.correlation import BLOCKS, block_means
from sgdescape.core.stats.intervals import LEVEL, Interval, ratio_interval

__all__ = [
    "TIES",
    "Tail",
    "choose_discrete_minimum",
    "choose_minimum",
    "discrete_tail_exponent",
    "hill",
]

TIES = 0.01
"""Largest share of values in a tail that may repeat another: continuous numbers do not."""


@dataclass(frozen=True)
class Tail:
    """Where a power-law tail begins.

    Args:
        minimum: smallest value that belongs to it.
        exponent: of the density, at least 1, fitted above the minimum.
        distance: Kolmogorov-Smirnov distance above the minimum.
        count: number of values above or at the minimum.
    """

    minimum: float
    exponent: float
    distance: float
    count: int


@door
def hill(samples, *, count: int, level: float = LEVEL) -> Interval:
    """Tail index, the exponent of P(X > x) ~ x^(-index), from the largest independent samples.

    Hill's estimator: 1 / index is the mean of log(x_i / x_(k+1)) over the k largest. The interval
    is exact (chi-square with 2 k degrees of freedom) if these follow a Pareto law. The exponent
    of the density is one more.

    Args:
        samples: (n,), independent; absolute values are taken.
        count: k, in [2, n - 1]; the (k + 1)-th largest must be positive.
        level: of the interval, in (0, 1).

    Returns:
        The index with its interval.

    Raises:
        ValueError: for other shapes or counts, or if the k + 1 largest are equal, or many repeat.

    Example:
        >>> found = hill([8.0, 4.0, 2.0, 1.0], count=3)
        >>> round(float(found.value * np.log(2)), 6)
        0.5
    """
    values = np.abs(validate.finite("samples", samples))
    if values.ndim != 1 or values.size < 3:
        raise ValueError(f"samples must be (n,), n >= 3: got shape {values.shape}")
    validate.count("count", count, low=2, high=values.size - 1)
    largest = np.sort(values)[-count - 1 :]
    if largest[0] <= 0 or largest[0] == largest[-1]:
        raise ValueError(f"the {count + 1} largest must be positive and differ: {largest[[0, -1]]}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1): got {level}")
    _refuse_ties(largest, "discrete_tail_exponent(samples, minimum=..., unit=...)")
    inverse, tail = np.mean(np.log(largest[1:] / largest[0])), (1 - level) / 2
    low, high = (q / (2 * count * inverse) for q in _chi2_ends(2 * count, tail))
    return Interval(1 / inverse, low, high, level, f"Hill, {count} largest")


@door
def choose_minimum(samples, *, least: int = 50, candidates: int = 200) -> Tail:
    """Where the power-law tail begins: the minimum above which it fits best.

    The candidate with the smallest Kolmogorov-Smirnov distance between the values above it and
    the power law fitted there (Clauset, Shalizi and Newman 2009).

    Args:
        samples: (n,) or (replicas, n); absolute values are taken.
        least: number of values that must stay in the tail, at least 10.
        candidates: number of candidate minima tried, spread evenly over the ranks.

    Returns:
        The minimum with exponent, distance and number of values.

    Raises:
        ValueError: if there are fewer than ``least`` positive distinct values, or many repeat: see
            `choose_discrete_minimum`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> tail = choose_minimum(rng.pareto(1.5, size=3000) + 1)
        >>> 2.3 < tail.exponent < 2.7
        True
    """
    validate.count("least", least, low=10)
    validate.count("candidates", candidates)
    values = np.sort(np.abs(validate.finite("samples", samples)).ravel())
    values = values[values > 0]
    if values.size < least or values[-1] == values[-least]:
        raise ValueError(f"samples must hold {least} positive, distinct values: got {values.size}")
    _refuse_ties(values, "choose_discrete_minimum(samples, unit=...)")
    starts = np.unique(np.linspace(0, values.size - least, candidates).round().astype(int))
    # The first of equal values: all of them belong to the tail.
    starts = np.unique(np.searchsorted(values, values[starts], side="left"))
    return min((_tail(values[i:]) for i in starts), key=lambda tail: tail.distance)


@door
def discrete_tail_exponent(
    samples, *, minimum: float, unit: float = 1.0, blocks: int = BLOCKS, level: float = LEVEL
) -> Interval:
    r"""Exponent alpha of P(X = k) ~ k^(-alpha), whole numbers k >= minimum, maximum likelihood.

    .. math:: \langle\log k\rangle=-\frac{\zeta'(\alpha,k_{\min})}{\zeta(\alpha,k_{\min})}

    The mean of log k is a ratio of block means, whose interval is carried over. Source: Clauset,
    Shalizi and Newman (2009), Eq. (3.5).

    Args:
        samples: (n,) or (replicas, n), whole multiples of the unit, each row in the order of time;
            absolute values are taken.
        minimum: positive; values below it do not count.
        unit: step between neighbouring values, positive (0.01 for numbers rounded to cents).
        blocks: smallest number of blocks.
        level: of the interval, in (0, 1).

    Returns:
        The exponent with its interval.

    Raises:
        TooCorrelatedError: if the blocks are too short for the correlation of the samples.
        ValueError: if values are no multiples of the unit, if fewer than 10 reach the minimum, or
            if they allow every exponent above some value.

    Example:
        >>> samples = np.random.default_rng(0).zipf(2.5, size=20_000)
        >>> found = discrete_tail_exponent(samples, minimum=1)
        >>> found.low < 2.5 < found.high
        True
    """
    values = _multiples(samples, unit)
    lowest = int(np.ceil(validate.positive("minimum", minimum) / unit - 1e-9))
    inside = values >= lowest
    if inside.sum() < 10:
        raise ValueError(f"at least 10 values must reach minimum {minimum:g}: got {inside.sum()}")
    logs = np.where(inside, np.log(np.maximum(values, lowest)), 0.0)
    counts = block_means(inside.astype(float), blocks=blocks)
    found = ratio_interval(block_means(logs, blocks=blocks), counts, level=level)
    if found.low <= _mean_log(_LARGEST_EXPONENT, lowest):
        raise ValueError(
            f"samples must reach beyond minimum {minimum:g} often enough to bound the exponent"
        )
    high, value, low = (_exponent_of(m, lowest) for m in (found.low, found.value, found.high))
    return Interval(value, low, high, level, f"discrete, between {counts.size} blocks")


@door
def choose_discrete_minimum(
    samples, *, unit: float = 1.0, least: int = 50, candidates: int = 200
) -> Tail:
    """Where the power-law tail of whole numbers begins: the minimum above which it fits best.

    As `choose_minimum`, with the discrete law.

    Args:
        samples: (n,) or (replicas, n), whole multiples of the unit; absolute values are taken.
        unit: step between neighbouring values.
        least: number of values that must stay in the tail, at least 10.
        candidates: number of candidate minima tried, spread evenly over the distinct values.

    Returns:
        The minimum with exponent, distance and number of values.

    Raises:
        ValueError: if values are no multiples of the unit, or fewer than ``least`` are positive.

    Example:
        >>> tail = choose_discrete_minimum(np.random.default_rng(0).zipf(2.5, size=3000))
        >>> 2.3 < tail.exponent < 2.7
        True
    """
    validate.count("least", least, low=10)
    validate.count("candidates", candidates)
    values = np.sort(_multiples(samples, unit).ravel())
    values = values[values > 0]
    if values.size < least or values[-1] == values[-least]:
        raise ValueError(f"samples must hold {least} positive, distinct values: got {values.size}")
    seen, counts = np.unique(values, return_counts=True)
    starts = np.flatnonzero(seen <= values[-least])
    chosen = np.unique(np.linspace(0, starts.size - 1, candidates).round().astype(int))
    tails = (_discrete_tail(seen[k:], counts[k:], unit) for k in chosen)
    return min(tails, key=lambda tail: tail.distance)


def _discrete_tail(seen, counts, unit):
    size, lowest = counts.sum(), float(seen[0])
    exponent = _exponent_of(counts @ np.log(seen) / size, lowest)
    # both distribution functions jump at whole numbers only
    beyond = special.zeta(exponent, np.stack([seen, seen + 1])) / special.zeta(exponent, lowest)
    share = np.cumsum(counts) / size
    gaps = abs(share - counts / size - 1 + beyond[0]), abs(share - 1 + beyond[1])
    return Tail(lowest * unit, float(exponent), float(np.max(gaps)), int(size))


def _multiples(samples, unit):
    unit = validate.positive("unit", unit)
    scaled = np.abs(validate.finite("samples", samples)) / unit
    whole = np.rint(scaled)
    off = np.abs(scaled - whole) > 1e-6 * np.maximum(scaled, 1)
    if off.any():
        raise ValueError(
            f"samples must be whole multiples of unit {unit:g}: got {scaled[off][0] * unit:g}"
        )
    return whole


def _mean_log(exponent, lowest):
    """Mean of log k under k^-exponent, k >= lowest: minus the slope of log zeta."""
    step = 1e-5 * (exponent - 1)
    upper, lower = (np.log(special.zeta(exponent + d, float(lowest))) for d in (step, -step))
    return (lower - upper) / (2 * step)


_LARGEST_EXPONENT = 60.0


def _exponent_of(mean_log, lowest):

    def gap(exponent):
        return _mean_log(exponent, lowest) - mean_log

    if gap(1 + 1e-6) <= 0:
        return 1 + 1e-6
    if gap(_LARGEST_EXPONENT) >= 0:
        return _LARGEST_EXPONENT
    return optimize.brentq(gap, 1 + 1e-6, _LARGEST_EXPONENT, xtol=1e-12)


def _refuse_ties(values, way_out):
    repeated = 1 - np.unique(values).size / values.size
    if repeated > TIES:
        raise ValueError(
            f"samples must be continuous: {100 * repeated:.3g} % of {values.size} in the tail "
            f"repeat another, as whole or rounded numbers do; use {way_out}"
        )


def _tail(ordered):
    logs = np.log(ordered / ordered[0])
    index = ordered.size / logs.sum()
    distance = _distance(-np.expm1(-index * logs))
    return Tail(float(ordered[0]), float(1 + index), distance, logs.size)


def _distance(probabilities):
    """Kolmogorov-Smirnov distance from the law's probabilities of ordered samples."""
    n = probabilities.size
    steps = np.arange(n + 1) / n
    return float(max(np.max(steps[1:] - probabilities), np.max(probabilities - steps[:-1])))


def _chi2_ends(freedom, tail):
    return stats.chi2.ppf(tail, freedom), stats.chi2.isf(tail, freedom)
