"""Integration of Ito SDEs for many replicas."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import brownian
from sgdescape.core.sde import passage, shapes
from sgdescape.core.sde.models import Sde, _library

__all__ = [
    "Paths",
    "check",
    "simulate",
    "starting_states",
]

SCHEMES = ("euler", "milstein")


@dataclass(frozen=True)
class Paths:
    """Recorded paths; the first record is the start."""

    times: np.ndarray  # (records,) in the SDE's own time
    values: np.ndarray | torch.Tensor  # (records, replicas, ...) states, or what observe returned
    theta: np.ndarray | torch.Tensor  # (replicas, d) last state
    diverged_at: np.ndarray  # (replicas,) int64 step after which a state was not finite; -1: never


@door
def simulate(
    sde: Sde,
    start,
    *,
    dt: float,
    seed: int,
    replicas: range,
    steps: int | None = None,
    times=None,
    scheme: str = "euler",
    record_every: int = 1,
    observe: Callable | None = None,
    substeps: int = 1,
    increments=None,
) -> Paths:
    """Integrate an ensemble of paths.

    Euler-Maruyama: theta + drift dt + noise dW, weak order 1, strong order 1/2 (1 if the noise is
    additive). Milstein adds the SDE's correction, strong order 1.

    Args:
        sde: the process.
        start: states (replicas, d), or one (d,) for all; NumPy or torch decides where and in which
            precision (float64 or float32) the paths are made.
        dt: step of time, positive; with ``times`` the largest step.
        seed: of the noise, in [0, 2^64).
        replicas: indices of the paths, e.g. range(1000); chunks of a range give the same paths.
        steps: number of steps; either this or ``times``.
        times: increasing positive times at which to record: each interval between them is cut into
            the smallest number of equal steps not above dt. ``record_every`` is then not used.
        scheme: "euler" or "milstein".
        record_every: record every so many steps.
        observe: maps states (replicas, d) to what is recorded, (replicas, ...); None: the states.
        substeps: draw each increment as a sum of so many, so that runs of equal dt / substeps see
            the same Brownian path.
        increments: (steps, replicas, m) given Brownian increments instead of drawn ones.

    Returns:
        The records. A replica that leaves the finite numbers stays there and is flagged.

    Raises:
        TypeError: if a count is not an integer or ``sde`` not an `Sde`.
        ValueError: if a number lies outside its range, shapes do not fit, or Milstein is asked for
            where the SDE has no correction.

    Example:
        >>> from sgdescape.core.sde.models import gld
        >>> ou = gld(lambda x: x, diffusion=0.5)
        >>> paths = simulate(ou, np.zeros(1), dt=0.1, steps=5, seed=0, replicas=range(3))
        >>> paths.values.shape
        (6, 3, 1)
    """
    theta = starting_states(start, replicas)
    check(sde, dt=dt, seed=seed, scheme=scheme, substeps=substeps)
    validate.count("record_every", record_every)
    sizes, records = _schedule(dt, steps, times, record_every)
    noises = sde.noises or theta.shape[1]
    if increments is not None:
        _check_increments(increments, sizes, replicas, noises, substeps)
    correct = scheme == "milstein"
    with np.errstate(all="ignore"):
        shapes.of_sde(sde, theta, milstein=correct)
    observe = observe or (lambda state: state)
    values, diverged = [observe(theta)], _minus_ones(theta)
    draws = _draws(increments, seed, sizes, replicas, noises, substeps, theta)
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged path is flagged, not warned of
        for step, (size, dw) in enumerate(zip(sizes, draws, strict=True), start=1):
            last = theta
            theta = last + sde.drift(last) * size + passage.apply_noise(sde.noise(last), dw)
            if correct:
                theta = theta + sde.milstein(last, dw, size)
            lost = (diverged < 0) & ~_finite_rows(theta)
            diverged[lost] = step
            if step in records:
                values.append(observe(theta))
    stack = torch.stack if isinstance(theta, torch.Tensor) else np.stack
    clock = np.concatenate([[0.0], np.cumsum(sizes)])[[0, *sorted(records)]]
    if times is not None:
        clock[1:] = times
    return Paths(clock, stack(values), theta, _numpy(diverged))


@door
def starting_states(start, replicas: range):
    """Return states (replicas, d) of an array (d,) or (replicas, d), NumPy or torch.

    Args:
        start: what the caller gave; NumPy integers become float64.
        replicas: a range of step 1.

    Raises:
        TypeError: if ``replicas`` is not a range.
        ValueError: if the shapes do not fit or a value is not finite.
    """
    if not isinstance(replicas, range):
        raise TypeError(f"replicas must be a range: got {type(replicas).__name__}")
    if (
        len(replicas) == 0
        or replicas.step != 1
        or not 0 <= replicas.start < replicas.stop <= 1 << 32
    ):
        raise ValueError(
            f"replicas must be a range of step 1 in [0, 2^32), not empty: got {replicas}"
        )
    n = len(replicas)
    if isinstance(start, torch.Tensor):
        if start.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"start must be float32 or float64: got {start.dtype}")
        fine, theta = bool(torch.isfinite(start).all()), start
    else:
        theta = np.asarray(start)
        theta = theta if theta.dtype == np.float32 else validate.finite("start", theta)
        fine = bool(np.isfinite(theta).all())
    if theta.ndim not in (1, 2) or (theta.ndim == 2 and theta.shape[0] != n):
        shape = tuple(theta.shape)
        raise ValueError(
            f"start must be (d,) or (replicas, d) with {n} replicas: got shape {shape}"
        )
    if not fine or 0 in theta.shape:
        raise ValueError("start must be finite and not empty")
    return _library(theta).broadcast_to(theta, (n, theta.shape[-1])) + 0


@door
def check(sde: Sde, *, dt: float, seed: int, scheme: str = "euler", substeps: int = 1) -> None:
    """Refuse what no integration can use, with the argument's name, value and range."""
    if not isinstance(sde, Sde):
        raise TypeError(f"sde must be an Sde: got {type(sde).__name__}")
    validate.positive("dt", dt)
    validate.count("seed", seed, low=0, high=2**64 - 1)
    validate.count("substeps", substeps)
    validate.one_of("scheme", scheme, SCHEMES)
    if scheme == "milstein" and sde.milstein is None:
        raise ValueError(
            f"scheme must be 'euler' for {sde.name}: its noise does not commute (or no Milstein "
            "correction is given), got 'milstein'"
        )


def _schedule(dt, steps, times, record_every):
    """Return the sizes of all steps and the numbers of the steps after which to record."""
    if (steps is None) == (times is None):
        raise ValueError(f"give either steps or times: got steps={steps}, times={times}")
    if times is None:
        validate.count("steps", steps, high=2**32 - 1)
        return [dt] * steps, set(range(record_every, steps + 1, record_every))
    times = passage.increasing("times", times, above=0)
    gaps = np.diff(times, prepend=0.0)
    counts = np.ceil(gaps / dt * (1 - 1e-12)).astype(int)  # a gap of 3 dt is 3 steps after rounding
    sizes = np.repeat(gaps / counts, counts).tolist()
    return sizes, set(np.cumsum(counts).tolist())


def _draws(increments, seed, sizes, replicas, noises, substeps, theta):
    """Yield dW (replicas, noises) step by step, drawn many steps at once."""
    if increments is not None:
        yield from increments
        return
    batch = brownian.batch_of_steps(len(replicas), noises, substeps)
    for first in range(0, len(sizes), batch):
        span = range(first, min(first + batch, len(sizes)))
        unit = brownian.increments(
            seed,
            steps=span,
            dt=1.0,
            replicas=replicas,
            noises=noises,
            substeps=substeps,
            like=theta,
        )
        for step in span:
            yield unit[step - first] * sizes[step] ** 0.5


def _check_increments(increments, sizes, replicas, noises, substeps):
    expected = (len(sizes), len(replicas), noises)
    if tuple(increments.shape) != expected:
        shape = tuple(increments.shape)
        raise ValueError(f"increments must be (steps, replicas, noises) = {expected}: got {shape}")
    if substeps != 1:
        raise ValueError(f"substeps must be 1 where increments are given: got {substeps}")


def _finite_rows(theta):
    return _library(theta).isfinite(theta).all(-1)


def _minus_ones(theta):
    if isinstance(theta, torch.Tensor):
        return torch.full((theta.shape[0],), -1, device=theta.device)
    return np.full(theta.shape[0], -1)


def _numpy(array):
    return array.cpu().numpy() if isinstance(array, torch.Tensor) else array
