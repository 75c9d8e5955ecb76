"""One mode of SGD with momentum in continuous time: a damped oscillator in (theta, v).

h = rho + lambda is the curvature of the mode with weight decay; time is t = eta k everywhere,
`steps` counts updates k. The exact discrete results are in `autoregression`; functions with
``discrete`` give either.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.underdamped_langevin.theory import _iteration
from sgdescape.underdamped_langevin.theory.damping import angular_frequency, damping_rate


@door
def propagator(time, curvature, *, learning_rate, momentum, weight_decay=0.0):
    """Return e^{-A t} of one mode, Eq. (phase-propagator).

    Args:
        time: t = eta k >= 0, any shape.
        curvature: rho >= 0, broadcast against it.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        The matrix (..., 2, 2) that takes (theta - mu, v) at time 0 to its mean at time t; valid for
        under-, over- and critically damped modes and for h = 0.
    """
    at = {"learning_rate": learning_rate, "momentum": momentum}
    t, gamma, omega = np.broadcast_arrays(
        validate.within("time", time, low=0),
        damping_rate(**at),
        angular_frequency(curvature, weight_decay=weight_decay, **at),
    )
    even, odd = _even_odd(t, gamma, omega)
    rows = [even + gamma * odd, odd, -(omega**2) * odd, even - gamma * odd]
    return np.stack(rows, axis=-1).reshape(*t.shape, 2, 2)


@door
def stationary_covariance(
    curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0, discrete=True
):
    """Return the stationary covariance of (theta, v), exact or of the SDE.

    Continuous time, Eq. (phase-stationary): Var theta = eta Sigma / (2 S (1 - beta) h), Var v =
    Sigma / (S (1 - beta^2)), no correlation. Discrete time, Eq. (phase-discrete-stationary): both
    variances are larger by 1 / (1 - eta h / (2 (1 + beta))), and Cov(theta_k, v_k) =
    eta Var(v) / 2, because v_k is a backward difference.

    Args:
        curvature: rho >= 0, any shape.
        noise: Sigma_ii >= 0, variance of the per-sample gradient along the mode, broadcast.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0; h = rho + lambda > 0.
        discrete: the exact result of the iteration, or that of the SDE.

    Returns:
        Covariance (..., 2, 2) of (theta, v), with v_k = (theta_k - theta_{k-1}) / eta.

    Raises:
        ValueError: for arguments outside their range, a mode with h = 0, or (discrete) at or
            beyond the stability edge eta h = 2 (1 + beta).

    Example:
        >>> stationary_covariance(2.0, 2.0, learning_rate=0.1, momentum=0.9, batch_size=10,
        ...                       discrete=False).round(3)
        array([[0.05 , 0.   ],
               [0.   , 1.053]])
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    h = validate.stiffness(curvature, weight_decay, zero=False)
    variance = validate.minibatch(noise, batch_size)
    h, variance, eta, beta = np.broadcast_arrays(h, variance, eta, beta)
    if discrete:
        return _iteration.stationary_covariance(h, variance, eta, beta)
    position = eta * variance / (2 * (1 - beta) * h)
    zero = np.zeros_like(position)
    rows = [position, zero, zero, variance / (1 - beta**2)]
    return np.stack(rows, axis=-1).reshape(*position.shape, 2, 2)


@door
def mean(
    steps,
    curvature,
    start,
    start_velocity=0.0,
    *,
    learning_rate,
    momentum,
    weight_decay=0.0,
    discrete=True,
):
    """Return the mean of (theta - mu, v) after some steps: Eqs. (phase-law), (phase-discrete-law).

    Args:
        steps: k >= 0, any shape; whole numbers if ``discrete``.
        curvature: rho >= 0, broadcast against it.
        start: theta_0 - mu along the mode, broadcast.
        start_velocity: v_0; PyTorch's buffer starts at 0.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.
        discrete: M^k z_0, exact for the iteration, or e^{-A eta k} z_0 of the SDE.

    Returns:
        (..., 2): position from the fixed point, and velocity.
    """
    matrix = _transition(steps, curvature, learning_rate, momentum, weight_decay, discrete)
    start, velocity = np.broadcast_arrays(
        validate.within("start", start), validate.within("start_velocity", start_velocity)
    )
    return np.einsum("...ij,...j->...i", matrix, np.stack([start, velocity], axis=-1))


@door
def covariance(
    steps,
    curvature,
    noise,
    *,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
    discrete=True,
):
    """Return the covariance of (theta, v), k steps after a fixed start: Eq. (phase-law).

    C - P C P^T with the stationary C and P = e^{-A eta k}, Eq. (phase-law), or P = M^k, Eq.
    (phase-discrete-law); along a free direction (h = 0) the sum of Eq. (phase-free).

    Args:
        steps: k >= 0, any shape; whole numbers if ``discrete``.
        curvature: rho >= 0, broadcast against it.
        noise: Sigma_ii >= 0 of a sample along the mode, broadcast.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0; h = rho + lambda.
        discrete: exact for the iteration, or the SDE's.

    Returns:
        Covariance (..., 2, 2).

    Raises:
        ValueError: as `stationary_covariance`, but h = 0 is allowed.
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    variance = validate.minibatch(noise, batch_size)
    h = validate.stiffness(curvature, weight_decay)
    k = validate.within("steps", steps, low=0)
    k, h, variance, eta, beta = np.broadcast_arrays(k, h, variance, eta, beta)
    free = h == 0
    safe = np.where(free, (1 - beta) / eta, h)  # any stable value: replaced below
    final = stationary_covariance(
        safe, variance, learning_rate=eta, momentum=beta, batch_size=1, discrete=discrete
    )
    matrix = _transition(k, safe, eta, beta, 0.0, discrete)
    found = final - matrix @ final @ np.swapaxes(matrix, -1, -2)
    if free.any():
        along = _iteration.free_covariance if discrete else _free_covariance
        found[free] = along(k[free], variance[free], eta[free], beta[free])
    return found


@door
def autocorrelation(steps, curvature, *, learning_rate, momentum, weight_decay=0.0, discrete=True):
    """Return r(k), the stationary autocorrelation of a mode's position.

    Continuous, Eq. (phase-autocorrelation): e^{-gamma t} (cos nu t + gamma / nu sin nu t) with t =
    eta k. Discrete, Eq. (phase-discrete-autocorrelation): r_0 = 1, r_1 = 1 - eta h / (1 + beta),
    r_k = (1 + beta - eta h) r_{k-1} - beta r_{k-2}.

    Args:
        steps: k >= 0, any shape; whole numbers if ``discrete``.
        curvature: rho >= 0, broadcast against it.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.
        discrete: exact for the iteration, or the SDE's.

    Returns:
        r(k) in [-1, 1], of the broadcast shape.
    """
    matrix = _transition(steps, curvature, learning_rate, momentum, weight_decay, discrete)
    if not discrete:
        return matrix[..., 0, 0]
    eta, beta = validate.optimiser(learning_rate, momentum)
    h = validate.stiffness(curvature, weight_decay)
    # Cov(theta_0, v_0) / Var(theta_0) = h / (1 + beta)
    return matrix[..., 0, 0] + matrix[..., 0, 1] * h / (1 + beta)


@door
def velocity_autocorrelation(
    steps, curvature, *, learning_rate, momentum, weight_decay=0.0, discrete=True
):
    """Return C(k), the stationary autocorrelation of a mode's velocity.

    Continuous, Eq. (phase-autocorrelation): e^{-gamma t} (cos nu t - gamma / nu sin nu t).
    Discrete: minus the second difference of r over 2 (1 - r_1); beta^k along a free direction.

    Args:
        steps: k >= 0, any shape; whole numbers if ``discrete``.
        curvature: rho >= 0, broadcast against it.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.
        discrete: exact for the iteration, or the SDE's.

    Returns:
        C(k) in [-1, 1], of the broadcast shape.
    """
    matrix = _transition(steps, curvature, learning_rate, momentum, weight_decay, discrete)
    if not discrete:
        return matrix[..., 1, 1]
    eta, _ = validate.optimiser(learning_rate, momentum)
    # Cov(theta_0, v_0) / Var(v_0) = eta / 2
    return matrix[..., 1, 1] + matrix[..., 1, 0] * eta / 2


def _transition(steps, curvature, learning_rate, momentum, weight_decay, discrete):
    """M^k or e^{-A eta k} (..., 2, 2) after the door checks."""
    if not discrete:
        eta, _ = validate.optimiser(learning_rate, momentum)
        return propagator(
            validate.within("steps", steps, low=0) * eta,
            curvature,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
        )
    return _iteration.power(
        steps,
        validate.stiffness(curvature, weight_decay),
        *validate.optimiser(learning_rate, momentum),
    )


def _even_odd(t, gamma, omega):
    """e^{-gamma t} times cos nu t (or cosh) and sin(nu t) / nu (or sinh), nu -> 0 included."""
    square = omega**2 - gamma**2
    nu = np.sqrt(np.abs(square))
    x = nu * t
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        decay = np.exp(-gamma * t)
        sine = np.where(x > 1e-8, np.sin(x) / np.where(nu > 0, nu, 1), t)
        # gamma - nu without cancellation, and no overflow for long times
        slow = np.exp(-(omega**2) / (gamma + nu) * t)
        ratio = np.where(x > 1e-8, -np.expm1(-2 * x) / np.where(nu > 0, 2 * nu, 1), t)
        over_even, over_odd = slow * (1 + np.exp(-2 * x)) / 2, slow * ratio
    under = square > 0
    even = np.where(under, decay * np.cos(x), over_even)
    return even, np.where(under, decay * sine, over_odd)


def _free_covariance(k, variance, eta, beta):
    """Covariance of the SDE along h = 0, from rest."""
    gamma, t = (1 - beta) / (eta * (1 + beta)), eta * k
    final = variance / (1 - beta**2)  # of v, which relaxes at the rate 2 gamma
    one, two = -np.expm1(-2 * gamma * t), -np.expm1(-4 * gamma * t)
    position = final / (2 * gamma**2) * (2 * gamma * t - 2 * one + two / 2)
    cross = final * one**2 / (2 * gamma)
    rows = [position, cross, cross, final * two]
    return np.stack(rows, axis=-1).reshape(*k.shape, 2, 2)
