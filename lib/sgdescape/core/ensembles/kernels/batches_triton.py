"""Batches in Triton: the twin of `batches_torch` and `linear_torch._fresh`, a block of replicas."""

import triton
import triton.language as tl


@triton.jit
def philox(key0, key1, step, draw, replica, stream):
    """Return four uint32 words of each counter; draw and replica are broadcast."""
    seed = (key1.to(tl.uint64) << 32) | key0.to(tl.uint64)
    zero = replica.to(tl.uint32) * 0 + draw.to(tl.uint32) * 0
    c0, c1 = zero + step.to(tl.uint32), zero + draw.to(tl.uint32)
    c2, c3 = zero + replica.to(tl.uint32), zero + stream
    return tl.philox(seed, c0, c1, c2, c3.to(tl.uint32))


@triton.jit
def chosen_word(w0, w1, w2, w3, which):
    """Return word number ``which``, elementwise."""
    low = tl.where(which == 0, w0, w1)
    high = tl.where(which == 2, w2, w3)
    return tl.where(which < 2, low, high)


@triton.jit
def uniform(word, like):
    """Return the number in (0, 1) of a word, in the precision of ``like``."""
    if like.dtype == tl.float64:
        u = (word.to(tl.float64) + 0.5) * 2.3283064365386963e-10
    else:
        u = ((word >> 8).to(tl.float32) + 0.5) * 5.9604644775390625e-08
    return u.to(like.dtype)


@triton.jit
def normal(w0, w1, w2, w3, which, like):
    """Return normal number ``which`` of a block's four."""
    u0 = uniform(tl.where(which < 2, w0, w2), like)
    u1 = uniform(tl.where(which < 2, w1, w3), like)
    angle = u1 * 6.283185307179586
    wave = tl.where(which % 2 == 0, tl.cos(angle), tl.sin(angle))
    return tl.sqrt(-2.0 * tl.log(u0)) * wave


@triton.jit
def fresh_row(z, k, b, key0, key1, replica, column, std, d: tl.constexpr, LAW: tl.constexpr):
    """Return rows (x, r, 0...) of sample b of step k, one a replica; std is an address.

    A number that Python hands to a kernel would be rounded to float32.
    """
    i = b * d + column[None, :]
    if LAW == 1:
        w0, w1, w2, w3 = philox(key0, key1, k, i // 128, replica[:, None], 1)
        bit = (chosen_word(w0, w1, w2, w3, (i // 32) % 4) >> (i % 32).to(tl.uint32)) & 1
        x = bit.to(z.dtype) * 2 - 1
    else:
        w0, w1, w2, w3 = philox(key0, key1, k, i // 4, replica[:, None], 1)
        if LAW == 0:
            x = normal(w0, w1, w2, w3, i % 4, z)
        else:
            word = chosen_word(w0, w1, w2, w3, i % 4)
            u = uniform(word, z)
            if LAW == 2:
                x = (u * 2 - 1) * 1.7320508075688772
            else:
                x = tl.log(u) * ((1 - (word & 1).to(z.dtype) * 2) * 0.7071067811865476)
    v0, v1, v2, v3 = philox(key0, key1, k, (b + column[None, :] * 0) // 4, replica[:, None], 2)
    rest = normal(v0, v1, v2, v3, (b + column[None, :] * 0) % 4, z) * tl.load(std)
    x = tl.where(column[None, :] < d, x, 0.0)
    return tl.where(column[None, :] == d, rest, x).to(z.dtype)


@triton.jit
def _mix(h):
    h = (h ^ (h >> 16)) * 0x85EBCA6B
    h = (h ^ (h >> 13)) * 0xC2B2AE35
    return h ^ (h >> 16)


@triton.jit
def _feistel(x, epoch, key0, key1, replica, a, b, ROUNDS: tl.constexpr):
    right = x // a
    left = x - right * a
    for q in tl.static_range(ROUNDS // 4):
        draw = replica.to(tl.uint32) * 0 + q
        w0, w1, w2, w3 = philox(key0, key1, epoch, draw, replica, 6)
        left = left + tl.umulhi(_mix(right ^ w0), a)
        left = tl.where(left >= a, left - a, left)
        right = right + tl.umulhi(_mix(left ^ w1), b)
        right = tl.where(right >= b, right - b, right)
        left = left + tl.umulhi(_mix(right ^ w2), a)
        left = tl.where(left >= a, left - a, left)
        right = right + tl.umulhi(_mix(left ^ w3), b)
        right = tl.where(right >= b, right - b, right)
    return right * a + left


@triton.jit
def permuted(position, epoch, key0, key1, replica, n, a, b, ROUNDS: tl.constexpr):
    """Return the image of a position under each replica's permutation, uint32 in [0, n)."""
    zero = replica.to(tl.uint32) * 0
    a32, b32, n32 = zero + a.to(tl.uint32), zero + b.to(tl.uint32), zero + n.to(tl.uint32)
    x = _feistel(
        zero + position.to(tl.uint32), epoch, key0, key1, replica, a32, b32, ROUNDS
    )  # fmt: skip
    while tl.max((x >= n32).to(tl.int32), 0) > 0:
        y = _feistel(x, epoch, key0, key1, replica, a32, b32, ROUNDS)
        x = tl.where(x >= n32, y, x)
    return x
