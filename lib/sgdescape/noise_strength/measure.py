"""Training runs of the chapter `noise_strength` and what is measured along them.

Nothing here knows the theory: all moments are exact averages over the whole training set.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.networks import gradients, models
from sgdescape.core.runs import sweep
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
_CHUNK = 500  # samples a pass: the paper's CNN keeps 3 MB of activations for each
MOMENTS = (
    "loss",
    "loss_square",
    "second_moment",
    "gradient_square",
    "jacobian",
    "residual",
    "joint",
    "shuffled",
    "accuracy",
)


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
        By name (means over mu): "loss" l, "loss_square" l^2, "second_moment" |grad l|^2,
        "gradient_square" |grad L|^2 of the mean loss, "jacobian" |J|_F^2, "residual" |r|^2,
        "joint" |r|^2 |J|_F^2, "shuffled" |J_mu^T r_pi(mu)|^2 with the residuals permuted among
        the samples, "accuracy" the share of samples whose largest output (sign) is right.
    """
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
        losses.square().mean(),
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


def network_and_data(case: Case, config, *, seed: int, device: str):
    """Return the freshly initialised network of a case, its inputs and its targets.

    Args:
        case: which network and task.
        config: `noise_strength.Config`.
        seed: of the choice of images and the initial weights.
        device: of both.
    """
    images = case.network == "cnn"
    name = config.cnn_data if images else "fashion_mnist"
    found = image_sets.load(
        name, n=config.images, seed=seed, task=case.task, images=images, device=device
    )
    inputs, outputs = found.inputs, 10 if case.task == "one_hot" else 1
    if not images:
        widths = (inputs.shape[1], *config.hidden, outputs)
        return models.mlp(widths, seed=seed, device=device), inputs, found.targets
    inputs = F.avg_pool2d(inputs, config.pool) if config.pool > 1 else inputs
    model = models.cnn(
        inputs.shape[1],
        stacks=config.stacks,
        outputs=outputs,
        image_size=inputs.shape[2],
        seed=seed,
        device=device,
    )
    return model, inputs, found.targets


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


def measure(replicas: range, *, seed: int, case: str, config, device: str) -> dict:
    """Train replicas of a case and return its moments at the marked epochs, for `runner.sweep`.

    Args:
        replicas: indices; each draws its own images, initial weights and batches.
        seed: of the ensemble; a replica is a function of (seed, index) alone.
        case: a key of `CASES`.
        config: `noise_strength.Config`.
        device: torch device.

    Returns:
        Name of `MOMENTS` -> (replicas, marks), and "epoch" (replicas, marks).

    Raises:
        FloatingPointError: if a run diverges; the message gives its step.
    """
    chosen = CASES[case]
    epochs = config.cnn_epochs if chosen.network == "cnn" else config.mlp_epochs
    marks = epoch_marks(epochs, config.marks)
    loss = sgd.LOSSES[chosen.loss]
    rows = []
    for replica in replicas:
        own = int(sweep.replica_generator(seed, replica).integers(2**31))
        model, inputs, targets = network_and_data(chosen, config, seed=own, device=device)
        if chosen.network == "mlp":
            model, inputs = in_span(model, inputs)
        state, row = None, []
        for epoch in marks:
            steps = sgd.steps_of(float(epoch), n=len(inputs), batch_size=config.batch_size)
            plan = sgd.Config(config.learning_rate, config.batch_size, steps, seed=own)
            model.to(memory_format=torch.channels_last)  # training is fastest in this layout
            result = sgd.train(model, inputs, targets, plan, loss=loss, state=state)
            if result.diverged_at is not None:
                raise FloatingPointError(
                    f"{case}, replica {replica} diverged at step {result.diverged_at} with "
                    f"learning_rate = {config.learning_rate}"
                )
            state = result.state
            model.to(memory_format=torch.contiguous_format)  # and the moments in this one
            row.append(moments(model, inputs, targets, loss=loss, seed=own))
        rows.append(row)
    found = {name: np.array([[m[name] for m in row] for row in rows]) for name in MOMENTS}
    return found | {"epoch": np.tile(marks, (len(rows), 1))}
