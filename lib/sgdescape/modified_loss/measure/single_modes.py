"""Measurements of chapter `modified_loss` on single modes and on Fig. 3's process, no theory."""

import numpy as np
import xarray as xr

from sgdescape.modified_loss.measure.paths import (
    averages,
    gaussian_path,
    generator,
    log_ratio,
    quadratic,
)
from sgdescape.underdamped_langevin.measure.single_modes import mode_paths

WALKERS = 1000
"""Walkers iterated at a time."""

TOY_DRIFT = np.array([[2.5, -1.5], [-1.5, 2.5]])
TOY_DIFFUSION = np.diag([4.0, 1.0])
TOY_CENTRE = np.array([-0.04375, -0.00625])
TOY_START, TOY_STEP, TOY_STEPS = np.array([0.09, 0.0]), 1e-4, 100_000
"""Fig. 3's process, from the authors' published code: noise a step is step x cholesky(D) normal."""


def modes(config) -> xr.Dataset:
    """Follow single modes with normal noise: rotation, the edge, entropy production, flat modes.

    Returns:
        ``turn_area``, ``turn_step`` (momentum, step_curvature, chain); ``edge_full``, ``edge_half``
        (edge, chain), variances; ``entropy`` (entropy_momentum, chain), nats a step; ``growth``
        (time, flat_mode, walker), theta^2 from a start at the minimum.
    """
    eta, chains = config.learning_rate, config.chains
    turn = {"area": [], "square_step": []}
    for index, beta in enumerate(config.momenta):
        h, rng = np.array(config.step_curvatures) / eta, generator(config, "rotation", index)
        made = averages(gaussian_path(config, rng, h, np.eye(h.size), beta, chains))
        for name, rows in turn.items():
            rows.append(made[name].T)
    h = np.array(config.edges) / eta
    rng = generator(config, "edge")
    edge = averages(gaussian_path(config, rng, h, np.eye(h.size), config.momentum, chains))
    h, noise = np.array(config.swirl_curvatures), correlated(config)
    entropy = []
    for index, beta in enumerate(config.entropy_momenta):
        path = gaussian_path(config, generator(config, "entropy", index), h, noise, beta, chains)
        entropy.append(log_ratio(path, h, noise, config, momentum=beta))
    where = ("momentum", "step_curvature", "chain")
    return xr.Dataset(
        {
            "turn_area": (where, np.array(turn["area"])),
            "turn_step": (where, np.array(turn["square_step"])),
            "edge_full": (("edge", "chain"), edge["square_position"].T),
            "edge_half": (("edge", "chain"), edge["square_midpoint"].T),
            "entropy": (("entropy_momentum", "chain"), np.array(entropy)),
            "growth": (("time", "flat_mode", "walker"), _growth(config)),
        },
        coords={
            "momentum": list(config.momenta),
            "step_curvature": list(config.step_curvatures),
            "edge": list(config.edges),
            "entropy_momentum": list(config.entropy_momenta),
            "time": list(config.times),
            "flat_mode": list(config.flat_curvatures),
        },
    )


def toy(config) -> xr.Dataset:
    """Follow Fig. 3's process: one path as in the authors' code, and many for the current.

    Returns:
        ``toy_path`` (instant, axis) with the code's step and noise; in units with kappa = 1
        ``toy_area`` (chain), z_1 dz_2 - z_2 dz_1 a time, and ``toy_entropy`` (chain), nats a time.
    """
    rng, dt = generator(config, "toy"), config.toy_step
    values, vectors = np.linalg.eigh(TOY_DRIFT)
    root = np.linalg.cholesky(TOY_DIFFUSION)
    kicks = TOY_STEP * rng.normal(size=(TOY_STEPS, 2)) @ root.T @ vectors
    start = (TOY_START - TOY_CENTRE) @ vectors
    from scipy import signal  # slow to import, and only this function needs it

    columns = []
    for a, kick, first in zip(values, kicks.T, start, strict=True):
        keep = 1 - TOY_STEP * a
        columns.append(signal.lfilter([1.0], [1.0, -keep], kick, zi=[keep * first])[0])
    path = np.array(columns).T @ vectors.T + TOY_CENTRE
    burn, steps, shape = round(8 / dt), config.toy_steps, (config.toy_chains, 2)
    kicks = np.sqrt(2 * dt) * rng.normal(size=(burn + steps, *shape)) @ root.T @ vectors
    for i, a in enumerate(values):
        kicks[..., i] = signal.lfilter([1.0], [1.0, -(1 - dt * a)], kicks[..., i], axis=0)
    z = kicks[burn:] @ vectors.T
    before, after = z[:-1], z[1:]
    area = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    step, inverse = np.eye(2) - dt * TOY_DRIFT, np.linalg.inv(2 * dt * TOY_DIFFUSION)
    forward, backward = after - before @ step.T, before - after @ step.T
    ratio = quadratic(backward, inverse) - quadratic(forward, inverse)
    return xr.Dataset(
        {
            "toy_path": (("instant", "axis"), path[::20]),
            "toy_area": ("toy_chain", area.mean(axis=0) / dt),
            "toy_entropy": ("toy_chain", ratio.mean(axis=0) / (2 * dt)),
        }
    )


def correlated(config) -> np.ndarray:
    """Return a noise of two modes, Sigma_ii = rho_i, correlated."""
    h = np.array(config.swirl_curvatures)
    mix = np.array([[1.0, config.correlation], [config.correlation, 1.0]])
    return np.sqrt(np.outer(h, h)) * mix


def _growth(config):
    """theta^2 (time, flat_mode, walker) from the minimum, Sigma = H: as in Eq. (modified-growth).

    Mode by mode and some walkers at a time, which changes nothing but the memory.
    """
    eta, beta, at = config.learning_rate, config.momentum, np.array(config.times) - 1
    found = []
    for index, h in enumerate(config.flat_curvatures):
        rng, walks = generator(config, "growth", index), []
        for first in range(0, config.walkers, WALKERS):
            size = (max(config.times), min(WALKERS, config.walkers - first), 1)
            noise = rng.normal(size=size) * np.sqrt(h / config.batch_size)
            paths = mode_paths(noise, h, learning_rate=eta, momentum=beta)
            walks.append(paths[at, :, 0] ** 2)
        found.append(np.concatenate(walks, axis=1))
    return np.stack(found, axis=1)
