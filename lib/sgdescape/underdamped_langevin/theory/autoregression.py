"""One mode of SGD with momentum exactly as it is iterated: an AR(2) process.

z_k = (theta_k - mu, v_k) obeys z_{k+1} = M z_k - (eta, 1) n_k with M = [[1 - eta h, eta beta],
[-h, beta]] and independent noise n_k of the minibatch; x_k = theta_k - mu alone is
x_{k+1} = (1 + beta - eta h) x_k - beta x_{k-1} - eta n_k. This is the one home of the momentum
mode: later chapters take its formulas from here.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
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
    eta, beta = validate.optimiser(learning_rate, momentum)
    root = np.sqrt(beta)
    return ((1 - beta) / (1 + root)) ** 2 / eta, (1 + root) ** 2 / eta


@door
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
    eta, beta = validate.optimiser(learning_rate, momentum)
    h = validate.stiffness(curvature, weight_decay)
    validate.stable(h, eta, beta)
    return 1 / (1 - eta * h / (2 * (1 + beta)))


@door
def square_step(
    curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0, discrete=True
):
    """Return E |delta_k|^2 of all modes, Eqs. (phase-speed) and (phase-exact-speed).

    eta^2 / (S (1 - beta^2)) times the sum of Sigma_ii, each divided by 1 - eta h_i /
    (2 (1 + beta)) if ``discrete``.

    Args:
        curvature: rho_i >= 0 (modes, ...).
        noise: Sigma_ii >= 0 of a sample (modes, ...), or a number for all modes.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.
        discrete: exact for the iteration with constant noise, or the SDE's.

    Returns:
        (...): the sum over the leading axis (parameter^2).

    Raises:
        ValueError: for arguments outside their range.

    Example:
        >>> at = {"learning_rate": 0.1, "momentum": 0.5, "batch_size": 4}
        >>> round(float(square_step([0.0], [3.0], **at)), 6)
        0.01
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    variance = validate.minibatch(noise, batch_size)
    factor = np.ones(np.shape(curvature))  # one number as noise is that of every mode
    if discrete:
        factor = common_factor(
            curvature, learning_rate=eta, momentum=beta, weight_decay=weight_decay
        )
    return np.sum(eta**2 * variance / (1 - beta**2) * factor, axis=0)


@door
def impulse_response(length, curvature, *, learning_rate, momentum, weight_decay=0.0):
    """Return g_j, a mode's answer to one kick j steps later, Eq. (phase-impulse).

    g_0 = 1, g_j = (1 + beta - eta h) g_(j-1) - beta g_(j-2): the position after k steps from rest
    at the minimum is x_k = -eta sum_(j < k) g_j n_(k-1-j), whatever the law of the noise.

    Args:
        length: number of j, at least 1.
        curvature: rho >= 0, any shape; below the stability edge.
        learning_rate: eta > 0, broadcast against it (time a step).
        momentum: beta in [0, 1), broadcast.
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        (..., length): of the broadcast shape, g_0 first.

    Raises:
        ValueError: for arguments outside their range, or at or beyond the stability edge.

    Example:
        >>> impulse_response(4, 0.0, learning_rate=0.1, momentum=0.5)
        array([1.   , 1.5  , 1.75 , 1.875])
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    h = validate.stiffness(curvature, weight_decay)
    validate.stable(h, eta, beta)
    h, eta, beta = np.broadcast_arrays(h, eta, beta)
    found = np.ones((validate.count("length", length), *h.shape))
    before, now, factor = np.zeros(h.shape), found[0], 1 + beta - eta * h
    for j in range(1, len(found)):  # for every j the recursion is faster than the closed form
        before, now = now, factor * now - beta * before
        found[j] = now
    return np.moveaxis(found, 0, -1).copy()
