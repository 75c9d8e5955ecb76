"""How far SGD with momentum goes: in one step, and in k, from the stationary state."""

import numpy as np

from sgdescape.anomalous_diffusion.theory import _modes as modes
from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.underdamped_langevin.theory.autoregression import common_factor
from sgdescape.underdamped_langevin.theory.response import continuous_response, response

_CHUNK = 50_000  # numbers that are worked on together


@door
def local_displacement(
    curvatures,
    noise,
    *,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
    discrete=True,
):
    """Return E|delta|^2, the mean squared length of one step, Eq. (local-displacement).

    eta^2 / (S (1 - beta^2)) sum_i Sigma_ii, each term over 1 - eta h_i / (2 (1 + beta)) if
    discrete.

    Args:
        curvatures: rho_i (modes, ...), loss/parameter^2.
        noise: Sigma_ii of one sample's gradient (modes, ...), broadcast; a number for all modes.
        learning_rate: eta > 0, time a step.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        weight_decay: lambda >= 0; h_i = rho_i + lambda.
        discrete: exact, or as the continuous-time theory has it.

    Returns:
        The displacement summed over modes, shape of the rest.

    Raises:
        ValueError: for values outside their range, h < 0, or (discrete) eta h >= 2 (1 + beta).

    Example:
        >>> round(float(local_displacement([1.0, 4.0], 1.0, learning_rate=0.1, momentum=0.9,
        ...                                batch_size=1, discrete=False)), 6)
        0.105263
    """
    m = modes.modes(
        0,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=discrete,
    )
    return _each_step(m, discrete).sum(axis=0)


@door
def mean_squared_displacement(
    steps,
    curvatures,
    noise,
    *,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
    discrete=True,
):
    """Return E|theta_{j+k} - theta_j|^2 in the stationary state, Eq. (global-displacement).

    2 sum_i Var(theta_i) (1 - r_i(k)), written so that modes with h = 0, whose variance is
    infinite, have their finite displacement Eq. (free-displacement), and without cancellation.
    The cost and the memory do not depend on how large k is.

    Args:
        steps: k >= 0, whole numbers (...).
        curvatures: rho_i (modes, ...), loss/parameter^2; h_i = rho_i + lambda may be 0.
        noise: Sigma_ii of one sample's gradient (modes, ...), broadcast; a number for all modes.
        learning_rate: eta > 0, time a step (...).
        momentum: beta in [0, 1) (...).
        batch_size: S >= 1 (...).
        weight_decay: lambda >= 0 (...).
        discrete: exact for the iteration, or the Ornstein-Uhlenbeck process at t = eta k.

    Returns:
        Summed over modes (the first axis of curvatures and noise), the rest broadcast.

    Raises:
        ValueError: for values outside their range, h < 0, or (discrete) eta h >= 2 (1 + beta).

    Example:
        >>> far = mean_squared_displacement([1, 10, 10**6], [0.0, 1.0], 1.0, learning_rate=0.1,
        ...                                 momentum=0.9, batch_size=10)
        >>> far.round(4)
        array([1.07000000e-02, 5.46900000e-01, 9.99991553e+04])
    """
    k = modes.whole_steps(steps) if discrete else validate.within("steps", steps, low=0)
    m = modes.modes(
        k,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=discrete,
    )
    h, variance = np.broadcast_arrays(m.stiffness, m.variance)
    total = np.zeros(m.shape)
    # some modes at a time: memory stays near that of the answer
    few = max(1, _CHUNK // max(total.size, 1))
    for i in range(0, len(h), few):
        here = slice(i, i + few)
        some = modes.Modes(h[here], variance[here], m.learning_rate, m.momentum, m.shape)
        total += np.sum(_each_step(some, discrete) * _growth(k, some, discrete), axis=0)
    return total[()]


def _each_step(m, discrete):
    """E delta_i^2 of each mode."""
    eta, beta = m.learning_rate, m.momentum
    square = eta**2 * m.variance / (1 - beta**2)
    if not discrete:
        return square + 0 * m.stiffness
    return square * common_factor(m.stiffness, learning_rate=eta, momentum=beta)


def _growth(k, m, discrete):
    """E Delta_i^2 / E delta_i^2, made of Eq. (kick-response).

    U_k + (1 + beta) S_k, or 2 (1 - r)/(eta omega)^2.
    """
    eta, beta, h = m.learning_rate, m.momentum, m.stiffness
    if discrete:
        kick, total = response(k, eta * h, beta)
        return kick + (1 + beta) * total
    mass = eta * (1 + beta) / 2
    return 2 / eta**2 * continuous_response(eta * k, (1 - beta) / (2 * mass), h / mass)


@door
def free_displacement(steps, noise, *, learning_rate, momentum, batch_size):
    """Return E Delta_k^2 along a free direction (h = 0), Eq. (free-displacement).

    E delta^2 [(1 + beta)/(1 - beta) k - 2 beta (1 - beta^k)/(1 - beta)^2]. It is the most that
    stationary noise can do: no overdamped mode has a larger exponent at the same k.

    Args:
        steps: k >= 0, whole numbers.
        noise: Sigma_ii of one sample's gradient.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.

    Returns:
        The displacement, broadcast.
    """
    k, beta = modes.whole_steps(steps), validate.within("momentum", momentum, low=0, high=1)
    step = local_displacement(
        np.zeros((1,)),
        np.expand_dims(noise, 0),
        learning_rate=learning_rate,
        momentum=beta,
        batch_size=batch_size,
    )
    return step * ((1 + beta) / (1 - beta) * k - 2 * beta * (1 - beta**k) / (1 - beta) ** 2)


@door
def saturation(curvatures, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return the limit of E|Delta_k|^2 for k -> infinity, Eq. (saturation), continuous theory.

    eta / (S (1 - beta)) sum_i Sigma_ii / h_i: with Sigma = sigma^2 H and no weight decay the
    number of curved directions, whatever their curvatures.

    Args:
        curvatures: rho_i (modes, ...), h_i = rho_i + lambda > 0.
        noise: Sigma_ii of one sample's gradient.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        weight_decay: lambda >= 0.

    Returns:
        Summed over modes.

    Raises:
        ValueError: for values outside their range, or h = 0, where there is no limit.
    """
    m = modes.modes(
        0,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=False,
    )
    if np.any(m.stiffness == 0):
        raise ValueError("curvatures + weight_decay must be positive: got 0.0, which diffuses on")
    return np.sum(m.learning_rate * m.variance / (m.stiffness * (1 - m.momentum)), axis=0)


@door
def overdamped_displacement(
    steps, curvatures, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0
):
    """Return sum_i 2 Var(theta_i) (1 - exp(-h_i tau)), Eq. (overdamped-displacement).

    tau = eta k / (1 - beta) is the only time, and eta / (S (1 - beta)) the only strength.

    Args:
        steps: k >= 0.
        curvatures: rho_i (modes, ...).
        noise: Sigma_ii of one sample's gradient (modes, ...), broadcast.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        weight_decay: lambda >= 0.

    Returns:
        Summed over modes.
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
    slow = m.learning_rate / (1 - m.momentum)
    safe = np.where(m.stiffness > 0, m.stiffness, 1)
    grown = np.where(m.stiffness > 0, -np.expm1(-m.stiffness * slow * k) / safe, slow * k)
    return np.sum(slow * m.variance * grown, axis=0)


@door
def first_exponent(momentum):
    """Return log2 of E Delta_2^2 / E Delta_1^2 along a free direction, Eq. (first-exponent).

    1 + log2(1 + beta), the largest exponent that stationary SGD has: the ballistic start.

    Args:
        momentum: beta in [0, 1).

    Example:
        >>> round(float(first_exponent(0.9)), 2)
        1.93
    """
    return 1 + np.log2(1 + validate.within("momentum", momentum, low=0, high=1))


@door
def drift_share(step, distance, *, steps, momentum):
    """Return 1 - free diffusion/|Delta|^2, the part that iid noise cannot make, Eq. (drift-share).

    Free diffusion is (1 + beta)/(1 - beta) |delta|^2 k; curvature and shuffling only lessen it,
    so this is a lower bound.

    Args:
        step: |delta|^2 >= 0.
        distance: |Delta_k|^2 > 0.
        steps: k, whole numbers from 1, many times 1/(1 - beta).
        momentum: beta in [0, 1).

    Returns:
        The share, at most 1; negative where |Delta|^2 is less than free diffusion.

    Raises:
        ValueError: for values outside their range.

    Example:
        >>> round(float(drift_share(1.75e-8, 0.155, steps=50_000, momentum=0.9)), 2)
        0.89
    """
    square = validate.within("step", step, low=0)
    validate.each_at_least("steps", steps, 1)
    k, beta = modes.whole_steps(steps), validate.within("momentum", momentum, low=0, high=1)
    far = validate.within("distance", distance, low=0, open_low=True)
    return 1 - (1 + beta) / (1 - beta) * square * k / far
