"""Momentum SGD on a quadratic loss in phase space (theta, v), for any covariance of the noise.

Everything is in H's eigenbasis: ``curvature`` holds rho_i, ``noise`` is the per-sample covariance
Sigma_ij of the gradient, h_i = rho_i + lambda. Time is t = eta k, v_k = (theta_k - theta_(k-1))/eta
and x = theta - mu.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.modified_loss.theory._arguments import checked
from sgdescape.underdamped_langevin import diffusion_matrix, drift_matrix


@dataclass(frozen=True, eq=False)
class Covariance:
    """Stationary covariance in phase space, (d, d) each."""

    position: np.ndarray  # E[x_i x_j]
    cross: np.ndarray  # E[x_i v_j]
    velocity: np.ndarray  # E[v_i v_j]


@door
def process(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return A, D and kappa of the phase-space process, Eq. (modified-matrices).

    Args:
        curvature: rho_i (d,), with rho_i + lambda > 0.
        noise: Sigma (d, d), per sample, in H's eigenbasis.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.

    Returns:
        A (2d, 2d), D (2d, 2d) and kappa = S (1 - beta^2); z = (theta, v), theta first.

    Raises:
        ValueError: for a value outside its range.

    Example:
        >>> drift, diffusion, kappa = process(
        ...     [1.0], [[1.0]], learning_rate=0.1, momentum=0.0, batch_size=1)
        >>> drift
        array([[ 0., -1.],
               [20., 20.]])
    """
    h, s, eta, beta, size = checked(
        curvature, noise, learning_rate, momentum, batch_size, weight_decay, edge=False
    )
    at = {"learning_rate": eta, "momentum": beta}
    drift, diffusion = drift_matrix(np.diag(h), **at), diffusion_matrix(s, **at)
    return drift, diffusion, size * (1 - beta**2)


@door
def covariance(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return the continuous process' covariance pair by pair, Eq. (modified-pair).

    Args:
        curvature: rho_i (d,).
        noise: Sigma (d, d).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.

    Returns:
        The three blocks.

    Raises:
        ValueError: for a value outside its range, or a mode with h = 0: it has no stationary law.
    """
    h, s, eta, beta, size = checked(
        curvature, noise, learning_rate, momentum, batch_size, weight_decay, edge=False
    )
    total, apart = np.add.outer(h, h), np.subtract.outer(h, h)
    bend = eta * (1 + beta) * apart**2 / (4 * (1 - beta) ** 2)
    x = eta * s / (size * (1 - beta)) / (total + bend)
    return Covariance(x, apart / (2 * (1 - beta)) * x, total / (eta * (1 + beta)) * x)


@door
def discrete_covariance(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return the exact covariance of the iterates, Eq. (modified-pair-discrete).

    Args:
        curvature: rho_i (d,), with eta h < 2 (1 + beta).
        noise: Sigma (d, d): of independent noise, constant in theta.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.

    Returns:
        The three blocks at a full step: of theta_k and v_k = (theta_k - theta_(k-1)) / eta.

    Raises:
        ValueError: for a value outside its range, h = 0, or a mode beyond the edge of stability.
    """
    h, s, eta, beta, size = checked(
        curvature, noise, learning_rate, momentum, batch_size, weight_decay, edge=True
    )
    total, apart = np.add.outer(h, h), np.subtract.outer(h, h)
    below = total - eta * np.outer(h, h) / (1 + beta)
    below = below + beta * eta * apart**2 / ((1 - beta) ** 2 * (1 + beta))
    x = eta * s / (size * (1 - beta)) / below
    a = 1 + beta - eta * h
    later = (a[:, None] - beta * a) / (1 - beta**2) * x  # E[x_i(k+1) x_j(k)]
    return Covariance(x, (x - later) / eta, (2 * x - later - later.T) / eta**2)


@door
def half_step(full: Covariance, *, learning_rate) -> Covariance:
    """Return the covariance of (theta_k - delta_k / 2, v_k), Eq. (modified-midpoint).

    Args:
        full: of `discrete_covariance`.
        learning_rate: eta > 0.

    Returns:
        The three blocks with the position half a step back, where v_k belongs.
    """
    half = validate.positive("learning_rate", learning_rate) / 2
    x, y, w = full.position, full.cross, full.velocity
    return Covariance(x - half * (y + y.T) + half**2 * w, y - half * w, w)


@door
def circulation(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """Return E[x_i(k) x_j(k+1) - x_j(k) x_i(k+1)] a step, exact, Eq. (modified-swirl).

    Args:
        curvature: rho_i (d,).
        noise: Sigma (d, d).
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0.

    Returns:
        (d, d), antisymmetric; positive means counter-clockwise in the plane (i, j) of positions.

    Raises:
        ValueError: as `discrete_covariance`.
    """
    at = {
        "learning_rate": learning_rate,
        "momentum": momentum,
        "batch_size": batch_size,
        "weight_decay": weight_decay,
    }
    x = discrete_covariance(curvature, noise, **at).position
    h = np.asarray(curvature, float)
    return learning_rate * np.subtract.outer(h, h) / (1 - momentum) * x


@door
def phase_loss(position, velocity, *, curvature, learning_rate, momentum, weight_decay=0.0):
    """Return sigma^2 Psi for Sigma = sigma^2 H, mode by mode and summed, Eq. (modified-loss).

    Args:
        position: theta - mu in H's eigenbasis (..., d).
        velocity: v (..., d).
        curvature: rho_i > 0 (d,): on the range of H.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        (...,): the stationary density is proportional to exp(-kappa Psi), kappa = S (1 - beta^2).

    Raises:
        ValueError: for a value outside its range.
    """
    rho = validate.finite("curvature", curvature)
    if np.any(rho <= 0):
        raise ValueError(f"curvature must be positive on the range of H: got {rho.min()}")
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    shrink = 1 + validate.non_negative("weight_decay", weight_decay) / rho
    x, v = validate.finite("position", position), validate.finite("velocity", velocity)
    return np.sum(shrink * x**2 / (eta * (1 + beta)) + v**2 / (2 * rho), axis=-1)
