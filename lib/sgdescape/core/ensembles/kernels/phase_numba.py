"""Positions and velocities of SGD on the CPU: the twin of `phase_torch`.

Threads, batches, padded rows and the update are those of `linear_numba`.
"""

import numba as nb
import numpy as np

from sgdescape.core import compiled
from sgdescape.core.ensembles.kernels.linear_numba import draw, scratch, setting, step
from sgdescape.core.ensembles.kernels.rows_numba import plain_sums, vector_sums


def phase_space(plan, record_steps):
    """Return what `phase_torch.phase_space` does."""
    shared, states = setting(plan)
    count, d = len(states), len(plan.curvatures)
    z, delta = np.full((2, len(record_steps), count, d), np.nan, plan.dtype)
    diverged = np.full(count, -1, np.int64)

    def block(part):
        _path(
            *shared, plan.replicas[part.start], plan.replicas.step, states[part], record_steps,
            z[:, part], delta[:, part], diverged[part],
        )  # fmt: skip

    compiled.spread(block, count, plan.threads)
    return z.astype(np.float64), delta.astype(np.float64), diverged


def moments(plan, times):
    """Return what `phase_torch.moments` does."""
    shared, states = setting(plan)
    sums = np.zeros((len(states), 5, states.shape[2]))
    diverged = np.full(len(states), -1, np.int64)
    clock = (times.burn_in, times.steps, times.record_every)

    def block(part):
        _averages(
            *shared, plan.replicas[part.start], plan.replicas.step, states[part], clock,
            sums[part], diverged[part],
        )  # fmt: skip

    compiled.spread(block, len(states), plan.threads)
    return sums[:, :, : len(plan.curvatures)], diverged


_kernel = compiled.kernel(nogil=True, error_model="numpy")


@nb.njit(error_model="numpy")
def _update(rows, flat, at, stride, size, state, constants, beta, tag, gradient):
    """Do what `linear_numba.step` does, and keep both deltas where that leaves them alone."""
    if beta is None:
        for i in range(state.shape[1]):
            state[2, i], state[1, i] = state[1, i], -state[0, i]
    excess = step(rows, flat, at, stride, size, state, constants, beta, tag, gradient)
    if beta is None:
        for i in range(state.shape[1]):
            state[1, i] += state[0, i]
    return excess


@nb.njit
def _record(state, sums, tag):
    if tag is None:
        plain_sums(state, sums)
    else:
        vector_sums(state, sums, tag)


@_kernel
def _path(
    rows, law, random, constants, beta, tag, replica, apart, states, record_steps,
    positions, deltas, diverged,
):  # fmt: skip
    scale = constants[0]
    data, indices, numbers = scratch(rows, law, random, scale)
    flat, chunk, size, gradient = indices.reshape(-1), indices.shape[1], random[1], scale.copy()
    d, records, total = positions.shape[2], len(record_steps), record_steps[-1]
    infinity = scale.dtype.type(np.inf)
    for r in range(len(states)):
        state, made, now, t = states[r], 0, 0, 0
        for k in range(total + 1):
            if k > 0:
                if k > made:
                    now = min(chunk, total - made)
                    draw(data, indices, numbers, law, random, replica + r * apart, made, now)
                    made += now
                excess = _update(
                    data, flat, k - 1 - (made - now), chunk, size, state, constants, beta, tag,
                    gradient,
                )  # fmt: skip
                if not excess < infinity:
                    diverged[r] = k
                    break
            if k == record_steps[t]:
                for i in range(d):
                    positions[t, r, i], deltas[t, r, i] = state[0, i], state[1, i]
                t += 1
                if t == records:
                    break


@_kernel
def _averages(
    rows, law, random, constants, beta, tag, replica, apart, states, times, sums, diverged,
):  # fmt: skip
    scale = constants[0]
    data, indices, numbers = scratch(rows, law, random, scale)
    flat, chunk, size, gradient = indices.reshape(-1), indices.shape[1], random[1], scale.copy()
    burn_in, steps, record_every = times
    total, infinity = burn_in + steps, scale.dtype.type(np.inf)
    for r in range(len(states)):
        state, own, made, to_record = states[r], sums[r], 0, burn_in + record_every
        while made < total and diverged[r] < 0:
            now = min(chunk, total - made)
            draw(data, indices, numbers, law, random, replica + r * apart, made, now)
            for j in range(now):
                excess = _update(
                    data, flat, j, chunk, size, state, constants, beta, tag, gradient
                )  # fmt: skip
                if not excess < infinity:
                    diverged[r] = made + j + 1
                    break
                if made + j + 1 == to_record:
                    to_record += record_every
                    _record(state, own, tag)
            made += now
