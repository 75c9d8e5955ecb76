"""First passages of one replica after the other; random numbers as in `core.random.philox`."""

import numpy as np
from numba import njit

from sgdescape.core import compiled
from sgdescape.core.random.philox import Stream
from sgdescape.core.random.philox_numba import normal_pair, philox, uniform

GAUSSIAN, UNIFORM, RADEMACHER, DECOUPLED = range(4)
_INPUT = np.uint32(Stream.INPUT)


@njit(error_model="numpy")
def _gradient(th, law, words):
    """The gradient of one sample, x (x theta - e), from four words."""
    if law == UNIFORM:
        x = np.sqrt(3.0) * (2 * uniform(words[2]) - 1)
        e, _ = normal_pair(words[0], words[1])
    elif law == RADEMACHER:
        x = 1.0 if words[2] & np.uint32(1) else -1.0
        e, _ = normal_pair(words[0], words[1])
    else:
        x, e = normal_pair(words[0], words[1])
        if law == DECOUPLED:  # the covariance 2 L h of Mori et al., and no other moment
            return th + np.sqrt(1 + th * th) * e
    return x * (x * th - e)


@compiled.kernel(error_model="numpy", nogil=True)
def passages(step, beta, size, law, edge, replicas, most, key0, key1, out):
    """Write the first step with theta^2 >= edge of each replica into ``out``, -1 for never."""
    for r in range(len(replicas)):
        th, delta, out[r] = 0.0, 0.0, -1
        for k in range(1, most + 1):
            total = 0.0
            for i in range(size):
                total += _gradient(th, law, philox(k, i, replicas[r], _INPUT, key0, key1))
            delta = beta * delta - step * total / size
            th += delta
            if th * th >= edge:
                out[r] = k
                break


@compiled.kernel(error_model="numpy", nogil=True)
def visits(step, beta, size, law, energies, burn_in, steps, replica, key0, key1, out):
    """Count into ``out`` the steps with T kappa Psi >= each energy, after ``burn_in``."""
    th, delta = 0.0, 0.0
    weight = (1 + beta) / (2 * step)  # of delta^2 in Kunin et al.'s Psi
    for k in range(1, burn_in + steps + 1):
        total = 0.0
        for i in range(size):
            total += _gradient(th, law, philox(k, i, replica, _INPUT, key0, key1))
        delta = beta * delta - step * total / size
        th += delta
        if k > burn_in:
            middle = th - delta / 2
            energy = middle * middle + weight * delta * delta
            for j in range(len(energies)):
                if energy < energies[j]:
                    break
                out[j] += 1
