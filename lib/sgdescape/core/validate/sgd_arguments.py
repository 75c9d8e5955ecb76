"""Checks of what formulas for SGD with momentum take: rates, noise, stiffness, the edge."""

import numpy as np

from sgdescape.core.validate import arrays, scalars

__all__ = ["minibatch", "optimiser", "stable", "stiffness"]


def optimiser(learning_rate, momentum, *, single=False):
    """Return eta > 0 and beta in [0, 1).

    Args:
        learning_rate: eta, time a step, of any shape.
        momentum: beta, of any shape.
        single: whether both must be one number each; then they are floats, else arrays.

    Raises:
        TypeError: if they hold no real numbers, or ``single`` and more than one.
        ValueError: naming the one that lies outside its range.

    Example:
        >>> optimiser(0.1, 0.9, single=True)
        (0.1, 0.9)
        >>> optimiser([0.1, 0.2], 1.0)
        Traceback (most recent call last):
        ...
        ValueError: momentum must lie in [0, 1): got 1.0
    """
    if single:
        eta = scalars.positive("learning_rate", learning_rate)
        return eta, scalars.fraction("momentum", momentum)
    eta = arrays.within("learning_rate", learning_rate, low=0, open_low=True)
    return eta, arrays.within("momentum", momentum, low=0, high=1)


def minibatch(noise, batch_size) -> np.ndarray:
    """Return Sigma / S, the noise of a minibatch: Sigma >= 0, S a whole number, at least 1.

    Example:
        >>> minibatch([1.0, 3.0], 2)
        array([0.5, 1.5])
    """
    return arrays.within("noise", noise, low=0) / arrays.each_whole("batch_size", batch_size)


def stiffness(curvature, weight_decay, *, zero=True) -> np.ndarray:
    """Return h = rho + lambda, refused below 0 and, unless ``zero``, at 0.

    Args:
        curvature: rho, not negative, of any shape.
        weight_decay: lambda, not negative.
        zero: whether h may be 0, a mode that diffuses freely.

    Raises:
        ValueError: if a curvature or the weight decay is negative, or h is 0 where it may not be.

    Example:
        >>> stiffness([1.0, 2.0], 0.5)
        array([1.5, 2.5])
    """
    rho = arrays.within("curvature", curvature, low=0)
    h = rho + arrays.within("weight_decay", weight_decay, low=0)
    if not zero and np.any(h == 0):
        raise ValueError(
            "curvature + weight_decay must be positive: got 0.0 (a free mode has no stationary law)"
        )
    return h


def stable(h, eta, beta) -> None:
    """Refuse h = rho + lambda at or beyond the stability edge 2 (1 + beta) / eta.

    Args:
        h: what `stiffness` returned.
        eta: what `optimiser` returned,
        beta: and its second value.

    Raises:
        ValueError: with the largest allowed h of the first mode that is refused.
    """
    h, eta, beta = np.broadcast_arrays(h, eta, beta)
    edge = 2 * (1 + beta) / eta
    bad = h >= edge
    if bad.any():
        raise ValueError(
            "curvature + weight_decay must lie below 2 (1 + momentum) / learning_rate = "
            f"{float(edge[bad][0]):.6g}: got {float(h[bad][0])!r}"
        )
