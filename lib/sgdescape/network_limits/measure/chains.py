"""SGD with momentum on the small network, many replicas at once, watched in the Hessian's basis.

A replica's path depends on the seed and its own index alone. The weights are kept as float64
displacements from an origin, of which a step of 1e-4 keeps its digits; gradients are computed in
the precision of the inputs.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import seeds
from sgdescape.network_limits.measure import network

BLOCK = 256  # steps whose batches are drawn together


@dataclass(frozen=True)
class Step:
    """Hyper-parameters of b <- beta b + g + lambda theta, theta <- theta - eta b.

    Args:
        learning_rate: eta.
        momentum: beta, in [0, 1).
        batch_size: S.
        weight_decay: lambda, at least 0, coupled.
        sampler: "iid" (with replacement) or "shuffle" (a new permutation every epoch).
    """

    learning_rate: float = 0.005
    momentum: float = 0.9
    batch_size: int = 64
    weight_decay: float = 1e-3
    sampler: str = "iid"

    def __post_init__(self):
        """Refuse values outside their range."""
        validate.positive("learning_rate", self.learning_rate)
        validate.fraction("momentum", self.momentum)
        validate.count("batch_size", self.batch_size)
        validate.non_negative("weight_decay", self.weight_decay)
        validate.one_of("sampler", self.sampler, ("iid", "shuffle"))


@dataclass(frozen=True)
class Path:
    """What was seen of R replicas in T steps; one that diverged is NaN from then on.

    Args:
        position: (R, T + 1, K), displacements from the origin along the basis.
        speed: (R, T), squared length of each step delta_k, k = 1 .. T.
        virial: (R, T), (theta_k - origin) . (g_k + lambda theta_k), k = 0 .. T - 1.
        distance: (references, R, T + 1), squared distance from where the replica was at each
            reference step; NaN before it.
        kept: (R, snapshots, P), displacements at the snapshot steps.
        mean: (R, P), displacement averaged over the steps from ``average_from`` on.
        diverged: (R,), the step at which a replica's weights stopped being finite, or -1.
    """

    position: np.ndarray
    speed: np.ndarray
    virial: np.ndarray
    distance: np.ndarray
    kept: np.ndarray
    mean: np.ndarray
    diverged: np.ndarray


@door
def run(
    task: network.Task,
    origin: Tensor,
    step: Step,
    *,
    steps: int,
    replicas: range,
    seed: int,
    basis: Tensor,
    references: Sequence[int] = (0,),
    snapshots: Sequence[int] = (),
    average_from: int = 0,
    response: float = 1.0,
) -> Path:
    """Run SGD with momentum from the origin with zero velocity.

    Args:
        task: data; its dtype is that of the gradients.
        origin: (P,) start, and origin of all displacements.
        step: hyper-parameters.
        steps: T.
        replicas: indices of the replicas.
        seed: a derived one; with a replica's index the key of its batches.
        basis: (P, K) directions to watch, orthonormal columns.
        references: steps k0 from which squared distances are measured.
        snapshots: steps whose displacements are kept whole.
        average_from: first step of the time average.
        response: gradients are taken at origin + response x displacement: 1 is SGD, 0 freezes
            them at the origin and leaves pure filtered noise (a control).

    Returns:
        The path; a warning names the replicas that diverged and their steps.

    Raises:
        FloatingPointError: if all replicas but one diverge, or all.
    """
    validate.count("steps", steps)
    eta, beta, decay = step.learning_rate, step.momentum, step.weight_decay
    origin, basis = origin.double(), basis.double()
    size, parameters = len(replicas), len(origin)
    place = torch.zeros(size, parameters, dtype=torch.float64)
    buffer, mean = torch.zeros_like(place), torch.zeros_like(place)
    position = np.zeros((size, steps + 1, basis.shape[1]))
    speed, virial = np.zeros((size, steps)), np.zeros((size, steps))
    distance = np.full((len(references), size, steps + 1), np.nan)
    kept, marks = [], {}
    batches = _batches(task.size, step, steps, replicas, seed)
    for k in range(steps + 1):
        if k in references:
            marks[k] = place.clone()
        for row, reference in enumerate(references):
            if reference in marks:
                apart = place - marks[reference]
                distance[row, :, k] = torch.linalg.vecdot(apart, apart).numpy()
        position[:, k] = (place @ basis).numpy()
        if k in snapshots:
            kept.append(place.clone())
        if k >= average_from:
            mean += place / (steps + 1 - average_from)
        if k == steps:
            break
        index = next(batches)
        theta = origin + response * place
        force = network.gradients(
            theta.to(task.inputs.dtype), task.inputs[index], task.labels[index]
        ).double()
        force += decay * theta
        virial[:, k] = torch.linalg.vecdot(place, force).numpy()
        buffer.mul_(beta).add_(force)
        place = place - eta * buffer
        speed[:, k] = eta**2 * torch.linalg.vecdot(buffer, buffer).numpy()
    whole = torch.stack(kept, 1) if kept else torch.zeros(size, 0, parameters)
    lost = _diverged(speed, replicas, step)
    return Path(position, speed, virial, distance, whole.numpy(), mean.numpy(), lost)


def _diverged(speed, replicas, step):
    """Return the step at which each replica's weights stopped being finite, or -1; say which."""
    bad = ~np.isfinite(speed)
    lost = np.where(bad.any(1), bad.argmax(1) + 1, -1)
    named = ", ".join(
        f"replica {r} at step {k}" for r, k in zip(replicas, lost, strict=True) if k > 0
    )
    left = int((lost < 0).sum())
    if left < min(2, len(replicas)):
        raise FloatingPointError(
            f"learning_rate = {step.learning_rate:g} is too large (momentum {step.momentum:g}, "
            f"batch_size {step.batch_size}): {left} of {len(replicas)} replicas did not diverge; "
            f"diverged: {named}"
        )
    if named:
        warnings.warn(f"diverged and left out: {named}", RuntimeWarning, stacklevel=3)
    return lost


def alive(*paths: Path) -> list[Path]:
    """Return paths of the same replicas without those that diverged on any of them.

    Raises:
        FloatingPointError: if fewer than two are left.
    """
    good = np.all([path.diverged < 0 for path in paths], axis=0)
    if good.sum() < min(2, len(good)):
        raise FloatingPointError(f"only {good.sum()} of {len(good)} replicas diverged on no path")
    return [
        Path(*(_rows(field.name, getattr(path, field.name), good) for field in fields(Path)))
        for path in paths
    ]


def _rows(name, values, good):
    return values[:, good] if name == "distance" else values[good]


def _batches(samples, step, steps, replicas, seed):
    """Yield one (R, S) tensor of sample indices a step."""
    keys = [seeds.derive(seed, "network_limits", "batches", r) for r in replicas]
    streams = [np.random.Generator(np.random.Philox(key=key)) for key in keys]
    if step.sampler == "iid":
        for start in range(0, steps, BLOCK):
            shape = (min(BLOCK, steps - start), step.batch_size)
            block = np.stack([rng.integers(0, samples, shape) for rng in streams], 1)
            yield from torch.from_numpy(block)
        return
    epoch = samples // step.batch_size
    validate.count("batch_size", step.batch_size, high=samples)
    for start in range(0, steps, epoch):
        orders = [rng.permutation(samples)[: epoch * step.batch_size] for rng in streams]
        block = np.stack([order.reshape(epoch, step.batch_size) for order in orders], 1)
        yield from torch.from_numpy(block[: steps - start])
