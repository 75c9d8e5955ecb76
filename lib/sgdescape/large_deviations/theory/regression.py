"""Gaussian linear regression: what it costs to climb, to jump, and the cheapest sequence of both.

Units h = 1 and sigma = 1: inputs x (d,) and labels y are standard normal and independent, the
minimum is at 0, L = (1 + |theta|^2)/2 and c = L/L* = 1 + |theta|^2. Costs are those of one sample:
a probability is exp(-(B/eta) cost).
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.linear_regression.theory.large_deviations import (
    cheapest_path,
    jump_cost,
    jump_factor,
    quasi_potential,
    tail_slope,
)

__all__ = [
    "THEORIES",
    "cheapest_path",
    "climb_momentum",
    "cumulant",
    "jump_cost",
    "jump_factor",
    "quasi_potential",
    "single_jump",
    "tail_slope",
]


@door
def cumulant(position, momentum):
    r"""Return the price of a tilt, Eqs. (deviations-cumulant) and (regression-cumulant).

    .. math:: \Lambda(\theta,p)=\log\langle e^{-p\cdot g}\rangle
        =-\tfrac12\log\big[(1+p\cdot\theta)^2-|p|^2(1+|\theta|^2)\big]

    Args:
        position: theta (..., d).
        momentum: p (..., d).

    Returns:
        (...,); infinite outside the domain of momenta.

    Example:
        >>> print(cumulant([0.5], [1.0]).round(9), cumulant([0.5], [2.0]))
        -0.0 inf
    """
    theta, p = validate.vectors(position=position, momentum=momentum)
    along = 1 + np.sum(p * theta, axis=-1)
    left = along**2 - np.sum(p**2, axis=-1) * (1 + np.sum(theta**2, axis=-1))
    inside = (left > 0) & (along > 0)
    value = np.where(inside, -0.5 * np.log(np.where(inside, left, 1.0)), np.inf)
    return value[()]


@door
def single_jump(loss_ratio):
    r"""Return the root of c - 1, the cost of one jump from the minimum, Eq. (jump-cost).

    Example:
        >>> print(single_jump(5.0))
        2.0
    """
    return np.sqrt(validate.each_at_least("loss_ratio", loss_ratio, 1) - 1)[()]


@door
def climb_momentum(position, *, theory="sgd"):
    r"""Return p = V' of one input under three theories of the climb, Eq. (three-momenta).

    Args:
        position: theta.
        theory: "sgd", "covariance" (the SDE with the exact covariance) or "paper" (noise 2LG).

    Example:
        >>> [float(climb_momentum(1.0, theory=name).round(3)) for name in THEORIES]
        [2.0, 0.667, 1.0]
    """
    theta = validate.finite("position", position)
    square = validate.one_of("theory", theory, THEORIES) and theta**2
    noise = {"sgd": 1.0, "covariance": 1 + 2 * square, "paper": 1 + square}[theory]
    return 2 * theta / noise


THEORIES = ("sgd", "covariance", "paper")
"""Names of the theories that `climb_momentum` knows."""
