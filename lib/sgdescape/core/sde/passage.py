"""First passage of an Ito process, with the bias of looking only at the end of each step removed.

Between two steps the path is a Brownian bridge with the noise of the step's beginning. It crosses
a level c with probability exp(-2 (c - a)(c - b) / v) with both ends a, b below it (Gobet 2000).
Looking at the ends alone makes mean passage times wrong by O(sqrt(dt)); with the bridge it is
O(dt), and a Brownian motion with constant drift is exact at any dt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import brownian
from sgdescape.core.sde.models import PROCESSES, Bowl, Sde, _library, bowl_sde

__all__ = [
    "Passages",
    "Watch",
    "apply_noise",
    "bowl_levels",
    "bowl_reference",
    "increasing",
    "noise_variance",
    "reference",
    "watch_bowl",
]

COMPACT_EVERY = 256  # steps after which finished replicas leave the arrays


@dataclass(frozen=True)
class Passages:
    """When paths first reached each threshold, in time units of the SDE's own clock."""

    thresholds: (
        np.ndarray
    )  # (m,) increasing: loss ratios c of a Bowl, else values of the observable
    times: np.ndarray  # (replicas, m) first passages; NaN: not reached by last_time (censored)
    clocks: np.ndarray  # (replicas, m) the other clock at those times, Eq. (13); NaN also if none
    last_time: np.ndarray  # (replicas,) up to when each was followed
    diverged_at: np.ndarray  # (replicas,) int64 step after which state or loss were not finite; -1
    theta: np.ndarray  # (replicas, d) last state


@dataclass(frozen=True)
class Watch:
    """What is watched along a path: a scalar of the state and, for the bridge, its gradient.

    Args:
        observable: maps states (replicas, d) to (replicas,).
        gradient: maps states to the observable's gradient (replicas, d).
        clock_rate: maps states to the rate (replicas,) of a second clock; None for no second clock.
    """

    observable: Callable
    gradient: Callable | None = None
    clock_rate: Callable | None = None


@door
def watch_bowl(bowl: Bowl, process: str) -> Watch:
    """Return the watch on R = sqrt(2 (L - L*)), in which the level sets of a bowl are spheres.

    In one dimension R = sqrt(h) |z| is linear in z on each side, and the bridge exact for a frozen
    noise. The second clock is tau for Eq. (12) and t for Eq. (14), d tau = L dt, Eq. (13).

    Args:
        bowl: the valley.
        process: one of `sde_models.PROCESSES`.

    Raises:
        ValueError: if there is no such process.
    """
    validate.one_of("process", process, PROCESSES)

    def radius(theta):
        return _library(theta).sqrt(2 * (bowl.loss(theta) - bowl.minimum_loss))

    def gradient(theta):
        r = radius(theta)[:, None]
        return bowl.gradient(theta) / _library(theta).where(r > 0, r, 1 + 0 * r)

    rates = {"decoupled": bowl.loss, "time_changed": lambda theta: 1 / bowl.loss(theta)}
    return Watch(radius, gradient, rates.get(process))


@door
def bowl_levels(bowl: Bowl, loss_ratios) -> np.ndarray:
    """Return R = sqrt(2 L* (c - 1)) of loss ratios c >= 1, the levels for `watch_bowl`."""
    ratios = validate.each_at_least("loss_ratios", loss_ratios, 1)
    return np.sqrt(2 * bowl.minimum_loss * (ratios - 1))


@np.errstate(over="ignore", invalid="ignore")  # a diverged path is flagged, not warned of
def reference(
    sde: Sde,
    watch: Watch,
    start,
    *,
    levels: Sequence[float],
    dt: float,
    steps: int,
    replicas: range,
    seed: int,
    bridge: bool,
) -> dict:
    """Return the arrays of `Passages` for any SDE: NumPy or torch, whichever ``start`` is.

    Args:
        sde: the process.
        watch: what is watched; its gradient is needed with ``bridge``.
        start: states (replicas, d), NumPy or torch.
        levels: of the observable, increasing.
        dt: step of time.
        steps: at most so many.
        replicas: indices of the paths.
        seed: of the noise.
        bridge: whether crossings inside a step are seen.
    """
    library, count = _library(start), len(levels)
    n = start.shape[0]
    options = {"device": start.device} if library is torch else {}
    level = library.asarray(levels, dtype=start.dtype, **options)
    empty = library.full((n, count), float("nan"), dtype=library.float64, **options)
    times, clocks = empty, library.zeros_like(empty) + float("nan")
    index = library.arange(replicas.start, replicas.stop, **options)
    final, last = 1.0 * start, library.zeros(n, dtype=library.int64, **options)
    diverged = last - 1
    theta, value, rows = start, watch.observable(start), library.arange(n, **options)
    clock = library.zeros_like(empty[:, 0])
    below = value[:, None] < level
    times[~below] = 0.0
    clocks[~below] = 0.0
    noises = sde.noises or start.shape[1]
    for step in range(steps):
        if step % COMPACT_EVERY == 0:
            open_ = below[:, -1] & (diverged[rows] < 0)
            state = (theta, value, clock, rows, below)
            theta, value, clock, rows, below = (x[open_] for x in state)
            if len(rows) == 0:
                break
            batch = min(COMPACT_EVERY, brownian.batch_of_steps(len(rows), noises, 1))
            drawn = step
        if (step - drawn) % batch == 0:
            drawn = step
            span = range(step, min(step + batch, steps))
            draws = brownian.increments(
                seed, steps=span, dt=dt, replicas=index[rows], noises=noises, like=start
            )
        noise = sde.noise(theta)
        new = theta + sde.drift(theta) * dt + apply_noise(noise, draws[step - drawn])
        after, top = watch.observable(new), None
        moving = (diverged[rows] < 0) & below[:, -1]
        good = moving & library.isfinite(new).all(-1) & library.isfinite(after)
        if bridge:
            variance = dt * noise_variance(noise, watch.gradient(theta))
            words = brownian.bridge_words(seed, step=step, replicas=index[rows])
            top = brownian.bridge_maximum(value, after, variance, words)
        top = after if top is None else library.where(after > top, after, top)
        rate = 0 * clock if watch.clock_rate is None else watch.clock_rate(theta)
        crossed = below & (top[:, None] >= level) & good[:, None]
        if bool(crossed.any()):
            where, which = library.where(crossed)
            part = 1.0
            if bridge:
                ends = (value[where], after[where], level[which], variance[where])
                part = brownian.bridge_passage(*ends, words[where])
            times[rows[where], which] = dt * (step + part)
            clocks[rows[where], which] = clock[where] + rate[where] * dt * part
        lost = moving & ~good
        diverged[rows[lost]] = step + 1
        last[rows[good]] = step + 1
        final[rows[good | lost]] = new[good | lost]
        below = below & ~crossed
        theta, value, clock = new, after, clock + rate * dt
    if watch.clock_rate is None:
        clocks = clocks + float("nan")
    return {
        "times": _ordered(times),
        "clocks": _ordered(clocks),
        "last_time": dt * _numpy(last),
        "diverged_at": _numpy(diverged),
        "theta": _numpy(final),
    }


def apply_noise(noise, increments):
    """Return noise . dW (replicas, d); noise diagonal (replicas, d) or full (replicas, d, m)."""
    if noise.ndim == 2:
        return noise * increments
    return (noise * increments[:, None, :]).sum(-1)


def noise_variance(noise, gradient):
    """Return |noise^T gradient|^2 (replicas,), the variance rate of the observable."""
    if noise.ndim == 2:
        return ((noise * gradient) ** 2).sum(-1)
    return ((noise * gradient[:, :, None]).sum(1) ** 2).sum(-1)


def bowl_reference(
    bowl: Bowl, start, *, process: str, loss_ratios, diffusion: float | None, **options
) -> dict:
    """Return `reference` for a valley; ``options`` as there."""
    sde, watch = bowl_sde(bowl, process, diffusion=diffusion), watch_bowl(bowl, process)
    return reference(sde, watch, start, levels=bowl_levels(bowl, loss_ratios), **options)


@door
def increasing(name: str, values, *, above: float | None = None) -> np.ndarray:
    """Return ``values`` as a float64 array (m,) if they increase strictly and lie above a bound.

    Args:
        name: for the message.
        values: (m,).
        above: they must exceed it; None for no bound.

    Raises:
        ValueError: otherwise.
    """
    array = validate.finite(name, values)
    if array.ndim != 1 or (np.diff(array) <= 0).any():
        raise ValueError(f"{name} must be (m,), strictly increasing: got {values}")
    if above is not None and array[0] <= above:
        raise ValueError(f"{name} must be above {above}: got {array[0]}")
    return array


def _ordered(times):
    """Return times as NumPy; levels crossed within one step are put in order."""
    return np.maximum.accumulate(_numpy(times), axis=1)


def _numpy(array):
    return array.cpu().numpy() if isinstance(array, torch.Tensor) else array
