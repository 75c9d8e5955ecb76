"""Is the stationary state reversible? Entropy production of momentum SGD, Gaussian noise.

It is the rate at which a path is told from its time reversal, in nats a step; velocities change
sign under reversal by themselves, as they are differences of positions.
"""

import numpy as np
from scipy import integrate

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.modified_loss.theory import decomposition, phase_space
from sgdescape.modified_loss.theory._arguments import checked


@door
def entropy_production(curvature, noise, *, discrete=True, **at) -> float:
    r"""Return -(S/2) sum_ij (Sigma^-1)_ij (h_i - h_j)^2 E[x_i x_j], Eq. (modified-entropy).

    Exact for the iterates with their covariance, and for the continuous process with its own.

    Args:
        curvature: rho_i (d,).
        noise: Sigma (d, d), of full rank.
        discrete: of the iterates, or of the continuous process.
        at: learning_rate, momentum, batch_size, weight_decay.

    Returns:
        Nats a step; zero if Sigma and H commute.

    Raises:
        ValueError: for a value outside its range, or a noise of lower rank.

    Example:
        >>> at = {"learning_rate": 0.1, "momentum": 0.5, "batch_size": 1}
        >>> abs(entropy_production([1.0, 2.0], np.diag([1.0, 3.0]), **at))
        0.0
    """
    formula = phase_space.discrete_covariance if discrete else phase_space.covariance
    x = formula(curvature, noise, **at).position
    apart = np.subtract.outer(*2 * (np.asarray(curvature, float),))
    return float(-at["batch_size"] / 2 * np.sum(_inverse(noise) * apart**2 * x))


@door
def entropy_by_lyapunov(curvature, noise, *, learning_rate, momentum, **at) -> float:
    """Return eta times E[v_diss D_v^-1 (dv/dt - force)], of the continuous process: a second way.

    The dissipative part of the drift, -f v, times the force that does work on it,
    Eq. (modified-entropy-work), with the covariance of the general Lyapunov equation.

    Args:
        curvature: rho_i (d,).
        noise: Sigma (d, d), of full rank.
        learning_rate: eta.
        momentum: beta.
        at: batch_size, weight_decay.

    Returns:
        Nats a step.
    """
    drift, diffusion, kappa = phase_space.process(
        curvature, noise, learning_rate=learning_rate, momentum=momentum, **at
    )
    d = len(drift) // 2
    law = decomposition.shape(drift, diffusion) / kappa
    cross = law[:d, d:]  # E[x v^T]
    friction, stiffness = drift[d:, d:], drift[d:, :d]
    work = friction @ np.linalg.inv(diffusion[d:, d:] / kappa) @ stiffness
    return float(-learning_rate * np.trace(work @ cross))


@door
def entropy_by_spectrum(curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    r"""Return the same for the iterates from their power spectra alone: a third way.

    Eq. (modified-entropy-spectral), without a covariance.

    Two stationary Gaussian sequences with spectra S(w) and S(-w) are told apart at the rate
    (1/4 pi) int tr[S(w) S(-w)^-1 - 1] dw.

    Args:
        curvature: rho_i (d,).
        noise: Sigma (d, d), of full rank.
        learning_rate: eta.
        momentum: beta.
        batch_size: S; the result does not depend on it.
        weight_decay: lambda.

    Returns:
        Nats a step.
    """
    h, s, eta, beta, _ = checked(
        curvature, noise, learning_rate, momentum, batch_size, weight_decay, edge=True
    )
    weights = s * _inverse(s)

    def density(w):
        phase = np.angle(np.exp(1j * w) - (1 + beta - eta * h) + beta * np.exp(-1j * w))
        return -np.sum(weights * np.sin(np.subtract.outer(phase, phase)) ** 2) / np.pi

    # resonances sit at cos w = (1 + beta - eta h) / (2 sqrt(beta)), one a mode
    at = np.arccos(np.clip((1 + beta - eta * h) / (2 * np.sqrt(max(beta, 1e-12))), -1, 1))
    inside = sorted({float(w) for w in at if 1e-6 < w < np.pi - 1e-6})
    found = integrate.quad(density, 0, np.pi, points=inside or None, limit=1000, epsabs=1e-13)
    return float(found[0])


@door
def current_strength(curvature, *, learning_rate, momentum, weight_decay=0.0) -> float:
    """Return eta sum_i h_i / (1 - beta): the current's size, taken for entropy production.

    E[J_v^T D_v^-1 J_v / p^2] as if every current were dissipative, Eq. (modified-current-strength);
    for Sigma = sigma^2 H. It is not zero, and it is not the entropy production.

    Args:
        curvature: rho_i (d,).
        learning_rate: eta.
        momentum: beta.
        weight_decay: lambda.

    Returns:
        A step.
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    h = validate.each_positive("curvature", curvature)
    h = h + validate.non_negative("weight_decay", weight_decay)
    return float(eta * h.sum() / (1 - beta))


def _inverse(noise):
    s = np.asarray(noise, float)
    if np.linalg.matrix_rank(s) < len(s):
        raise ValueError("noise must have full rank: without it reversed paths are impossible")
    return np.linalg.inv(s)
