"""Escape exponents of SGD on one finite data set, one input: Hamilton-Jacobi with its samples."""

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.linear_regression.theory._arguments import samples


@door
def momentum(position, inputs, targets):
    r"""Return the root p != 0 of :math:`\log\langle e^{-p\,g(z)}\rangle=0`, Eq. (hamilton-jacobi).

    Args:
        position: z = theta - theta*, not 0.
        inputs: x of the data (N,).
        targets: y of the data (N,).

    Returns:
        p, of the sign of z; 2 z h^(1/2) for infinitely many Gaussian labels.

    Raises:
        ValueError: if the data cannot move theta further from the minimum at this position.

    Example:
        >>> nodes, ends = np.polynomial.hermite_e.hermegauss(60)[0], [1.0, -1.0]
        >>> y = np.quantile(np.random.default_rng(0).normal(size=100_001), np.linspace(0, 1, 4001))
        >>> print(round(momentum(0.25, np.ones(4001), y - y.mean()), 2))
        0.5
    """
    x, y = samples(inputs, targets)
    position = float(validate.finite("position", position))
    if position == 0:
        raise ValueError("position must not be 0: there no push costs anything")
    best = (x @ y) / (x @ x)
    gradient = x * (x * position - (y - best * x)) * np.sign(position)
    if gradient.min() >= 0:
        raise ValueError(f"no sample pushes away from the minimum at {position}")

    def log_mean(p):
        return special.logsumexp(-p * gradient) - np.log(gradient.size)

    high = 4 * abs(position) + 1e-3
    while log_mean(high) <= 0:
        high *= 2
    low = abs(position) / 4
    while log_mean(low) >= 0:
        low /= 2
    return float(np.sign(position) * optimize.brentq(log_mean, low, high, xtol=1e-12))


@door
def data_barrier(loss_ratio, inputs, targets) -> float:
    r"""Return V(c) of one finite data set with one input, Eq. (data-barrier).

    Args:
        loss_ratio: c, above 1.
        inputs: x (N,).
        targets: y (N,).

    Returns:
        The lower of the barriers to either side, to compare with `quasi_potential`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> print(round(data_barrier(1.5, rng.normal(size=10**5), rng.normal(size=10**5)), 1))
        0.5
    """
    x, y = samples(inputs, targets)
    excess = float(validate.finite("loss_ratio", loss_ratio)) - 1
    if excess <= 0:
        raise ValueError(f"loss_ratio must be above 1: got {excess + 1}")
    best = (x @ y) / (x @ x)
    edge = np.sqrt(np.mean((y - best * x) ** 2) * excess / np.mean(x**2))
    nodes, weights = panels(np.array([0.0, edge]), 8)
    sides = [
        weights @ [abs(momentum(side * z, x, y)) for z in nodes]  # p grows almost linearly in z
        for side in (1, -1)
    ]
    return float(min(sides))
