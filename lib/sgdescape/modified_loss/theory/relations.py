"""What holds exactly in the stationary state, whatever the noise, if its mean given the past is 0.

One mode: theta_(k+1) - theta_k = beta (theta_k - theta_(k-1)) - eta (h theta_k + n_k).
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.underdamped_langevin import (
    common_factor,
    impulse_response,
    stationary_covariance,
)


@door
def equipartition_curvature(square_step, variance, *, learning_rate, momentum) -> np.ndarray:
    """Return h = (1 + beta) E[delta^2] / (2 eta Var theta), Eq. (modified-equipartition).

    Args:
        square_step: E[delta^2] (...).
        variance: of theta in the same mode (...), positive.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).

    Returns:
        rho + lambda of the mode (...).

    Raises:
        ValueError: for a value outside its range.

    Example:
        >>> float(equipartition_curvature(0.02, 0.5, learning_rate=0.02, momentum=0.5))
        1.5
    """
    step, spread = (
        validate.finite("square_step", square_step),
        validate.finite("variance", variance),
    )
    if np.any(spread <= 0) or np.any(step < 0):
        raise ValueError("variance must be positive and square_step not negative")
    eta, beta = _pair(learning_rate, momentum)
    return (1 + beta) * step / (2 * eta * spread)


@door
def areal_rate(square_step, *, curvature, learning_rate, momentum, weight_decay=0.0) -> np.ndarray:
    """Return E[x_k delta_(k+1) - x_(k+1) delta_k] = -(1 + beta - eta h/2) E[delta^2].

    Eq. (modified-areal).

    Args:
        square_step: E[delta^2] >= 0 (...).
        curvature: rho >= 0 (...); 0 is a walk without force.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        A step (...); negative means clockwise in the (theta, v) plane.

    Raises:
        ValueError: for a value outside its range.
    """
    eta, beta = _pair(learning_rate, momentum)
    h = validate.within("curvature", curvature, low=0)
    h = h + validate.non_negative("weight_decay", weight_decay)
    return -(1 + beta - eta * h / 2) * validate.within("square_step", square_step, low=0)


@door
def excess_loss(square_step, *, learning_rate, momentum) -> np.ndarray:
    """Return E[L] - L* = (1 + beta) E|delta|^2 / (4 eta), lambda = 0, Eq. (modified-excess).

    Args:
        square_step: E|delta|^2 >= 0, summed over modes (...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).

    Returns:
        (...,).

    Raises:
        ValueError: for a value outside its range.
    """
    eta, beta = _pair(learning_rate, momentum)
    return (1 + beta) * validate.within("square_step", square_step, low=0) / (4 * eta)


@door
def decay_factor(curvature, *, weight_decay) -> np.ndarray:
    """Return rho / (rho + lambda): Var theta_i in units of its value at lambda = 0.

    Eq. (modified-loss), for Sigma = sigma^2 H.

    Args:
        curvature: rho > 0 (...).
        weight_decay: lambda >= 0.

    Returns:
        (...,) in (0, 1].

    Raises:
        ValueError: for a value outside its range.
    """
    rho = validate.finite("curvature", curvature)
    if np.any(rho <= 0):
        raise ValueError(f"curvature must be positive: got {rho.min()}")
    return rho / (rho + validate.non_negative("weight_decay", weight_decay))


@door
def midpoint_variance(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return Var(theta_k - delta_k/2) = eta Sigma / (2 S (1 - beta) h): no correction in eta.

    Eq. (modified-midpoint): exact for every eta h below the edge of stability, where it is what
    continuous time says of theta itself, `underdamped_langevin.stationary_covariance`.

    Args:
        curvature: rho (...).
        noise: Sigma_ii (...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.

    Returns:
        (...,).

    Raises:
        ValueError: for a value outside its range, h = 0 or a mode beyond the edge.
    """
    at = {"learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
    common_factor(curvature, **at)  # refuses what is not stable
    law = stationary_covariance(curvature, noise, batch_size=batch_size, discrete=False, **at)
    return law[..., 0, 0]


@door
def shuffled_equipartition(curvature, *, learning_rate, momentum, steps_per_epoch) -> np.ndarray:
    r"""Return (1 + beta) E[delta^2] / (2 eta h Var theta) for batches from shuffled epochs.

    Eq. (modified-shuffle): frozen gradients sum to zero over an epoch of M steps, so that the noise
    of two batches l steps apart has on average the covariance -(M - l) / (M (M - 1)), in units of
    its variance.

    Args:
        curvature: h > 0 (d,), below the edge of stability.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        steps_per_epoch: M, at least 2.

    Returns:
        (d,), above 1.

    Raises:
        ValueError: for a value outside its range.
    """
    from scipy import signal  # slow to import, and only this needs it

    eta, beta = _pair(learning_rate, momentum)
    m = validate.count("steps_per_epoch", steps_per_epoch, low=2)
    lag = np.arange(1, m)
    memory = -(m - lag) / (m * (m - 1))
    ratios = []
    for h in np.atleast_1d(validate.each_positive("curvature", curvature)):
        length = m + int(30 * max((1 + beta) / (1 - beta), (1 - beta) / (eta * h)))
        g = impulse_response(length, h, learning_rate=eta, momentum=beta)
        variances = []
        for response in (g, np.diff(g, prepend=0.0)):  # of theta, of delta
            echo = signal.correlate(response, response)[length - 1 :]
            variances.append(echo[0] + 2 * memory @ echo[1:m])
        ratios.append((1 + beta) * variances[1] / (2 * eta * h * variances[0]))
    return np.array(ratios)


def _pair(learning_rate, momentum):
    return validate.positive("learning_rate", learning_rate), validate.fraction(
        "momentum", momentum
    )
