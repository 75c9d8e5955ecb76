"""Laws of the inputs as nodes and weights: of the mean square over a batch, of a normal length."""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.fokker_planck.panels import panels

INPUTS = ("rademacher", "uniform", "gaussian", "laplace")
_LOG_SMALLEST = -180.0  # log of the weight below which a node cannot matter


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
