"""Many independent SGD runs of one small network, with the full training loss at every step.

All replicas start from one checkpoint, a fully connected ReLU network with one output and the
square loss; replica r differs by its batches alone (`core.random.philox`, stream BATCH; update k,
counted from 0, leads to theta_{k+1}). Three tiers give the same path: `network_reference`,
autograd on stacked parameters, and two in sample space that never touch the inputs: a numba
kernel, a replica a core (`core.ensembles.kernels.dual_numba`), and batched torch for a GPU
(`core.ensembles.kernels.dual_torch`). Losses carry the 1/2 of Mori et al., Eq. (1); time is in
steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.ensembles.network_reference import (
    SAMPLERS,
    empty_results,
    losses_of,
    reference,
)
from sgdescape.core.networks.plain import check_model, clean_modes, foreign
from sgdescape.core.random import philox

__all__ = ["Problem", "Runs", "images_gram", "problem", "run"]

SMALLEST_RATE = 1e-6  # in float32: below, a step is less than the rounding of the weights
_ROWS = 1024  # of the Gram matrix, formed at a time in float64
_CHUNK = {"cpu": 64, "cuda": 1024}  # replicas in one call: bounds memory, changes no number


@dataclass(frozen=True)
class Problem:
    """A checkpoint and its training data.

    Args:
        parameters: weights and biases of each layer, as `model.parameters()`, float64.
        inputs: X (N, d), float64.
        targets: y (N,), float64.
        gram: X X^T + 1 (N, N), in the precision of the runs.
    """

    parameters: tuple[Tensor, ...]
    inputs: Tensor
    targets: Tensor
    gram: Tensor

    @property
    def loss(self) -> float:
        """Full training loss at the checkpoint, L(theta*)."""
        stacked = [p[None] for p in self.parameters]
        return float(losses_of(stacked, self.inputs, self.targets)[0])


@dataclass(frozen=True)
class Runs:
    """What an ensemble of runs gives; -1 means never.

    Args:
        thresholds: loss ratios c, ascending (m,).
        steps: first step k >= 1 with L(theta_k) >= c L* (replicas, m), int64.
        last_step: last step watched (replicas,), int64.
        diverged_at: step of the first loss that is not finite (replicas,), int64.
        losses: L at every ``record_every``-th step (replicas, kept); NaN after the last step.
        ends: functions that give the rows of ``theta``.
    """

    thresholds: np.ndarray
    steps: np.ndarray
    last_step: np.ndarray
    diverged_at: np.ndarray
    losses: np.ndarray
    ends: tuple[Callable[[], np.ndarray], ...]

    @cached_property
    def theta(self) -> np.ndarray:
        """Parameters at the last step (replicas, P), ordered as `model.parameters()`.

        Made when first asked for: from sample space it takes longer than a short run.
        """
        return np.concatenate([end() for end in self.ends])


@door
@clean_modes
def problem(model: nn.Sequential, inputs: Tensor, targets: Tensor, *, dtype="float32", gram=None):
    """Return a `Problem` from a network of `core.networks.models.mlp` with one output.

    Args:
        model: Linear, ReLU, ..., Linear; hidden layers all of one width h, one output.
        inputs: X (N, d), finite.
        targets: y (N,) or (N, 1), finite.
        dtype: "float32" or "float64", of the runs on a CPU.
        gram: of an earlier problem with the same inputs, to save its N^2 d operations.

    Raises:
        TypeError: if the model is no such network.
        ValueError: if shapes do not fit or a value is not finite.
    """
    validate.one_of("dtype", dtype, ("float32", "float64"))
    parameters = tuple(p.detach().double().cpu().clone() for p in _layers(model))
    inputs, targets = _matrix("inputs", inputs), _matrix("targets", targets).reshape(-1)
    if inputs.ndim != 2 or inputs.shape[1] != parameters[0].shape[1]:
        wanted = parameters[0].shape[1]
        raise ValueError(f"inputs must have shape (n, {wanted}): got {tuple(inputs.shape)}")
    if len(targets) != len(inputs):
        raise ValueError(f"targets must hold {len(inputs)} values: got {len(targets)}")
    precision = getattr(torch, dtype)
    if gram is None:
        gram = images_gram(inputs, dtype=dtype)
    elif gram.shape != (len(inputs), len(inputs)) or gram.dtype != precision:
        raise ValueError(
            f"gram must be {dtype} of shape ({len(inputs)}, {len(inputs)}): "
            f"got {gram.dtype} of {tuple(gram.shape)}"
        )
    return Problem(parameters, inputs, targets, gram)


@door
@clean_modes
def images_gram(inputs: Tensor, *, dtype="float32") -> Tensor:
    """Return X X^T + 1 (N, N), summed in float64.

    Args:
        inputs: X (N, d).
        dtype: of the result.
    """
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point() or inputs.ndim != 2:
        raise TypeError(f"inputs must be a floating-point tensor (N, d): got {inputs!r:.60}")
    if not bool(torch.isfinite(inputs).all()):
        raise ValueError("inputs must be finite: they hold NaN or infinite values")
    inputs = inputs.double()
    gram = torch.empty(len(inputs), len(inputs), dtype=getattr(torch, dtype))
    for first in range(0, len(inputs), _ROWS):  # the lower triangle; the upper is its mirror
        rows, known = slice(first, first + _ROWS), slice(0, first + _ROWS)
        block = inputs[rows] @ inputs[known].T + 1
        gram[rows, known], gram[known, rows] = block, block.T
    return gram


@door
@clean_modes
def run(
    problem: Problem,
    *,
    learning_rate: float,
    batch_size: int,
    max_steps: int,
    replicas: range,
    seed: int,
    thresholds=(),
    reference_loss: float | None = None,
    sampler: str = "iid",
    record_every: int = 0,
    first_step: int = 0,
    engine: str = "auto",
    device="auto",
) -> Runs:
    """Run SGD from the checkpoint; stop each replica at its last threshold or at ``max_steps``.

    Args:
        problem: checkpoint, data and precision.
        learning_rate: eta, time a step.
        batch_size: B in [1, N].
        max_steps: updates at most; a threshold not reached by then is censored.
        replicas: indices; a replica's path depends on (seed, index) alone.
        seed: integer in [0, 2^64).
        thresholds: loss ratios c > 0, ascending; none to watch every run to the end.
        reference_loss: L*, the unit of the thresholds; None for the loss at the checkpoint.
        sampler: "iid", "without_replacement" (within a batch) or "shuffle" (epoch permutations).
        record_every: keep the loss every so many steps; 0 keeps none.
        first_step: updates made before the checkpoint, so that a continued run draws new batches.
        engine: "numba", "torch" (both in sample space), "reference" (autograd), or "auto": torch
            on CUDA, else numba.
        device: of the engines other than numba; "auto" is CUDA where there is one.

    Returns:
        `Runs`; steps are counted from the checkpoint.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if one is out of range.
    """
    n = len(problem.inputs)
    learning_rate = validate.positive("learning_rate", learning_rate)
    if problem.gram.dtype == torch.float32 and learning_rate < SMALLEST_RATE:
        raise ValueError(
            f"learning_rate must be at least {SMALLEST_RATE:g} in float32, whose rounding swallows "
            f"smaller steps: got {learning_rate:g}; make the problem in float64"
        )
    size = validate.count("batch_size", batch_size, high=n)
    last = validate.count("max_steps", max_steps)
    first = validate.count("first_step", first_step, low=0, high=2**32 - 1 - last)
    every = validate.count("record_every", record_every, low=0)
    sampler = SAMPLERS.index(validate.one_of("sampler", sampler, SAMPLERS))
    validate.one_of("engine", engine, ("auto", *_ENGINES))
    if not isinstance(replicas, range):
        raise TypeError(f"replicas must be a range: got {type(replicas).__name__}")
    ends = (*replicas[:1], *replicas[-1:])
    if not ends or not all(0 <= end < 2**32 for end in ends):
        raise ValueError(f"replicas must be a range within [0, 2^32), not empty: got {replicas!r}")
    ratios = np.atleast_1d(validate.real("thresholds", thresholds))
    if not np.all(np.isfinite(ratios)) or np.any(ratios <= 0) or np.any(np.diff(ratios) <= 0):
        raise ValueError(f"thresholds must be positive and ascending: got {ratios.tolist()}")
    unit = problem.loss if reference_loss is None else reference_loss
    levels = ratios * validate.positive("reference_loss", unit)
    device = validate.device(device)
    if engine == "auto":
        engine = "torch" if device.type == "cuda" else "numba"
    options = (learning_rate, size, sampler, first, first + last, every, philox.key(seed))
    indices = np.array(replicas, dtype=np.int64)
    together = _CHUNK["cpu" if engine == "numba" else device.type]
    chunks = [indices[i : i + together] for i in range(0, len(indices), together)]
    compute = _ENGINES[engine]
    parts = [compute(problem, chunk, levels, *options, device=device) for chunk in chunks]
    *columns, ends = zip(*parts, strict=True)
    steps, last_step, diverged_at, kept = (np.concatenate(column) for column in columns)
    steps, diverged_at = (np.where(a >= 0, a - first, -1) for a in (steps, diverged_at))
    return Runs(ratios, steps, last_step - first, diverged_at, kept, ends)


def _compiled(problem, indices, levels, *settings, device):
    """Run replicas by the numba kernel."""
    from sgdescape.core import compiled  # numba: seconds to import, only when needed
    from sgdescape.core.ensembles.kernels import dual_numba

    *options, first, last, every, key = settings
    start, above = _in_sample_space(problem)
    above = tuple(a.expand(len(indices), *a.shape).contiguous().numpy().copy() for a in above)
    results = empty_results(len(indices), len(levels), last - first, every, first)
    moved = np.zeros((len(indices), *start.shape), dtype=above[2].dtype)
    data = problem.gram.numpy(), problem.targets.to(problem.gram.dtype).numpy()

    def part(chosen):
        states, filled = ([a[chosen] for a in arrays] for arrays in (above, (*results, moved)))
        run = (indices[chosen], levels, *options, first, last, every, *key)
        dual_numba.run(start.numpy(), *states, *data, run, *filled)

    compiled.spread(part, len(indices))
    above = tuple(map(torch.from_numpy, above))
    return *results, partial(_parameters, problem, torch.from_numpy(moved), above)


def _batched(problem, indices, levels, *settings, device):
    """Run replicas by torch, all together."""
    from sgdescape.core.ensembles.kernels import dual_torch

    start, above = _in_sample_space(problem)
    *results, moved, above = dual_torch.run(
        start, above, problem.gram, problem.targets, indices, levels, *settings, device=device
    )
    return *results, partial(_parameters, problem, moved, above)


def _plain(*arguments, device):
    """Run replicas by autograd, which has their parameters at hand."""
    *results, theta = reference(*arguments, device=device)
    return *results, lambda: theta


_ENGINES = {"numba": _compiled, "torch": _batched, "reference": _plain}


def _in_sample_space(problem):
    """Pre-activations of the first layer (h, N), and what stands above it, in the runs' precision.

    That is: weights of the layers between (layers, h, h), their biases (layers, h), weights of the
    last layer (h,) and its bias (1,).
    """
    precision = problem.gram.dtype
    weights = [p.to(precision) for p in problem.parameters]
    start = problem.parameters[0] @ problem.inputs.T + problem.parameters[1][:, None]
    hidden, bias, width = weights[2:-2:2], weights[3:-2:2], len(start)
    hidden = torch.stack(hidden) if hidden else torch.empty(0, width, width, dtype=precision)
    bias = torch.stack(bias) if bias else torch.empty(0, width, dtype=precision)
    return start.to(precision), (hidden, bias, weights[-2][0], weights[-1])


def _parameters(problem, moved, above):
    """Parameters (replicas, P) from the first layer's motion (replicas, h, N) and those above."""
    # one product a replica: its rounding must not depend on the others in the chunk
    added = torch.stack([one.double() @ problem.inputs for one in moved])
    first_weights = problem.parameters[0] + added
    first_bias = problem.parameters[1] + moved.double().sum(2)
    pieces = [first_weights.flatten(1), first_bias]
    hidden, hidden_bias, out, out_bias = (a.double() for a in above)
    for layer in range(hidden.shape[1]):
        pieces += [hidden[:, layer].flatten(1), hidden_bias[:, layer]]
    return torch.cat([*pieces, out, out_bias], 1).numpy()


def _layers(model):
    """Parameters of a Linear, ReLU, ..., Linear network with one width and one output."""
    if reason := foreign(model, (nn.Linear, nn.ReLU)):
        raise TypeError(f"model must be Linear, ReLU, ..., Linear with a hidden layer: {reason}")
    check_model(model)
    layers = list(model)
    kinds = [nn.Linear if i % 2 == 0 else nn.ReLU for i in range(len(layers))]
    fits = len(layers) >= 3 and len(layers) % 2 == 1
    if not fits or [type(layer) for layer in layers] != kinds:
        raise TypeError(f"model must be Linear, ReLU, ..., Linear with a hidden layer: got {model}")
    linear = layers[::2]
    if linear[-1].out_features != 1:
        raise ValueError(f"model must have one output: got {linear[-1].out_features}")
    if any(a.bias is None for a in linear):
        raise ValueError("model must have biases in all layers")
    widths = [a.out_features for a in linear[:-1]]
    if any(a != b for a, b in pairwise(widths)):
        raise ValueError(f"hidden layers must have one width: got {widths}")
    return [p for a in linear for p in (a.weight, a.bias)]


def _matrix(name, values):
    if not isinstance(values, Tensor) or not values.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor: got {type(values).__name__}")
    values = values.detach().double().cpu()
    if not values.numel() or not torch.isfinite(values).all():
        raise ValueError(f"{name} must be finite and not empty")
    return values
