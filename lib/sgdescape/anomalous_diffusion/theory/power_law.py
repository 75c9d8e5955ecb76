"""Displacement in a bowl whose curvatures fall as a power law."""

from scipy.special import gamma

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
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
