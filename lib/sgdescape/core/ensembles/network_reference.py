"""Many SGD runs of one small network by plain autograd: the oracle of `core.ensembles.network`."""

import numpy as np
import torch
from torch import Tensor

from sgdescape.core.random import philox

SAMPLERS = ("iid", "without_replacement", "shuffle")  # the kernels' codes, in this order
_COMPACT = 64  # steps between two looks for replicas that are done


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
    results = empty_results(len(indices), len(levels), last - first, every, first)
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


def empty_results(replicas, thresholds, steps, every, first):
    """Return passages, last steps, divergences and kept losses before anything has happened."""
    return (
        np.full((replicas, thresholds), -1, dtype=np.int64),
        np.full(replicas, first, dtype=np.int64),
        np.full(replicas, -1, dtype=np.int64),
        np.full((replicas, steps // every if every else 0), np.nan),
    )
