"""Stochastic differential equations of SGD as pairs of functions: drift and noise.

All are in the sense of Ito, dtheta = drift(theta) dt + noise(theta) dW. States are arrays
(replicas, d), NumPy or torch; what goes in comes out. `core.sde.bowl` integrates them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Bowl", "Sde", "bowl_sde", "decoupled", "gld", "sgd", "time_changed"]

PROCESSES = ("decoupled", "time_changed", "gld")


@dataclass(frozen=True)
class Sde:
    """dtheta = drift(theta) dt + noise(theta) dW, in the sense of Ito.

    Args:
        drift: maps states (replicas, d) to (replicas, d).
        noise: maps states to (replicas, d), one independent noise a coordinate, or to
            (replicas, d, m), m noises.
        milstein: Milstein's correction where the noise commutes (Kloeden and Platen 1992, Section
            10.3): maps (states, increments dW (replicas, m), dt) to (replicas, d). None where
            the noise does not commute or nobody has worked it out.
        name: for messages and captions.
        noises: m; None for m = d.
    """

    drift: Callable
    noise: Callable
    milstein: Callable | None = None
    name: str = "sde"
    noises: int | None = None

    def __post_init__(self):
        """Refuse what is no function, and a number of noises that is none."""
        for field in ("drift", "noise", "milstein"):
            found = getattr(self, field)
            if not callable(found) and not (field == "milstein" and found is None):
                raise TypeError(f"{field} must be a function: got {found!r}")
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a text: got {self.name!r}")
        if self.noises is not None:
            validate.count("noises", self.noises)


@dataclass(frozen=True)
class Bowl:
    """Quadratic valley L = L* + 1/2 sum_i h_i z_i^2 in the eigenbasis of its Hessian.

    A rotation to the eigenbasis is exact, and the SDEs cost O(d) there. It carries the two
    parameters that turn the loss into a noise; processes see only their ratio.

    Args:
        curvatures: h (d,), all positive.
        minimum_loss: L*, positive: at L* = 0 the noise of Eq. (12) vanishes and time stands still.
        learning_rate: eta, positive.
        batch_size: B, at least 1.

    Raises:
        TypeError: if a number is not real, or the batch size not an integer.
        ValueError: if one lies outside its range.

    Example:
        >>> bowl = Bowl((1.0, 0.5), minimum_loss=0.5, learning_rate=0.1, batch_size=2)
        >>> bowl.loss(np.array([[1.0, 2.0]]))
        array([2.])
    """

    curvatures: tuple[float, ...]
    minimum_loss: float
    learning_rate: float
    batch_size: int

    def __post_init__(self):
        h = validate.finite("curvatures", self.curvatures)
        if h.ndim != 1 or (h <= 0).any():
            raise ValueError(f"curvatures must be (d,), all positive: got {self.curvatures}")
        object.__setattr__(self, "curvatures", tuple(float(x) for x in h))
        validate.positive("minimum_loss", self.minimum_loss)
        validate.positive("learning_rate", self.learning_rate)
        validate.count("batch_size", self.batch_size)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.curvatures)

    def loss(self, theta):
        """Return L (replicas,) of states (replicas, d)."""
        return self.minimum_loss + 0.5 * (_like(self.curvatures, theta) * theta * theta).sum(-1)

    def gradient(self, theta):
        """Return grad L (replicas, d)."""
        return _like(self.curvatures, theta) * theta


@door
def gld(gradient: Callable, *, diffusion: float) -> Sde:
    """Gradient Langevin dynamics, dtheta = -grad L dt + sqrt(2 D) dW, Eq. (5) of Mori et al.

    Args:
        gradient: maps states (replicas, d) to grad L (replicas, d).
        diffusion: D, positive.

    Returns:
        The SDE; its noise is additive, so Euler's scheme is Milstein's and of strong order 1.

    Raises:
        ValueError: if the diffusion is not positive.

    Example:
        >>> gld(lambda x: x, diffusion=0.5).noise(np.zeros((1, 2)))
        array([[1., 1.]])
    """
    amplitude = math.sqrt(2 * validate.positive("diffusion", diffusion))
    return Sde(
        drift=lambda theta: -gradient(theta),
        noise=lambda theta: amplitude + 0 * theta,
        milstein=_no_correction,
        name="GLD",
    )


@door
def sgd(gradient: Callable, covariance: Callable, *, learning_rate: float) -> Sde:
    """SGD's own SDE, dtheta = -grad L dt + sqrt(eta Sigma(theta)) dW, Eq. (4) of Mori et al.

    Args:
        gradient: maps states (replicas, d) to grad L (replicas, d).
        covariance: maps states to the covariance Sigma of one step's noise, (replicas, d, d), or
            to its diagonal (replicas, d) where it is diagonal.
        learning_rate: eta, positive.

    Returns:
        The SDE. The root is the symmetric one. A covariance that is not positive semidefinite
        beyond rounding raises ValueError when the noise is asked for.

    Raises:
        ValueError: if the learning rate is not positive.

    Example:
        >>> sde = sgd(lambda x: x, lambda x: 1 + x**2, learning_rate=0.04)
        >>> sde.noise(np.zeros((1, 1)))
        array([[0.2]])
    """
    eta = validate.positive("learning_rate", learning_rate)
    return Sde(
        drift=lambda theta: -gradient(theta),
        noise=lambda theta: math.sqrt(eta) * _root(covariance(theta)),
        name="SGD",
    )


@door
def decoupled(
    loss: Callable, gradient: Callable, hessian, *, learning_rate: float, batch_size: int
) -> Sde:
    """SDE of the decoupling, dtheta = -grad L dt + sqrt(2 eta L H / B) dW, Eq. (12) of Mori et al.

    The noise of one coordinate depends on all others through L, so that it commutes in one
    dimension only; Milstein's correction, (eta h / 2B) L' (dW^2 - dt), is given there.

    Args:
        loss: maps states (replicas, d) to L (replicas,), positive.
        gradient: maps states to grad L (replicas, d).
        hessian: H at the minimum: (d, d), or its diagonal (d,) in the eigenbasis.
        learning_rate: eta, positive.
        batch_size: B, at least 1.

    Returns:
        The SDE in time t = eta k.

    Raises:
        ValueError: for a Hessian that is not positive semidefinite, or numbers out of range.

    Example:
        >>> bowl = Bowl((2.0,), minimum_loss=0.5, learning_rate=0.1, batch_size=2)
        >>> sde = decoupled(bowl.loss, bowl.gradient, (2.0,), learning_rate=0.1, batch_size=2)
        >>> sde.noise(np.zeros((1, 1))).round(4)
        array([[0.3162]])
    """
    root, scale = _hessian_root(hessian), _noise_scale(learning_rate, batch_size)

    def noise(theta):
        level = _library(theta).sqrt(2 * scale * loss(theta))
        r = _like(root, theta)
        return level[:, None] * r if root.ndim == 1 else level[:, None, None] * r

    def milstein(theta, increments, dt):
        h = float(root.reshape(())) ** 2
        return 0.5 * scale * h * gradient(theta) * (increments * increments - dt)

    return Sde(
        drift=lambda theta: -gradient(theta),
        noise=noise,
        milstein=milstein if root.size == 1 else None,
        name="decoupled SDE",
    )


@door
def time_changed(
    loss: Callable, gradient: Callable, hessian, *, learning_rate: float, batch_size: int
) -> Sde:
    """Eq. (12) in its own clock, dtheta = -grad log L dtau + sqrt(2 eta H / B) dW, Eq. (14).

    tau is the integral of L dt, Eq. (13) of Mori et al. The noise is additive: Euler's scheme is
    Milstein's and of strong order 1 in every dimension.

    Args:
        loss: maps states (replicas, d) to L (replicas,), positive.
        gradient: maps states to grad L (replicas, d).
        hessian: H at the minimum: (d, d), or its diagonal (d,) in the eigenbasis.
        learning_rate: eta, positive.
        batch_size: B, at least 1.

    Returns:
        The SDE in time tau.

    Raises:
        ValueError: for a Hessian that is not positive semidefinite, or numbers out of range.
    """
    root, scale = _hessian_root(hessian), _noise_scale(learning_rate, batch_size)

    def noise(theta):
        rows = (theta.shape[0], *root.shape)
        r = math.sqrt(2 * scale) * _like(root, theta)
        if isinstance(theta, torch.Tensor):
            return r.expand(rows)
        return np.broadcast_to(r, rows)

    return Sde(
        drift=lambda theta: -gradient(theta) / loss(theta)[:, None],
        noise=noise,
        milstein=_no_correction,
        name="time-changed SDE",
    )


@door
def bowl_sde(bowl: Bowl, process: str = "decoupled", *, diffusion: float | None = None) -> Sde:
    """Return one of the three SDEs on a quadratic valley.

    Args:
        bowl: the valley with learning rate and batch size.
        process: "decoupled" Eq. (12), "time_changed" Eq. (14) or "gld" Eq. (5).
        diffusion: D of Eq. (5), positive; needed there, refused elsewhere.

    Raises:
        TypeError: if ``bowl`` is not a `Bowl`.
        ValueError: for an unknown process, or a diffusion that is missing or not wanted.
    """
    if not isinstance(bowl, Bowl):
        raise TypeError(f"bowl must be a Bowl: got {type(bowl).__name__}")
    validate.one_of("process", process, PROCESSES)
    if process == "gld":
        if diffusion is None:
            raise ValueError("diffusion must be positive and finite for process 'gld': got None")
        return gld(bowl.gradient, diffusion=diffusion)
    if diffusion is not None:
        raise ValueError(
            f"diffusion belongs to process 'gld' only: got {diffusion} for {process!r}"
        )
    make = decoupled if process == "decoupled" else time_changed
    return make(
        bowl.loss,
        bowl.gradient,
        bowl.curvatures,
        learning_rate=bowl.learning_rate,
        batch_size=bowl.batch_size,
    )


def _noise_scale(learning_rate, batch_size):
    eta = validate.positive("learning_rate", learning_rate)
    return eta / validate.count("batch_size", batch_size)


def _hessian_root(hessian):
    h = validate.finite("hessian", hessian)
    if h.ndim not in (1, 2) or (h.ndim == 2 and h.shape[0] != h.shape[1]):
        raise ValueError(f"hessian must be (d,) or (d, d): got shape {h.shape}")
    if h.ndim == 2 and not np.allclose(h, h.T):
        raise ValueError("hessian must be symmetric")
    return _root(h[None])[0] if h.ndim == 2 else np.asarray(_root(h))


def _root(covariance):
    """Return the symmetric root of (..., d, d) matrices, or of diagonals (..., d)."""
    library = _library(covariance)
    if covariance.ndim < 3:
        values, vectors = covariance, None
    else:
        values, vectors = library.linalg.eigh(covariance)
    low, high = float(values.min()), float(abs(values).max())
    if low < -1e-9 * high:
        raise ValueError(f"covariance must be positive semidefinite: smallest eigenvalue {low}")
    if vectors is None:
        return library.sqrt(abs(values))
    return (vectors * library.sqrt(abs(values))[..., None, :]) @ vectors.swapaxes(-1, -2)


def _no_correction(theta, increments, dt):
    return 0.0


def _library(array):
    return torch if isinstance(array, torch.Tensor) else np


def _like(values, theta):
    """Return ``values`` as the kind of array that ``theta`` is."""
    if isinstance(theta, torch.Tensor):
        return torch.as_tensor(np.asarray(values), dtype=theta.dtype, device=theta.device)
    return np.asarray(values, dtype=theta.dtype)
