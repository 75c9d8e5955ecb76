"""The exponent of the power law P ~ (1 + r^2 / scale^2)^(-phi) in d dimensions, at a known scale.

It is L^(-phi) around the minimum of L = L* (1 + r^2 / scale^2); for d = 1 Student's t with
2 phi - 1 degrees of freedom. It is normalisable for phi > d / 2 and Gaussian for large phi.
"""

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.correlation import BLOCKS, correlated_mean
from sgdescape.core.stats.intervals import LEVEL, Interval

__all__ = ["UnboundedExponentError", "exponent_of", "power_law_exponent"]


class UnboundedExponentError(RuntimeError):
    """The data allow every exponent above some value: they cannot tell the law from a Gaussian.

    Args:
        message: says so.
        estimate: the maximum-likelihood exponent.
        low: lower end of its interval.
    """

    def __init__(self, message, estimate=float("nan"), low=float("nan")):
        super().__init__(message, estimate, low)
        self.estimate, self.low = float(estimate), float(low)

    def __str__(self):
        return self.args[0]


@door
def power_law_exponent(
    samples, *, scale: float, dimension: int = 1, blocks: int = BLOCKS, level: float = LEVEL
) -> Interval:
    """Exponent phi of P(theta) ~ (1 + r^2 / scale^2)^(-phi) by maximum likelihood.

    The estimate is a function of the mean of log(1 + r^2 / scale^2) alone, whose interval between
    blocks is carried over.

    Args:
        samples: theta - theta* (d = 1) or |theta - theta*|, (n,) or (replicas, n), each row in
            the order of time; at least 10, not all zero.
        scale: positive: sqrt(2 L* / h) for the loss L = L* + h r^2 / 2.
        dimension: d of theta; phi lies above d / 2.
        blocks: smallest number of blocks, see `correlation.block_means`.
        level: of the interval, in (0, 1).

    Returns:
        The exponent with its interval.

    Raises:
        UnboundedExponentError: if the interval reaches the Gaussian.
        TooCorrelatedError: if the blocks are too short for the correlation of the samples.
        ValueError: for too few samples, or all at the minimum.

    Example:
        >>> samples = np.random.default_rng(0).standard_t(4, size=20_000)
        >>> found = power_law_exponent(samples, scale=2.0)
        >>> found.low < 2.5 < found.high
        True
    """
    radii = np.abs(validate.finite("samples", samples))
    if radii.ndim not in (1, 2) or radii.size < 10:
        raise ValueError(f"samples must be (n >= 10,) or (replicas, n): got shape {radii.shape}")
    if radii.max() == 0:
        raise ValueError("samples must not all be zero")
    logs = np.log1p((radii / validate.positive("scale", scale)) ** 2)
    exponent = exponent_of(np.mean(logs), dimension=dimension)
    mean = correlated_mean(logs, blocks=blocks, level=level)
    low = exponent_of(mean.high, dimension=dimension)
    if mean.low <= 0:
        raise UnboundedExponentError(
            f"the exponent has no upper end at level {level:g}: the samples cannot be told from a "
            f"Gaussian; estimate {exponent:.4g}, above {low:.4g}",
            exponent,
            low,
        )
    high = exponent_of(mean.low, dimension=dimension)
    return Interval(exponent, min(low, exponent), max(high, exponent), level, mean.method)


@door
def exponent_of(mean_log: float, *, dimension: int) -> float:
    """Power-law exponent whose mean of log(1 + r^2 / scale^2) is given: the fit at known scale.

    It solves digamma(phi) - digamma(phi - d / 2) = mean_log, which falls from infinity at
    phi = d / 2 to 0.

    Args:
        mean_log: positive.
        dimension: d, at least 1.

    Returns:
        The exponent phi, above d / 2.

    Raises:
        ValueError: if the mean is not positive.

    Example:
        >>> round(exponent_of(special.digamma(4.0) - special.digamma(3.5), dimension=1), 9)
        4.0
    """
    half = validate.count("dimension", dimension) / 2
    mean_log = validate.positive("mean_log", mean_log)

    def excess(log_index):  # log of phi - d / 2
        index = np.exp(log_index)
        return special.digamma(index + half) - special.digamma(index) - mean_log

    # digamma(x + h) - digamma(x) <= h / x + min(h, 1) / x^2 and >= h / (x + h): brackets.
    low = np.log(half / mean_log) - 3
    while excess(low) < 0:
        low -= 3
    high = np.log(half / mean_log + 1) + 3
    while excess(high) > 0:
        high += 3
    return float(np.exp(optimize.brentq(excess, low, high, xtol=1e-13, rtol=1e-13)) + half)
