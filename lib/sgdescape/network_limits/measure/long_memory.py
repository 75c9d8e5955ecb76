"""The small network with a memory as long as an epoch, and one whose noise dies out; no theory."""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.network_limits.measure import chains, network
from sgdescape.network_limits.measure.setting import Setting

DRAWN = {"iid": "iid", "epochs": "shuffle"}


def memory(config, setting: Setting) -> xr.Dataset:
    """Measure the speed at a momentum whose memory is a quarter of an epoch, beyond the transient.

    Args:
        config: of `network_limits`, its fields that begin with ``memory``.
        setting: where the runs start.

    Returns:
        ``memory_speed`` (order, memory_run), means of |delta|^2 over the last epoch.
    """
    eta, beta, size, epochs = config.memory
    length = config.samples // int(size)
    paths = [
        chains.run(
            setting.single,
            setting.theta,
            chains.Step(eta, beta, int(size), config.weight_decay, sampler),
            steps=int(epochs) * length,
            replicas=range(config.memory_replicas),
            seed=seeds.derive(config.seed, "network_limits", "memory"),
            basis=torch.from_numpy(setting.vectors[:, :1].copy()),
        )
        for sampler in DRAWN.values()
    ]
    speeds = [path.speed[:, -length:].mean(1) for path in chains.alive(*paths)]
    return xr.Dataset(
        {"memory_speed": (("order", "memory_run"), np.array(speeds))},
        coords={"order": list(DRAWN)},
    )


def interpolating(config) -> xr.Dataset:
    """Train the small network on labels that it can fit, without weight decay.

    Args:
        config: of `network_limits`, its fields that begin with ``fit``.

    Returns:
        ``fit_loss`` and ``fit_speed`` (fit_run, fit_mark): loss of all data at some steps, and
        the mean of |delta|^2 over 64 steps around them; ``fit_step`` (fit_mark).
    """
    eta, beta, size = config.fit
    task = network.make_task(samples=config.fit_samples, noise=0.0, seed=config.network_seed)
    single = network.Task(task.inputs.float(), task.labels, 0.0)
    marks = np.unique(np.geomspace(64, config.fit_steps - 32, config.fit_marks).astype(int))
    path = chains.run(
        single,
        network.initial(config.network_seed),
        chains.Step(eta, beta, int(size), 0.0),
        steps=config.fit_steps,
        replicas=range(config.fit_replicas),
        seed=seeds.derive(config.seed, "network_limits", "fit"),
        basis=torch.eye(network.PARAMETERS, 1, dtype=torch.float64),
        snapshots=marks,
    )
    (path,) = chains.alive(path)
    points = network.initial(config.network_seed) + torch.from_numpy(path.kept)
    losses = [network.loss(row, task).numpy() for row in points]
    speeds = [path.speed[:, k - 32 : k + 32].mean(1) for k in marks]
    return xr.Dataset(
        {
            "fit_loss": (("fit_run", "fit_mark"), np.array(losses)),
            "fit_speed": (("fit_run", "fit_mark"), np.array(speeds).T),
        },
        coords={"fit_step": ("fit_mark", marks)},
    )
