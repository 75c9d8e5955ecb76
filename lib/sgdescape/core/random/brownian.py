"""Brownian increments as functions of (seed, step, replica), and Brownian bridges between steps.

An increment of step k, coordinate i and replica r is sqrt(dt) times normal number i mod 4 of the
Philox block (step k, draw i div 4, replica r, stream NOISE). The uniform numbers that decide what
happened between two steps come from the stream BRIDGE, so asking for it changes no path.
"""

import math

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import philox

__all__ = ["batch_of_steps", "bridge_maximum", "bridge_passage", "bridge_words", "increments"]

BATCH_WORDS = 1 << 18  # words drawn at once: many steps of few replicas in one call


@door
def increments(
    seed: int,
    *,
    steps: range,
    dt: float,
    replicas,
    noises: int,
    substeps: int = 1,
    like=None,
):
    """Return Brownian increments dW (steps, replicas, noises), independent N(0, dt).

    With ``substeps`` = s one increment is the sum of s increments of dt / s, so that runs with the
    same dt / substeps and seed see one and the same Brownian path: step k sums the fine steps
    k s, ..., k s + s - 1.

    Args:
        seed: integer in [0, 2^64).
        steps: which steps, inside [0, 2^32 / substeps).
        dt: step of time, positive.
        replicas: which replicas, a range or an array of indices (NumPy or torch, as ``like``), in
            [0, 2^32).
        noises: number of independent noises, at least 1.
        substeps: fine steps in one step, at least 1.
        like: an array whose kind, dtype and device are taken; None for NumPy float64.

    Raises:
        TypeError: if a count is not an integer.
        ValueError: if a number lies outside its range.

    Example:
        >>> fine = increments(1, steps=range(4), dt=0.5, replicas=range(3), noises=2)
        >>> coarse = increments(1, steps=range(2), dt=1.0, replicas=range(3), noises=2, substeps=2)
        >>> bool(np.allclose(coarse, fine.reshape(2, 2, 3, 2).sum(1)))
        True
    """
    s = validate.count("substeps", substeps)
    scale = math.sqrt(validate.positive("dt", dt) / s)
    blocks = -(-validate.count("noises", noises) // 4)
    dtype = "float64" if like is None else str(like.dtype).removeprefix("torch.")
    fine = (steps.start * s, steps.stop * s)
    if isinstance(like, torch.Tensor):

        def axis(a, b):
            return torch.arange(a, b, device=like.device)

        extra = {"device": like.device}
        draw = philox.torch_words
    else:
        axis, extra, draw = np.arange, {}, philox.words
    for name, value in (("steps", steps), ("replicas", replicas)):
        if isinstance(value, range) and (value.step != 1 or value.start < 0 or not value):
            raise ValueError(f"{name} must be an ascending range of step 1: got {value!r}")
    if isinstance(replicas, range):
        replicas = axis(replicas.start, replicas.stop)
    words = draw(
        seed,
        step=axis(*fine)[:, None, None],
        replica=replicas[None, :, None],
        draw=axis(0, blocks)[None, None, :],
        stream=philox.Stream.NOISE,
        **extra,
    )
    numbers = philox.normals(words, dtype=dtype)
    numbers = numbers.reshape(len(steps), s, len(replicas), 4 * blocks)[..., :noises]
    return scale * numbers.sum(1)


@door
def batch_of_steps(replicas: int, noises: int, substeps: int) -> int:
    """Return how many steps to draw in one call so that about `BATCH_WORDS` words are in memory."""
    for name, value in (("replicas", replicas), ("noises", noises), ("substeps", substeps)):
        validate.count(name, value)
    return max(1, BATCH_WORDS // (4 * -(-noises // 4) * replicas * substeps))


@door
def bridge_words(seed: int, *, step, replicas):
    """Return the words (replicas, 4) that decide what a replica did within a step.

    Args:
        seed: integer in [0, 2^64).
        step: an integer in [0, 2^32).
        replicas: indices (replicas,), NumPy or an int64 tensor.
    """
    counter = {"step": step, "draw": 0, "replica": replicas, "stream": philox.Stream.BRIDGE}
    if isinstance(replicas, torch.Tensor):
        return philox.torch_words(seed, **counter, device=replicas.device)
    return philox.words(seed, **counter)


def bridge_maximum(start, end, variance, words):
    """Return the maximum of a Brownian bridge, P(max > c) = exp(-2 (c - a)(c - b) / v).

    Inverting that law, max = (a + b + sqrt((b - a)^2 - 2 v log u)) / 2. One uniform number decides
    on all levels at once.

    Args:
        start: a, value at the beginning of the step; any shape, broadcast.
        end: b, value at its end.
        variance: v, local variance rate times the length of the step, not negative.
        words: (..., 4) of `bridge_words`; the first word is used.

    Returns:
        The maximum, at least max(a, b).

    Example:
        >>> half = np.array([2**31, 0, 0, 0], dtype=np.uint32)
        >>> bool(np.isclose(np.exp(-2 * bridge_maximum(0.0, 0.0, 1.0, half) ** 2), 0.5))
        True
    """
    u = philox.uniforms(words[..., 0])
    library = torch if isinstance(words, torch.Tensor) else np
    return 0.5 * (start + end + library.sqrt((end - start) ** 2 - 2 * variance * library.log(u)))


def bridge_passage(start, end, level, variance, words):
    """Return when, as a fraction of the step, a Brownian bridge that reaches a level first does so.

    With s the fraction and x = s / (1 - s), the bridge reaches c when a Brownian motion reaches a
    line: x follows the inverse Gaussian law of mean (c - a) / |c - b| and shape (c - a)^2 / v
    (drawn as in Michael, Schucany and Haas 1976).

    Args:
        start: a, below the level; any shape, broadcast.
        end: b.
        level: c.
        variance: v, local variance rate times the length of the step, not negative.
        words: (..., 4) of `bridge_words`; words 1, 2 (a normal number) and 3 (a uniform one).

    Returns:
        Fractions in (0, 1].
    """
    library = torch if isinstance(words, torch.Tensor) else np
    inverse_mean = abs(level - end) / (level - start)
    u = philox.uniforms(words[..., 1:])
    normal = library.sqrt(-2 * library.log(u[..., 0])) * library.cos(2 * math.pi * u[..., 1])
    # both roots as 1/x, which stays finite when the bridge ends on the level
    y = normal**2 * variance / (2 * (level - start) ** 2)
    large = inverse_mean + y + library.sqrt(y * (y + 2 * inverse_mean))
    small = inverse_mean**2 / (large + 1e-300)  # both are 0 where the bridge ends on the level
    inverse = library.where(u[..., 2] * (large + inverse_mean) <= large, large, small)
    return 1 / (1 + inverse)
