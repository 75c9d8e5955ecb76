"""First passages on the circle with further quadratic directions: twin of `circle_runs`' samples.

Random numbers as in `core.random.philox`: a function of (seed, step, sample, replica).
"""

import numpy as np

from sgdescape.core import compiled
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import normal_pair, philox

_INPUT = np.uint32(Stream.INPUT)


@compiled.kernel(error_model="numpy", nogil=True)
def passages(sigma, step, size, extra, stop, replicas, most, key0, key1, out):
    """Write the first step with |theta| >= stop of each replica into ``out``, -1 for never."""
    blocks = (extra + 6) // 4  # of four normals each: x_1, x_2, noise, then the others
    x, w, pull = np.empty(4 * blocks), np.empty(extra), np.empty(extra)
    for r in range(len(replicas)):
        theta, out[r] = 0.0, -1
        w[:] = 0.0
        for k in range(1, most + 1):
            total, cosine, sine = 0.0, np.cos(theta), np.sin(theta)
            pull[:] = 0.0
            for i in range(size):
                for q in range(blocks):
                    words = philox(k, i * blocks + q, replicas[r], _INPUT, key0, key1)
                    x[4 * q], x[4 * q + 1] = normal_pair(words[0], words[1])
                    x[4 * q + 2], x[4 * q + 3] = normal_pair(words[2], words[3])
                residual = x[0] * (cosine - 1) + x[1] * sine - sigma * x[2]
                for j in range(extra):
                    residual += w[j] * x[3 + j]
                total += residual * (x[1] * cosine - x[0] * sine)
                for j in range(extra):
                    pull[j] += residual * x[3 + j]
            theta -= step * total / size
            for j in range(extra):
                w[j] -= step * pull[j] / size
            if abs(theta) >= stop:
                out[r] = k
                break
