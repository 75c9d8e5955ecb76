"""What holds exactly in the stationary state, whatever the noise, if its mean given the past is 0.

One mode: theta_(k+1) - theta_k = beta (theta_k - theta_(k-1)) - eta (h theta_k + n_k).
"""

import numpy as np

from sgdescape.core import validate


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


def areal_rate(square_step, *, curvature, learning_rate, momentum, weight_decay=0.0) -> np.ndarray:
    """Return E[x_k delta_(k+1) - x_(k+1) delta_k] = -(1 + beta - eta h/2) E[delta^2].

    Eq. (modified-areal).

    Args:
        square_step: E[delta^2] (...).
        curvature: rho (...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        A step (...); negative means clockwise in the (theta, v) plane.

    Raises:
        ValueError: for a value outside its range.
    """
    eta, beta = _pair(learning_rate, momentum)
    h = validate.finite("curvature", curvature) + validate.non_negative(
        "weight_decay", weight_decay
    )
    return -(1 + beta - eta * h / 2) * validate.finite("square_step", square_step)


def excess_loss(square_step, *, learning_rate, momentum) -> np.ndarray:
    """Return E[L] - L* = (1 + beta) E|delta|^2 / (4 eta), lambda = 0, Eq. (modified-excess).

    Args:
        square_step: E|delta|^2, summed over modes (...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).

    Returns:
        (...,).

    Raises:
        ValueError: for a value outside its range.
    """
    eta, beta = _pair(learning_rate, momentum)
    return (1 + beta) * validate.finite("square_step", square_step) / (4 * eta)


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


def midpoint_variance(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return Var(theta_k - delta_k/2) = eta Sigma / (2 S (1 - beta) h): no correction in eta.

    Eq. (modified-midpoint): exact for every eta h below the edge of stability.

    Args:
        curvature: rho (...).
        noise: Sigma_ii (...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S > 0.
        weight_decay: lambda >= 0.

    Returns:
        (...,).

    Raises:
        ValueError: for a value outside its range.
    """
    eta, beta = _pair(learning_rate, momentum)
    size = validate.positive("batch_size", batch_size)
    h = validate.finite("curvature", curvature) + validate.non_negative(
        "weight_decay", weight_decay
    )
    if np.any(h <= 0) or np.any(eta * h >= 2 * (1 + beta)):
        edge = 2 * (1 + beta) / eta
        raise ValueError(f"rho + lambda must lie in (0, {edge:.4g}): got {h.min()}..{h.max()}")
    return eta * validate.finite("noise", noise) / (2 * size * (1 - beta) * h)


def variance_growth(steps, curvature, noise, *, learning_rate, momentum, batch_size):
    r"""Return Var(theta_k) started at rest at the minimum, exact, Eq. (modified-growth).

    (eta^2 Sigma / S) sum_(j<k) g_j^2 with g_0 = 1, g_j = (1 + beta - eta h) g_(j-1) - beta g_(j-2).
    A mode with h = 0 grows without end.

    Args:
        steps: k (times,), whole numbers >= 0.
        curvature: h_i >= 0 (d,), below the edge of stability.
        noise: Sigma_ii (d,).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S > 0.

    Returns:
        (times, d).

    Raises:
        ValueError: for a value outside its range.
    """
    from scipy import signal  # slow to import, and only this needs it

    k = np.atleast_1d(validate.finite("steps", steps)).astype(int)
    if np.any(k < 0):
        raise ValueError(f"steps must not be negative: got {k.min()}")
    eta, beta = _pair(learning_rate, momentum)
    h, s = np.broadcast_arrays(
        np.atleast_1d(validate.finite("curvature", curvature)), validate.finite("noise", noise)
    )
    if np.any(h < 0) or np.any(eta * h >= 2 * (1 + beta)):
        raise ValueError(f"curvature must lie in [0, {2 * (1 + beta) / eta:.4g}): got {h}")
    impulse = np.zeros(k.max() + 1)
    impulse[0] = 1
    columns = []
    for one, strength in zip(h, s, strict=True):
        g = signal.lfilter([1.0], [1.0, -(1 + beta - eta * one), beta], impulse)
        total = np.concatenate([[0.0], np.cumsum(g**2)])
        columns.append(eta**2 * strength / validate.positive("batch_size", batch_size) * total[k])
    return np.stack(columns, axis=1)


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
    from scipy import signal

    eta, beta = _pair(learning_rate, momentum)
    m = validate.count("steps_per_epoch", steps_per_epoch, low=2)
    lag = np.arange(1, m)
    memory = -(m - lag) / (m * (m - 1))
    ratios = []
    for h in np.atleast_1d(validate.finite("curvature", curvature)):
        if not 0 < eta * h < 2 * (1 + beta):
            raise ValueError(f"curvature must lie in (0, {2 * (1 + beta) / eta:.4g}): got {h}")
        length = m + int(30 * max((1 + beta) / (1 - beta), (1 - beta) / (eta * h)))
        impulse = np.zeros(length)
        impulse[0] = 1
        g = signal.lfilter([1.0], [1.0, -(1 + beta - eta * h), beta], impulse)
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
