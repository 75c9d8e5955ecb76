"""Law of (theta, v) as it is iterated, for arguments that `oscillator` has checked."""

import numpy as np

from sgdescape.core import validate
from sgdescape.underdamped_langevin.theory.autoregression import common_factor
from sgdescape.underdamped_langevin.theory.response import response


def stationary_covariance(h, variance, eta, beta):
    """Return the covariance of (theta, v), Eq. (phase-discrete-stationary), for minibatch noise.

    Args:
        h: rho + lambda > 0 (...).
        variance: Sigma / S of a minibatch (...).
        eta: learning rate (...).
        beta: momentum (...).

    Returns:
        Covariance (..., 2, 2).
    """
    factor = common_factor(h, learning_rate=eta, momentum=beta)
    position = eta * variance * factor / (2 * (1 - beta) * h)
    velocity = variance * factor / (1 - beta**2)
    cross = eta * velocity / 2
    rows = [position, cross, cross, velocity]
    return np.stack(rows, axis=-1).reshape(*np.shape(position), 2, 2)


def power(steps, h, eta, beta):
    """Return M^k, Eq. (phase-discrete-law): U_k M - beta U_{k-1} with the roots of M.

    Args:
        steps: whole numbers k >= 0 (...).
        h: rho + lambda >= 0 (...).
        eta: learning rate (...).
        beta: momentum (...).

    Returns:
        The matrix (..., 2, 2).

    Raises:
        ValueError: if a number of steps is negative or not whole, or h is beyond the edge.
    """
    k = validate.within("steps", steps, low=0)
    if np.any(k != np.round(k)):
        raise ValueError(f"steps must be whole numbers: got {float(k[k != np.round(k)][0])!r}")
    validate.stable(h, eta, beta)
    k, h, eta, beta = np.broadcast_arrays(k, h, eta, beta)
    now, _ = response(k, eta * h, beta)
    before, _ = response(np.maximum(k - 1, 0), eta * h, beta)
    back = np.where(k > 0, beta * before, -1.0)  # M^0 = 1
    rows = [now * (1 - eta * h) - back, now * eta * beta, -now * h, now * beta - back]
    return np.stack(rows, axis=-1).reshape(*k.shape, 2, 2)


def free_covariance(k, variance, eta, beta):
    """Return the covariance of (theta_k, v_k) along a free direction from rest, Eq. (phase-free).

    Args:
        k: steps (n,).
        variance: Sigma / S of a minibatch (n,).
        eta: learning rate (n,).
        beta: momentum (n,).

    Returns:
        Covariance (n, 2, 2).
    """
    one = (1 - beta**k) / (1 - beta)  # sum of beta^m, m < k
    two = (1 - beta ** (2 * k)) / (1 - beta**2)
    position = eta**2 * variance / (1 - beta) ** 2 * (k - 2 * beta * one + beta**2 * two)
    cross = eta * variance / (1 - beta) * (one - beta * two)
    rows = [position, cross, cross, variance * two]
    return np.stack(rows, axis=-1).reshape(*k.shape, 2, 2)
