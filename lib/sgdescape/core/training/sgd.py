"""Stochastic gradient descent exactly as the papers write it: samplers and training loop.

Every batch is a function of (seed, step) alone, so a run that is stopped and resumed takes the same
path, bit for bit, as one that is not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.field_types import check_types
from sgdescape.core.networks.plain import check_model, clean_modes
from sgdescape.core.training.losses import LOSSES, cross_entropy, square_loss
from sgdescape.core.training.updates import is_dense, update_rule

__all__ = [
    "LOSSES",
    "Config",
    "Result",
    "State",
    "batches",
    "cross_entropy",
    "square_loss",
    "steps_of",
    "train",
]

SAMPLERS = ("iid", "without_replacement", "shuffle")
_BATCHES = 1  # second half of the Philox key: no other stream of the same seed shares it
_PLAIN = (nn.Sequential, nn.Linear, nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten)  # no state
_CHECK_EVERY = 200  # steps between looks at the losses: each look waits for the device


@dataclass(frozen=True)
class Config:
    """How to descend: b <- momentum b + g + weight_decay theta, theta <- theta - learning_rate b.

    Kunin et al. (2.1); with momentum = weight_decay = 0 it is Mori et al., Eq. (2).

    Args:
        learning_rate: eta > 0.
        batch_size: B >= 1 samples.
        steps: total number of updates >= 0; `steps_of` converts epochs.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0, on all parameters, inside the momentum buffer.
        sampler: how batches are drawn, see `batches`.
        seed: integer >= 0 that fixes all batches.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    learning_rate: float
    batch_size: int
    steps: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    sampler: str = "shuffle"
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        check_types(self)
        validate.positive("learning_rate", self.learning_rate)
        validate.count("batch_size", self.batch_size)
        validate.count("steps", self.steps, low=0)
        validate.fraction("momentum", self.momentum)
        validate.non_negative("weight_decay", self.weight_decay)
        validate.one_of("sampler", self.sampler, SAMPLERS)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)


@dataclass(frozen=True)
class State:
    """Where a run stands; pass it to `train` to go on."""

    step: int  # updates made so far
    buffers: tuple[Tensor, ...]  # momentum b, one a parameter; () without momentum


@dataclass(frozen=True)
class Result:
    """What a run recorded."""

    batch_losses: (
        np.ndarray
    )  # (steps made in this call,) mean loss of each batch, before its update
    observed_steps: np.ndarray  # (m,) updates made when `observe` was called
    observed: Mapping[str, np.ndarray]  # name -> (m, ...) what it returned
    diverged_at: int | None  # first step whose batch loss is not finite; None if all are
    state: State


@door
def steps_of(epochs: float, *, n: int, batch_size: int) -> int:
    """Return the number of updates in so many epochs of floor(n / batch_size) batches each.

    Example:
        >>> steps_of(2, n=250, batch_size=100)
        4
    """
    validate.count("n", n)
    per_epoch = n // validate.count("batch_size", batch_size, high=n)
    return round(validate.non_negative("epochs", epochs) * per_epoch)


@door
def batches(
    n: int, batch_size: int, *, sampler: str, seed: int, start: int = 0
) -> Iterator[Tensor]:
    """Yield the sample indices of batch after batch, without end.

    "iid": every index uniform and independent, so one may repeat within a batch.
    "without_replacement": distinct within a batch, batches independent: the case of Eq. (8).
    "shuffle": each epoch a fresh permutation cut into floor(n / batch_size) batches; the
    n mod batch_size samples left over sit out that epoch, so that every batch has size B.

    Indices are in ascending order: the order within a batch means nothing, and so a batch of all
    n samples without replacement is gradient descent to the last bit.

    Args:
        n: number of samples N >= 1.
        batch_size: B in [1, n].
        sampler: one of the three above.
        seed: integer >= 0; batch k is a function of (n, batch_size, sampler, seed, k) alone.
        start: index k of the first batch to yield.

    Yields:
        Indices (batch_size,), int64, on the CPU.

    Raises:
        TypeError: if a number is not an integer.
        ValueError: if one is out of range, or the sampler is unknown.

    Example:
        >>> next(batches(3, 3, sampler="shuffle", seed=0))
        tensor([0, 1, 2])
    """
    validate.count("n", n)
    validate.count("batch_size", batch_size, high=n)
    validate.one_of("sampler", sampler, SAMPLERS)
    validate.count("seed", seed, low=0, high=2**64 - 1)
    validate.count("start", start, low=0)
    return _batches(n, batch_size, sampler, seed, start)


@door
@clean_modes
def train(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    config: Config,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = square_loss,
    observe: Callable[[int, nn.Module], Mapping[str, float]] | None = None,
    observe_every: int | None = None,
    record: Callable[[int], None] | None = None,
    state: State | None = None,
) -> Result:
    """Train the model in place by Eq. (2) of Mori et al. until ``config.steps`` updates are made.

    Args:
        model: the network; its parameters are changed in place.
        inputs: (n, ...) samples, of the model's dtype and on its device.
        targets: (n,) or (n, c), of the same dtype and device.
        config: learning rate, batch size, number of steps, ...
        loss: per-sample loss, (outputs, targets) -> (n,).
        observe: called with (updates made, model) at step 0 and after every ``observe_every``-th
            update; what it returns (numbers or arrays by name) is recorded. It must not change
            the model.
        observe_every: updates between observations >= 1; None for one epoch, floor(n / B).
        record: called with the number of updates made, at the start and after every update, such
            as a `projections.Recorder` of the model; it must be quick and change nothing.
        state: of an earlier `Result`, to go on from; None to start at step 0.

    Returns:
        The recorded losses and observations. When a batch loss is not finite the run stops soon
        after, ``diverged_at`` is that step (counted from 0), and the records end there; the model
        then holds useless numbers.

    Raises:
        TypeError: if inputs and targets are not floating-point tensors of the model's dtype.
        ValueError: if there is no data, the numbers of samples differ, the batch is larger than the
            data, the model does not take inputs of this shape, inputs or targets hold NaN or
            infinity, or the state does not fit.

    Example:
        >>> from sgdescape.core.networks.models import mlp
        >>> model = mlp((1, 1), seed=0)
        >>> config = Config(learning_rate=0.1, batch_size=2, steps=1000)
        >>> x = torch.tensor([[1.0], [2.0]])
        >>> result = train(model, x, 3 * x, config)
        >>> round(model[0].weight.item(), 3), result.state.step
        (3.0, 1000)
    """
    check_model(model)
    parameters = [p for p in model.parameters() if p.requires_grad]
    n = _check_data(inputs, targets, parameters)
    validate.count("batch_size", config.batch_size, high=n)
    _check_shape(model, inputs[: config.batch_size])
    every = n // config.batch_size if observe_every is None else observe_every
    validate.count("observe_every", every)
    start, buffers = _resume(state, parameters, config)
    update = update_rule(
        model,
        buffers,
        loss=loss,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )
    records: list[tuple[int, Mapping]] = []
    if observe is not None and start == 0:
        records.append((0, observe(0, model)))
    if record is not None:
        record(start)
    losses = torch.empty(config.steps - start, dtype=torch.float64, device=inputs.device)
    stream = batches(n, config.batch_size, sampler=config.sampler, seed=config.seed, start=start)
    made = 0
    for step, index in zip(range(start, config.steps), stream, strict=False):
        index = index.to(inputs.device)
        losses[made] = update(inputs[index], targets[index])
        made += 1
        if record is not None:
            record(step + 1)
        observing = observe is not None and (step + 1) % every == 0
        if (observing or made % _CHECK_EVERY == 0) and not _all_finite(losses[:made]):
            break
        if observing:
            records.append((step + 1, observe(step + 1, model)))
    batch_losses = losses[:made].cpu().numpy()
    bad = np.flatnonzero(~np.isfinite(batch_losses))
    diverged_at = start + int(bad[0]) if bad.size else None
    names = records[0][1] if records else ()
    return Result(
        batch_losses=batch_losses if diverged_at is None else batch_losses[: bad[0] + 1],
        observed_steps=np.array([step for step, _ in records], dtype=np.int64),
        observed={k: np.array([_number(record[k]) for _, record in records]) for k in names},
        diverged_at=diverged_at,
        state=State(step=start + made, buffers=tuple(b.clone() for b in buffers)),
    )


def _batches(n, batch_size, sampler, seed, start):
    a_round = n // batch_size  # batches that share one stream: an epoch
    k = start
    while True:
        epoch, skip = divmod(k, a_round)
        # the epoch is part of the counter: any epoch can be drawn without those before it
        key = np.array([seed, _BATCHES], dtype=np.uint64)
        rng = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, epoch]))
        if sampler == "iid":
            block = rng.integers(n, size=(a_round, batch_size))
        elif sampler == "shuffle":
            block = rng.permutation(n)[: a_round * batch_size].reshape(a_round, batch_size)
        else:
            block = np.stack(
                [rng.choice(n, batch_size, replace=False, shuffle=False) for _ in range(a_round)]
            )
        block = torch.from_numpy(np.sort(block, axis=1))
        yield from block[skip:]
        k += a_round - skip


def _check_data(inputs, targets, parameters):
    if not parameters:
        raise ValueError("model must have trainable parameters: got none")
    for name, tensor in (("inputs", inputs), ("targets", targets)):
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise TypeError(f"{name} must be a floating-point tensor: got {kind}")
        if tensor.dtype != parameters[0].dtype:
            raise TypeError(f"{name} must have dtype {parameters[0].dtype}: got {tensor.dtype}")
        if tensor.ndim == 0 or tensor.shape[0] == 0:
            raise ValueError(f"{name} must hold at least 1 sample: got shape {tuple(tensor.shape)}")
        if not _all_finite(tensor):
            raise ValueError(f"{name} must be finite: got NaN or infinity")
    if len(inputs) != len(targets):
        raise ValueError(
            f"targets must have as many samples as inputs, {len(inputs)}: got {len(targets)}"
        )
    return len(inputs)


def _check_shape(model, batch):
    if is_dense(model) and batch.ndim != 2:  # its update is made of matrix products
        raise ValueError(f"inputs must have shape (n, features): got {tuple(batch.shape)}")
    try:
        if all(isinstance(module, _PLAIN) for module in model.modules()):
            with torch.no_grad():
                model(batch[:1])
        else:  # shapes alone: nothing is drawn or changed. Torch takes 1.5 s to learn how, once
            tensors = dict([*model.named_parameters(), *model.named_buffers()])
            shapes = {name: tensor.to("meta") for name, tensor in tensors.items()}
            torch.func.functional_call(model, shapes, (batch.to("meta"),))
    except RuntimeError as error:
        raise ValueError(
            f"inputs must be samples of a shape that the model takes: got {tuple(batch.shape[1:])}"
            f" ({error})"
        ) from error


def _resume(state, parameters, config):
    if state is None:
        return 0, [torch.zeros_like(p) for p in parameters] if config.momentum else []
    validate.count("state.step", state.step, low=0, high=config.steps)
    shapes = [b.shape for b in state.buffers]
    if shapes != ([p.shape for p in parameters] if config.momentum else []):
        raise ValueError(
            f"state must come from the same model and momentum = {config.momentum}: got a state "
            f"with {len(shapes)} momentum buffers"
        )
    return state.step, [b.clone() for b in state.buffers]


def _all_finite(tensor):
    return bool(torch.isfinite(tensor).all())


def _number(value):
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
