"""What the formulas of chapter `underdamped_langevin` accept: arrays in, clear refusals out."""

import numpy as np

from sgdescape.core import validate


def optimiser(learning_rate, momentum):
    """Return eta > 0 and beta in [0, 1) as arrays, or refuse them."""
    eta = validate.within("learning_rate", learning_rate, low=0, open_low=True)
    return eta, validate.within("momentum", momentum, low=0, high=1)


def minibatch(noise, batch_size) -> np.ndarray:
    """Return Sigma / S, the noise of a minibatch: Sigma >= 0, S a whole number, at least 1."""
    return validate.within("noise", noise, low=0) / validate.each_whole("batch_size", batch_size)


def stiffness(curvature, weight_decay, *, zero=True) -> np.ndarray:
    """Return h = rho + lambda, refused below 0 and, unless ``zero``, at 0.

    Raises:
        ValueError: if a curvature or the weight decay is negative, or h is 0 where it may not be.
    """
    rho = validate.within("curvature", curvature, low=0)
    h = rho + validate.within("weight_decay", weight_decay, low=0)
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
