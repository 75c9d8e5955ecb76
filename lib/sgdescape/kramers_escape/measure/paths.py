"""Paths of the paper's SDE over the saddle, timed; runs without escape are counted as such."""

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.landscape import Landscape, valley
from sgdescape.kramers_escape.measure import plane
from sgdescape.kramers_escape.measure.line import linear_barrier_time, log_times


def simulate(config) -> xr.Dataset:
    """Simulate Eq. (12) over a saddle in two dimensions.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``passage`` (replica, place) and ``watched`` (replica) in t; ``path_time`` (place): the
        exact means by the Fokker-Planck operator; ``line_time`` by quadrature without the second
        direction; ``linear_time`` by `linear_barrier_time`.
    """
    shape = valley(config, loss_ratio=config.path_loss_ratio, transverse=(1.0,))
    times, last, lost = escapes(
        shape,
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
        dt=config.dt,
        max_time=config.max_time,
        replicas=config.replicas,
        seed=seeds.derive(config.seed, "kramers_escape", "paths"),
    )
    noise = config.batch_size / config.learning_rate
    size = {"noise": noise, "cells": config.plane_cells}
    exact = [
        1 / plane.rate(shape, losses.separable_loss, end=end, **size)[0]
        for end in (shape.saddle, shape.crossing)
    ]
    return xr.Dataset(
        {
            "passage": (("replica", "place"), times, {"units": "t"}),
            "watched": ("replica", last, {"units": "t"}),
            "lost": ("replica", lost),
            "path_time": ("place", exact, {"units": "t"}),
            "line_time": float(np.exp(log_times(shape, noise)[1])),
            "linear_time": linear_barrier_time(shape, noise),
        },
        coords={"place": ["saddle", "beyond"]},
    )


def landscape_sde(shape: Landscape, *, learning_rate: float, batch_size: int):
    """Return Eq. (12) on a separable loss, a `core.sde.bowl.Sde` with diagonal noise.

    Args:
        shape: the valley.
        learning_rate: eta.
        batch_size: B.
    """
    from sgdescape.core.sde import bowl  # torch: only where paths are drawn

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
    from sgdescape.core.sde import bowl

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
