"""Paths of the paper's SDE over the saddle, timed; runs without escape are counted as such."""

import numpy as np

from sgdescape.core.sde import bowl
from sgdescape.core.stats import survival
from sgdescape.kramers_escape.theory import landscape as losses
from sgdescape.kramers_escape.theory.landscape import Landscape


def landscape_sde(shape: Landscape, *, learning_rate: float, batch_size: int) -> bowl.Sde:
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

    return bowl.Sde(drift, noise, name="Eq. (12) over a saddle")


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
    watch = bowl.Watch(
        observable=lambda theta: theta[:, 0],
        gradient=lambda theta: np.broadcast_to(direction, theta.shape),
    )
    found = bowl.first_passage(
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
