"""First passages of SGD on the three-hump camel, with noise drawn from a list of values.

Random numbers as in `core.random.philox`: a function of (seed, step, replica). Each half of a word
chooses one value, so that a counter serves four steps.
"""

import numpy as np

from sgdescape.core import compiled
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import philox

_NOISE = np.uint32(Stream.NOISE)
_HALF = np.uint32(0xFFFF)


@compiled.kernel(error_model="numpy", nogil=True)
def passages(start, noise, step, radius, replicas, most, key0, key1, out):
    """Write the first step within ``radius`` of the origin into ``out``, -1 if it is not seen.

    Noise of both coordinates: equally likely values, a power of two up to 2^16 of them.
    """
    last, near = np.uint32(len(noise) - 1), radius * radius
    for r in range(len(replicas)):
        x, y, k, out[r] = start[0], start[1], 0, -1
        while k < most and out[r] < 0 and x * x < 1e6:  # beyond, it has blown up
            words = philox(k // 4, 0, replicas[r], _NOISE, key0, key1)
            for word in words:
                k += 1
                a, b = noise[(word & _HALF) & last], noise[(word >> np.uint32(16)) & last]
                square = x * x
                slope = x * (4 + square * (square - 4.2)) + y
                x, y = x - step * (slope + a), y - step * (x + 2 * y + b)
                if x * x + y * y <= near:
                    out[r] = k
                    break
