"""Philox4x32-10 in numba: the twin of `core.random.philox.words`, `uniforms`, `normals` and
`indices`.

Numba widens 32-bit arithmetic to 64 bits, silently: every sum, product and shift below is cast back
to uint32, and the known-answer test is what shows that none was forgotten.
"""

import math

import numba as nb
import numpy as np

from sgdescape.core.random.philox import MULTIPLIERS, ROUNDS, WEYL

_M0, _M1 = (np.uint64(m) for m in MULTIPLIERS)
_W0, _W1 = (np.uint32(w) for w in WEYL)
_HALF, _MASK = np.uint64(32), np.uint64(0xFFFFFFFF)


@nb.njit(inline="always")
def philox(step, draw, replica, stream, key0, key1):
    """Return four uint32 words of counter (step, draw, replica, stream) and key (key0, key1)."""
    c0, c1, c2, c3 = np.uint32(step), np.uint32(draw), np.uint32(replica), np.uint32(stream)
    k0, k1 = np.uint32(key0), np.uint32(key1)
    for _ in range(ROUNDS):
        even = _M0 * np.uint64(c0)
        odd = _M1 * np.uint64(c2)
        c0 = np.uint32(np.uint32(odd >> _HALF) ^ c1 ^ k0)
        c2 = np.uint32(np.uint32(even >> _HALF) ^ c3 ^ k1)
        c1 = np.uint32(odd)
        c3 = np.uint32(even)
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@nb.njit(forceinline=True)
def philox_wide(step, draw, replica, stream, key0, key1):
    """Return the words of `philox`, for loops over replicas that the compiler turns into vectors.

    The state is kept in 64-bit lanes whose upper halves are ignored, which spares the shuffles of
    `philox`: 2.5 times as fast in a loop of nothing else, 8 % slower outside of one (Zen 3).
    """
    c0, c1, c2, c3 = np.uint64(step), np.uint64(draw), np.uint64(replica), np.uint64(stream)
    k0, k1 = np.uint64(key0), np.uint64(key1)
    for _ in range(ROUNDS):
        even = _M0 * (c0 & _MASK)
        odd = _M1 * (c2 & _MASK)
        c0 = (odd >> _HALF) ^ c1 ^ k0
        c2 = (even >> _HALF) ^ c3 ^ k1
        c1 = odd
        c3 = even
        k0 = (k0 + np.uint64(_W0)) & _MASK
        k1 = (k1 + np.uint64(_W1)) & _MASK
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@nb.njit(forceinline=True)
def philox_prefix(draw, replica, key0):
    """Return what two rounds of `philox_wide` need of a replica, whatever the step: three words."""
    odd = _M1 * np.uint64(replica)
    even = _M0 * (((odd >> _HALF) ^ np.uint64(draw) ^ np.uint64(key0)) & _MASK)
    return odd, even >> _HALF, even


@nb.njit(forceinline=True)
def philox_shared(step, prefix0, prefix1, prefix2, stream, key0, key1):
    """Return the words of `philox_wide` from `philox_prefix`, where all replicas are at one step.

    In a loop over replicas, what depends on the step alone is computed once: 8 of 10 rounds remain.
    """
    k0, k1 = np.uint64(key0), np.uint64(key1)
    even = _M0 * np.uint64(step)
    odd = _M1 * (((even >> _HALF) ^ np.uint64(stream) ^ k1) & _MASK)
    k0 = (k0 + np.uint64(_W0)) & _MASK
    k1 = (k1 + np.uint64(_W1)) & _MASK
    c0, c2 = (odd >> _HALF) ^ prefix0 ^ k0, prefix1 ^ even ^ k1
    c1, c3 = odd, prefix2
    for _ in range(ROUNDS - 2):
        k0 = (k0 + np.uint64(_W0)) & _MASK
        k1 = (k1 + np.uint64(_W1)) & _MASK
        even = _M0 * (c0 & _MASK)
        odd = _M1 * (c2 & _MASK)
        c0 = (odd >> _HALF) ^ c1 ^ k0
        c2 = (even >> _HALF) ^ c3 ^ k1
        c1 = odd
        c3 = even
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@nb.njit(inline="always")
def index(word, n):
    """Return floor(word n / 2^32), an integer in [0, n)."""
    return np.int64((np.uint64(word) * np.uint64(n)) >> _HALF)


@nb.njit(inline="always")
def uniform(word):
    """Return (word + 1/2) / 2^32, in (0, 1)."""
    return (np.float64(np.uint32(word)) + 0.5) * 2.0**-32


@nb.njit(inline="always")
def normal_pair(word0, word1):
    """Return two standard normal numbers of two words, by Box-Muller in float64."""
    radius = math.sqrt(-2.0 * math.log(uniform(word0)))
    angle = (2.0 * math.pi) * uniform(word1)
    return radius * math.cos(angle), radius * math.sin(angle)
