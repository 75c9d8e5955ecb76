"""Single modes of SGD with momentum under given noise: what is iterated, no theory."""

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.underdamped_langevin.measure.correlations import (
    GROUPS,
    autocovariances,
    mean_frequency,
    normalised,
)

STEM = "underdamped_langevin"
EDGE_BURN_IN, EDGE_STEPS = 400, 2000
PAPER_BURN_IN, PAPER_SHOWN = 1000, 2000
PAPER_RATE, PAPER_MOMENTUM = 1e-4, 0.9
"""The paper's default learning rate and momentum, from the authors' published code."""


def mode_paths(noise, curvature, *, learning_rate, momentum) -> np.ndarray:
    """Return the positions of modes that start at rest at the minimum and are kicked by noise.

    x_(k+1) = (1 + beta - eta h) x_k - beta x_(k-1) - eta n_k, from x_0 = x_(-1) = 0.

    Args:
        noise: n_k (steps, ..., modes), of the minibatch gradient.
        curvature: h (modes,), with weight decay.
        learning_rate: eta.
        momentum: beta.

    Returns:
        x_1, x_2, ... of the shape of the noise.
    """
    from scipy import signal  # slow to import, and only this function needs it

    paths = np.empty_like(noise)
    for i, h in enumerate(np.broadcast_to(curvature, noise.shape[-1:])):
        poles = [1.0, -(1 + momentum - learning_rate * h), momentum]
        paths[..., i] = signal.lfilter([-learning_rate], poles, noise[..., i], axis=0)
    return paths


def scalar_modes(config) -> xr.Dataset:
    """Iterate single modes with independent normal noise, up to close to the stability edge.

    Args:
        config: see `underdamped_langevin.Config`.

    Returns:
        ``edge_square`` (momentum, edge, replica_edge, coordinate): averages of theta^2 and v^2, and
        ``paper_acf`` (group, paper_mode, paper_lag), ``paper_path`` (paper_mode, coordinate, k)
        and ``paper_frequency`` (group, paper_mode), mean frequencies of so long paths, for the two
        curvatures of `Config.paper_curvatures` at the paper's default setting.
    """
    x = np.array(config.edges)
    edges = []
    for index, beta in enumerate(config.edge_momenta):
        h, at = 2 * (1 + beta) * x, {"learning_rate": 1.0, "momentum": beta}
        steps = EDGE_BURN_IN, EDGE_STEPS
        paths = _normal_paths(config, ("edge", index), h, config.edge_replicas, *steps, **at)
        squares = [np.mean(y**2, axis=0) for y in (paths, np.diff(paths, axis=0))]
        edges.append(np.stack(squares, axis=-1).swapaxes(0, 1))
    at = {"learning_rate": PAPER_RATE, "momentum": PAPER_MOMENTUM}
    steps, lags = (PAPER_BURN_IN, config.paper_steps), config.paper_lags
    acf, shown, frequencies = [], [], []
    for index, rho in enumerate(config.paper_curvatures):
        products = []
        for first in range(0, config.paper_replicas, GROUPS):  # some at a time: the memory of some
            use = f"paper {index}", first
            size = min(GROUPS, config.paper_replicas - first)
            paths = _normal_paths(config, use, [rho], size, *steps, **at)
            products.append(autocovariances(paths, lags))
            if first == 0:
                path = paths[: PAPER_SHOWN + 1, 0, 0]
                shown.append(np.stack([path[1:], np.diff(path) / PAPER_RATE]))
                frequencies.append(mean_frequency(paths[: len(path) - 1, :, 0]))
        acf.append(normalised(np.concatenate(products, axis=1))[:, 0])
    return xr.Dataset(
        {
            "edge_square": (("edge_momentum", "edge", "replica_edge", "coordinate"), edges),
            "paper_acf": (("group", "paper_mode", "paper_lag"), np.stack(acf, axis=1)),
            "paper_path": (("paper_mode", "coordinate", "paper_step"), np.array(shown)),
            "paper_frequency": (("group", "paper_mode"), np.array(frequencies).T),
        },
        coords={
            "edge_momentum": list(config.edge_momenta),
            "edge": list(config.edges),
            "paper_mode": list(config.paper_curvatures),
            "coordinate": ["position", "velocity"],
        },
    )


def _normal_paths(config, use, h, replicas, burn_in, steps, **at):
    """Positions (steps, replicas, modes) with noise of variance 1, after the burn-in."""
    rng = np.random.Generator(np.random.Philox(key=seeds.derive(config.seed, STEM, *use)))
    noise = rng.normal(size=(burn_in + steps, replicas, len(h)))
    return mode_paths(noise, h, **at)[burn_in:]
