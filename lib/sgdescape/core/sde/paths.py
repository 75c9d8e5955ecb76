"""Integration of Ito SDEs for many replicas, and several discretisations on one Brownian motion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.random import brownian
from sgdescape.core.sde import passage
from sgdescape.core.sde.models import Sde, _library

__all__ = [
    "ClockPair",
    "Paths",
    "check",
    "coupled",
    "coupled_clocks",
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


@dataclass(frozen=True)
class ClockPair:
    """One path in both clocks, driven by one Brownian motion."""

    tau: np.ndarray  # (records, replicas) Eq. (13), the integral of L dt along the path of Eq. (12)
    t: np.ndarray  # (records, replicas) t of Eq. (12) at these tau
    t_back: np.ndarray  # (records, replicas) t from the path of Eq. (14), the integral of dtau / L
    slow: np.ndarray  # (records, replicas, d) theta_t of Eq. (12)
    fast: np.ndarray  # (records, replicas, d) theta of Eq. (14) at the same tau
    brownian: np.ndarray  # (records, replicas, d) integral of sqrt(L) dW, drives Eq. (14)


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
    observe = observe or (lambda state: state)
    correct = scheme == "milstein"
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


def coupled(
    sde: Sde,
    start,
    *,
    dt: float,
    steps: int,
    levels: int,
    seed: int,
    replicas: range,
    scheme: str = "euler",
) -> tuple[np.ndarray, list]:
    """End states of the same Brownian paths at dt, dt/2, ..., dt/2^levels: for strong orders.

    Args:
        sde: the process.
        start: as in `simulate`.
        dt: the largest step.
        steps: number of the largest steps.
        levels: how often dt is halved, at least 1.
        seed: of the noise.
        replicas: indices of the paths.
        scheme: "euler" or "milstein".

    Returns:
        The step sizes (levels + 1,), decreasing, and as many arrays of end states (replicas, d).
        The Brownian motion's own end is the sum of `brownian.increments` with these arguments.

    Raises:
        TypeError: as `simulate`.
        ValueError: as `simulate`.

    Example:
        >>> from sgdescape.core.sde.models import gld
        >>> ou = gld(lambda x: x, diffusion=0.5)
        >>> sizes, ends = coupled(ou, np.ones(1), dt=0.1, steps=8, levels=2, seed=0,
        ...                       replicas=range(4))
        >>> [float(s) for s in sizes], ends[0].shape
        ([0.1, 0.05, 0.025], (4, 1))
    """
    validate.count("levels", levels)
    validate.count("steps", steps)
    sizes = np.ldexp(validate.positive("dt", dt), -np.arange(levels + 1))
    ends = [
        simulate(
            sde,
            start,
            dt=float(size),
            steps=steps << level,
            record_every=steps << level,
            substeps=1 << (levels - level),
            seed=seed,
            replicas=replicas,
            scheme=scheme,
        ).theta
        for level, size in enumerate(sizes)
    ]
    return sizes, ends


def coupled_clocks(
    slow: Sde,
    fast: Sde,
    loss: Callable,
    start,
    *,
    dt: float,
    steps: int,
    tau_step: float,
    records: int,
    seed: int,
    replicas: range,
    substeps: int = 1,
) -> ClockPair:
    """Drive Eq. (12) and Eq. (14) by the same Brownian motion, path by path: Eq. (13).

    Eq. (12) runs on the grid of dt and gives tau = sum L dt and the Brownian motion of the new
    clock, sum sqrt(L) dW. Eq. (14) then runs on its own states with steps of tau that end where
    tau first passes a multiple of ``tau_step``; its increments are those sums over the step, so no
    interpolation enters. Both paths tend to each other as dt and tau_step go to zero; for
    tau_step -> 0 at fixed dt they are the same numbers, because Euler's scheme for Eq. (14) is that
    for Eq. (12) with steps dt = dtau / L.

    Args:
        slow: Eq. (12), `decoupled`.
        fast: Eq. (14), `time_changed`, of the same loss.
        loss: maps states (replicas, d) to L (replicas,).
        start: as in `simulate`, NumPy.
        dt: step of t, positive.
        steps: number of steps in t.
        tau_step: target step of tau, positive; steps are longer by up to L dt.
        records: number of tau steps to return; each path must get that far.
        seed: of the noise.
        replicas: indices of the paths.
        substeps: as in `simulate`.

    Returns:
        Both paths at the same tau, the first record is the start.

    Raises:
        TypeError: as `simulate`.
        ValueError: as `simulate`, or if some path does not reach ``records`` steps of tau.
    """
    theta = starting_states(start, replicas)
    if isinstance(theta, torch.Tensor):
        raise TypeError("start must be a NumPy array: got a torch tensor")
    check(slow, dt=dt, seed=seed, scheme="euler", substeps=substeps)
    check(fast, dt=dt, seed=seed, scheme="euler", substeps=substeps)
    validate.count("steps", steps)
    validate.count("records", records)
    validate.positive("tau_step", tau_step)
    n, d = theta.shape
    zero = np.zeros(n)
    shapes = {"tau": (), "t": (), "t_back": (), "slow": (d,), "fast": (d,), "brownian": (d,)}
    out = {name: np.full((records + 1, n, *shape), np.nan) for name, shape in shapes.items()}
    state, other = {"tau": zero, "w": 0 * theta}, {"tau": zero, "w": 0 * theta, "t": zero}
    done, moving = np.zeros(n, dtype=np.int64), 1.0 * theta
    for name, value in (("tau", 0), ("t", 0), ("t_back", 0), ("slow", theta), ("fast", theta)):
        out[name][0] = value
    out["brownian"][0] = 0
    for step, dw in enumerate(_draws(None, seed, [dt] * steps, replicas, d, substeps, theta)):
        level = loss(theta)
        noise = passage.apply_noise(slow.noise(theta), dw)
        theta = theta + slow.drift(theta) * dt + noise
        state = {"tau": state["tau"] + level * dt, "w": state["w"] + np.sqrt(level)[:, None] * dw}
        hit = (state["tau"] >= (done + 1) * tau_step * (1 - 1e-12)) & (done < records)
        if not hit.any():
            continue
        size = (state["tau"] - other["tau"])[hit]
        before = moving[hit]
        push = passage.apply_noise(fast.noise(before), (state["w"] - other["w"])[hit])
        back = other["t"].copy()
        back[hit] += size / loss(before)
        moving[hit] = before + fast.drift(before) * size[:, None] + push
        for name in ("tau", "w"):
            other[name] = np.where(hit if name == "tau" else hit[:, None], state[name], other[name])
        other["t"] = back
        done = done + hit
        row, column = done[hit], np.flatnonzero(hit)
        out["tau"][row, column] = state["tau"][hit]
        out["t"][row, column] = dt * (step + 1)
        out["t_back"][row, column] = back[hit]
        out["slow"][row, column] = theta[hit]
        out["fast"][row, column] = moving[hit]
        out["brownian"][row, column] = state["w"][hit]
        if (done == records).all():
            return ClockPair(**out)
    raise ValueError(
        f"steps must let every path reach tau = {records} x {tau_step}: after {steps} steps of "
        f"{dt} the slowest is at {state['tau'].min():.3g}"
    )


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
