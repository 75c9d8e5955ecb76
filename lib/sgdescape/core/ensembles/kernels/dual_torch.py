"""SGD of many small ReLU networks in sample space, all together on any torch device.

The twin of `core.ensembles.kernels.dual_numba`, for a GPU: a step is 51 launches (11 more for each
further hidden layer), whatever the number of replicas, and one where CUDA graphs are to be had.
Batches are made for a block of steps at once, results are fetched once a block, and replicas that
are done are dropped when half of them are.

Estimated, not measured, for one H200, 100 runs of 784-10-1 with N = 10^4 and B = 8 in float32: a
step moves 0.3 GB (60 us) in 51 launches (2 us each in a graph, 5 us outside), so 10^5 steps take
half a minute.
"""

import numpy as np
import torch

from sgdescape.core.ensembles.network_reference import SAMPLERS, empty_results
from sgdescape.core.random import philox

BLOCK = 128  # steps


def run(
    start, above, gram, targets, indices, levels, learning_rate, size, sampler, first, last, every,
    key, *, device, graph=True,
):  # fmt: skip
    """Run every replica until its last level, its divergence or the last step.

    Args:
        start: pre-activations of the first layer at the checkpoint (h, N).
        above: weights (layers, h, h) and biases (layers, h) of the layers between, weights (h,)
            and bias (1,) of the last.
        gram: X X^T + 1 (N, N).
        targets: y (N,).
        indices: of the replicas (replicas,), int64.
        levels: of the loss, ascending (m,).
        learning_rate: eta.
        size: B.
        sampler: index into `SAMPLERS`.
        first: number of the first update.
        last: number after the last update.
        every: how many steps apart losses are kept; 0 keeps none.
        key: the two words of the seed.
        device: where to compute.
        graph: whether a step on CUDA is captured once and replayed.

    Returns:
        Passages, last steps, divergences and kept losses as NumPy arrays; the coefficients of
        W - W(0) in the samples (replicas, h, N) and the parameters ``above``, on the CPU.
    """
    count = len(indices)
    results = empty_results(count, len(levels), last - first, every, first)
    data = {
        "gram": gram.to(device),
        "targets": targets.to(device, gram.dtype),
        "levels": torch.as_tensor(levels, device=device),
        "rate": learning_rate / size,
    }
    state = _start(start, above, len(levels), indices, device)
    finals = [torch.empty(count, *a.shape, dtype=a.dtype) for a in (start, *above)]
    rows = np.arange(count)  # of the results, for each replica in the state
    step = _captured(data, state, size, first, graph)
    order = {}
    for begin in range(first, last, BLOCK):
        steps = range(begin, min(begin + BLOCK, last))
        batches = draw_block(len(targets), size, sampler, key, steps, state["index"], order)
        state["batches"][: len(steps)] = batches
        state["place"].zero_()
        for _ in steps:
            step()
        _fetch(results, state, rows, steps, first, every)
        alive = state["alive"].cpu().numpy()
        if begin + BLOCK < last and alive.sum() > len(alive) / 2:
            continue
        done = ~alive if begin + BLOCK < last else np.ones_like(alive)
        for final, name in zip(finals, _KEPT, strict=True):
            final[rows[done]] = state[name][torch.from_numpy(done).to(device)].cpu()
        rows = rows[~done]
        if not rows.size:
            break
        keep = torch.from_numpy(~done).to(device)
        state = {k: v[keep] if k in _EACH else v for k, v in state.items()}
        step, order = _captured(data, state, size, begin + BLOCK, graph), {}
    return *results, finals[0], finals[1:]


_KEPT = ("moved", "hidden", "hidden_bias", "out", "out_bias")
_EACH = (*_KEPT, "z", "index", "alive", "passages", "last_step", "diverged_at")


def _start(start, above, thresholds, indices, device):
    """What changes in a step, all of it in place; the first axis is the replica."""
    count = len(indices)
    names = ("z", "hidden", "hidden_bias", "out", "out_bias")
    state = {
        name: a.to(device).expand(count, *a.shape).clone()
        for name, a in zip(names, (start, *above), strict=True)
    }
    never = torch.full((count,), -1, device=device)
    return state | {
        "moved": torch.zeros_like(state["z"]),
        "index": torch.as_tensor(indices, device=device),
        "alive": torch.ones(count, dtype=torch.bool, device=device),
        "passages": torch.full((count, thresholds), -1, device=device),
        "last_step": never.clone(),
        "diverged_at": never,
        "time": torch.zeros((), dtype=torch.int64, device=device),
        "place": torch.zeros(1, dtype=torch.int64, device=device),
    }


def _blocks(state, size):
    """Room for the batches (BLOCK, replicas, B) and losses (BLOCK, replicas) of a block."""
    count, device = len(state["z"]), state["z"].device
    batches = torch.zeros(BLOCK, count, size, dtype=torch.int64, device=device)
    return batches, torch.empty(BLOCK, count, dtype=torch.float64, device=device)


def _captured(data, state, size, now, graph):
    """Return a function without arguments that makes one step, as a CUDA graph where that goes."""
    state["batches"], state["losses"] = _blocks(state, size)
    state["time"].fill_(now)
    if not graph or state["z"].device.type != "cuda":
        return lambda: advance(data, state)
    saved = {name: value.clone() for name, value in state.items()}
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries set themselves up outside of the capture
        advance(data, state)
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        advance(data, state)
    for name, value in state.items():
        value.copy_(saved[name])
    return captured.replay


def advance(data, state):
    """Make one step of all replicas, in place, without a word from the host.

    Args:
        data: ``gram``, ``targets``, ``levels`` and ``rate`` = eta / B.
        state: what changes; ``place`` is the row of ``batches`` to use.
    """
    z, out, moved, alive = state["z"], state["out"], state["moved"], state["alive"]
    hidden, targets = state["hidden"], data["targets"]
    depth, width = hidden.shape[1], z.shape[1]
    batch = state["batches"].index_select(0, state["place"])[0]
    places = batch[:, None].expand(-1, width, -1)
    acts = [torch.relu(z.gather(2, places))]
    for layer in range(depth):
        bias = state["hidden_bias"][:, layer, :, None]
        acts.append(torch.baddbmm(bias, hidden[:, layer], acts[-1]).relu_())
    offset = (state["out_bias"] - targets[batch])[:, None]
    error = torch.baddbmm(offset, out[:, None], acts[-1])
    error = torch.where(alive[:, None, None], data["rate"] * error, 0.0)  # (replicas, 1, B)
    back = (error * out[:, :, None]) * (acts[-1] > 0)
    out.sub_(torch.bmm(acts[-1], error.mT)[..., 0])
    state["out_bias"].sub_(error.sum(2))
    for layer in range(depth - 1, -1, -1):
        below = torch.bmm(hidden[:, layer].mT, back) * (acts[layer] > 0)
        hidden[:, layer].sub_(torch.bmm(back, acts[layer].mT))
        state["hidden_bias"][:, layer].sub_(back.sum(2))
        back = below
    moved.scatter_add_(2, places, -back)
    rows = data["gram"].index_select(0, batch.flatten()).unflatten(0, batch.shape)
    z.baddbmm_(back, rows, alpha=-1)
    _note(data, state, losses(state, targets))


def losses(state, targets):
    """Return the full loss of every replica (replicas,), float64."""
    above = torch.relu(state["z"])
    for layer in range(state["hidden"].shape[1]):
        bias = state["hidden_bias"][:, layer, :, None]
        above = torch.baddbmm(bias, state["hidden"][:, layer], above).relu_()
    residual = torch.baddbmm(state["out_bias"][:, None] - targets, state["out"][:, None], above)
    return residual.square_().sum((1, 2), dtype=torch.float64).div_(2 * len(targets))


def _note(data, state, loss):
    """Write down losses, passages, divergences and who goes on."""
    alive, time, passages = state["alive"], state["time"], state["passages"]
    time.add_(1)
    state["losses"].index_copy_(0, state["place"], torch.where(alive, loss, torch.nan)[None])
    state["place"].add_(1)
    state["last_step"].copy_(torch.where(alive, time, state["last_step"]))
    bad = alive & ~torch.isfinite(loss)
    state["diverged_at"].copy_(torch.where(bad, time, state["diverged_at"]))
    alive.logical_and_(~bad)
    if passages.shape[1]:
        crossed = (loss[:, None] >= data["levels"]) & alive[:, None] & (passages < 0)
        passages.copy_(torch.where(crossed, time, passages))
        alive.logical_and_(passages[:, -1] < 0)


def _fetch(results, state, rows, steps, first, every):
    """Bring the results of a block to the host."""
    names = ("passages", "last_step", "diverged_at")
    for result, name in zip(results[:3], names, strict=True):
        result[rows] = state[name].cpu().numpy()
    if every:
        kept = [k for k, step in enumerate(steps) if (step + 1 - first) % every == 0]
        columns = [(steps[k] + 1 - first) // every - 1 for k in kept]
        results[3][np.ix_(rows, columns)] = state["losses"][kept].T.cpu().numpy()


def draw_block(n, size, sampler, key, steps, replicas, order):
    """Return the batches of some steps (steps, replicas, size); those of `draw_batches`.

    Args:
        n: number of samples N.
        size: B.
        sampler: index into `SAMPLERS`.
        key: the two words of the seed.
        steps: range of updates.
        replicas: indices (replicas,), on the device.
        order: empty at first; the epoch's permutations are kept here by "shuffle".
    """
    seed, device = key[0] + (key[1] << 32), replicas.device
    if SAMPLERS[sampler] == "shuffle":
        return _shuffled(n, size, seed, steps, replicas, order)
    time = torch.arange(steps.start, steps.stop, device=device)[:, None, None]
    blocks = torch.arange((size + 3) // 4, device=device)
    words = philox.torch_words(
        seed, step=time, draw=blocks, replica=replicas[None, :, None],
        stream=philox.Stream.BATCH, device=device,
    ).flatten(2)[..., :size]  # fmt: skip
    if SAMPLERS[sampler] == "iid":
        return philox.indices(words, n)
    batch = torch.empty_like(words)
    for j in range(size):
        last = n - size + j
        chosen = philox.indices(words[..., j], last + 1)
        seen = (batch[..., :j] == chosen[..., None]).any(-1)
        batch[..., j] = torch.where(seen, last, chosen)
    return batch


def _shuffled(n, size, seed, steps, replicas, order):
    """Stretches of the epochs' permutations; Fisher-Yates on the host, once an epoch."""
    rows, found = np.arange(len(replicas)), []
    for step in steps:
        epoch, place = divmod(step, n // size)
        if epoch not in order:
            order.clear()
            words = philox.words(
                seed, step=epoch, draw=np.arange(n // 4 + 1),
                replica=replicas.cpu().numpy()[:, None], stream=philox.Stream.PERMUTATION,
            ).reshape(len(rows), -1)  # fmt: skip
            shuffled = np.tile(np.arange(n), (len(rows), 1))
            for i in range(n):
                other = i + philox.indices(words[:, i], n - i)
                shuffled[rows, other], shuffled[:, i] = shuffled[:, i].copy(), shuffled[rows, other]
            order[epoch] = shuffled
        found.append(order[epoch][:, place * size : (place + 1) * size])
    return torch.from_numpy(np.array(found)).to(replicas.device)
