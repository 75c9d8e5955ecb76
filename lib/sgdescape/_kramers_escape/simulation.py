"""Paths of the paper's SDE: escapes over the saddle, and growth where nothing holds them."""

import numpy as np

from sgdescape._kramers_escape import landscape as losses
from sgdescape._kramers_escape.landscape import Landscape
from sgdescape.core import sde, survival


def landscape_sde(shape: Landscape, *, learning_rate: float, batch_size: int) -> sde.Sde:
    """Return Eq. (12) on a separable loss; H(theta*) is diagonal, and so is the noise.

    Args:
        shape: the valley.
        learning_rate: eta.
        batch_size: B.
    """
    h = np.array((shape.curvature_minimum, *shape.transverse))
    strength = 2 * learning_rate / batch_size * h

    def drift(theta):
        along = losses.path_slope(shape, theta[:, :1])
        return -np.concatenate([along, h[1:] * theta[:, 1:]], axis=1)

    def noise(theta):
        here = losses.separable_loss(shape, theta[:, 0], *theta[:, 1:].T)
        return np.sqrt(strength * here[:, None])

    return sde.Sde(drift, noise, name="Eq. (12) over a saddle")


def escapes(
    shape: Landscape,
    *,
    learning_rate: float,
    batch_size: int,
    dt: float,
    max_time: float,
    replicas: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate paths from the minimum until they pass the saddle, and until they are beyond it.

    Args:
        shape: the valley.
        learning_rate: eta.
        batch_size: B.
        dt: step of t.
        max_time: paths that need longer are censored.
        replicas: number of paths.
        seed: of the noise.

    Returns:
        Times (replicas, 2) at which z_e first reaches the saddle and z_e^c, NaN if never; times
        (replicas,) until which each was watched; step at which each diverged, -1 for never.
    """
    direction = np.eye(shape.dimension)[0]
    watch = sde.Watch(
        observable=lambda theta: theta[:, 0],
        gradient=lambda theta: np.broadcast_to(direction, theta.shape),
    )
    found = sde.first_passage(
        landscape_sde(shape, learning_rate=learning_rate, batch_size=batch_size),
        thresholds=(shape.saddle, shape.crossing),
        dt=dt,
        max_time=max_time,
        replicas=range(replicas),
        seed=seed,
        start=np.zeros(shape.dimension),
        watch=watch,
    )
    return found.times, found.last_time, found.diverged_at


def mean_time(times, last):
    """Return the mean passage time with its interval, censored paths counted.

    Args:
        times: (replicas,), NaN if never.
        last: (replicas,) until when each was watched.
    """
    return survival.mean_passage(*survival.right_censored(times, last))


def growth(
    *, dimension: int, noise: float, dt: float, duration: float, replicas: int, seed: int
) -> np.ndarray:
    """Return log(r(end)/r(0))/duration of each path of Eq. (12), far out in an isotropic bowl.

    Args:
        dimension: n.
        noise: B/(eta h), with h = 1.
        dt: step of t.
        duration: of each path.
        replicas: number of paths.
        seed: of the noise.
    """
    bowl = sde.Bowl((1.0,) * dimension, minimum_loss=1e-12, learning_rate=1 / noise, batch_size=1)
    start = np.eye(dimension)[0]
    steps = round(duration / dt)
    paths = sde.simulate(
        sde.bowl_sde(bowl),
        start,
        dt=dt,
        steps=steps,
        record_every=steps,
        replicas=range(replicas),
        seed=seed,
    )
    return np.log(np.linalg.norm(paths.theta, axis=1)) / duration


def loss_paths(
    *, dimension: int, noise: float, dt: float, steps: int, replicas: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and L/L* (records, replicas) of Eq. (12) from the minimum of a bowl, h = 1.

    Args:
        dimension: n.
        noise: B/(eta h).
        dt: step of t.
        steps: number of steps, a multiple of 200.
        replicas: number of paths.
        seed: of the noise.
    """
    bowl = sde.Bowl((1.0,) * dimension, minimum_loss=0.5, learning_rate=1 / noise, batch_size=1)
    paths = sde.simulate(
        sde.bowl_sde(bowl),
        np.zeros(dimension),
        dt=dt,
        steps=steps,
        record_every=steps // 200,
        replicas=range(replicas),
        seed=seed,
        observe=bowl.loss,
    )
    return paths.times, paths.values / bowl.minimum_loss
