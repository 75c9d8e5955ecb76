"""Steps of a `Bowl` as Triton functions, for the launches of `sde_triton`: blocks of registers.

No loops and no launches here.
"""

import triton
import triton.language as tl

from sgdescape.core.random import philox

NOISE = tl.constexpr(int(philox.Stream.NOISE))
TURN = tl.constexpr(6.283185307179586)


@triton.jit
def uniform(word, REAL: tl.constexpr):
    """A word as a uniform number in (0, 1)."""
    if REAL == tl.float32:
        u = ((word >> 8).to(tl.float32) + 0.5) * 5.9604644775390625e-08  # 2^-24
    else:  # one return: the compiler reads on after one in a branch
        u = (word.to(tl.float64) + 0.5) * 2.3283064365386963e-10  # 2^-32
    return u


@triton.jit
def normal_pair(word0, word1, REAL: tl.constexpr):
    """Two words as two normal numbers, by Box and Muller."""
    radius = tl.sqrt(-2.0 * tl.log(uniform(word0, REAL)))
    angle = uniform(word1, REAL) * TURN
    return radius * tl.cos(angle), radius * tl.sin(angle)


@triton.jit
def _move(x, h, amplitude, factor, noise):
    return x - h * x * factor[:, None] + amplitude * noise


@triton.jit
def advance(
    x0, x1, x2, x3, h0, h1, h2, h3, a0, a1, a2, a3, s, f, seed, step, who, REAL: tl.constexpr
):
    """One Euler step; ``s`` noise amplitude and ``f`` drift factor of each replica."""
    zero = (x0 * 0).to(tl.uint32)
    draw = zero + tl.arange(0, x0.shape[1]).to(tl.uint32)[None, :]
    w0, w1, w2, w3 = tl.philox(
        seed,
        zero + step.to(tl.uint32)[:, None],
        draw,
        zero + who.to(tl.uint32)[:, None],
        zero + NOISE,
    )
    n0, n1 = normal_pair(w0, w1, REAL)
    n2, n3 = normal_pair(w2, w3, REAL)
    t = s[:, None]
    x0 = _move(x0, h0, a0 * t, f, n0)
    x1 = _move(x1, h1, a1 * t, f, n1)
    x2 = _move(x2, h2, a2 * t, f, n2)
    x3 = _move(x3, h3, a3 * t, f, n3)
    return x0, x1, x2, x3


@triton.jit
def weighted_squares(x0, x1, x2, x3, b0, b1, b2, b3):
    """Sum over the coordinates of b x^2, of each replica."""
    return tl.sum(b0 * x0 * x0 + b1 * x1 * x1 + b2 * x2 * x2 + b3 * x3 * x3, 1)


@triton.jit
def coefficients(excess, minimum, scale, dt, PROCESS: tl.constexpr):
    """Noise amplitude, drift factor and rate of the other clock, from 1/2 sum h z^2."""
    loss = minimum + excess
    one = loss * 0 + 1
    if PROCESS == 0:
        amplitude, drift, rate = tl.sqrt(scale * loss), one * dt, loss
    elif PROCESS == 1:
        amplitude, drift, rate = tl.sqrt(one * scale), dt / loss, 1 / loss
    else:
        amplitude, drift, rate = tl.sqrt(one * scale), one * dt, one
    return amplitude, drift, rate
