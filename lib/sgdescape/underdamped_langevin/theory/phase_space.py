"""All modes together: matrices of SGD with momentum in phase space, and real minibatch noise."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def langevin_coefficients(*, learning_rate, momentum, batch_size):
    """Return mass, friction and noise of Eq. (phase-langevin).

    Args:
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.

    Returns:
        m = eta (1 + beta) / 2, 1 - beta, and eta / S, which multiplies Sigma in the noise's
        spectral density.
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    size = validate.each_whole("batch_size", batch_size)
    return eta * (1 + beta) / 2, 1 - beta, eta / size


@door
def drift_matrix(hessian, *, learning_rate, momentum, weight_decay=0.0) -> np.ndarray:
    """Return A of dz = -A (z - mean) dt + ..., z = (theta, v), Eqs. (phase-sde), (phase-ou).

    Args:
        hessian: H (d, d), symmetric.
        learning_rate: eta > 0, a number (time a step).
        momentum: beta in [0, 1), a number.
        weight_decay: lambda >= 0, a number.

    Returns:
        A (2 d, 2 d).
    """
    h = _symmetric("hessian", hessian)
    mass, friction, _ = langevin_coefficients(
        learning_rate=learning_rate, momentum=momentum, batch_size=1
    )
    one = np.eye(len(h))
    full = h + validate.non_negative("weight_decay", weight_decay) * one
    return np.block([[0 * one, -one], [full / mass, friction / mass * one]])


@door
def diffusion_matrix(noise_covariance, *, learning_rate, momentum) -> np.ndarray:
    """Return D of Eq. (phase-ou): the noise is sqrt(2 D / kappa) dW with kappa = S (1 - beta^2).

    Args:
        noise_covariance: Sigma (d, d) of a sample's gradient.
        learning_rate: eta > 0, a number (time a step).
        momentum: beta in [0, 1), a number.

    Returns:
        D (2 d, 2 d), which acts on the velocities.
    """
    sigma = _symmetric("noise_covariance", noise_covariance)
    mass, friction, _ = langevin_coefficients(
        learning_rate=learning_rate, momentum=momentum, batch_size=1
    )
    zero = np.zeros_like(sigma)
    return np.block([[zero, zero], [zero, friction / mass * sigma]])


@door
def update_matrix(hessian, *, learning_rate, momentum, weight_decay=0.0) -> np.ndarray:
    """Return M of z_{k+1} = M z_k - (eta n_k, n_k), Eqs. (phase-heavy-ball), (phase-update).

    Args:
        hessian: H (d, d), symmetric.
        learning_rate: eta > 0, a number (time a step).
        momentum: beta in [0, 1), a number.
        weight_decay: lambda >= 0, a number.

    Returns:
        M (2 d, 2 d).
    """
    h = _symmetric("hessian", hessian)
    eta, beta = validate.optimiser(learning_rate, momentum)
    one = np.eye(len(h))
    full = h + validate.non_negative("weight_decay", weight_decay) * one
    return np.block([[one - eta * full, eta * beta * one], [-full, beta * one]])


@door
def effective_directions(variances) -> float:
    """Return (sum s)^2 / sum s^2, Eq. (phase-single-step): directions that share the speed.

    A single |delta_k|^2 of independent normal components of variances s scatters by sqrt(2) over
    the root of this number.

    Args:
        variances: E delta_i^2 (modes,), in any unit.

    Returns:
        A number between 1 and the number of modes.

    Raises:
        ValueError: if a variance is negative or not finite, or if all are zero.
    """
    s = validate.within("variances", variances, low=0)
    if not s.any():
        raise ValueError("variances must not all be zero")
    return float(s.sum() ** 2 / np.sum(s**2))


@door
def noise_covariance_at(inputs, residuals, position) -> np.ndarray:
    """Return the covariance of a sample's gradient away from the minimum, Eq. (phase-real-noise).

    Args:
        inputs: x (N, d).
        residuals: x.mu - y of each sample (N,).
        position: theta - mu (d,).

    Returns:
        Sigma(theta) (d, d).
    """
    x, r = validate.finite("inputs", inputs), validate.finite("residuals", residuals)
    y = validate.finite("position", position)
    gradients = x * (r + x @ y)[:, None]
    centred = gradients - gradients.mean(axis=0)
    return centred.T @ centred / len(x)


@door
def regression_covariance(
    inputs, residuals, *, learning_rate, momentum, batch_size, weight_decay=0.0, steps=None
) -> np.ndarray:
    """Return the exact covariance of (theta, v) under real minibatches.

    With samples drawn with replacement the noise depends on theta, and its mean covariance is Sigma
    at the minimum plus a linear map of Cov(theta): Eq. (phase-real-noise). The second moments of
    discrete SGD therefore close, Eq. (phase-closed-moments), whatever the law of the data.

    Args:
        inputs: x (N, d) in the eigenbasis of H = x^T x / N.
        residuals: x.mu - y of each sample (N,) at the fixed point mu, where the mean gradient is
            -lambda mu: the minimum of the loss without weight decay.
        learning_rate: eta > 0, a number (time a step).
        momentum: beta in [0, 1), a number.
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0, a number.
        steps: None for the stationary state; or k for all steps up to k from (mu, 0).

    Returns:
        (2 d, 2 d), or (k + 1, 2 d, 2 d).

    Raises:
        ValueError: if the inputs are not in that basis, or the covariance does not stay finite.
    """
    x, r = validate.finite("inputs", inputs), validate.finite("residuals", residuals)
    if x.ndim != 2 or r.shape != x.shape[:1]:
        raise ValueError(f"residuals must be (N,) and inputs (N, d): got {r.shape} and {x.shape}")
    n, d = x.shape
    eta, beta = validate.optimiser(learning_rate, momentum)
    size = validate.each_whole("batch_size", batch_size)
    hessian = x.T @ x / n
    rho = np.diag(hessian)
    if np.abs(hessian - np.diag(rho)).max() > 1e-9 * rho.max():
        raise ValueError("inputs must lie in the eigenbasis of x^T x / N")
    h = validate.stiffness(rho, weight_decay, zero=steps is not None)
    validate.stable(h, eta, beta)
    squares = np.einsum("na,nb->nab", x, x).reshape(n, -1)
    fourth = squares.T @ squares / n - np.kron(hessian, hessian)
    drift = r @ x / n
    at_minimum = (r**2 @ squares / n).reshape(d, d) - np.outer(drift, drift)

    def noise(position):
        return (at_minimum + (fourth @ position.ravel()).reshape(d, d)) / size

    kick = np.array([[eta**2, eta], [eta, 1.0]])
    if steps is not None:
        update = update_matrix(np.diag(h), learning_rate=eta, momentum=beta)
        path = [np.zeros((2 * d, 2 * d))]
        for _ in range(validate.count("steps", steps)):
            path.append(update @ path[-1] @ update.T + np.kron(kick, noise(path[-1][:d, :d])))
        return np.array(path)
    blocks = _balance(h, eta, beta, kick, noise)
    return blocks.transpose(2, 0, 3, 1).reshape(2 * d, 2 * d)


def _balance(h, eta, beta, kick, noise):
    """Blocks (d, d, 2, 2) where the noise that the covariance makes is that which keeps it up."""
    d = h.size
    modes = np.stack([1 - eta * h, 0 * h + eta * beta, -h, 0 * h + beta], axis=-1)
    modes = modes.reshape(d, 2, 2)
    pairs = np.einsum("iab,jcd->ijacbd", modes, modes).reshape(d, d, 4, 4)
    unit = np.broadcast_to(kick.reshape(4, 1), (d, d, 4, 1))
    response = np.linalg.solve(np.eye(4) - pairs, unit)[..., 0]  # to noise of unit covariance
    now = noise(np.zeros((d, d)))
    limit = 1e6 * np.trace(now)
    for _ in range(10_000):
        before, now = now, noise(response[..., 0] * now)
        if not np.trace(now) < limit:
            break
        if np.abs(now - before).max() <= 1e-13 * np.abs(now).max():
            return (response * now[..., None]).reshape(d, d, 2, 2)
    raise ValueError("the covariance is infinite at this learning rate and batch size")


def _symmetric(name, matrix):
    values = validate.finite(name, matrix)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"{name} must be square: got shape {values.shape}")
    if np.abs(values - values.T).max() > 1e-9 * np.abs(values).max():
        raise ValueError(f"{name} must be symmetric")
    return values
