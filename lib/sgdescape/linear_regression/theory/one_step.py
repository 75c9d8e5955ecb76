"""One step of discrete SGD on linear regression, as a law of |theta'| given |theta|: no sampling.

Fresh samples, y standard normal and independent of x, h = 1, L* = 1/2, so that c = 1 + |theta|^2.
"""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels

INPUTS = ("rademacher", "uniform", "gaussian", "laplace")
_LOG_SMALLEST = -180.0  # log of the weight below which a node cannot matter
_SMALL_PAIR = 1e-25  # the same for a pair of nodes: times in many dimensions stay below 1e15


def mean_square(learning_rate, *, batch_size=1, inputs="gaussian", power=1.0):
    r"""Return nodes and weights for S, the mean of x^2 over a batch, by Gauss-Legendre panels.

    Args:
        learning_rate: eta; nodes are placed where eta S changes a step.
        batch_size: B; 1 unless the inputs are Gaussian.
        inputs: one of `INPUTS`, of variance 1.
        power: largest power of S to be averaged (Kesten's exponent), for the upper end.

    Returns:
        S (nodes,) and weights (nodes,), sum 1.

    Raises:
        ValueError: for B > 1 with other inputs than Gaussian.
    """
    learning_rate = validate.positive("learning_rate", learning_rate)
    b = validate.count("batch_size", batch_size)
    if validate.one_of("inputs", inputs, INPUTS) != "gaussian" and b > 1:
        raise ValueError(f"batch_size must be 1 for {inputs} inputs: got {b}")
    if inputs == "rademacher":
        return np.ones(1), np.ones(1)
    if inputs == "uniform":
        x, weight = panels(np.sqrt(3) * np.array([0, 0.01, 0.05, 0.2, 0.5, 0.75, 1]), 8)
        return x**2, weight / np.sqrt(3)
    # in x = sqrt(sum of squares): dense near 0, where steps vanish, and far into the tail
    reach = np.sqrt(b) + (20 if inputs == "gaussian" else 130) + 2 * np.sqrt(power)
    edges = np.concatenate([[0], np.geomspace(0.01, 0.5, 6), np.arange(1, reach, 0.75)])
    kink = np.sqrt(b / learning_rate)  # 1 - eta S changes its sign: an edge of a panel
    if edges[1] < kink < edges[-1] and np.abs(edges - kink).min() > 1e-9:
        edges = np.sort(np.append(edges, kink))
    x, weight = panels(edges, 8)
    if inputs == "laplace":
        log_density = np.log(2) / 2 - np.sqrt(2) * x
    else:
        log_density = (
            (b - 1) * np.log(x) - x**2 / 2 - (b / 2 - 1) * np.log(2) - special.gammaln(b / 2)
        )
    logs = np.log(weight) + log_density
    keep = logs + power * np.log(np.maximum(1, learning_rate * x**2)) > _LOG_SMALLEST
    weight = np.exp(logs)
    return x[keep] ** 2 / b, weight[keep] / weight.sum()


@door
def exceedance(start, levels, *, learning_rate, batch_size=1, inputs="gaussian"):
    r"""Return the chance that one step goes from theta to |theta'| > r, one input, Eq. (kernel).

    Given S the step is normal, :math:`\theta'\sim\mathcal N\big(\theta(1-\eta S),\ \eta^2S/B\big)`.

    Args:
        start: theta >= 0 (starts,).
        levels: r >= 0 (levels,).
        learning_rate: eta, positive.
        batch_size: B.
        inputs: one of `INPUTS`.

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


def kernel(dimension, learning_rate, batch_size, inputs):
    """Return the chance to go beyond a level in one step, as a function of (start, levels).

    Args:
        dimension: d; above 1 only with Gaussian inputs and B = 1.
        learning_rate: eta.
        batch_size: B.
        inputs: one of `INPUTS`.

    Raises:
        ValueError: for a combination of which this module knows no chain.
    """
    validate.count("batch_size", batch_size)
    if validate.count("dimension", dimension) == 1:
        return lambda start, levels: exceedance(
            start, levels, learning_rate=learning_rate, batch_size=batch_size, inputs=inputs
        )
    if batch_size != 1 or inputs != "gaussian":
        raise ValueError(
            f"dimension above 1 needs batch_size 1 and gaussian inputs: got {batch_size}, {inputs}"
        )
    return lambda start, levels: radial_exceedance(
        start, levels, learning_rate=learning_rate, dimension=dimension
    )


def _places(start, levels):
    """Starts as a column and levels as a row, both at least 0."""
    start = np.atleast_1d(validate.each_at_least("start", start, 0))
    levels = np.atleast_1d(validate.each_at_least("levels", levels, 0))
    if start.ndim > 1 or levels.ndim > 1:
        raise ValueError(f"start and levels must be rows: got {start.shape} and {levels.shape}")
    return start[:, None], levels


def chi(freedom):
    """Return nodes and weights of a chi variable, the length of a normal vector, tails included.

    Args:
        freedom: number of components, at least 1.
    """
    centre = np.sqrt(freedom)
    x, weight = panels(np.arange(max(centre - 7, 0), centre + 12, 1.5), 5)
    log_density = (freedom - 1) * np.log(x) - x**2 / 2
    log_density -= (freedom / 2 - 1) * np.log(2) + special.gammaln(freedom / 2)
    weight = weight * np.exp(log_density)
    return x, weight / weight.sum()
