"""Training runs of chapter `noise_strength` and what is measured along them.

Nothing here knows the theory: all moments are exact averages over the whole training set.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.doors import door
from sgdescape.core.networks import gradients, models
from sgdescape.core.random import seeds
from sgdescape.core.training import sgd


@dataclass(frozen=True)
class Case:
    """One network with one loss."""

    network: str  # "mlp" or "cnn"
    loss: str  # a key of `sgd.LOSSES`
    task: str  # "one_hot" (10 outputs) or "parity" (1 output)


CASES = {
    "MLP, square": Case("mlp", "square", "one_hot"),
    "MLP, cross-entropy": Case("mlp", "cross_entropy", "one_hot"),
    "CNN, square": Case("cnn", "square", "one_hot"),
    "CNN, cross-entropy": Case("cnn", "cross_entropy", "one_hot"),
    "MLP, one output": Case("mlp", "square", "parity"),
}
"""Name -> network, loss and task of each training run."""
_CHUNK = 500  # samples a pass: the paper's CNN keeps 3 MB of activations for each
MOMENTS = (
    "loss",
    "second_moment",
    "gradient_square",
    "jacobian",
    "residual",
    "joint",
    "shuffled",
    "accuracy",
)


@door
def moments(
    model: torch.nn.Module, inputs, targets, *, loss: Callable, seed: int = 0
) -> dict[str, float]:
    """Return the averages over all samples that the noise strength is made of.

    Args:
        model: a network that `gradients` supports, with C outputs.
        inputs: (N, ...) samples.
        targets: (N,) or (N, C).
        loss: per-sample loss l_mu; r_mu is its derivative with respect to the outputs.
        seed: of the permutation in "shuffled".

    Returns:
        By name (means over mu): "loss" l, "second_moment" |grad l|^2,
        "gradient_square" |grad L|^2 of the mean loss, "jacobian" |J|_F^2, "residual" |r|^2,
        "joint" |r|^2 |J|_F^2, "shuffled" |J_mu^T r_pi(mu)|^2 with the residuals permuted among
        the samples, "accuracy" the share of samples whose largest output (sign) is right.
    """
    gradients.check_targets(inputs, targets)
    targets = targets.reshape(len(inputs), -1)
    outputs, mean = _forward(model, inputs, targets, loss)
    losses = loss(outputs, targets).double()
    residuals = gradients.output_gradients(outputs, targets, loss).detach()
    squares = residuals.double().square().sum(1)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(inputs), generator=generator).to(residuals.device)
    own, other, jacobian = gradients.cotangent_norms(model, inputs, [residuals, residuals[order]])
    if outputs.shape[1] > 1:
        right = outputs.argmax(1) == targets.argmax(1)
    else:
        right = (outputs * targets).squeeze(1) > 0
    values = (
        losses.mean(),
        own.mean(),
        sum(g.square().sum() for g in mean),
        jacobian.mean(),
        squares.mean(),
        (squares * jacobian).mean(),
        other.mean(),
        right.double().mean(),
    )
    return dict(zip(MOMENTS, torch.stack(values).tolist(), strict=True))


def _forward(model, inputs, targets, loss):
    """Outputs (N, C) and the gradient of the mean loss, float64, a chunk of samples at a time."""
    parameters = list(model.parameters())
    total = [torch.zeros_like(p, dtype=torch.float64) for p in parameters]
    outputs = []
    for x, y in zip(inputs.split(_CHUNK), targets.split(_CHUNK), strict=True):
        out = model(x)
        part = torch.autograd.grad(loss(out, y).sum(), parameters)
        for summed, gradient in zip(total, part, strict=True):
            summed += gradient
        outputs.append(out.detach())
    return torch.cat(outputs), [summed / len(inputs) for summed in total]


def epoch_marks(epochs: int, marks: int) -> np.ndarray:
    """Return ``marks`` epochs from 0 to ``epochs``, all different, evenly spaced in the logarithm.

    Example:
        >>> epoch_marks(100, 8).tolist()
        [0, 1, 2, 5, 10, 22, 46, 100]
    """
    validate.count("marks", marks, low=3, high=epochs + 1)
    found = [0]
    for k, wanted in enumerate(np.geomspace(1, epochs, marks - 1)):
        left = marks - 2 - k  # epochs still to be placed after this one
        found.append(int(np.clip(round(wanted), found[-1] + 1, epochs - left)))
    return np.array(found)


def seeds_of(seed: int, replica: int) -> dict[str, int]:
    """Return the seeds of a replica's images, weights, batches and exchange of residuals."""
    purposes = ("images", "weights", "batches", "exchange")
    return {p: seeds.derive(seed, "noise_strength", p, replica) for p in purposes}


@door
def network_and_data(case: Case, config, *, seed: int, replica: int = 0, device: str = "cpu"):
    """Return the freshly initialised network of a case, and its images.

    Args:
        case: which network and task.
        config: `noise_strength.Config`.
        seed: of the configuration.
        replica: index; each has its own images and initial weights.
        device: of both.

    Returns:
        The network and a `core.data.image_sets.Dataset`, whose inputs fit it.
    """
    own = seeds_of(seed, replica)
    images = case.network == "cnn"
    found = image_sets.load(
        data_of(case, config),
        n=config.cnn_images if images else config.images,
        subset=config.accept_subset,
        seed=own["images"],
        task=case.task,
        images=images,
        device=device,
    )
    inputs, outputs = found.inputs, 10 if case.task == "one_hot" else 1
    if not images:
        widths = (inputs.shape[1], *config.hidden, outputs)
        return models.mlp(widths, seed=own["weights"], device=device), found
    inputs = F.avg_pool2d(inputs, config.pool) if config.pool > 1 else inputs
    model = models.cnn(
        inputs.shape[1],
        stacks=config.stacks,
        outputs=outputs,
        image_size=inputs.shape[2],
        seed=own["weights"],
        device=device,
    )
    return model, replace(found, inputs=inputs)


def data_of(case: Case, config) -> str:
    """Return the name of the data set of a case."""
    return config.cnn_data if case.network == "cnn" else "fashion_mnist"


def epochs_of(case: Case, config) -> int:
    """Return the training time of a case."""
    if case.network == "mlp":
        return config.mlp_epochs
    return config.entropy_epochs if case.loss == "cross_entropy" else config.cnn_epochs


def in_span(model: torch.nn.Sequential, inputs: torch.Tensor):
    """Return the same dense network and inputs in a basis of the space that the inputs span.

    With orthonormal Q (features, N) whose columns span the inputs, x = Q z and W x = (W Q) z, and
    SGD moves W within that span only: outputs, losses, gradient norms and their course in training
    are those of the given network, at the cost of N features.

    Args:
        model: Linear, ReLU, ..., Linear.
        inputs: (N, features); returned as they came, with their model, unless N < features.

    Returns:
        A new model and its inputs (N, N).
    """
    n, features = inputs.shape
    if n >= features:
        return model, inputs
    basis, rest = torch.linalg.qr(inputs.double().T)
    first = torch.nn.Linear(n, model[0].out_features).to(inputs)
    with torch.no_grad():
        first.weight.copy_(model[0].weight.double() @ basis)
        first.bias.copy_(model[0].bias)
    return torch.nn.Sequential(first, *model[1:]), rest.T.to(inputs).contiguous()


def measure(
    replicas: range, *, seed: int, case: str, config, device: str, data: dict | None = None
) -> dict:
    """Train replicas of a case and return its moments at the marked epochs, for `sweep.sweep`.

    Args:
        replicas: indices; each draws its own images, initial weights and batches.
        seed: of the configuration; a replica is a function of (seed, index) alone.
        case: a key of `CASES`.
        config: `noise_strength.Config`.
        device: torch device.
        data: data set -> its record (`image_sets.origin`) where the run was asked for; a worker
            that finds other images refuses. None for no comparison.

    Returns:
        Name of `MOMENTS` -> (replicas, marks), "epoch" (replicas, marks), and "diverged_at"
        (replicas,): the step of the first loss that is not finite, after which the moments are
        NaN; -1 if there is none.

    Raises:
        ValueError: if the images here are others than those of ``data``.
    """
    chosen = CASES[case]
    marks = epoch_marks(epochs_of(chosen, config), config.marks)[: config.stop]
    rows, diverged = [], []
    for replica in replicas:
        model, found = network_and_data(chosen, config, seed=seed, replica=replica, device=device)
        name = data_of(chosen, config)
        if data is not None and found.provenance["sha256"] != data[name]["sha256"]:
            raise ValueError(f"{name} must be the files {data[name]['sha256']} on every worker")
        own = seeds_of(seed, replica)
        row, step = _train(model, found, chosen, config, marks, own)
        rows.append(row)
        diverged.append(step)
    columns = {name: np.array([[m[name] for m in row] for row in rows]) for name in MOMENTS}
    return columns | {
        "epoch": np.tile(marks, (len(rows), 1)),
        "diverged_at": np.array(diverged, dtype=np.int64),
    }


def _train(model, data, case, config, marks, own):
    """Moments at every mark of one run, and the step at which it diverged, or -1."""
    inputs, targets, loss = data.inputs, data.targets, sgd.LOSSES[case.loss]
    if case.network == "mlp":
        model, inputs = in_span(model, inputs)
    size = config.cnn_batch_size if case.network == "cnn" else config.batch_size
    state, row = None, []
    for epoch in marks:
        steps = sgd.steps_of(float(epoch), n=len(inputs), batch_size=size)
        plan = sgd.Config(config.learning_rate, size, steps, seed=own["batches"])
        model.to(memory_format=torch.channels_last)  # training is fastest in this layout
        result = sgd.train(model, inputs, targets, plan, loss=loss, state=state)
        if result.diverged_at is not None:
            nothing = dict.fromkeys(MOMENTS, np.nan)
            return row + [nothing] * (len(marks) - len(row)), result.diverged_at
        state = result.state
        model.to(memory_format=torch.contiguous_format)  # and the moments in this one
        row.append(moments(model, inputs, targets, loss=loss, seed=own["exchange"]))
    return row, -1
