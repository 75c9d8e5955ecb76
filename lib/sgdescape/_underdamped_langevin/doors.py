"""Door checks of the formulas of chapter `underdamped_langevin`: arrays in, clear refusals out."""

import numpy as np

from sgdescape.core import validate


def array(name: str, value, *, low=None, high=None, open_low=False) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and in the range.

    Args:
        name: the argument's name, for the message.
        value: number or array of any shape.
        low: smallest allowed value, or None.
        high: the values must lie below this, or None.
        open_low: whether ``low`` itself is refused too.

    Raises:
        ValueError: with the first value outside the range, and the range.

    Example:
        >>> array("momentum", [0.9, 1.0], low=0, high=1)
        Traceback (most recent call last):
        ...
        ValueError: momentum must lie in [0, 1): got 1.0
    """
    values = validate.finite(name, value)
    bad = np.zeros(values.shape, dtype=bool)
    if low is not None:
        bad |= (values <= low) if open_low else (values < low)
    if high is not None:
        bad |= values >= high
    if bad.any():
        left = "(" if open_low or low is None else "["
        ends = f"{'-inf' if low is None else f'{low:g}'}, {'inf' if high is None else f'{high:g}'}"
        raise ValueError(f"{name} must lie in {left}{ends}): got {float(values[bad][0])!r}")
    return values


def optimiser(learning_rate, momentum):
    """Return eta > 0 and beta in [0, 1) as arrays, or refuse them."""
    eta = array("learning_rate", learning_rate, low=0, open_low=True)
    return eta, array("momentum", momentum, low=0, high=1)


def stiffness(curvature, weight_decay, *, zero=True) -> np.ndarray:
    """Return h = rho + lambda, refused below 0 and, unless ``zero``, at 0.

    Raises:
        ValueError: if a curvature or the weight decay is negative, or h is 0 where it may not be.
    """
    rho = array("curvature", curvature, low=0)
    h = rho + array("weight_decay", weight_decay, low=0)
    if not zero and np.any(h == 0):
        raise ValueError(
            "curvature + weight_decay must be positive: got 0.0 (a free mode is not stationary)"
        )
    return h


def stable(h, eta, beta) -> None:
    """Refuse h = rho + lambda at or beyond the stability edge 2 (1 + beta) / eta.

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
