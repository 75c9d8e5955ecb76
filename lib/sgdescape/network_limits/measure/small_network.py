"""The measurements of chapter `network_limits` on the small network; no theory in here.

Each function returns an `xarray.Dataset`. Lengths are in the units of the weights, times in steps.
"""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.network_limits.measure import chains, network
from sgdescape.network_limits.measure.setting import Setting, watched


def stationary(config, setting: Setting) -> xr.Dataset:
    """Run from the minimum, with replacement and by epochs; keep averages after the burn-in."""
    index = watched(config)
    basis = torch.from_numpy(setting.vectors[:, index].copy())
    burn, steps = config.burn_in, config.steps
    early = np.geomspace(burn / 16, burn, config.early_snapshots + 1)[:-1]
    late = np.linspace(burn, steps, config.snapshots)
    shots = np.concatenate([early, late]).astype(int)
    paths = {}
    for sampler in ("iid", "shuffle"):
        step = _step(config, sampler=sampler)
        paths[sampler] = chains.run(
            setting.single,
            setting.theta,
            step,
            steps=steps,
            replicas=range(config.replicas),
            seed=_seed(config, "main"),
            basis=basis,
            references=(0, burn),
            snapshots=shots,
        )
    parts = []
    for path in chains.alive(*paths.values()):
        found = _averages(path, burn).merge(_forces(config, setting, path))
        parts.append(found.assign_coords(snapshot_step=("snapshot", shots)))
    return xr.concat(parts, "sampler").assign_coords(sampler=list(paths), mode=index)


def _averages(path, burn):
    """Time averages of every replica after the burn-in, and curves of displacement."""
    x = path.position[:, burn:]
    delta = np.diff(path.position, axis=1)[:, burn - 1 :]  # the step that led to each x
    offset = x - x.mean((0, 1))
    inner = x[:, 1:-1] * delta[:, 2:] - x[:, 2:] * delta[:, 1:-1]
    square, fourth = (offset**2).mean((0, 1)), (offset**4).mean((0, 1))
    fast, faster = (delta**2).mean((0, 1)), (delta**4).mean((0, 1))
    steps = path.speed.shape[1]
    lags = np.unique(np.geomspace(1, steps, 60).astype(int))
    late = np.where(lags <= steps - burn, np.minimum(lags, steps - burn), 0)
    blocks = path.speed[:, burn:]
    blocks = blocks[:, : blocks.shape[1] // 256 * 256].reshape(len(blocks), -1, 256).mean(2)
    moved = path.distance[1][:, burn + late].copy()
    moved[:, late == 0] = np.nan
    growth = (path.distance[0][:, -1] - path.distance[0][:, burn]) / (steps - burn)
    keys = ("replica", "mode")
    return xr.Dataset(
        {
            "position_variance": (keys, (offset**2).mean(1)),
            "step_variance": (keys, (delta**2).mean(1)),
            "position_step": (keys, (offset * delta).mean(1)),
            "midpoint_step": (keys, ((offset - delta / 2) * delta).mean(1)),
            "midpoint_ends": (keys, _ends(path.position, burn, x.mean((0, 1)))),
            "areal_rate": (keys, inner.mean(1)),
            "shift": ("mode", x.mean((0, 1))),
            "position_kurtosis": ("mode", fourth / square**2),
            "step_kurtosis": ("mode", faster / fast**2),
            "speed": ("replica", path.speed[:, burn:].mean(1)),
            "speed_block": (("replica", "block"), blocks),
            "virial": ("replica", path.virial[:, burn:].mean(1)),
            "work": (("replica", "moment"), _work(path, burn)),
            "growth": ("replica", growth),
            "from_start": (("replica", "lag"), path.distance[0][:, lags]),
            "from_later": (("replica", "lag"), moved),
            "early_square": (("early", "replica", "mode"), _early(path, burn)),
            "phase_path": (
                ("phase_mode", "coordinate", "phase_step"),
                np.stack([x[0, :, [0, -1]], delta[0, :, [0, -1]]], 1),
            ),
            "cloud": (("replica", "time", "mode"), x[:, ::16].astype(np.float32)),
            "cloud_step": (("replica", "time", "mode"), delta[:, ::16].astype(np.float32)),
        },
        coords={"lag": lags, "early": EARLY, "moment": ["before", "after", "square_step"]},
    )


def _ends(position, burn, middle):
    """What a mean of (x_k^2 - x_{k-1}^2)/2 from k = burn on telescopes to (replica, mode)."""
    count = position.shape[1] - burn
    return ((position[:, -1] - middle) ** 2 - (position[:, burn - 1] - middle) ** 2) / (2 * count)


def _work(path, burn):
    """Means of c_k = theta_{k-1}.delta_k from lengths, of c_{k+1} and of |delta_k|^2 (replica, 3).

    Over the steps k = burn to T - 1, whose forces `virial` has.
    """
    square, moved = path.distance[0], path.speed
    c = (np.diff(square, axis=1) - moved) / 2  # c_1 ... c_T
    rows = c[:, burn - 1 : -1], c[:, burn:], moved[:, burn - 1 : -1]
    return np.stack([row.mean(1) for row in rows], 1)


EARLY = np.array([5, 10, 20, 40, 80, 160, 320])
"""Steps after the start at which the growing covariance is looked at."""


def _early(path, burn):
    return np.stack([path.position[:, min(k, burn)] ** 2 for k in EARLY])


def _forces(config, setting, path):
    """Loss of all the data above its minimum, and force along the displacement, at snapshots."""
    points = torch.from_numpy(path.kept)
    decay, theta = config.weight_decay, setting.theta
    losses, forces, right = (np.zeros(points.shape[:2]) for _ in range(3))
    whole, fresh = setting.single, unseen(config)
    for place in np.ndindex(points.shape[:2]):
        at = theta + points[place]
        value, force = network.loss_gradient(at, whole)
        forces[place] = float(points[place] @ (force + decay * at))
        losses[place] = value + decay / 2 * float(at @ at - theta @ theta)
        right[place] = network.accuracy(at, fresh)
    floor, _ = network.loss_gradient(theta, whole)
    where = ("replica", "snapshot")
    return xr.Dataset(
        {
            "excess": (where, losses - floor),
            "force": (where, forces),
            "accuracy": (where, right),
        }
    )


def unseen(config, *, noise=0.0) -> network.Task:
    """Return fresh inputs with the same teacher's labels, a share replaced, float32."""
    made = network.make_task(samples=UNSEEN, noise=noise, seed=config.network_seed, fresh=True)
    return network.Task(made.inputs.float(), made.labels, noise)


UNSEEN = 4096
"""Samples of the test."""


def sweep(config, setting: Setting) -> xr.Dataset:
    """Measure speed and displacement from the minimum at other hyper-parameters, iid."""
    paths, speeds, curves, early = [], [], [], []
    basis = torch.from_numpy(setting.vectors[:, :1].copy())
    lags = np.unique(np.geomspace(8, config.short_steps, 24).astype(int))
    for k, (eta, beta, size) in enumerate(config.sweep):
        path = chains.run(
            setting.single,
            setting.theta,
            chains.Step(eta, beta, size, config.weight_decay),
            steps=config.short_steps,
            replicas=range(config.short_replicas),
            seed=_seed(config, "sweep", k),
            basis=basis,
        )
        paths.append(path)
    for path, (_, beta, _) in zip(chains.alive(*paths), config.sweep, strict=True):
        settled = min(int(8 / (1 - beta)), config.short_steps // 3)
        speeds.append(path.speed[:, settled:].mean(1))
        curves.append(path.distance[0][:, lags])
        early.append(path.speed[:, :TRANSIENT])
    frozen = chains.run(
        setting.single,
        setting.theta,
        _step(config),
        steps=config.short_steps,
        replicas=range(config.short_replicas),
        seed=_seed(config, "frozen"),
        basis=torch.from_numpy(setting.vectors[:, watched(config)].copy()),
        response=0.0,
    )
    (frozen,) = chains.alive(frozen)
    burn = config.short_steps // 3
    x, delta = frozen.position[:, burn:], np.diff(frozen.position, axis=1)[:, burn:]
    return xr.Dataset(
        {
            "sweep_speed": (("point", "run"), np.array(speeds)),
            "sweep_distance": (("point", "run", "sweep_lag"), np.array(curves)),
            "sweep_at": (("point", "number"), np.array(config.sweep, dtype=float)),
            "sweep_early": (("point", "run", "early_step"), np.array(early)),
            "frozen_speed": ("frozen_run", frozen.speed[:, burn:].mean(1)),
            "frozen_variance": (("frozen_run", "mode"), ((x - x.mean((0, 1))) ** 2).mean(1)),
            "frozen_step": (("frozen_run", "mode"), (delta**2).mean(1)),
        },
        coords={"sweep_lag": lags, "number": ["learning_rate", "momentum", "batch_size"]},
    )


TRANSIENT = 48
"""First steps of short runs whose speed is kept one by one."""


def swing(config, setting: Setting) -> xr.Dataset:
    """Measure autocorrelations of the modes with more momentum, where many modes oscillate."""
    burn, longest = config.swing_burn, config.swing_lags
    path = chains.run(
        setting.single,
        setting.theta,
        chains.Step(
            config.swing_rate, config.swing_momentum, config.swing_batch, config.weight_decay
        ),
        steps=config.swing_steps,
        replicas=range(config.swing_replicas),
        seed=_seed(config, "swing"),
        basis=torch.from_numpy(setting.vectors[:, watched(config)].copy()),
    )
    (path,) = chains.alive(path)
    x = path.position[:, burn:] - path.position[:, burn:].mean((0, 1))
    total = x.shape[1] - longest
    products = [(x[:, :total] * x[:, k : k + total]).mean(1) for k in range(longest + 1)]
    found = np.stack(products, 1) / (x**2).mean((0, 1))
    ends = path.position[0, burn:, [0, -1]]
    shown = np.stack([ends[:, 1:], np.diff(ends, axis=1)], 1)
    return xr.Dataset(
        {
            "autocorrelation": (("swing_run", "swing_lag", "mode"), found),
            "swing_path": (("phase_mode", "coordinate", "swing_step"), shown),
        }
    )


def ringing(config, setting: Setting) -> xr.Dataset:
    """Kick the weights along some eigenvectors at once; follow full-batch descent with momentum."""
    index = watched(config)[: config.ring_modes]
    vectors = torch.from_numpy(setting.vectors[:, index].copy())
    place = config.ring_kick * vectors.sum(1)
    buffer = torch.zeros_like(place)
    track = np.zeros((config.ring_steps + 1, len(index)))
    whole = setting.single
    for k in range(config.ring_steps + 1):
        track[k] = (vectors.T @ place).numpy()
        theta = setting.theta + place
        force = network.gradients(theta[None].float(), whole.inputs[None], whole.labels[None])
        buffer = config.ring_momentum * buffer + force[0].double() + config.weight_decay * theta
        place = place - config.ring_rate * buffer
    return xr.Dataset({"ring": (("ring_step", "ring_mode"), track)}, coords={"ring_mode": index})


def landscape(config, setting: Setting) -> xr.Dataset:
    """Measure the losses, weight decay included, in the plane of two eigenvectors.

    Args:
        config: the sizes.
        setting: where it is.

    Returns:
        ``plane_loss`` of the training data and ``plane_test`` of others with labels as noisy
        (along_first, along_last), each above its least on the grid.
    """
    first, second = watched(config)[[0, -1]]
    grid = np.linspace(-config.plane, config.plane, config.plane_points)
    axes = torch.from_numpy(setting.vectors[:, [first, second]].copy())
    other = unseen(config, noise=config.label_noise)
    values = np.zeros((2, len(grid), len(grid)))
    for i, j in np.ndindex(values.shape[1:]):
        theta = setting.theta + axes @ torch.tensor([grid[i], grid[j]])
        decay = config.weight_decay / 2 * float(theta @ theta)
        for k, task in enumerate((setting.single, other)):
            values[k, i, j] = float(network.loss(theta[None].float(), task)[0]) + decay
    values -= values.min((1, 2), keepdims=True)
    where = ("along_first", "along_last")
    return xr.Dataset(
        {"plane_loss": (where, values[0]), "plane_test": (where, values[1])},
        coords={"along_first": grid, "along_last": grid},
    )


def _step(config, sampler="iid"):
    return chains.Step(
        config.learning_rate, config.momentum, config.batch_size, config.weight_decay, sampler
    )


def _seed(config, purpose, index=0):
    return seeds.derive(config.seed, "network_limits", purpose, index)
