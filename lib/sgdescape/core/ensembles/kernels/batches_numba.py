"""Which samples a batch holds, in numba: the twin of `batches_torch.batch_indices`.

Indices of many steps of one replica are made at once, out (batch, steps), so that the loop over
steps is innermost and Philox runs in vectors. Changes here: delete `__pycache__`, which numba does
not do by itself.
"""

import numba as nb
import numpy as np

from sgdescape.core.ensembles.kernels.mixing import MIX, feistel_rounds
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import index, philox, philox_wide

IID, WITHOUT_REPLACEMENT, SHUFFLE = 0, 1, 2
CODES = {"iid": IID, "without_replacement": WITHOUT_REPLACEMENT, "shuffle": SHUFFLE}
_BATCH, _PERMUTATION = int(Stream.BATCH), int(Stream.PERMUTATION)
_MIX0, _MIX1 = (np.uint32(m) for m in MIX)
_ROUNDS = nb.njit(feistel_rounds)


@nb.njit
def fill_indices(out, n, first, steps, batch_size, sampler, replica, key0, key1):
    """Write the batches of steps first ... first + steps - 1 into out (>= batch_size, >= steps)."""
    if sampler == SHUFFLE:
        _shuffle(out, n, first, steps, batch_size, replica, key0, key1)
        return
    for q in range((batch_size + 3) // 4):
        at = 4 * q
        if sampler == IID:
            for j in range(steps):
                w0, w1, w2, w3 = philox_wide(first + j, q, replica, _BATCH, key0, key1)
                out[at, j] = index(w0, n)
                out[at + 1, j] = index(w1, n)
                out[at + 2, j] = index(w2, n)
                out[at + 3, j] = index(w3, n)
        else:
            lowest = n - batch_size + at + 1
            for j in range(steps):
                w0, w1, w2, w3 = philox_wide(first + j, q, replica, _BATCH, key0, key1)
                out[at, j] = index(w0, lowest)
                out[at + 1, j] = index(w1, lowest + 1)
                out[at + 2, j] = index(w2, lowest + 2)
                out[at + 3, j] = index(w3, lowest + 3)
    if sampler == WITHOUT_REPLACEMENT:
        for b in range(1, batch_size):
            for j in range(steps):
                taken = False
                for a in range(b):
                    taken |= out[a, j] == out[b, j]
                if taken:
                    out[b, j] = n - batch_size + b


@nb.njit
def _shuffle(out, n, first, steps, batch_size, replica, key0, key1):
    a_round, rounds = n // batch_size, _ROUNDS(n)
    a = 1
    while a * a < n:
        a += 1
    b = (n + a - 1) // a
    keys, epoch = np.empty(rounds, np.uint32), np.int64(-1)
    for j in range(steps):
        here = (first + j) // a_round
        if here != epoch:
            epoch = here
            for q in range(rounds // 4):
                w = philox(epoch, q, replica, _PERMUTATION, key0, key1)
                keys[4 * q], keys[4 * q + 1], keys[4 * q + 2], keys[4 * q + 3] = w
        position = (first + j - epoch * a_round) * batch_size
        for k in range(batch_size):
            x = _feistel(np.uint32(position + k), keys, np.uint32(a), np.uint32(b))
            while x >= n:
                x = _feistel(x, keys, np.uint32(a), np.uint32(b))
            out[k, j] = x


@nb.njit
def _feistel(x, keys, a, b):
    right = np.uint32(x // a)
    left = np.uint32(x - right * a)
    for i in range(0, len(keys), 2):
        left = np.uint32(left + np.uint32(index(_mix(np.uint32(right ^ keys[i])), a)))
        left = np.uint32(left - a) if left >= a else left
        right = np.uint32(right + np.uint32(index(_mix(np.uint32(left ^ keys[i + 1])), b)))
        right = np.uint32(right - b) if right >= b else right
    return np.uint32(right * a + left)


@nb.njit
def _mix(h):
    h = np.uint32(np.uint32(h ^ np.uint32(h >> np.uint32(16))) * _MIX0)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> np.uint32(13))) * _MIX1)
    return np.uint32(h ^ np.uint32(h >> np.uint32(16)))
