"""Fresh samples in numba: the twin of `linear_torch._fresh`. Changes here: delete `__pycache__`."""

import math

import numba as nb
import numpy as np

from sgdescape.core.ensembles.regression_data import INPUTS
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import philox, philox_wide
from sgdescape.core.sde.kernels.sde_normals_numba import normal_pair

_GAUSSIAN, _RADEMACHER, _UNIFORM, _LAPLACE = (
    INPUTS.index(law) for law in ("gaussian", "rademacher", "uniform", "laplace")
)
_INPUT, _TARGET = int(Stream.INPUT), int(Stream.TARGET)


@nb.njit
def fill_rows(rows, words, d, noise_std, law, first, steps, batch_size, replica, key0, key1):
    """Write the samples (x, r, 0...) of a chunk of steps into rows (steps * batch_size, W).

    ``words`` (numbers a step, steps) is scratch, of the precision of the rows.
    """
    inputs = batch_size * d
    if law == _GAUSSIAN:
        _normals(words, inputs, first, steps, replica, _INPUT, key0, key1)
    elif law == _RADEMACHER:
        _signs(words, inputs, first, steps, replica, key0, key1)
    else:
        _transformed(words, inputs, first, steps, law, replica, key0, key1)
    for j in range(steps):
        for b in range(batch_size):
            for i in range(d):
                rows[j * batch_size + b, i] = words[b * d + i, j]
    _normals(words, batch_size, first, steps, replica, _TARGET, key0, key1)
    for j in range(steps):
        for b in range(batch_size):
            rows[j * batch_size + b, d] = noise_std * words[b, j]


@nb.njit(error_model="numpy")
def _normals(out, count, first, steps, replica, stream, key0, key1):
    like = out.dtype.type(0)
    for q in range((count + 3) // 4):
        for j in range(steps):
            w0, w1, w2, w3 = philox_wide(first + j, q, replica, stream, key0, key1)
            out[4 * q, j], out[4 * q + 1, j] = normal_pair(w0, w1, like)
            out[4 * q + 2, j], out[4 * q + 3, j] = normal_pair(w2, w3, like)


@nb.njit
def _signs(out, count, first, steps, replica, key0, key1):
    for q in range((count + 127) // 128):
        for j in range(steps):
            w = philox(first + j, q, replica, _INPUT, key0, key1)
            for i in range(min(128, count - 128 * q)):
                bit = (w[i // 32] >> np.uint32(i % 32)) & np.uint32(1)
                out[128 * q + i, j] = 1.0 if bit else -1.0


@nb.njit
def _transformed(out, count, first, steps, law, replica, key0, key1):
    single = out.itemsize == 4
    for q in range((count + 3) // 4):
        for j in range(steps):
            w = philox(first + j, q, replica, _INPUT, key0, key1)
            for i in range(4):
                u = (np.float64(w[i]) + 0.5) * 2.0**-32
                if single:
                    u = np.float64(np.float32((np.float64(w[i] >> np.uint32(8)) + 0.5) * 2.0**-24))
                if law == _UNIFORM:
                    out[4 * q + i, j] = math.sqrt(3.0) * (2.0 * u - 1.0)
                else:
                    sign = -1.0 if w[i] & np.uint32(1) else 1.0
                    out[4 * q + i, j] = math.log(u) * (sign * math.sqrt(0.5))
