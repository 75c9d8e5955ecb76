"""Slopes of the logarithm of a mean time against 1/eta, on the three-hump camel."""

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import LEVEL, Interval


@door
def slope(times, rates) -> float:
    """Return the least-squares slope of log t against 1/eta.

    Args:
        times: t (rates,).
        rates: eta (rates,), at least two that differ.

    Example:
        >>> eta = np.array([0.1, 0.05, 0.025])
        >>> print(round(slope(7 * np.exp(2 / eta), eta), 9))
        2.0
    """
    logs = np.log(validate.within("times", times, low=0, open_low=True))
    return float(_weights(rates) @ logs)


@door
def passage_slope(times, rates, *, level=LEVEL) -> Interval:
    """Return the slope of the logarithm of the mean time of runs, by the same least squares.

    Args:
        times: of independent runs (rates, runs), positive: none of them given up.
        rates: eta (rates,).
        level: of the interval, from the spread of the runs (delta method).

    Raises:
        ValueError: if a time is not positive.

    Example:
        >>> times = np.random.default_rng(0).exponential(np.exp([[1.0], [2.0]]), (2, 1000))
        >>> found = passage_slope(times, [1.0, 0.5])
        >>> found.low < 1 < found.high
        True
    """
    times = validate.within("times", times, low=0, open_low=True)
    mean, runs = times.mean(axis=1), times.shape[1]
    errors = times.std(axis=1, ddof=1) / mean / np.sqrt(runs)
    half = stats.norm.isf((1 - level) / 2) * np.linalg.norm(_weights(rates) * errors)
    value = slope(mean, rates)
    return Interval(value, value - half, value + half, level, "delta method, independent runs")


def _weights(rates):
    """Of the logarithms in the slope."""
    x = 1 / validate.within("rates", rates, low=0, open_low=True)
    centred = x - x.mean()
    return centred / (centred @ centred)
