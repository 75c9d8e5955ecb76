"""Pieces of the compiled kernels of `sde_numba`: a block of replicas moves on by one step.

Arrays have a constant width so that the compiler knows their rows to be apart; loops over lanes
become vector instructions. Functions are inlined where they are used. Numba's disk cache looks at
the file of the caller only: after a change here, delete `__pycache__`.
"""

import math

import numba as nb

from sgdescape.core.random import philox
from sgdescape.core.random.philox_numba import philox_prefix, philox_shared, philox_wide
from sgdescape.core.sde.kernels.sde_normals_numba import VECTOR, normal_pair

NOISE, BRIDGE = int(philox.Stream.NOISE), int(philox.Stream.BRIDGE)
# rows of a block's state: excess loss, second sum, noise amplitude, drift factor, radius before and
# after the step, variance of the radius within it, next level, rate of the other clock
(EXCESS, SECOND, AMPLITUDE, FACTOR, BEFORE, AFTER, VARIANCE, LEVEL, RATE) = range(9)


@nb.njit(inline="always")
def draw(words, step, index, groups, pair, lanes, key0, key1):
    """Fill ``words`` (groups + 1, 4, width) for ``lanes`` replicas, each at a step of its own."""
    for g in range(groups):
        for j in range(lanes):
            w0, w1, w2, w3 = philox_wide(step[j], g, index[j], NOISE, key0, key1)
            words[g, 0, j] = w0
            words[g, 1, j] = w1
            words[g, 2, j] = w2
            words[g, 3, j] = w3
    if pair:  # one or two coordinates are left: half a block of random numbers
        for j in range(lanes):
            w0, w1, w2, w3 = philox_wide(step[j], groups, index[j], NOISE, key0, key1)
            words[groups, 0, j] = w0
            words[groups, 1, j] = w1


@nb.njit(inline="always")
def draw_together(words, step, table, groups, pair, lanes, key0, key1):
    """Do as `draw`, with all replicas at the same step; ``table`` is that of `prefixes`."""
    for g in range(groups):
        for j in range(lanes):
            a, b, c = table[0, j], table[1 + 2 * g, j], table[2 + 2 * g, j]
            w0, w1, w2, w3 = philox_shared(step, a, b, c, NOISE, key0, key1)
            words[g, 0, j] = w0
            words[g, 1, j] = w1
            words[g, 2, j] = w2
            words[g, 3, j] = w3
    if pair:
        for j in range(lanes):
            a, b, c = table[0, j], table[1 + 2 * groups, j], table[2 + 2 * groups, j]
            w0, w1, w2, w3 = philox_shared(step, a, b, c, NOISE, key0, key1)
            words[groups, 0, j] = w0
            words[groups, 1, j] = w1


@nb.njit
def prefixes(table, index, groups, lanes, key0):
    """Fill ``table`` (2 groups + 3, width) with what random numbers need of replicas only."""
    for g in range(groups + 1):
        for j in range(lanes):
            table[0, j], table[1 + 2 * g, j], table[2 + 2 * g, j] = philox_prefix(g, index[j], key0)


@nb.njit(inline="always")
def advance(z, words, st, rows, groups, pair, lanes, like):
    """One step of ``lanes`` replicas; leaves 1/2 sum h z^2 and sum w z^2 in the state.

    ``rows`` (4, coordinates): h, noise amplitude, h / 2 and w of each coordinate.
    """
    st[EXCESS, :] = 0
    st[SECOND, :] = 0
    for g in range(groups):
        h0, h1, h2, h3 = rows[0, 4 * g], rows[0, 4 * g + 1], rows[0, 4 * g + 2], rows[0, 4 * g + 3]
        a0, a1, a2, a3 = rows[1, 4 * g], rows[1, 4 * g + 1], rows[1, 4 * g + 2], rows[1, 4 * g + 3]
        q0, q1, q2, q3 = rows[2, 4 * g], rows[2, 4 * g + 1], rows[2, 4 * g + 2], rows[2, 4 * g + 3]
        b0, b1, b2, b3 = rows[3, 4 * g], rows[3, 4 * g + 1], rows[3, 4 * g + 2], rows[3, 4 * g + 3]
        for j in range(lanes):
            n0, n1 = normal_pair(words[g, 0, j], words[g, 1, j], like)
            n2, n3 = normal_pair(words[g, 2, j], words[g, 3, j], like)
            f, s = st[FACTOR, j], st[AMPLITUDE, j]
            x0, x1, x2, x3 = z[g, 0, j], z[g, 1, j], z[g, 2, j], z[g, 3, j]
            x0 = x0 - h0 * x0 * f + a0 * s * n0
            x1 = x1 - h1 * x1 * f + a1 * s * n1
            x2 = x2 - h2 * x2 * f + a2 * s * n2
            x3 = x3 - h3 * x3 * f + a3 * s * n3
            st[EXCESS, j] += (q0 * x0 * x0 + q1 * x1 * x1) + (q2 * x2 * x2 + q3 * x3 * x3)
            st[SECOND, j] += (b0 * x0 * x0 + b1 * x1 * x1) + (b2 * x2 * x2 + b3 * x3 * x3)
            z[g, 0, j] = x0
            z[g, 1, j] = x1
            z[g, 2, j] = x2
            z[g, 3, j] = x3
    if pair:
        g = groups
        h0, h1 = rows[0, 4 * g], rows[0, 4 * g + 1]
        a0, a1 = rows[1, 4 * g], rows[1, 4 * g + 1]
        q0, q1 = rows[2, 4 * g], rows[2, 4 * g + 1]
        b0, b1 = rows[3, 4 * g], rows[3, 4 * g + 1]
        for j in range(lanes):
            n0, n1 = normal_pair(words[g, 0, j], words[g, 1, j], like)
            f, s = st[FACTOR, j], st[AMPLITUDE, j]
            x0, x1 = z[g, 0, j], z[g, 1, j]
            x0 = x0 - h0 * x0 * f + a0 * s * n0
            x1 = x1 - h1 * x1 * f + a1 * s * n1
            st[EXCESS, j] += q0 * x0 * x0 + q1 * x1 * x1
            st[SECOND, j] += b0 * x0 * x0 + b1 * x1 * x1
            z[g, 0, j] = x0
            z[g, 1, j] = x1


@nb.njit(**VECTOR)
def coefficients(st, numbers, process, lanes):
    """Set noise amplitude, drift factor and rate of the other clock from the loss of each lane.

    ``numbers``: dt, minimum loss, noise scale (2 eta / B, or 2 D) times dt, 1.
    """
    dt, minimum, scale, one = numbers[0], numbers[1], numbers[2], numbers[3]
    if process == 0:  # Eq. (12)
        for j in range(lanes):
            loss = minimum + st[EXCESS, j]
            st[AMPLITUDE, j] = math.sqrt(scale * loss)
            st[FACTOR, j] = dt
            st[RATE, j] = loss
    elif process == 1:  # Eq. (14)
        for j in range(lanes):
            inverse = one / (minimum + st[EXCESS, j])
            st[AMPLITUDE, j] = math.sqrt(scale)
            st[FACTOR, j] = dt * inverse
            st[RATE, j] = inverse
    else:  # Eq. (5)
        for j in range(lanes):
            st[AMPLITUDE, j] = math.sqrt(scale)
            st[FACTOR, j] = dt
            st[RATE, j] = one


@nb.njit(**VECTOR)
def load(z, st, j, theta, rows):
    """Put a state (d,) into lane j and its two sums into the block's state."""
    st[EXCESS, j] = 0
    st[SECOND, j] = 0
    for i in range(theta.shape[0]):
        x = theta[i]
        z[i // 4, i % 4, j] = x
        st[EXCESS, j] += rows[2, i] * x * x
        st[SECOND, j] += rows[3, i] * x * x


@nb.njit
def bridge_words(step, index, key0, key1):
    """Return the four words of `brownian.bridge_words`."""
    return philox_wide(step, 0, index, BRIDGE, key0, key1)


@nb.njit
def _uniform(word):
    return (float(word) + 0.5) * 2.0**-32


@nb.njit
def bridge_maximum(start, end, variance, word):
    """Return the largest value of a Brownian bridge between two points."""
    u = _uniform(word)
    return 0.5 * (start + end + math.sqrt((end - start) ** 2 - 2 * variance * math.log(u)))


@nb.njit
def bridge_passage(start, end, level, variance, word1, word2, word3):
    """Return the first time, as a share of the step, at which a bridge passes a level."""
    inverse_mean = abs(level - end) / (level - start)
    normal = math.sqrt(-2 * math.log(_uniform(word1))) * math.cos(2 * math.pi * _uniform(word2))
    y = normal**2 * variance / (2 * (level - start) ** 2)
    large = inverse_mean + y + math.sqrt(y * (y + 2 * inverse_mean))
    small = inverse_mean**2 / (large + 1e-300)
    return 1 / (1 + (large if _uniform(word3) * (large + inverse_mean) <= large else small))


@nb.njit
def bin_of(edges, value):
    """Return how many edges are at most ``value``; all for NaN, as numpy.searchsorted."""
    low, high = 0, edges.size
    while low < high:
        middle = (low + high) // 2
        if value < edges[middle]:
            high = middle
        else:
            low = middle + 1
    return low
