"""The arrow of time in one direction: what minibatch noise that is not normal does to it.

A stationary sequence of normal numbers is the same backwards. Minibatches of linear regression are
not normal: with Gaussian inputs the batch's curvature is K = h chi^2_S / S, and its gradient noise
given K is normal of variance sigma^2 K / S. Fourth moments close, so the asymmetry is exact.
"""

from math import comb

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

_NORMAL = {0: 1.0, 2: 1.0, 4: 3.0}  # moments of a standard normal number


@door
def time_asymmetry(curvature, *, learning_rate, momentum, batch_size) -> float:
    r"""Return (E[x_k^3 x_(k+1)] - E[x_k x_(k+1)^3]) / Var(x)^2, Eq. (modified-asymmetry).

    Of momentum SGD on regression in one direction, fresh normal inputs of variance h and normal
    label noise of any size. Zero for every reversible sequence; for small eta h, Eq.
    (modified-arrow), about -12 beta (eta h)^2 / (S (1 + beta^2) (1 + beta + beta^2)), and
    6 (eta h)^3 (1 + 2/S) / S without momentum.

    Args:
        curvature: h > 0.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, an integer.

    Returns:
        A number; as the noise grows with S -> 1 it exists up to a learning rate only.

    Raises:
        ValueError: for a value outside its range, or if the fourth moments are infinite.

    Example:
        >>> round(time_asymmetry(1.0, learning_rate=0.1, momentum=0.5, batch_size=2), 5)
        -0.01147
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    rate = eta * validate.positive("curvature", curvature)
    size = validate.count("batch_size", batch_size)
    law = _moments(rate, beta, size)
    square = law[2, 0]
    forward = (1 - rate) * law[4, 0] + beta * law[3, 1]
    backward = sum(c * law[i + 1, j] for (i, j), c in _next(3, 0, rate, beta, size).items())
    return float((forward - backward) / square**2)


def _moments(rate, beta, size):
    """E[x^i delta^j] of orders 0, 2 and 4, sigma^2 eta^2 h / S = 1, by their linear equations."""
    law = {(0, 0): 1.0}
    for order in (2, 4):
        keys = [(order - j, j) for j in range(order + 1)]
        step, known = np.zeros((order + 1, order + 1)), np.zeros(order + 1)
        for row, key in enumerate(keys):
            for other, factor in _next(*key, rate, beta, size).items():
                if sum(other) == order:
                    step[row, other[1]] += factor
                else:
                    known[row] += factor * law[other]
        if np.abs(np.linalg.eigvals(step)).max() >= 1:
            raise ValueError(
                f"learning_rate x curvature = {rate:g} is too large for batches of {size}: moments "
                f"of order {order} are infinite"
            )
        law |= zip(keys, np.linalg.solve(np.eye(order + 1) - step, known), strict=True)
    return law


def _next(i, j, rate, beta, size):
    """E[x'^i delta'^j | x, delta] as monomial -> factor; x' = x + delta'.

    delta' = beta delta - rate (K/h) x + g with g normal of variance K/h.
    """
    found = {}
    for r in range(i + 1):  # x'^i holds comb(i, r) x^(i - r) delta'^r
        n = j + r
        for a in range(n + 1):
            for b in range(n - a + 1):
                c = n - a - b
                if c % 2:
                    continue
                ways = comb(i, r) * comb(n, a) * comb(n - a, b)
                factor = ways * beta**a * (-rate) ** b * _NORMAL[c] * _chi_square(b + c // 2, size)
                key = (i - r + b, a)
                found[key] = found.get(key, 0.0) + factor
    return found


def _chi_square(order, size):
    """E[(chi^2_S / S)^n]."""
    return float(np.prod(1 + 2 * np.arange(order) / size))
