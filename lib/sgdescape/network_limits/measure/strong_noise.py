"""The small network where its noise is strong, or its weight decay large; no theory in here."""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.network_limits.measure import chains, network
from sgdescape.network_limits.measure.setting import Setting, prepare, watched


def strong(config, setting: Setting) -> xr.Dataset:
    """Measure speed and equipartition at a noise too strong for the bowl, and where it went."""
    eta, beta, size = config.strong
    half = config.strong_steps // 2
    index = watched(config)
    vectors = setting.vectors[:, index]
    path = chains.run(
        setting.single,
        setting.theta,
        chains.Step(eta, beta, size, config.weight_decay),
        steps=config.strong_steps,
        replicas=range(config.strong_replicas),
        seed=seeds.derive(config.seed, "network_limits", "strong"),
        basis=torch.from_numpy(vectors.copy()),
        snapshots=np.linspace(half, config.strong_steps, 6).astype(int),
        average_from=half,
    )
    (path,) = chains.alive(path)
    points = setting.theta + torch.from_numpy(path.kept)
    noise = np.array([[trace_noise(p, setting.single) for p in row] for row in points])
    curvature = []
    for mean in path.mean:
        there = network.local(setting.theta + torch.from_numpy(mean), setting.single)
        curvature.append(np.einsum("ik,ij,jk->k", vectors, there.hessian, vectors, optimize=True))
    x = path.position[:, half:]
    keys = ("run_strong", "mode")
    return xr.Dataset(
        {
            "strong_speed": ("run_strong", path.speed[:, half:].mean(1)),
            "strong_noise": ("run_strong", noise.mean(1)),
            "strong_curvature": (keys, np.array(curvature)),
            "strong_variance": (keys, x.var(1)),
            "strong_step": (keys, (np.diff(x, axis=1) ** 2).mean(1)),
            "strong_time": ("strong_block", 64.0 * np.arange(config.strong_steps // 64)),
            "strong_block_speed": (
                "strong_block",
                path.speed[:, : config.strong_steps // 64 * 64]
                .reshape(len(path.speed), -1, 64)
                .mean((0, 2)),
            ),
        }
    )


def strong_start(config, setting: Setting) -> np.ndarray:
    """Make the first 64 steps of `strong` anew: the mean of |delta|^2, as its first block."""
    eta, beta, size = config.strong
    path = chains.run(
        setting.single,
        setting.theta,
        chains.Step(eta, beta, size, config.weight_decay),
        steps=64,
        replicas=range(config.strong_replicas),
        seed=seeds.derive(config.seed, "network_limits", "strong"),
        basis=torch.from_numpy(setting.vectors[:, :1].copy()),
    )
    return np.array([path.speed.mean()])


def trace_noise(theta, task) -> float:
    """Return Tr Sigma at a point (P,), without the matrix."""
    _, hidden, errors, back = (
        None if a is None else a[0]
        for a in network.passes(
            theta[None].to(task.inputs.dtype), task.inputs[None], task.labels[None]
        )
    )
    square = back.square().sum(1) * task.inputs.square().sum(1)
    square += errors.square().sum(1) * (1 + hidden.square().sum(1))
    first = back.T @ task.inputs / task.size
    second = errors.T @ hidden / task.size
    mean = first.square().sum() + second.square().sum() + errors.mean(0).square().sum()
    return float(square.double().mean() - mean)


def decayed(config) -> xr.Dataset:
    """Measure position variances with weight decay as large as the curvatures, at its minimum."""
    setting = prepare(config, weight_decay=config.strong_decay, dtype=torch.float32)
    index = np.unique(np.linspace(config.decay_low, config.decay_top - 1, config.modes).astype(int))
    step = chains.Step(config.decay_rate, config.momentum, config.batch_size, config.strong_decay)
    path = chains.run(
        setting.single,
        setting.theta,
        step,
        steps=config.decay_steps,
        replicas=range(config.decay_replicas),
        seed=seeds.derive(config.seed, "network_limits", "decay"),
        basis=torch.from_numpy(setting.vectors[:, index].copy()),
    )
    (path,) = chains.alive(path)
    x = path.position[:, config.decay_steps // 3 :]
    return xr.Dataset(
        {
            "decay_curvature": ("flat_mode", setting.curvature[index]),
            "decay_noise": ("flat_mode", setting.noise[index]),
            "decay_variance": (("decay_run", "flat_mode"), ((x - x.mean((0, 1))) ** 2).mean(1)),
        }
    )
