"""SGD of many small ReLU networks in sample space: the twin of `core.ensembles.network.reference`.

The first layer enters only through its pre-activations Z = W X^T + b on all N samples. A step
changes W by B outer products, so Z by B rows of the fixed matrix X X^T + 1 (the 1 is the bias):
N B h operations instead of N d h, with one replica's Z in a core's cache. Samples are taken in
tiles; a tile's Z is updated and its loss summed before the next is touched.
"""

import math

import numba as nb
import numpy as np

from sgdescape.core import compiled
from sgdescape.core.random.philox_numba import index, philox

TILE = 512  # samples; the tile of Z and four rows of the Gram matrix stay in the first cache
IID, WITHOUT_REPLACEMENT, SHUFFLE = 0, 1, 2
_BATCH, _PERMUTATION = 0, 6  # of core.random.philox.Stream

# Sums may be reordered; NaN and infinity stay themselves. Inlined, for one compiled copy: with two,
# whether the kernel was compiled or found on the disk decides which one runs.
_FAST = {"fastmath": {"contract", "reassoc", "nsz"}, "forceinline": True}


@nb.njit
def draw_batch(batch, order, sampler, step, replica, key0, key1):
    """Fill ``batch`` with the sample indices of one step; ``order`` (N,) is used by SHUFFLE."""
    n, size = order.size, batch.size
    if sampler == SHUFFLE:
        place = step % (n // size)
        if place == 0 or order[0] < 0:
            _permute(order, step // (n // size), replica, key0, key1)
        batch[:] = order[place * size : (place + 1) * size]
        return
    for block in range((size + 3) // 4):
        words = philox(step, block, replica, _BATCH, key0, key1)
        for lane in range(min(4, size - 4 * block)):
            j = 4 * block + lane
            if sampler == IID:
                batch[j] = index(words[lane], n)
                continue
            last = n - size + j  # Floyd's algorithm: uniform among the sets of size B
            chosen = index(words[lane], last + 1)
            for earlier in range(j):
                if batch[earlier] == chosen:
                    chosen = last
                    break
            batch[j] = chosen


@nb.njit
def _permute(order, epoch, replica, key0, key1):
    """Fisher-Yates shuffle of 0 ... N-1, one word a place."""
    n = order.size
    for i in range(n):
        order[i] = i
    for block in range((n + 3) // 4):
        words = philox(epoch, block, replica, _PERMUTATION, key0, key1)
        for lane in range(min(4, n - 4 * block)):
            i = 4 * block + lane
            other = i + index(words[lane], n - i)
            order[i], order[other] = order[other], order[i]


@nb.njit(**_FAST)
def _move(z, gram, batch, delta, start, stop):
    """z[u, i] -= sum_b delta[b, u] gram[batch[b], i] for the tile's i: two units, four rows."""
    width, size = z.shape[0], batch.size
    for u in range(0, width - width % 2, 2):
        za, zb = z[u, start:stop], z[u + 1, start:stop]
        for b in range(0, size - size % 4, 4):
            g0, g1 = gram[batch[b], start:stop], gram[batch[b + 1], start:stop]
            g2, g3 = gram[batch[b + 2], start:stop], gram[batch[b + 3], start:stop]
            p0, p1, p2, p3 = delta[b, u], delta[b + 1, u], delta[b + 2, u], delta[b + 3, u]
            v = u + 1
            q0, q1, q2, q3 = delta[b, v], delta[b + 1, v], delta[b + 2, v], delta[b + 3, v]
            for i in range(za.size):
                za[i] -= p0 * g0[i] + p1 * g1[i] + p2 * g2[i] + p3 * g3[i]
                zb[i] -= q0 * g0[i] + q1 * g1[i] + q2 * g2[i] + q3 * g3[i]
        for b in range(size - size % 4, size):
            g0, p0, q0 = gram[batch[b], start:stop], delta[b, u], delta[b, u + 1]
            for i in range(za.size):
                za[i] -= p0 * g0[i]
                zb[i] -= q0 * g0[i]
    for u in range(width - width % 2, width):
        za = z[u, start:stop]
        for b in range(size):
            g0, p0 = gram[batch[b], start:stop], delta[b, u]
            for i in range(za.size):
                za[i] -= p0 * g0[i]


@nb.njit(**_FAST)
def _move_and_sum(z, gram, batch, delta, out, out_bias, targets, total, start, stop):
    """`_move` and `_tile_loss` of a network with one hidden layer, in one pass over the tile."""
    width, size, zero = z.shape[0], batch.size, z.dtype.type(0)
    whole = size - 1 - (size - 1) % 4  # rows before the last group of one to four
    for i in range(stop - start):
        total[i] = out_bias[0] - targets[start + i]
    for u in range(0, width - width % 2, 2):
        za, zb = z[u, start:stop], z[u + 1, start:stop]
        v, wa, wb = u + 1, out[u], out[u + 1]
        for b in range(0, whole, 4):
            g0, g1 = gram[batch[b], start:stop], gram[batch[b + 1], start:stop]
            g2, g3 = gram[batch[b + 2], start:stop], gram[batch[b + 3], start:stop]
            p0, p1, p2, p3 = delta[b, u], delta[b + 1, u], delta[b + 2, u], delta[b + 3, u]
            q0, q1, q2, q3 = delta[b, v], delta[b + 1, v], delta[b + 2, v], delta[b + 3, v]
            for i in range(za.size):
                za[i] -= p0 * g0[i] + p1 * g1[i] + p2 * g2[i] + p3 * g3[i]
                zb[i] -= q0 * g0[i] + q1 * g1[i] + q2 * g2[i] + q3 * g3[i]
        b, left = whole, size - whole
        g0, p0, q0 = gram[batch[b], start:stop], delta[b, u], delta[b, v]
        if left == 1:
            for i in range(za.size):
                x, y = za[i] - p0 * g0[i], zb[i] - q0 * g0[i]
                za[i], zb[i] = x, y
                total[i] += wa * max(x, zero) + wb * max(y, zero)
            continue
        g1, p1, q1 = gram[batch[b + 1], start:stop], delta[b + 1, u], delta[b + 1, v]
        if left == 2:
            for i in range(za.size):
                x = za[i] - (p0 * g0[i] + p1 * g1[i])
                y = zb[i] - (q0 * g0[i] + q1 * g1[i])
                za[i], zb[i] = x, y
                total[i] += wa * max(x, zero) + wb * max(y, zero)
            continue
        g2, p2, q2 = gram[batch[b + 2], start:stop], delta[b + 2, u], delta[b + 2, v]
        if left == 3:
            for i in range(za.size):
                x = za[i] - (p0 * g0[i] + p1 * g1[i] + p2 * g2[i])
                y = zb[i] - (q0 * g0[i] + q1 * g1[i] + q2 * g2[i])
                za[i], zb[i] = x, y
                total[i] += wa * max(x, zero) + wb * max(y, zero)
            continue
        g3, p3, q3 = gram[batch[b + 3], start:stop], delta[b + 3, u], delta[b + 3, v]
        for i in range(za.size):
            x = za[i] - (p0 * g0[i] + p1 * g1[i] + p2 * g2[i] + p3 * g3[i])
            y = zb[i] - (q0 * g0[i] + q1 * g1[i] + q2 * g2[i] + q3 * g3[i])
            za[i], zb[i] = x, y
            total[i] += wa * max(x, zero) + wb * max(y, zero)
    for u in range(width - width % 2, width):
        za = z[u, start:stop]
        for b in range(size):
            g0, p0 = gram[batch[b], start:stop], delta[b, u]
            for i in range(za.size):
                za[i] -= p0 * g0[i]
        for i in range(za.size):
            total[i] += out[u] * max(za[i], zero)
    square = zero
    for i in range(stop - start):
        square += total[i] * total[i]
    return square


@nb.njit(**_FAST)
def _tile_loss(z, hidden, hidden_bias, out, out_bias, targets, start, stop, above, below):
    """Sum over the tile of (f - y)^2; ``above`` and ``below`` (h, TILE) are work space."""
    count, width, zero = stop - start, z.shape[0], z.dtype.type(0)
    for u in range(width):
        zu, au = z[u, start:stop], above[u, :count]
        for i in range(count):
            au[i] = max(zu[i], zero)
    for layer in range(hidden.shape[0]):
        above, below = below, above
        for v in range(width):
            av = above[v, :count]
            av[:] = hidden_bias[layer, v]
            for u in range(width):
                weight, bu = hidden[layer, v, u], below[u, :count]
                for i in range(count):
                    av[i] += weight * bu[i]
            for i in range(count):
                av[i] = max(av[i], zero)
    total = below[0, :count]  # free by now
    for i in range(count):
        total[i] = out_bias[0] - targets[start + i]
    for u in range(width):
        weight, au = out[u], above[u, :count]
        for i in range(count):
            total[i] += weight * au[i]
    square = zero
    for i in range(count):
        square += total[i] * total[i]
    return square


@nb.njit
def _update(z, hidden, hidden_bias, out, out_bias, targets, batch, rate, delta, act, back, grads):
    """One step of all layers above the first; fills ``delta`` (B, h) = rate dl/dz of the first."""
    depth, width, zero = hidden.shape[0], z.shape[0], z.dtype.type(0)
    g_hidden, g_hidden_bias, g_out = grads
    g_hidden[:], g_hidden_bias[:], g_out[:] = zero, zero, zero
    g_bias = zero
    for b in range(batch.size):
        sample = batch[b]
        for u in range(width):
            act[0, u] = max(z[u, sample], zero)
        for layer in range(depth):
            for v in range(width):
                value = hidden_bias[layer, v]
                for u in range(width):
                    value += hidden[layer, v, u] * act[layer, u]
                act[layer + 1, v] = max(value, zero)
        error = out_bias[0] - targets[sample]
        for u in range(width):
            error += out[u] * act[depth, u]
        error *= rate
        g_bias += error
        for u in range(width):
            g_out[u] += error * act[depth, u]
            back[depth, u] = error * out[u] if act[depth, u] > zero else zero
        for layer in range(depth - 1, -1, -1):
            for u in range(width):
                value = zero
                for v in range(width):
                    value += hidden[layer, v, u] * back[layer + 1, v]
                back[layer, u] = value if act[layer, u] > zero else zero
            for v in range(width):
                g_hidden_bias[layer, v] += back[layer + 1, v]
                for u in range(width):
                    g_hidden[layer, v, u] += back[layer + 1, v] * act[layer, u]
        delta[b] = back[0]
    out_bias[0] -= g_bias
    for u in range(width):
        out[u] -= g_out[u]
    for layer in range(depth):
        for v in range(width):
            hidden_bias[layer, v] -= g_hidden_bias[layer, v]
            for u in range(width):
                hidden[layer, v, u] -= g_hidden[layer, v, u]


@compiled.kernel(nogil=True)
def run(start, hidden, hidden_bias, out, out_bias, gram, targets, settings,
        passages, last_step, diverged_at, losses, coefficients):  # fmt: skip
    """Run every replica until its last level, its divergence or the last step.

    The twin of `core.ensembles.network.reference`. A step moves the first layer's pre-activations
    by Eq. (sample-space) of chapter `neural_network`.

    Args:
        start: pre-activations of the first layer, Z (h, N), the same for all replicas.
        hidden: weights of the layers between (replicas, layers, h, h); updated in place.
        hidden_bias: their biases (replicas, layers, h); updated in place.
        out: weights of the last layer (replicas, h); updated in place.
        out_bias: its bias (replicas, 1); updated in place.
        gram: X X^T + 1 (N, N).
        targets: y (N,).
        settings: (replica indices (replicas,), levels (m,) of the loss, ascending, learning rate,
            batch size, sampler code, first step, last step, every how many steps the loss is kept,
            two words of the key).
        passages: steps (replicas, m), filled here, as all that follow.
        last_step: (replicas,).
        diverged_at: (replicas,).
        losses: kept ones (replicas, any number).
        coefficients: of W - W(0) in the samples (replicas, h, N or 0).
    """
    indices, levels, learning_rate, size, sampler, first, last, every, key0, key1 = settings
    width, n = start.shape
    depth, rate = hidden.shape[1], start.dtype.type(learning_rate / size)
    for r in range(indices.size):
        z = start.copy()
        batch, order = np.empty(size, np.int64), np.full(n, -1)
        delta = np.empty((size, width), z.dtype)
        act, back = np.empty((depth + 1, width), z.dtype), np.empty((depth + 1, width), z.dtype)
        grads = (np.empty_like(hidden[r]), np.empty_like(hidden_bias[r]), np.empty_like(out[r]))
        above, below = np.empty((width, TILE), z.dtype), np.empty((width, TILE), z.dtype)
        reached = 0
        for step in range(first, last):
            draw_batch(batch, order, sampler, step, indices[r], key0, key1)
            _update(
                z, hidden[r], hidden_bias[r], out[r], out_bias[r], targets, batch, rate, delta,
                act, back, grads,
            )  # fmt: skip
            if coefficients.shape[2]:
                for b in range(size):
                    for u in range(width):
                        coefficients[r, u, batch[b]] -= delta[b, u]
            total = 0.0
            for begin in range(0, n, TILE):
                end = min(begin + TILE, n)
                if depth == 0:
                    total += _move_and_sum(
                        z, gram, batch, delta, out[r], out_bias[r], targets, above[0], begin, end
                    )
                    continue
                _move(z, gram, batch, delta, begin, end)
                total += _tile_loss(
                    z, hidden[r], hidden_bias[r], out[r], out_bias[r], targets, begin, end,
                    above, below,
                )  # fmt: skip
            loss = total / (2 * n)
            last_step[r] = step + 1
            if not math.isfinite(loss):
                diverged_at[r] = step + 1
                break
            if every and (step + 1 - first) % every == 0:
                losses[r, (step + 1 - first) // every - 1] = loss
            while reached < levels.size and loss >= levels[reached]:
                passages[r, reached] = step + 1
                reached += 1
            if levels.size and reached == levels.size:
                break
