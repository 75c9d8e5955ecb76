"""One step of discrete SGD on linear regression, as a law of |theta'| given |theta|: no sampling.

Fresh samples, y standard normal and independent of x, h = 1, L* = 1/2, so that c = 1 + |theta|^2.
"""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.linear_regression.theory._inputs import chi, mean_square

_SMALL_PAIR = 1e-25  # the same for a pair of nodes: times in many dimensions stay below 1e15


@door
def exceedance(start, levels, *, learning_rate, batch_size=1, inputs="gaussian"):
    r"""Return the chance that one step goes from theta to |theta'| > r, one input, Eq. (kernel).

    Given S the step is normal, :math:`\theta'\sim\mathcal N\big(\theta(1-\eta S),\ \eta^2S/B\big)`.

    Args:
        start: theta >= 0 (starts,).
        levels: r >= 0 (levels,).
        learning_rate: eta, positive.
        batch_size: B.
        inputs: "rademacher", "uniform", "gaussian" or "laplace".

    Returns:
        Probabilities (starts, levels), small ones to full relative precision.

    Raises:
        ValueError: for an argument outside its range.

    Example:
        >>> print(exceedance([0.0], [0.1], learning_rate=0.1, inputs="rademacher").round(4))
        [[0.3173]]
    """
    start, levels = _places(start, levels)
    squares, weights = mean_square(learning_rate, batch_size=batch_size, inputs=inputs)
    total = np.zeros((start.shape[0], levels.size))
    for s, weight in zip(squares, weights, strict=True):
        mean, width = start * (1 - learning_rate * s), learning_rate * np.sqrt(s / batch_size)
        total += weight * special.ndtr((mean - levels) / width)
        total += weight * special.ndtr((-mean - levels) / width)
    return total


@door
def radial_exceedance(start, levels, *, learning_rate, dimension):
    r"""Return the chance of one step from |theta| to |theta'| > r, d Gaussian inputs, B = 1.

    The error e = x.theta - y is normal with variance 1 + |theta|^2. Given e, theta' is normal,
    Eq. (radial-kernel): variance eta^2 e^2 across, eta^2 e^2/(1 + |theta|^2) along theta.

    Args:
        start: |theta| (starts,).
        levels: r >= 0 (levels,).
        learning_rate: eta.
        dimension: d, at least 2.

    Returns:
        Probabilities (starts, levels).

    Example:
        >>> p = radial_exceedance([0.0], [0.0, 0.3, 3.0], learning_rate=0.1, dimension=2)
        >>> print(p.round(4))
        [[1.     0.0502 0.    ]]
    """
    d = validate.count("dimension", dimension, low=2)
    learning_rate = validate.positive("learning_rate", learning_rate)
    eps, eps_weight = panels(np.concatenate([[0], np.geomspace(0.05, 1, 5), np.arange(2, 12)]), 6)
    eps_weight = eps_weight * np.sqrt(2 / np.pi) * np.exp(-(eps**2) / 2)
    across, across_weight = chi(d - 1)
    rho, levels = _places(start, levels)
    total = np.zeros((rho.shape[0], levels.size))
    with np.errstate(over="ignore", invalid="ignore"):  # far beyond all levels: refused at the door
        spread = np.sqrt(1 + rho**2)
        for x, weight in zip(eps, eps_weight, strict=True):
            width = learning_rate * x  # sd along theta: e / spread = x, times eta
            mean = rho * (1 - learning_rate * x**2)
            for q, q_weight in zip(across, across_weight, strict=True):
                if weight * q_weight < _SMALL_PAIR:
                    continue
                left = levels**2 - (width * spread * q) ** 2
                half = np.sqrt(np.maximum(left, 0.0))
                outside = special.ndtr((mean - half) / width) + special.ndtr((-mean - half) / width)
                total += weight * q_weight * np.where(left > 0, outside, 1.0)
    return total


def _places(start, levels):
    """Starts as a column and levels as a row, both at least 0."""
    start = np.atleast_1d(validate.each_at_least("start", start, 0))
    levels = np.atleast_1d(validate.each_at_least("levels", levels, 0))
    if start.ndim > 1 or levels.ndim > 1:
        raise ValueError(f"start and levels must be rows: got {start.shape} and {levels.shape}")
    return start[:, None], levels
