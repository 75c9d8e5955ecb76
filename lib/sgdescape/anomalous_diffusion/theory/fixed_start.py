"""Displacement from a fixed start that is not the minimum: drift and noise."""

import numpy as np

from sgdescape.anomalous_diffusion.theory import _modes as modes
from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.underdamped_langevin.theory.response import kick_energy, response


@door
def fixed_start_displacement(
    steps,
    curvatures,
    noise,
    offsets,
    *,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
):
    """Return drift and noise of E|theta_k - theta_0|^2 from rest at theta_0, Eq. (fixed-start).

    Exact for the iteration with constant noise: drift (d_i e S_{k+1})^2, noise
    eta^2 Sigma_ii/S (U_1^2 + ... + U_k^2), with e = eta h_i. Overdamped it is
    Eq. (fixed-start-overdamped), a function of tau = eta k/(1 - beta) and eta/(S (1 - beta)).

    Args:
        steps: k >= 0, whole numbers (...).
        curvatures: rho_i (modes, ...).
        noise: Sigma_ii of one sample's gradient (modes, ...), broadcast.
        offsets: d_i = theta_0 - mu (modes, ...), broadcast; mu is the minimum with weight decay.
        learning_rate: eta > 0 (...).
        momentum: beta in [0, 1) (...).
        batch_size: S >= 1 (...).
        weight_decay: lambda >= 0 (...).

    Returns:
        Two arrays summed over modes: drift, noise.

    Raises:
        ValueError: as `mean_squared_displacement`.

    Example:
        >>> drift, noise = fixed_start_displacement(10**4, [1.0], 1.0, [3.0], learning_rate=0.1,
        ...                                         momentum=0.5, batch_size=10)
        >>> round(float(drift), 6), round(float(noise), 4)
        (9.0, 0.0103)
    """
    k = modes.whole_steps(steps)
    m = modes.modes(
        k,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=True,
    )
    away = np.atleast_1d(validate.within("offsets", offsets))
    away = away.reshape(away.shape[:1] + (1,) * (len(m.shape) + 1 - away.ndim) + away.shape[1:])
    rate = m.learning_rate * m.stiffness
    drift = (away * rate * response(k + 1, rate, m.momentum)[1]) ** 2
    noise_part = m.learning_rate**2 * m.variance * kick_energy(k, rate, m.momentum)
    return drift.sum(axis=0), noise_part.sum(axis=0)


@door
def overdamped_start(
    steps, curvatures, noise, offsets, *, learning_rate, momentum, batch_size, weight_decay=0.0
):
    """Return drift and noise of Eq. (fixed-start-overdamped).

    sum d_i^2 (1 - exp(-h_i tau))^2 and sum eta Sigma_ii/(2 h_i S (1 - beta))
    (1 - exp(-2 h_i tau)) with tau = eta k/(1 - beta).

    Args:
        steps: k >= 0 (...).
        curvatures: rho_i (modes, ...).
        noise: Sigma_ii of one sample's gradient.
        offsets: d_i = theta_0 - mu (modes, ...).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        weight_decay: lambda >= 0.

    Returns:
        Two arrays summed over modes: drift, noise.
    """
    k = validate.within("steps", steps, low=0)
    m = modes.modes(
        k,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=False,
    )
    away = np.atleast_1d(validate.within("offsets", offsets))
    away = away.reshape(away.shape[:1] + (1,) * (len(m.shape) + 1 - away.ndim) + away.shape[1:])
    slow = m.learning_rate / (1 - m.momentum)
    tau = slow * k
    drift = (away * np.expm1(-m.stiffness * tau)) ** 2
    twice = np.where(m.stiffness > 0, 2 * m.stiffness, 1)
    grown = np.where(m.stiffness > 0, -np.expm1(-twice * tau) / twice, tau)
    return drift.sum(axis=0), (slow * m.variance * grown).sum(axis=0)


@door
def epoch_time(*, learning_rate, batch_size, momentum, samples):
    """Return tau_ep = eta N/(S (1 - beta)), the effective time of an epoch, Eq. (epoch-time).

    Args:
        learning_rate: eta > 0.
        batch_size: S >= 1.
        momentum: beta in [0, 1).
        samples: N >= S.

    Returns:
        The time, broadcast.

    Raises:
        ValueError: for values outside their range, or sizes that are no whole numbers.

    Example:
        >>> at = {"learning_rate": 1e-4, "batch_size": 256, "momentum": 0.9}
        >>> round(float(epoch_time(**at, samples=1281167)), 2)
        5.0
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    size, n = validate.each_whole("batch_size", batch_size), validate.each_whole("samples", samples)
    if np.any(size > n):
        raise ValueError(f"batch_size must be at most samples = {n.min():g}: got {size.max():g}")
    return eta * n / (size * (1 - beta))
