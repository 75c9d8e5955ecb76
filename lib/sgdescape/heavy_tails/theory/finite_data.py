"""Tail index on a finite data set: the law of x is the data themselves, one input, B = 1."""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.heavy_tails.theory._roots import moment_root


@door
def data_root(inputs, *, learning_rate) -> float:
    r"""Return the root s of :math:`\frac1N\sum_i|1-\eta x_i^2|^s=1`, Eq. (tail-data).

    Args:
        inputs: x_i (N,), in any unit; h is the mean of their squares.
        learning_rate: eta.

    Returns:
        The root; infinite if eta max x^2 <= 2, where the law is bounded.

    Raises:
        ValueError: if no stationary law exists.

    Example:
        >>> print(round(data_root([0.5, 1.0, 2.0], learning_rate=0.6), 4))
        2.3431
        >>> data_root([0.5, 1.0, 2.0], learning_rate=0.5)
        inf
    """
    squares = validate.positive("learning_rate", learning_rate) * validate.finite("x", inputs) ** 2
    if squares.max() <= 2:
        return np.inf
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(1 - squares))
    if logs.mean() >= 0:
        raise ValueError(
            f"learning_rate must allow a stationary law (negative Lyapunov exponent): got "
            f"{learning_rate:g}, with exponent {logs.mean():.3g} a step"
        )
    logs = np.maximum(logs, -1e6)
    return moment_root(lambda s: special.logsumexp(s * logs) - np.log(logs.size))


@door
def bound(inputs, targets, *, learning_rate) -> float:
    r"""Return a bound on |theta - theta*| of the stationary law on these data, Eq. (tail-bound).

    .. math:: |z|\le\max_i\frac{\eta|x_ir_i|}{1-|1-\eta x_i^2|},\quad r_i=y_i-x_i\theta^*

    Args:
        inputs: x_i (N,), none of them 0.
        targets: y_i (N,).
        learning_rate: eta, with eta max x^2 < 2.

    Returns:
        The bound, infinite where a step can lengthen theta.

    Example:
        >>> print(round(bound([1.0, 2.0], [1.0, 0.0], learning_rate=0.4), 6))
        0.8
    """
    eta = validate.positive("learning_rate", learning_rate)
    x, y = validate.finite("inputs", inputs), validate.finite("targets", targets)
    left = 1 - np.abs(1 - eta * x**2)
    if np.any(left <= 0):
        return np.inf
    residuals = y - x * (x @ y) / (x @ x)
    return float(np.max(eta * np.abs(x * residuals) / left))


@door
def samples_needed(learning_rate):
    r"""Return the N at which Gaussian data first hold a sample with eta x^2 > 2, Eq. (tail-needed).

    .. math:: N=1/\mathrm{erfc}(\eta^{-1/2})

    Args:
        learning_rate: eta.

    Example:
        >>> print(round(float(samples_needed(0.5)), 1))
        22.0
    """
    return 1 / special.erfc(validate.within("learning_rate", learning_rate, low=0) ** -0.5)


__all__ = ["bound", "data_root", "samples_needed"]
