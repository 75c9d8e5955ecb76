"""Ensembles of SGD on linear regression on the CPU: the twin of `linear_torch`.

Replicas are independent, so a call is cut into blocks that threads compute without Python's lock.
No threading layer of numba is used: torch's threads are left alone, and calls may be nested. Random
numbers of a chunk of steps are made first, in vectors; then the steps are made, one after another.
"""

import numba as nb
import numpy as np

from sgdescape.core import compiled
from sgdescape.core.ensembles.kernels.batches_numba import CODES, fill_indices
from sgdescape.core.ensembles.kernels.fresh_numba import fill_rows
from sgdescape.core.ensembles.kernels.rows_numba import plain_step, vector_step
from sgdescape.core.ensembles.regression_data import INPUTS
from sgdescape.core.random import philox

LONGEST_VECTOR = 64  # numbers a row; longer ones take plain loops


def first_passage(plan, levels, max_steps):
    """Return what `linear_torch.first_passage` does."""
    count = len(plan.replicas)
    steps = np.full((count, len(levels)), -1, np.int64)
    last, diverged = np.full(count, max_steps, np.int64), np.full(count, -1, np.int64)
    shared, states = setting(plan)
    levels = levels.astype(plan.dtype)

    def block(part):
        _passages(
            *shared, plan.replicas[part.start], plan.replicas.step, states[part],
            levels, max_steps, steps[part], last[part], diverged[part],
        )  # fmt: skip

    compiled.spread(block, count, plan.threads)
    return steps, last, diverged, _ends(plan, states, diverged)


def stationary(plan, schedule):
    """Return what `linear_torch.stationary` does."""
    count, d = len(plan.replicas), len(plan.curvatures)
    shared, states = setting(plan)
    sums, diverged = np.zeros((count, 2 * d + 1)), np.full(count, -1, np.int64)
    kept = schedule.steps // schedule.keep_every if schedule.keep_every else 0
    samples = np.full((count, kept, d), np.nan, plan.dtype)
    weights = schedule.weights.astype(plan.dtype)
    times = (schedule.burn_in, schedule.steps, schedule.record_every, schedule.keep_every)

    def block(part):
        counts = np.zeros(len(schedule.edges) + 1, np.int64)
        _averages(
            *shared, plan.replicas[part.start], plan.replicas.step, states[part],
            times, weights, schedule.edges, sums[part], counts, samples[part], diverged[part],
        )  # fmt: skip
        return counts

    counts = np.sum(compiled.spread(block, count, plan.threads), axis=0)
    theta = _ends(plan, states, diverged)
    samples = samples if schedule.keep_every else None
    return {"sums": sums, "counts": counts, "diverged": diverged, "z": theta, "samples": samples}


def setting(plan):
    """Return the arguments that all replicas share, and the padded states (replicas, 3, W)."""
    d, real = len(plan.curvatures), np.dtype(plan.dtype)
    width, motion = _width(d + 1), plan.motion
    decay = plan.learning_rate * motion.weight_decay
    constants, states = np.zeros((4, width), real), np.zeros((len(plan.replicas), 3, width), real)
    constants[0, :d], constants[3, :d] = plan.learning_rate / plan.batch_size, plan.curvatures
    constants[1, :d], constants[2, :d] = decay, decay * motion.minimum
    states[:, 0, :d], states[:, 0, d], states[:, 1, :d] = plan.start, -1, motion.start
    finite = plan.rows is not None
    law = None if finite else (INPUTS.index(plan.law), d, float(plan.noise_std))
    rows = np.zeros((len(plan.rows) if finite else 0, width), real)
    if finite:
        rows[:, : d + 1] = plan.rows
    tag = (0,) * width if width <= LONGEST_VECTOR else None
    random = (CODES[plan.sampler], plan.batch_size, *philox.key(plan.seed))
    beta = None if motion.plain else real.type(motion.momentum)
    return (rows, law, random, constants, beta, tag), states


def _ends(plan, states, diverged):
    """Return z at the end (replicas, d), NaN where it diverged."""
    z = states[:, 0, : len(plan.curvatures)].copy()
    z[diverged >= 0] = np.nan
    return z


def _width(least):
    for width in (4, 8, 16):
        if least <= width:
            return width
    return -(-least // 16) * 16


_kernel = compiled.kernel(nogil=True, error_model="numpy")


@nb.njit
def scratch(rows, law, random, scale):
    """Return rows, indices (batch, steps) and numbers for a chunk of steps."""
    batch_size = random[1]
    padded = (batch_size + 3) // 4 * 4
    if law is None:
        chunk = max(1, min(64, 8192 // padded))
        return rows, np.zeros((padded, chunk), np.int32), np.empty((0, 0), scale.dtype)
    d = law[1]
    chunk = max(1, min(64, 8192 // (batch_size * len(scale))))
    made = np.zeros((chunk * batch_size, len(scale)), scale.dtype)
    indices = np.empty((padded, chunk), np.int32)
    for b in range(padded):
        for j in range(chunk):
            indices[b, j] = j * batch_size + b
    numbers = max((batch_size * d + 3) // 4 * 4, padded)
    return made, indices, np.empty((numbers, chunk), scale.dtype)


@nb.njit
def draw(rows, indices, numbers, law, random, replica, first, steps):
    """Make the batches of steps first ... first + steps - 1 of one replica."""
    sampler, batch_size, key0, key1 = random
    if law is None:
        n = len(rows)
        fill_indices(indices, n, first, steps, batch_size, sampler, replica, key0, key1)
    else:
        kind, d, std = law
        fill_rows(
            rows, numbers, d, std, kind, first, steps, batch_size, replica, key0, key1
        )  # fmt: skip


@nb.njit(error_model="numpy")
def step(rows, flat, at, stride, size, state, constants, beta, tag, gradient):
    """Update the state by the batch flat[at + stride b], b < size; return sum_i h_i z_i^2."""
    if tag is None:
        return plain_step(rows, flat, at, stride, size, state, constants, beta, gradient)
    return vector_step(rows, flat, at, stride, size, state, constants, beta, tag)


@_kernel
def _passages(
    rows, law, random, constants, beta, tag, replica, apart, states,
    levels, max_steps, steps, last, diverged,
):  # fmt: skip
    scale = constants[0]
    data, indices, numbers = scratch(rows, law, random, scale)
    flat, chunk, size, gradient = indices.reshape(-1), indices.shape[1], random[1], scale.copy()
    for r in range(len(states)):
        state, made, reached = states[r], 0, 0
        level = levels[0]
        while made < max_steps and reached < len(levels):
            now = min(chunk, max_steps - made)
            draw(data, indices, numbers, law, random, replica + r * apart, made, now)
            for j in range(now):
                excess = step(
                    data, flat, j, chunk, size, state, constants, beta, tag, gradient
                )  # fmt: skip
                if not excess < level:
                    finite = np.isfinite(excess)
                    while reached < len(levels) and (not finite or excess >= levels[reached]):
                        steps[r, reached] = made + j + 1
                        reached += 1
                    if not finite:
                        diverged[r] = made + j + 1
                    if reached == len(levels):
                        last[r] = made + j + 1
                        break
                    level = levels[reached]
            made += now


@_kernel
def _averages(
    rows, law, random, constants, beta, tag, replica, apart, states,
    times, weights, edges, sums, counts, samples, diverged,
):  # fmt: skip
    scale = constants[0]
    data, indices, numbers = scratch(rows, law, random, scale)
    flat, chunk, size, gradient = indices.reshape(-1), indices.shape[1], random[1], scale.copy()
    burn_in, steps, record_every, keep_every = times
    d, total = len(weights), burn_in + steps
    infinity = scale.dtype.type(np.inf)
    for r in range(len(states)):
        state, made = states[r], 0
        z = state[0]
        to_record, to_keep, kept = burn_in + record_every, burn_in + keep_every, 0
        while made < total and diverged[r] < 0:
            now = min(chunk, total - made)
            draw(data, indices, numbers, law, random, replica + r * apart, made, now)
            for j in range(now):
                excess = step(
                    data, flat, j, chunk, size, state, constants, beta, tag, gradient
                )  # fmt: skip
                k = made + j + 1
                if not excess < infinity:
                    diverged[r] = k
                    break
                if k == to_record:
                    to_record += record_every
                    value = scale.dtype.type(0)
                    for i in range(d):
                        wide = np.float64(z[i])
                        sums[r, i] += wide
                        sums[r, d + i] += wide * wide
                        value += weights[i] * z[i] * z[i]
                    sums[r, 2 * d] += np.float64(excess) ** 2
                    counts[np.searchsorted(edges, np.float64(value), side="right")] += 1
                if k == to_keep and keep_every > 0:
                    to_keep += keep_every
                    for i in range(d):
                        samples[r, kept, i] = z[i]
                    kept += 1
            made += now
