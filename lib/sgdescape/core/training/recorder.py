"""Streaming projections of a training path: what a theory of phase space needs, at every step.

Weights are copied as they are, one row a step, into a block of memory; when it is full, everything
is computed for the whole block by a few matrix products in float64. So a step costs one copy,
each direction is read once a block instead of once a step, and a displacement is a difference of
weights taken in double precision: nothing is lost of single-precision weights, and no rounding
adds up along the path.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sgdescape.core import validate

__all__ = ["Path", "Recorder"]

BLOCK_BYTES = 2**29  # of the copied weights: the longer a block, the cheaper a step
LONGEST_BLOCK = 512  # steps; more gain nothing
CHUNK_VALUES = {"cpu": 2**17, "cuda": 2**24}  # in float64 at once: fits a cache, fills a GPU


@dataclass(frozen=True, eq=False)
class Path:
    """What a `Recorder` saw at m steps; δ_k = θ_k - θ_{k-1}, so v_k = δ_k / learning_rate.

    Sums over ``tensors`` are of all parameters. What is not defined is NaN: δ at the first step,
    and all that refers to weights which the path has not yet reached.
    """

    steps: np.ndarray  # (m,) updates made
    positions: np.ndarray  # (m, references, r) q_iᵀ (θ_k - θ_ref)
    moves: np.ndarray  # (m, r) q_iᵀ δ_k
    square_distance: np.ndarray  # (m, references) ‖θ_k - θ_ref‖²
    square_move: np.ndarray  # (m, tensors) ‖δ_k‖² of each parameter tensor
    square_norm: np.ndarray  # (m, tensors) ‖θ_k‖²
    position_move: np.ndarray  # (m, tensors) θ_k · δ_k
    tensors: tuple[str, ...]  # names of the parameter tensors


class Recorder:
    """Copies a model's weights at every step and projects them block by block, see `Path`.

    Give it to `sgd.train` as ``record``; or, in a loop of your own, call it with the number of
    updates made: once before the first and once after every update.

    Args:
        model: its trainable parameters are watched, P values in the order of
            ``model.parameters()``, of one dtype and on one device.
        directions: q (P, r), for instance `EigenResult.eigenvectors`, of any length; None for
            none. They are multiplied in float64 whatever their dtype.
        references: points to measure from: each is weights (P,), or the step at which the
            path itself passes the point.
        block: steps projected at once; None chooses by memory. Beyond rounding in float64 it
            changes nothing.

    Raises:
        TypeError: if a reference is neither a step nor a tensor.
        ValueError: if shapes do not fit, or the parameters have several dtypes or devices.

    Example:
        >>> model = nn.Linear(1, 1, bias=False)
        >>> record = Recorder(model, directions=torch.ones(1, 1))
        >>> for step in range(3):
        ...     _ = nn.init.constant_(model.weight, 2.0 * step)
        ...     record(step)
        >>> path = record.path()
        >>> path.positions[:, 0, 0].tolist(), path.square_move[:, 0].tolist()
        ([0.0, 2.0, 4.0], [nan, 4.0, 4.0])
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        directions: Tensor | None = None,
        references: Sequence[int | Tensor] = (0,),
        block: int | None = None,
    ):
        """Prepare to record; nothing is recorded yet."""
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module: got {type(model).__name__}")
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        if len({(p.dtype, p.device) for _, p in named}) != 1:
            raise ValueError("model must have parameters, all of one dtype and on one device")
        self._names = tuple(name for name, _ in named)
        # Views: updates in place show in them, and to list the parameters each step would cost.
        self._views = [p.detach().view(-1) for _, p in named]
        first, size = self._views[0], sum(view.numel() for view in self._views)
        if directions is None:
            directions = first.new_empty(size, 0)
        _check_floating("directions", directions)
        if directions.ndim != 2 or len(directions) != size:
            shape = tuple(directions.shape)
            raise ValueError(f"directions must have shape ({size}, r): got {shape}")
        # As rows: their products with the rows of a block are the quicker ones.
        self._directions = directions.detach().to(first.device).T.contiguous()
        if not isinstance(references, (tuple, list)):
            raise TypeError(f"references must be a tuple or a list: got {references!r:.60}")
        self._reference_steps = [None if isinstance(r, Tensor) else r for r in references]
        self._references = [_weights(r, size, first) for r in references]
        longest = max(1, min(LONGEST_BLOCK, BLOCK_BYTES // (size * first.element_size())))
        length = longest if block is None else validate.count("block", block)
        self._rows = first.new_empty(length + 1, size)  # row 0 is the last of the block before
        self._slots = list(self._rows)
        values = max(CHUNK_VALUES["cuda" if first.is_cuda else "cpu"], length + 1)
        self._room = first.new_empty(2, values, dtype=torch.float64)
        self._filled = 1
        self._steps: list[int] = []
        self._base = first.new_empty(size)  # the first weights seen: all is measured from there
        self._done: list[tuple[Tensor, ...]] = []

    def __call__(self, step: int) -> None:
        """Copy the weights after ``step`` updates; a step that was copied is passed over.

        Raises:
            ValueError: if a step was left out.
        """
        if self._steps and step == self._steps[-1]:
            return
        if self._steps and step != self._steps[-1] + 1:
            raise ValueError(f"step must be {self._steps[-1] + 1}, the next: got {step}")
        row = self._slots[self._filled]
        torch.cat(self._views, out=row)
        if not self._steps:
            self._base.copy_(row)
            self._rows[0] = row
        if step in self._reference_steps:
            for index, at in enumerate(self._reference_steps):
                if at == step:
                    self._references[index] = row.clone()
        self._steps.append(step)
        self._filled += 1
        if self._filled == len(self._slots):  # of a tensor, len takes microseconds
            self._flush()

    def path(self) -> Path:
        """Return everything recorded so far; recording can go on.

        Raises:
            ValueError: if nothing was recorded.
        """
        if not self._steps:
            raise ValueError("path needs at least 1 recorded step: got 0")
        self._flush()
        columns = [torch.cat(pieces).cpu().numpy() for pieces in zip(*self._done, strict=True)]
        projected, toward, along, square, moved = columns
        steps, known = np.array(self._steps), self._known()
        offsets, lengths, norms = self._offsets()
        positions = projected[:, None, :] - offsets
        distance = square.sum(1)[:, None] - 2 * toward + lengths
        # θ = base + D with D measured from the base: θ·δ = base·δ + D·δ, without cancellation
        position_move = np.diff(along + 0.5 * square, axis=0, prepend=np.nan) + 0.5 * moved
        moved[0] = np.nan
        return Path(
            steps=steps,
            positions=np.where(known[:, :, None], positions, np.nan),
            moves=np.diff(projected, axis=0, prepend=np.nan),
            square_distance=np.where(known, np.maximum(distance, 0.0), np.nan),
            square_move=moved,
            square_norm=norms + 2 * along + square,
            position_move=position_move,
            tensors=self._names,
        )

    def _flush(self):
        if self._filled > 1:
            *values, moved = self._measure(self._rows[: self._filled])
            self._done.append((*(value[1:] for value in values), moved))
            self._rows[0] = self._rows[self._filled - 1]
            self._filled = 1

    def _known(self):
        """Which references (m, references) the path has reached, or were given."""
        steps = np.array(self._steps)
        known = np.ones((len(steps), len(self._reference_steps)), dtype=bool)
        for index, at in enumerate(self._reference_steps):
            known[:, index] = True if at is None else (steps >= at) & (steps[0] <= at)
        return known

    def _offsets(self):
        """Of each reference from the base: projections, square; and the base's own squares."""
        r = len(self._directions)
        offsets = np.full((len(self._references), r), np.nan)
        lengths = np.full(len(self._references), np.nan)
        for index, weights in enumerate(self._references):
            if weights is not None:
                projected, _, _, square, _ = self._measure(weights[None])
                offsets[index], lengths[index] = projected[0].cpu(), square.sum()
        norms = [part.double().square().sum() for part in self._base.split(self._sizes())]
        return offsets, lengths, torch.stack(norms).cpu().numpy()

    def _sizes(self):
        return [view.numel() for view in self._views]

    def _measure(self, rows):
        """Products of D = rows - base with all that is asked for, rows (f, P), in float64.

        Returns:
            D q (f, r), D (reference - base) (f, references), and for each tensor D base,
            ‖D‖² (f, tensors) and ‖D_k - D_{k-1}‖² (f - 1, tensors).
        """
        f, known = len(rows), [(j, w) for j, w in enumerate(self._references) if w is not None]
        options = {"dtype": torch.float64, "device": rows.device}
        projected = torch.zeros(f, len(self._directions), **options)
        toward = torch.zeros(f, len(self._references), **options)
        along, square = torch.zeros(2, f, len(self._views), **options)
        moved = torch.zeros(f - 1, len(self._views), **options)
        width = max(1, self._room.shape[1] // f)
        for tensor, cut in _cuts(self._sizes(), width):
            base = self._base[cut].double()
            # Fresh memory for each cut would cost more than all of the arithmetic.
            away, moves = (room[: f * len(base)].view(f, len(base)) for room in self._room)
            away.copy_(rows[:, cut]).sub_(base)  # a difference of two precisions is slower
            projected += away @ self._directions[:, cut].T.double()
            for column, weights in known:
                toward[:, column] += away @ (weights[cut] - base)
            along[:, tensor] += away @ base
            square[:, tensor] += torch.linalg.vector_norm(away, dim=1).square()
            torch.sub(away[1:], away[:-1], out=moves[1:])
            moved[:, tensor] += torch.linalg.vector_norm(moves[1:], dim=1).square()
        return projected, toward, along, square, moved


def _check_floating(name, values):
    if not isinstance(values, Tensor) or not values.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor: got {values!r:.60}")
    if not bool(torch.isfinite(values).all()):
        raise ValueError(f"{name} must be finite: they hold NaN or infinite values")


def _weights(reference, size, like):
    """Given weights, checked; None for a step that is still to come."""
    if not isinstance(reference, Tensor):
        validate.count("references", reference, low=0)
        return None
    _check_floating("references", reference)
    if reference.shape != (size,):
        raise ValueError(f"references must have shape ({size},): got {tuple(reference.shape)}")
    return reference.detach().to(like.device).clone()


def _cuts(sizes, width):
    """Yield (tensor index, slice of the flat vector), slices no longer than the width."""
    start = 0
    for tensor, size in enumerate(sizes):
        for low in range(start, start + size, width):
            yield tensor, slice(low, min(low + width, start + size))
        start += size
