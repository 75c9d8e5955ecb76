"""Stationary runs, starts off the minimum, orders of the samples, and a bowl; no theory in here."""

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion.measure.batch_orders import SAMPLERS, positions, regression
from sgdescape.anomalous_diffusion.measure.grid import drawn
from sgdescape.core.random import seeds


def stationary(config) -> xr.Dataset:
    """Follow SGD after a long burn-in, with several batch sizes: displacement from several times.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``displacement`` (batch_size, replica, lag) and ``step_square`` (batch_size, replica),
        means over origins; ``curvature`` and ``noise`` (mode) of the samples.
    """
    problem = drawn(config, config.samples, config.modes)
    lags = np.unique(np.geomspace(1, config.longest_lag, config.lags).round().astype(int))
    origins = config.burn_in + config.origin_spacing * np.arange(config.origins)
    wanted = np.unique((origins[:, None] + np.append(0, lags)).ravel())
    rows = []
    for size in config.batch_sizes:
        path = positions(
            problem,
            wanted,
            learning_rate=config.learning_rate,
            momentum=config.momentum,
            batch_size=size,
            replicas=config.replicas,
            seed=_seed(config, "stationary", size),
        )
        start = path[np.searchsorted(wanted, origins)]
        later = path[np.searchsorted(wanted, origins[:, None] + lags)]
        square = np.sum((later - start[:, None]) ** 2, axis=-1)  # (origins, lags, replicas)
        rows.append(square.mean(axis=0).T)
    return xr.Dataset(
        {
            "displacement": (("batch_size", "replica", "lag"), np.array(rows), _SQUARE),
            "curvature": ("mode", problem.curvatures, {"units": "loss/parameter^2"}),
            "noise": ("mode", problem.noise, {"units": "(loss/parameter)^2"}),
        },
        coords={"batch_size": list(config.batch_sizes), "lag": lags},
    )


def drift(config) -> xr.Dataset:
    """Follow SGD from rest at a point that is not the minimum, and from the minimum.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``started`` (start, replica, step): |theta_k - theta_0|^2 from "away" and "minimum";
        ``offset`` (mode): theta_0 - theta* of the former.
    """
    problem = drawn(config, config.samples, config.modes)
    offset = _offset(problem, config.start_samples)
    steps, rows = _from_two_starts(
        config,
        problem,
        offset,
        purpose="drift",
        momentum=config.momentum,
        batch_size=max(config.batch_sizes),
        replicas=config.replicas,
    )
    return xr.Dataset(
        {
            "started": (("start", "replica", "step"), rows, _SQUARE),
            "offset": ("mode", offset, {"units": "parameter"}),
        },
        coords={"start": ["away", "minimum"], "step": steps},
    )


def windows(config) -> xr.Dataset:
    """Follow SGD with little momentum from rest near the minimum, and from the minimum.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``windowed`` (begin, window_replica, step): |theta_k - theta_0|^2 from "near" and "minimum";
        ``near_offset`` (mode): theta_0 - theta* of the former.
    """
    problem = drawn(config, config.samples, config.modes)
    offset = _offset(problem, config.near_samples)
    steps, rows = _from_two_starts(
        config,
        problem,
        offset,
        purpose="windows",
        momentum=config.window_momentum,
        batch_size=min(config.batch_sizes),
        replicas=config.window_replicas,
    )
    return xr.Dataset(
        {
            "windowed": (("begin", "window_replica", "step"), rows, _SQUARE),
            "near_offset": ("mode", offset, {"units": "parameter"}),
        },
        coords={"begin": ["near", "minimum"], "step": steps},
    )


def _from_two_starts(config, problem, offset, *, purpose, momentum, batch_size, replicas):
    """Steps, and squared distances (2, replicas, steps) from starts at ``offset`` and at 0."""
    steps = np.unique(np.geomspace(1, config.longest_lag, config.lags).round().astype(int))
    rows = []
    for k, start in enumerate((offset, 0 * offset)):
        path = positions(
            problem,
            np.append(0, steps),
            learning_rate=config.learning_rate,
            momentum=momentum,
            batch_size=batch_size,
            replicas=replicas,
            seed=_seed(config, purpose, k),
            start=start,
        )
        rows.append(np.sum((path[1:] - path[0]) ** 2, axis=-1).T)
    return steps, np.array(rows)


def plain(config) -> xr.Dataset:
    """Follow SGD with momentum, and plain SGD of rate eta/(1 - beta), from rest at the minimum.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``beside`` (kind, window_replica, step): |theta_k - theta_0|^2 with "momentum" and "plain".
    """
    steps = np.unique(np.geomspace(1, config.longest_lag, config.lags).round().astype(int))
    rate, momentum = config.learning_rate, config.momentum
    kinds = {"momentum": (rate, momentum), "plain": (rate / (1 - momentum), 0.0)}
    rows = []
    for k, (eta, beta) in enumerate(kinds.values()):
        path = positions(
            drawn(config, config.samples, config.modes),
            np.append(0, steps),
            learning_rate=eta,
            momentum=beta,
            batch_size=max(config.batch_sizes),
            replicas=config.window_replicas,
            seed=_seed(config, "plain", k),
        )
        rows.append(np.sum((path[1:] - path[0]) ** 2, axis=-1).T)
    return xr.Dataset(
        {"beside": (("kind", "window_replica", "step"), np.array(rows), _SQUARE)},
        coords={"kind": list(kinds), "step": steps},
    )


def epochs(config) -> xr.Dataset:
    """Draw the same batches' samples in three orders: independent, shuffled, always the same.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``order_displacement`` (sampler, order_replica, order_lag), mean over origins at
        every position in the epoch; ``order_square`` (sampler, order_replica, order_mode): mean
        of theta^2;
        ``order_curvature``, ``order_noise`` (order_mode).
    """
    problem = drawn(config, config.order_samples, config.modes)
    length = config.order_samples // config.order_size
    lags = np.unique(np.geomspace(1, 4 * length, config.lags).round().astype(int))
    lags = np.unique(np.concatenate([lags, length * np.array([1, 2, 3, 4])]))
    # origins that visit every position in the epoch alike
    count = config.order_origins
    origins = config.order_burn_in + (np.arange(count) * (length + length // count)).astype(int)
    wanted = np.unique((origins[:, None] + np.append(0, lags)).ravel())
    squares, moved = [], []
    for sampler in SAMPLERS:
        path = positions(
            problem,
            wanted,
            learning_rate=config.learning_rate,
            momentum=config.momentum,
            batch_size=config.order_size,
            replicas=config.order_replicas,
            seed=_seed(config, "epochs"),
            sampler=sampler,
        )
        start = path[np.searchsorted(wanted, origins)]
        later = path[np.searchsorted(wanted, origins[:, None] + lags)]
        moved.append(np.sum((later - start[:, None]) ** 2, axis=-1).mean(axis=0).T)
        squares.append(np.mean(start**2, axis=0))
    return xr.Dataset(
        {
            "order_displacement": (
                ("sampler", "order_replica", "order_lag"),
                np.array(moved),
                _SQUARE,
            ),
            "order_square": (
                ("sampler", "order_replica", "order_mode"),
                np.array(squares),
                _SQUARE,
            ),
            "order_curvature": ("order_mode", problem.curvatures),
            "order_noise": ("order_mode", problem.noise),
        },
        coords={"sampler": list(SAMPLERS), "order_lag": lags},
    )


def bowl(config) -> xr.Dataset:
    """Follow SGD without momentum in a bowl of equal curvatures until it is at home everywhere.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``bowl_displacement`` (replica, bowl_lag); ``bowl_curvature``, ``bowl_noise`` (bowl_mode).
    """
    problem = regression(
        np.ones(config.bowl_modes), samples=config.samples, seed=_seed(config, "bowl data")
    )
    lags = np.unique(np.geomspace(1, config.bowl_steps, config.lags).round().astype(int))
    burn_in = round(10 / config.bowl_rate)
    path = positions(
        problem,
        np.append(burn_in, burn_in + lags),
        learning_rate=config.bowl_rate,
        momentum=0.0,
        batch_size=config.bowl_size,
        replicas=config.replicas,
        seed=_seed(config, "bowl"),
    )
    return xr.Dataset(
        {
            "bowl_displacement": (
                ("replica", "bowl_lag"),
                np.sum((path[1:] - path[0]) ** 2, axis=-1).T,
                _SQUARE,
            ),
            "bowl_curvature": ("bowl_mode", problem.curvatures),
            "bowl_noise": ("bowl_mode", problem.noise),
        },
        coords={"bowl_lag": lags},
    )


_SQUARE = {"units": "parameter^2"}


def _offset(problem, samples):
    """Where the minimum of ``samples`` other samples would lie, one standard deviation off."""
    return np.sqrt(np.mean(problem.residuals**2) / (samples * problem.curvatures))


def _seed(config, purpose, index=0):
    return seeds.derive(config.seed, "anomalous_diffusion", purpose, index)
