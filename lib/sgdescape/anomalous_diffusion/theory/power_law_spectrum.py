"""Curvatures that fall as a power law, and the exponent they give."""

import numpy as np
from scipy.special import gamma

from sgdescape.core import validate


def power_law_spectrum(count, exponent, *, largest=1.0):
    """Return rho_j = rho_1 j^(-1/(a - 1)), j = 1 ... count, whose density falls as rho^-a.

    Args:
        count: number of modes.
        exponent: a in (1, 2).
        largest: rho_1.

    Example:
        >>> power_law_spectrum(4, 1.5).round(4)
        array([1.    , 0.25  , 0.1111, 0.0625])
    """
    validate.count("count", count)
    a = _exponent(exponent)
    return validate.positive("largest", largest) * np.arange(1, count + 1) ** (-1 / (a - 1))


def power_law_displacement(times, exponent):
    """Return sum_j (1 - exp(-rho_j tau)) of a power law, Eq. (power-law-displacement).

    Gamma(2 - a) tau^(a - 1) - 1/2 with rho_1 = 1: times eta sigma^2/(S (1 - beta)) it is
    E|Delta|^2, and its exponent is a - 1.

    Args:
        times: tau = eta k/(1 - beta), not small against 1.
        exponent: a in (1, 2).

    Example:
        >>> round(float(power_law_displacement(100.0, 1.5)), 3)
        17.225
    """
    a = _exponent(exponent)
    return gamma(2 - a) * validate.within("times", times, low=0) ** (a - 1) - 0.5


def _exponent(value):
    a = validate.positive("exponent", value)
    if not 1 < a < 2:
        raise ValueError(f"exponent must lie in (1, 2): got {value!r}")
    return a
