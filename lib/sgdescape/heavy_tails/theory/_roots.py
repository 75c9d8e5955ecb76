"""Roots of the growth rates of moments."""

from functools import cache

import numpy as np
from scipy import optimize


def moment_root(log_growth, *, start=1.0, largest=1e7, tolerance=1e-12) -> float:
    """Return the root s > 0 of a convex function that starts at 0 and falls first.

    Args:
        log_growth: log k(s) of s.
        start: a guess.
        largest: above it there is taken to be none.
        tolerance: relative, of the root.

    Returns:
        The root, or infinity.

    Example:
        >>> print(round(moment_root(lambda s: s**2 - 3 * s), 6))
        3.0
    """
    log_growth = cache(log_growth)  # one value at a bracket's end, whatever the rounding
    high = start
    while not log_growth(high) > 0:
        high *= 2
        if high > largest:
            return np.inf
    low = high / 2
    while log_growth(low) > 0:
        high, low = low, low / 2
    return float(optimize.brentq(log_growth, low, high, xtol=tolerance * high, rtol=1e-12))
