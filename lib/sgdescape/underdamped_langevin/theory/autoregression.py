"""One mode of SGD with momentum exactly as it is iterated: an AR(2) process.

z_k = (theta_k - mu, v_k) obeys z_{k+1} = M z_k - (eta, 1) n_k with M = [[1 - eta h, eta beta],
[-h, beta]] and independent noise n_k of the minibatch. Checked by `doors`; called by `oscillator`
with arrays of one shape.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.underdamped_langevin.theory import stability


def oscillating_band(*, learning_rate, momentum):
    """Return the h between which the iteration has complex roots, Eq. (phase-discrete-critical).

    (1 -+ sqrt(beta))^2 / eta. The lower end is the discrete form of `critical_curvature`; above
    the upper one both roots are negative and the iterate flips its sign at every step.

    Args:
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).

    Returns:
        Lower and upper end (loss/parameter^2).

    Example:
        >>> low, high = oscillating_band(learning_rate=1.0, momentum=0.9)
        >>> float(low.round(6)), float(high.round(3))
        (0.002633, 3.797)
    """
    eta, beta = stability.optimiser(learning_rate, momentum)
    root = np.sqrt(beta)
    return ((1 - beta) / (1 + root)) ** 2 / eta, (1 + root) ** 2 / eta


def common_factor(curvature, *, learning_rate, momentum, weight_decay=0.0):
    """Return 1 / (1 - eta h / (2 (1 + beta))), Eq. (phase-discrete-stationary).

    What continuous time misses in every stationary second moment of a mode.

    Args:
        curvature: rho >= 0, any shape.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        The factor, at least 1.

    Raises:
        ValueError: for arguments outside their range, or at or beyond the stability edge.
    """
    eta, beta = stability.optimiser(learning_rate, momentum)
    h = stability.stiffness(curvature, weight_decay)
    stability.stable(h, eta, beta)
    return 1 / (1 - eta * h / (2 * (1 + beta)))


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
    stability.stable(h, eta, beta)
    factor = 1 / (1 - eta * h / (2 * (1 + beta)))
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
    stability.stable(h, eta, beta)
    k, h, eta, beta = np.broadcast_arrays(k, h, eta, beta)
    now, before = _chebyshev(k, h, eta, beta), _chebyshev(np.maximum(k - 1, 0), h, eta, beta)
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


def _chebyshev(k, h, eta, beta):
    """(r+^k - r-^k) / (r+ - r-) with the roots of r^2 - (1 + beta - eta h) r + beta."""
    x = eta * h
    trace = 1 + beta - x
    discriminant = (1 - beta) ** 2 - 2 * x * (1 + beta) + x * x  # trace^2 - 4 beta, exact at x = 0
    root = np.sqrt(np.abs(discriminant))
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arctan2(root, trace)
        sine = np.where(root > 0, root / 2, 1)
        turning = beta ** (k / 2) * np.sin(k * angle) / sine
        large = (trace + np.where(trace < 0, -1, 1) * root) / 2
        ratio = np.where(large != 0, beta / np.where(large != 0, large**2, 1), 1)
        gap = 1 - ratio
        # sum of ratio^m, m < k
        series = np.where(gap > 1e-12, (1 - ratio**k) / np.where(gap > 1e-12, gap, 1), k)
        real = large ** np.maximum(k - 1, 0) * series
    return np.where(k == 0, 0.0, np.where(discriminant < 0, turning, real))
