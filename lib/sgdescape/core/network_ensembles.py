"""Many independent SGD runs of one small network, with the full training loss at every step.

All replicas start from one checkpoint, a fully connected ReLU network with one output and the
square loss; replica r differs by its batches alone (`core.philox`, stream BATCH; update k, counted
from 0, leads to theta_{k+1}). Two tiers give the same path: `reference`, autograd on stacked
parameters, batched on any torch device, and a numba kernel in sample space that never touches the
inputs (`core._kernels.dual_numba`). Losses carry the 1/2 of Mori et al., Eq. (1); time is in steps.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from sgdescape.core import philox, validate

SAMPLERS = ("iid", "without_replacement", "shuffle")  # the kernel's codes, in this order
_ROWS = 2048  # of the Gram matrix, formed at a time in float64
_CHUNK = {"cpu": 64, "cuda": 1024}  # replicas in one call: bounds memory, changes no number
_COMPACT = 64  # steps between two looks for replicas that are done, in the reference


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
        theta: parameters at the last step (replicas, P), ordered as `model.parameters()`.
        losses: L at every ``record_every``-th step (replicas, kept); NaN after the last step.
    """

    thresholds: np.ndarray
    steps: np.ndarray
    last_step: np.ndarray
    diverged_at: np.ndarray
    theta: np.ndarray
    losses: np.ndarray


def problem(model: nn.Sequential, inputs: Tensor, targets: Tensor, *, dtype="float32", gram=None):
    """Return a `Problem` from a network of `core.models.mlp` with one output.

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


def images_gram(inputs: Tensor, *, dtype="float32") -> Tensor:
    """Return X X^T + 1 (N, N), summed in float64.

    Args:
        inputs: X (N, d).
        dtype: of the result.
    """
    inputs = inputs.double()
    gram = torch.empty(len(inputs), len(inputs), dtype=getattr(torch, dtype))
    for rows in range(0, len(inputs), _ROWS):
        gram[rows : rows + _ROWS] = inputs[rows : rows + _ROWS] @ inputs.T + 1
    return gram


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
        engine: "numba", "torch" (the reference), or "auto": torch on CUDA, else numba.
        device: of the torch engine; "auto" is CUDA where there is one.

    Returns:
        `Runs`; steps are counted from the checkpoint.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if one is out of range.
    """
    n = len(problem.inputs)
    learning_rate = validate.positive("learning_rate", learning_rate)
    size = validate.count("batch_size", batch_size, high=n)
    last = validate.count("max_steps", max_steps)
    first = validate.count("first_step", first_step, low=0, high=2**32 - 1 - last)
    every = validate.count("record_every", record_every, low=0)
    sampler = SAMPLERS.index(validate.one_of("sampler", sampler, SAMPLERS))
    validate.one_of("engine", engine, ("auto", "numba", "torch"))
    if not isinstance(replicas, range) or not len(replicas) or min(replicas) < 0:
        raise ValueError(f"replicas must be a range of indices, not empty: got {replicas!r}")
    ratios = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
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
    if engine == "numba":
        parts = [_compiled(problem, chunk, levels, *options) for chunk in chunks]
    else:
        parts = [reference(problem, chunk, levels, *options, device=device) for chunk in chunks]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    steps, last_step, diverged_at, kept, theta = columns
    steps, diverged_at = (np.where(a >= 0, a - first, -1) for a in (steps, diverged_at))
    return Runs(ratios, steps, last_step - first, diverged_at, theta, kept)


def reference(
    problem, indices, levels, learning_rate, size, sampler, first, last, every, key, *, device
):
    """Run replicas together by autograd on stacked parameters: the oracle, on any device.

    Args:
        problem: as in `run`.
        indices: of the replicas (replicas,), int64.
        levels: of the loss, ascending (m,).
        learning_rate: eta.
        size: B.
        sampler: index into `SAMPLERS`.
        first: number of the first update.
        last: number after the last update.
        every: as ``record_every`` of `run`.
        key: the two words of the seed.
        device: where to compute.

    Returns:
        Passages, last steps, divergences, kept losses and parameters of the replicas.
    """
    seed, precision = key[0] + (key[1] << 32), problem.gram.dtype
    x, y = (a.to(device, precision) for a in (problem.inputs, problem.targets))
    results = _empty(len(indices), len(levels), last - first, every, first)
    passages, last_step, diverged_at, kept = results
    final = np.empty((len(indices), sum(p.numel() for p in problem.parameters)))
    alive = np.arange(len(indices))  # rows still running
    stacked = [
        p.to(device, precision).expand(len(indices), *p.shape).clone().requires_grad_()
        for p in problem.parameters
    ]
    for step in range(first, last):
        batch = draw_batches(len(x), size, sampler, seed, step, indices[alive], device=device)
        slopes = torch.autograd.grad(losses_of(stacked, x[batch], y[batch]).sum(), stacked)
        with torch.no_grad():
            for p, g in zip(stacked, slopes, strict=True):
                p -= learning_rate * g
            loss = losses_of(stacked, x, y).double().cpu().numpy()
        running = diverged_at[alive] < 0
        if len(levels):
            running &= passages[alive, -1] < 0
        last_step[alive[running]] = step + 1
        if every and (step + 1 - first) % every == 0:
            kept[alive[running], (step + 1 - first) // every - 1] = loss[running]
        bad = running & ~np.isfinite(loss)
        diverged_at[alive[bad]] = step + 1
        crossed = (running & ~bad)[:, None] & (loss[:, None] >= levels)
        rows, columns = np.nonzero(crossed & (passages[alive] < 0))
        passages[alive[rows], columns] = step + 1
        done = running & (bad | crossed[:, -1] if len(levels) else bad)
        if done.any() or step == last - 1:
            ends = done if step < last - 1 else running
            flat = torch.cat([p.detach().flatten(1) for p in stacked], 1)
            final[alive[ends]] = flat[torch.from_numpy(ends).to(device)].double().cpu().numpy()
        if (step - first) % _COMPACT == _COMPACT - 1 or done.all():
            keep = running & ~done
            if not keep.any():
                break
            if not keep.all():
                rows = torch.from_numpy(keep).to(device)
                stacked = [p.detach()[rows].requires_grad_() for p in stacked]
                alive = alive[keep]
    return passages, last_step, diverged_at, kept, final


def losses_of(stacked, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean square loss (with 1/2) of every replica (replicas,).

    Args:
        stacked: weights (replicas, out, in) and biases (replicas, out), alternating.
        inputs: (n, d), the same for all, or (replicas, n, d).
        targets: (n,) or (replicas, n).
    """
    hidden = inputs
    for layer in range(0, len(stacked), 2):
        weight, bias = stacked[layer], stacked[layer + 1]
        if layer:
            hidden = torch.relu(hidden)
        elif hidden.ndim == 2:  # one large product for all replicas
            flat = hidden @ weight.flatten(0, 1).T
            hidden = flat.unflatten(1, weight.shape[:2]).transpose(0, 1) + bias[:, None]
            continue
        hidden = torch.baddbmm(bias[:, None], hidden, weight.transpose(1, 2))
    return 0.5 * ((hidden[..., 0] - targets) ** 2).mean(-1)


def draw_batches(n, size, sampler, seed, step, replicas, *, device="cpu") -> Tensor:
    """Return the batches of one update (replicas, size), int64; the kernel draws the same.

    Args:
        n: number of samples N.
        size: B.
        sampler: index into `SAMPLERS`: iid; Floyd's algorithm; or Fisher-Yates, one permutation an
            epoch of N // B batches.
        seed: integer.
        step: number of the update.
        replicas: indices (replicas,).
        device: where the result is to be.

    Example:
        >>> draw_batches(100, 4, 0, 0, 0, [0])
        tensor([[39, 88, 73, 60]])
    """
    replicas = np.asarray(replicas)[:, None]
    epoch, place = divmod(step, n // size)
    shuffle = sampler == SAMPLERS.index("shuffle")
    blocks = np.arange((n if shuffle else size) // 4 + 1)
    stream = philox.Stream.PERMUTATION if shuffle else philox.Stream.BATCH
    time = epoch if shuffle else step
    words = philox.words(seed, step=time, draw=blocks, replica=replicas, stream=stream)
    words = words.reshape(len(replicas), -1)
    rows = np.arange(len(replicas))
    if shuffle:
        order = np.tile(np.arange(n), (len(replicas), 1))
        for i in range(n):
            other = i + philox.indices(words[:, i], n - i)
            order[rows, other], order[:, i] = order[:, i].copy(), order[rows, other]
        batch = order[:, place * size : (place + 1) * size]
    elif sampler == SAMPLERS.index("without_replacement"):
        batch = np.full((len(replicas), size), -1, dtype=np.int64)
        for j in range(size):
            last = n - size + j
            chosen = philox.indices(words[:, j], last + 1)
            seen = np.any(batch[:, :j] == chosen[:, None], axis=1)
            batch[:, j] = np.where(seen, last, chosen)
    else:
        batch = philox.indices(words[:, :size], n)
    return torch.from_numpy(np.ascontiguousarray(batch)).to(device)


def _compiled(problem, indices, levels, learning_rate, size, sampler, first, last, every, key):
    """Run replicas by the kernel in sample space."""
    import numba  # seconds to import: only when needed

    from sgdescape.core._kernels import dual_numba

    precision, count = problem.gram.dtype, len(indices)
    weights = [p.to(precision) for p in problem.parameters]
    start = problem.parameters[0] @ problem.inputs.T + problem.parameters[1][:, None]
    hidden, hidden_bias = weights[2:-2:2], weights[3:-2:2]
    width = len(start)
    hidden = torch.stack(hidden) if hidden else torch.empty(0, width, width, dtype=precision)
    hidden_bias = torch.stack(hidden_bias) if hidden_bias else torch.empty(0, width).to(precision)
    above = (hidden, hidden_bias, weights[-2][0], weights[-1])
    above = tuple(a.expand(count, *a.shape).contiguous().numpy().copy() for a in above)
    results = _empty(count, len(levels), last - first, every, first)
    moved = np.zeros((count, *start.shape), dtype=above[2].dtype)
    settings = (indices, levels, learning_rate, size, sampler, first, last, every, *key)
    numba.set_parallel_chunksize(1)  # replicas end at different times
    dual_numba.run(
        start.to(precision).numpy(),
        *above,
        problem.gram.numpy(),
        problem.targets.to(precision).numpy(),
        settings,
        *results,
        moved,
    )
    moved = torch.from_numpy(moved).double()
    # one product a replica: its rounding must not depend on the others in the chunk
    added = torch.stack([one @ problem.inputs for one in moved])
    first_weights = problem.parameters[0] + added
    first_bias = problem.parameters[1] + moved.sum(2)
    pieces = [first_weights.flatten(1), first_bias]
    hidden, hidden_bias, out, out_bias = (torch.from_numpy(a).double() for a in above)
    for layer in range(hidden.shape[1]):
        pieces += [hidden[:, layer].flatten(1), hidden_bias[:, layer]]
    theta = torch.cat([*pieces, out, out_bias], 1).numpy()
    return *results, theta


def _empty(replicas, thresholds, steps, every, first):
    """Passages, last steps, divergences and kept losses before anything has happened."""
    return (
        np.full((replicas, thresholds), -1, dtype=np.int64),
        np.full(replicas, first, dtype=np.int64),
        np.full(replicas, -1, dtype=np.int64),
        np.full((replicas, steps // every if every else 0), np.nan),
    )


def _layers(model):
    """Parameters of a Linear, ReLU, ..., Linear network with one width and one output."""
    layers = list(model) if isinstance(model, nn.Sequential) else []
    kinds = [nn.Linear if i % 2 == 0 else nn.ReLU for i in range(len(layers))]
    fits = len(layers) >= 3 and len(layers) % 2 == 1
    if not fits or not all(map(isinstance, layers, kinds)):
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
