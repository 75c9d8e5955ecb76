"""Counter-based random numbers, the same in every tier: Philox4x32-10 in NumPy and in torch.

A draw is a function of where it is used: key = seed, counter = (step, draw, replica, stream). So a
replica's path depends on (seed, replica index) alone, not on chunks, threads, device or engine, and
any step can be drawn without those before it. The numba twin is `philox_numba`; the Triton twin
stands in the Triton kernels. torch is imported only where tensors are asked for.
"""

import importlib
import math
from enum import IntEnum

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Stream", "cast", "indices", "key", "normals", "torch_words", "uniforms", "words"]

MASK = 0xFFFFFFFF
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)  # of the two products in a round
WEYL = (0x9E3779B9, 0xBB67AE85)  # added to the key after a round: golden ratio, sqrt(3) - 1
ROUNDS = 10


class Stream(IntEnum):
    """What a draw is for: the last word of the counter, so that no two uses share numbers."""

    BATCH = 0  # sample indices
    INPUT = 1  # inputs x of fresh samples
    TARGET = 2  # targets y of fresh samples
    NOISE = 3  # Brownian increments
    BRIDGE = 4  # crossing of a threshold between two steps
    START = 5  # initial parameters
    PERMUTATION = 6  # keys of an epoch's permutation


def key(seed: int) -> tuple[int, int]:
    """Return the two 32-bit words of the key, the low one first.

    Args:
        seed: integer in [0, 2^64).

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it lies outside the range.

    Example:
        >>> key(2**32 + 7)
        (7, 1)
    """
    seed = validate.count("seed", seed, low=0, high=2**64 - 1)
    return seed & MASK, seed >> 32


def words(seed: int, *, step, draw, replica, stream) -> np.ndarray:
    """Return four uniform 32-bit words for each counter: Philox4x32-10 of Salmon et al. (2011).

    Args:
        seed: integer in [0, 2^64), the key.
        step: integers in [0, 2^32), first word of the counter; any shape, broadcast.
        draw: numbers the blocks of four words within a step; as ``step``.
        replica: index of the path; as ``step``.
        stream: a `Stream`, or its integer.

    Returns:
        Words (..., 4), uint32, with the broadcast shape of the counters in front.

    Raises:
        TypeError: if the seed or a counter is not of integers.
        ValueError: if one lies outside its range.

    Example:
        >>> [hex(w) for w in words(0, step=0, draw=0, replica=0, stream=Stream.BATCH)]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    k0, k1 = key(seed)
    counter = zip(("step", "draw", "replica", "stream"), (step, draw, replica, stream), strict=True)
    c = np.broadcast_arrays(*(_counter(name, value) for name, value in counter))
    mask, half = np.uint64(MASK), np.uint64(32)
    for _ in range(ROUNDS):
        even, odd = c[0] * np.uint64(MULTIPLIERS[0]), c[2] * np.uint64(MULTIPLIERS[1])
        c = (
            (odd >> half) ^ c[1] ^ np.uint64(k0),
            odd & mask,
            (even >> half) ^ c[3] ^ np.uint64(k1),
            even & mask,
        )
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return np.stack(c, -1).astype(np.uint32)


def torch_words(seed: int, *, step, draw, replica, stream, device="cpu"):
    """Return the same numbers as `words`, as int64 on a torch device.

    Args:
        seed: integer in [0, 2^64).
        step: an integer, or an int64 tensor on ``device``; values in [0, 2^32), broadcast.
        draw: as ``step``.
        replica: as ``step``.
        stream: a `Stream`, or its integer.
        device: where to compute.

    Returns:
        Words (..., 4), int64 with values in [0, 2^32).

    Raises:
        TypeError: if the seed or a counter is not of integers.
        ValueError: if an integer lies outside its range. Values inside tensors are not looked at,
            which would wait for the device.

    Example:
        >>> import torch
        >>> torch_words(0, step=torch.arange(2), draw=0, replica=0, stream=Stream.BATCH)[0]
        tensor([1713891541, 3781805453, 3159862348, 2600524760])
    """
    import torch  # seconds: only where tensors are asked for

    device = validate.device(device)
    k0, k1 = key(seed)
    counter = zip(("step", "draw", "replica", "stream"), (step, draw, replica, stream), strict=True)
    c = torch.broadcast_tensors(*(_torch_counter(n, value, device) for n, value in counter))
    for _ in range(ROUNDS):
        # int64 wraps: the product's 64 bits are right, the shift's sign bits are masked away
        even, odd = c[0] * MULTIPLIERS[0], c[2] * MULTIPLIERS[1]
        c = (
            ((odd >> 32) & MASK) ^ c[1] ^ k0,
            odd & MASK,
            ((even >> 32) & MASK) ^ c[3] ^ k1,
            even & MASK,
        )
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return torch.stack(c, -1)


@door
def uniforms(words, *, dtype: str = "float64"):
    """Return numbers in (0, 1): (w + 1/2) / 2^32, or (floor(w / 2^8) + 1/2) / 2^24 in float32.

    float32 has 24 bits, so one word in 2^24 gives exactly 1 there; 0 is never given.

    Args:
        words: of `words` or `torch_words`, any shape.
        dtype: "float64" or "float32".

    Returns:
        The same shape and kind of array.

    Raises:
        ValueError: if the dtype is another.

    Example:
        >>> uniforms(np.array([0, 2**31, 2**32 - 1], dtype=np.uint32)).round(9)
        array([0. , 0.5, 1. ])
    """
    validate.one_of("dtype", dtype, ("float64", "float32"))
    _check_words(words)
    if dtype == "float32":
        return (cast(words >> 8, dtype) + 0.5) * 2.0**-24
    return (cast(words, dtype) + 0.5) * 2.0**-32


@door
def normals(words, *, dtype: str = "float64"):
    """Return standard normal numbers, four a block, by Box-Muller on word pairs (0, 1), (2, 3).

    r = sqrt(-2 log u0); r cos(2 pi u1), r sin(2 pi u1).

    Args:
        words: of `words` or `torch_words` (..., 4).
        dtype: "float64" or "float32", also of the arithmetic.

    Returns:
        Numbers (..., 4), of the same kind of array.

    Raises:
        ValueError: if the dtype is another.

    Example:
        >>> normals(words(0, step=0, draw=0, replica=0, stream=Stream.NOISE)).shape
        (4,)
    """
    _check_words(words)
    library = np if _is_array(words) else importlib.import_module("torch")
    u = uniforms(words, dtype=dtype)
    radius = library.sqrt(-2 * library.log(u[..., 0::2]))
    angle = (2 * math.pi) * u[..., 1::2]
    pairs = (radius * library.cos(angle), radius * library.sin(angle))
    return library.stack(pairs, -1).reshape(u.shape)


@door
def indices(words, n: int):
    """Return integers in [0, n): floor(w n / 2^32), uniform up to a bias of n / 2^32.

    Args:
        words: of `words` or `torch_words`, any shape.
        n: integer in [1, 2^31].

    Returns:
        int64, the same shape and kind of array.

    Raises:
        TypeError: if n is not an integer.
        ValueError: if it lies outside its range.

    Example:
        >>> indices(np.array([0, 2**31, 2**32 - 1], dtype=np.uint32), 10)
        array([0, 5, 9])
    """
    n = validate.count("n", n, high=2**31)
    _check_words(words)
    if _is_array(words):
        return ((words.astype(np.uint64) * np.uint64(n)) >> np.uint64(32)).astype(np.int64)
    return (words * n) >> 32


def cast(values, dtype: str):
    """Return an array or a tensor in another floating-point type, named by a string."""
    if _is_array(values):
        return values.astype(dtype)
    return values.to(getattr(importlib.import_module("torch"), dtype))


def _check_words(words):
    """Refuse what `words` and `torch_words` do not give."""
    kind = getattr(words, "dtype", None)
    if _is_array(words):
        whole = kind.kind in "iu"
    else:  # without importing torch
        whole = str(kind) in ("torch.int64", "torch.uint32")
    if not whole:
        what = type(words).__name__ if kind is None else kind
        raise TypeError(f"words must be integers of an array or a tensor: got {what}")


def _is_array(values):
    """Whether NumPy holds it; else it is a tensor."""
    return isinstance(values, (np.ndarray, np.generic))


def _counter(name, value):
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be of integers: got dtype {array.dtype}")
    if array.size and (array.min() < 0 or array.max() > MASK):
        raise ValueError(
            f"{name} must lie in [0, {MASK}]: got values in [{array.min()}, {array.max()}]"
        )
    return array.astype(np.uint64)


def _torch_counter(name, value, device):
    import torch

    if isinstance(value, torch.Tensor):
        if value.dtype != torch.int64:
            raise TypeError(f"{name} must be of int64: got dtype {value.dtype}")
        return value
    return torch.tensor(validate.count(name, value, low=0, high=MASK), device=device)
