"""Compiled first passage and stationary averages in a `Bowl`: `bowl_reference`'s fast twins.

Replicas go through in blocks of 64 with the loop over replicas innermost, in vector registers.
A replica that has finished gives its lane to the next one, so nothing waits for the last. Chunks
of replicas run on threads of their own with the interpreter's lock released: numba's own parallel
loops would take down a process that calls them from two threads.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numba as nb
import numpy as np

from sgdescape.core import compiled
from sgdescape.core.random import philox
from sgdescape.core.sde.bowl_reference import OWN_CLOCK, QUANTITIES
from sgdescape.core.sde.kernels.sde_block_numba import (
    AFTER,
    AMPLITUDE,
    BEFORE,
    EXCESS,
    LEVEL,
    RATE,
    SECOND,
    VARIANCE,
    advance,
    bin_of,
    bridge_maximum,
    bridge_passage,
    bridge_words,
    coefficients,
    draw,
    draw_together,
    load,
    prefixes,
)
from sgdescape.core.sde.models import PROCESSES, Bowl
from sgdescape.core.sde.passage import bowl_levels

_WIDTH = 64
_SURE = 23.0  # -log of the smallest uniform number, 2^-33, is 22.9: less likely never happens


_kernel = compiled.kernel(nogil=True, fastmath={"contract"}, error_model="numpy")


@_kernel
def _passage_chunk(start, first, rows, numbers, process, dt, levels, steps, bridge, keys, out):
    times, clocks, last, diverged, theta = out
    n, d = start.shape
    groups, pair = (d + 1) // 4, d % 4 in (1, 2)
    key0, key1 = keys[0], keys[1]
    zero, two, sure = numbers[3] - numbers[3], numbers[3] + numbers[3], numbers[4]
    z = np.zeros((groups + 1, 4, _WIDTH), rows.dtype)
    words = np.zeros((groups + 1, 4, _WIDTH), np.uint32)
    st = np.zeros((9, _WIDTH), rows.dtype)
    step = np.zeros(_WIDTH, np.uint32)
    index = np.zeros(_WIDTH, np.uint32)
    clock = np.zeros(_WIDTH)
    row = np.zeros(_WIDTH, np.int64)
    target = np.zeros(_WIDTH, np.int64)  # number of the next level
    waiting, lanes = 0, 0
    while True:
        while lanes < _WIDTH and waiting < n:  # fill free lanes
            j, r = lanes, waiting
            waiting += 1
            load(z, st, j, start[r], rows)
            st[BEFORE, j] = math.sqrt(two * st[EXCESS, j])
            target[j] = 0
            while target[j] < levels.size and st[BEFORE, j] >= levels[target[j]]:
                times[r, target[j]] = 0.0
                clocks[r, target[j]] = 0.0
                target[j] += 1
            theta[r] = start[r]
            if target[j] < levels.size:
                st[LEVEL, j] = levels[target[j]]
                step[j], index[j], clock[j], row[j] = 0, first + r, 0.0, r
                lanes += 1
        if lanes == 0:
            return
        coefficients(st, numbers, process, lanes)
        for j in range(lanes):
            excess, s = st[EXCESS, j], st[AMPLITUDE, j]
            v = s * s * st[SECOND, j] / (two * excess)
            st[VARIANCE, j] = v if excess > zero else zero
        draw(words, step, index, groups, pair, lanes, key0, key1)
        advance(z, words, st, rows, groups, pair, lanes, rows[0, 0])
        hot = 0
        for j in range(lanes):
            radius = math.sqrt(two * st[EXCESS, j])
            st[AFTER, j] = radius
            gap = st[LEVEL, j] - radius
            product = two * (st[LEVEL, j] - st[BEFORE, j]) * gap
            # written so that NaN counts as hot
            cold = (gap > zero) & (product >= sure * st[VARIANCE, j]) & (step[j] + 1 < steps)
            hot += 0 if cold else 1
        for j in range(lanes):
            step[j] += np.uint32(1)
        if hot > 0:
            for j in range(lanes - 1, -1, -1):
                r, a, b = row[j], float(st[BEFORE, j]), float(st[AFTER, j])
                lost = not np.isfinite(b)
                top, v = b, float(st[VARIANCE, j])
                w0, w1, w2, w3 = np.uint32(0), np.uint32(0), np.uint32(0), np.uint32(0)
                c = float(st[LEVEL, j])
                near = not (b < c and 2 * (c - a) * (c - b) >= _SURE * v)
                if bridge and near and not lost:
                    w0, w1, w2, w3 = bridge_words(step[j] - 1, index[j], key0, key1)
                    top = bridge_maximum(a, b, v, w0)
                    top = max(top, b)
                while not lost and target[j] < levels.size and top >= levels[target[j]]:
                    part = 1.0
                    if bridge:
                        part = bridge_passage(a, b, levels[target[j]], v, w1, w2, w3)
                    times[r, target[j]] = dt * (float(step[j]) - 1.0 + part)
                    clocks[r, target[j]] = clock[j] + float(st[RATE, j]) * dt * part
                    if target[j] > 0:  # levels crossed within one step are put in order
                        k = target[j]
                        times[r, k] = max(times[r, k], times[r, k - 1])
                        clocks[r, k] = max(clocks[r, k], clocks[r, k - 1])
                    target[j] += 1
                    if target[j] < levels.size:
                        st[LEVEL, j] = levels[target[j]]
                if lost or target[j] == levels.size or step[j] == steps:
                    last[r] = np.int64(step[j]) - (1 if lost else 0)
                    diverged[r] = np.int64(step[j]) if lost else -1
                    for i in range(d):
                        theta[r, i] = z[i // 4, i % 4, j]
                    lanes -= 1  # the last lane moves here; it has been looked at already
                    z[:, :, j] = z[:, :, lanes]
                    st[:, j] = st[:, lanes]
                    step[j], index[j], clock[j] = step[lanes], index[lanes], clock[lanes]
                    row[j], target[j] = row[lanes], target[lanes]
        for j in range(lanes):
            st[BEFORE, j] = st[AFTER, j]
            clock[j] += dt * float(st[RATE, j])


@_kernel
def _stationary_chunk(start, first, rows, numbers, options, edges, keys, out):
    sums, counts, samples, diverged, theta = out
    process, weighting, quantity, burn_in, steps, record_every, keep_every = options
    n, d = start.shape
    groups, pair = (d + 1) // 4, d % 4 in (1, 2)
    key0, key1 = keys[0], keys[1]
    minimum = numbers[1]
    z = np.zeros((groups + 1, 4, _WIDTH), rows.dtype)
    words = np.zeros((groups + 1, 4, _WIDTH), np.uint32)
    st = np.zeros((9, _WIDTH), rows.dtype)
    index = np.zeros(_WIDTH, np.uint32)
    table = np.zeros((2 * groups + 3, _WIDTH), np.uint64)
    total = np.zeros((4, _WIDTH))
    weight = np.ones(_WIDTH)
    everything = edges.size == 2 and edges[0] <= 0 and edges[1] == np.inf  # no histogram
    finite, other = np.zeros(_WIDTH), np.zeros(_WIDTH)
    for block in range(0, n, _WIDTH):
        lanes = min(_WIDTH, n - block)
        total[:] = 0
        for j in range(lanes):
            load(z, st, j, start[block + j], rows)
            index[j] = first + block + j
        prefixes(table, index, groups, lanes, key0)
        for k in range(burn_in + steps):
            coefficients(st, numbers, process, lanes)
            if k >= burn_in:
                if weighting:
                    for j in range(lanes):
                        loss, w = float(minimum + st[EXCESS, j]), float(st[RATE, j])
                        weight[j] = w
                        total[0, j] += w
                        total[1, j] += w * loss
                        total[2, j] += w * loss * loss
                        total[3, j] += w * float(st[SECOND, j])
                else:
                    for j in range(lanes):
                        loss = float(minimum + st[EXCESS, j])
                        total[0, j] += 1.0
                        total[1, j] += loss
                        total[2, j] += loss * loss
                        total[3, j] += float(st[SECOND, j])
                if (k - burn_in) % record_every == 0:
                    if everything:  # a loop without branches
                        for j in range(lanes):
                            value = minimum + st[EXCESS, j] if quantity == 0 else st[SECOND, j]
                            finite[j] += weight[j] if value < np.inf else 0.0
                            other[j] += 0.0 if value < np.inf else weight[j]
                    else:
                        for j in range(lanes):
                            if quantity == 0:
                                value = float(minimum + st[EXCESS, j]) / float(minimum)
                            else:
                                value = math.sqrt(float(st[SECOND, j]))
                            counts[bin_of(edges, value)] += weight[j]
                if keep_every > 0 and (k - burn_in) % keep_every == 0:
                    for j in range(lanes):
                        for i in range(d):
                            samples[block + j, (k - burn_in) // keep_every, i] = z[i // 4, i % 4, j]
            draw_together(words, np.uint32(k), table, groups, pair, lanes, key0, key1)
            advance(z, words, st, rows, groups, pair, lanes, rows[0, 0])
            lost = 0
            for j in range(lanes):
                lost += 0 if st[EXCESS, j] < np.inf else 1
            if lost > 0:
                for j in range(lanes):
                    if diverged[block + j] < 0 and not st[EXCESS, j] < np.inf:
                        diverged[block + j] = k + 1
        for j in range(lanes):
            sums[block + j] = total[:, j]
            for i in range(d):
                theta[block + j, i] = z[i // 4, i % 4, j]
    if everything:
        counts[1], counts[2] = finite.sum(), other.sum()


def first_passage(
    bowl: Bowl, start, *, process, loss_ratios, diffusion, dt, steps, replicas, seed, bridge
) -> dict:
    """Fast twin of `sde_passage.bowl_reference`: same arguments, same paths up to rounding."""
    n, levels = len(replicas), bowl_levels(bowl, loss_ratios)
    rows, numbers, keys = _constants(bowl, process, diffusion, dt, seed, start.dtype, passage=True)
    times = np.full((n, levels.size), np.nan)
    clocks = np.full((n, levels.size), np.nan)
    last, diverged = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    theta = np.array(start)
    levels = levels.astype(start.dtype)

    def chunk(low, high):
        part = slice(low, high)
        out = (times[part], clocks[part], last[part], diverged[part], theta[part])
        first = replicas.start + low
        code = PROCESSES.index(process)
        _passage_chunk(
            start[part], first, rows, numbers, code, dt, levels, steps, bridge, keys, out
        )

    _on_threads(chunk, n)
    if process == "gld":
        clocks[:] = np.nan
    return {
        "times": times,
        "clocks": clocks,
        "last_time": dt * last,
        "diverged_at": diverged,
        "theta": theta,
    }


def stationary(
    bowl: Bowl,
    start,
    *,
    process,
    diffusion,
    clock,
    dt,
    steps,
    burn_in,
    replicas,
    seed,
    record_every,
    edges,
    quantity,
    keep_every,
) -> dict:
    """Fast twin of `sde_bowl.stationary_reference`: same arguments, same paths up to rounding."""
    n, d = start.shape
    rows, numbers, keys = _constants(bowl, process, diffusion, dt, seed, start.dtype, passage=False)
    # replicas first: any part of an array is then contiguous, and of one type for the compiler
    sums, diverged = np.zeros((n, 4)), np.full(n, -1, dtype=np.int64)
    kept = -(-steps // keep_every) if keep_every else 0
    samples = np.empty((n, kept, d), dtype=start.dtype)
    theta, parts = np.array(start), {}
    weighting = int(clock != OWN_CLOCK[process])
    codes = (PROCESSES.index(process), weighting, QUANTITIES.index(quantity))
    options = (*codes, burn_in, steps, record_every, keep_every)

    def chunk(low, high):
        part = slice(low, high)
        parts[low] = np.zeros(len(edges) + 1)
        out = (sums[part], parts[low], samples[part], diverged[part], theta[part])
        _stationary_chunk(
            start[part], replicas.start + low, rows, numbers, options, edges, keys, out
        )

    _on_threads(chunk, n)
    counts = sum(parts[low] for low in sorted(parts))
    return {
        "sums": sums.T,
        "counts": counts,
        "samples": samples.swapaxes(0, 1),
        "diverged_at": diverged,
        "theta": theta,
    }


def _constants(bowl, process, diffusion, dt, seed, dtype, *, passage):
    """Return rows (4, coordinates): h, amplitude, h / 2, weight of the second sum; numbers; key."""
    h = np.asarray(bowl.curvatures)
    amplitude = np.ones_like(h) if process == "gld" else np.sqrt(h)
    scale = 2 * (diffusion if process == "gld" else bowl.learning_rate / bowl.batch_size)
    second = (h * amplitude) ** 2 if passage else np.ones_like(h)
    rows = np.zeros((4, 4 * (h.size // 4 + 1)), dtype=dtype)
    rows[:, : h.size] = h, amplitude, h / 2, second
    numbers = np.array([dt, bowl.minimum_loss, scale * dt, 1.0, _SURE], dtype=dtype)
    return rows, numbers, np.array(philox.key(seed), dtype=np.uint32)


def _on_threads(function, n):
    """Call ``function`` on parts of range(n), each of whole blocks, on as many threads as numba."""
    blocks = -(-n // _WIDTH)
    threads = min(nb.config.NUMBA_NUM_THREADS, blocks)
    cuts = [min(n, _WIDTH * (blocks * i // threads)) for i in range(threads + 1)]
    if threads == 1:
        function(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(function, cuts[:-1], cuts[1:]))
