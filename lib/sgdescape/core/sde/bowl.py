"""Ensembles of Ito paths with multiplicative noise: integrate, and time first passages.

`simulate` integrates any `Sde` by Euler-Maruyama or Milstein; `first_passage` and `stationary` work
on large ensembles and have compiled kernels for the quadratic valley (`Bowl`). Replicas are given
as a range; a path depends on (seed, replica index) alone.
"""

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.sde import bowl_reference, passage, shapes
from sgdescape.core.sde.averages import Stationary
from sgdescape.core.sde.models import Bowl, Sde, bowl_sde, decoupled, gld, sgd, time_changed
from sgdescape.core.sde.passage import Passages, Watch
from sgdescape.core.sde.paths import (
    Paths,
    check,
    simulate,
    starting_states,
)

__all__ = [
    "Bowl",
    "Passages",
    "Paths",
    "Sde",
    "Stationary",
    "Watch",
    "bowl_sde",
    "decoupled",
    "first_passage",
    "gld",
    "sgd",
    "simulate",
    "stationary",
    "time_changed",
]

STEPS = 2**32 - 1  # the counter of the random numbers has 32 bits for the step


@door
def first_passage(
    problem: Bowl | Sde,
    *,
    thresholds,
    dt: float,
    max_time: float,
    replicas: range,
    seed: int,
    bridge: bool = True,
    start=None,
    process: str = "decoupled",
    diffusion: float | None = None,
    watch: Watch | None = None,
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
) -> Passages:
    """First times at which each path reaches each of several thresholds, Euler-Maruyama.

    The mean first passage time is wrong by O(dt) with the bridge and by O(sqrt(dt)) without.

    Args:
        problem: a `Bowl`, watched by its loss, or any `Sde` with a ``watch``.
        thresholds: (m,) strictly increasing. Bowl: loss ratios c = L / L*, above 1. Sde: values of
            the observable.
        dt: step of the SDE's own time (t, or tau for Eq. (14)), positive.
        max_time: paths are followed so long (rounded up to whole steps); later passages are
            censored (NaN).
        replicas: indices of the paths.
        seed: of the noise, in [0, 2^64).
        bridge: False sees the path at the ends of the steps only, and is there to show the bias.
        start: (d,) or (replicas, d); a Bowl's minimum if None. Paths that start at or above a
            threshold have reached it at time 0.
        process: Bowl only: "decoupled" Eq. (12), "time_changed" Eq. (14), "gld" Eq. (5).
        diffusion: D of "gld", there only.
        watch: Sde only: the observable, its gradient (for the bridge) and perhaps a second clock.
        engine: "reference" (NumPy; torch on a GPU), "numba" or "triton" (both Bowl only), or
            "auto": triton on a GPU, numba on a CPU, reference for an Sde.
        dtype: "float64" or "float32", of the states; an Sde takes that of ``start``.
        device: "auto", "cpu" or "cuda"; an Sde takes that of ``start``.

    Returns:
        Passage times in the SDE's own clock, with those of the other clock beside them.

    Raises:
        TypeError: if ``problem`` is neither, or a count is not an integer.
        ValueError: if an argument lies outside its range or does not belong to the problem.

    Example:
        >>> bowl = Bowl((1.0,), minimum_loss=0.5, learning_rate=0.1, batch_size=1)
        >>> p = first_passage(bowl, thresholds=[1.2, 1.5], dt=0.02, max_time=100.0,
        ...                   replicas=range(4), seed=0, engine="reference")
        >>> p.times.shape, bool((p.times[:, 0] <= p.times[:, 1]).all())
        ((4, 2), True)
    """
    _ensemble(dt, seed, dtype)
    validate.device(device)
    steps = int(np.ceil(validate.positive("max_time", max_time) / dt * (1 - 1e-12)))
    validate.count("max_time / dt", steps, high=STEPS)
    common = {"dt": dt, "steps": steps, "replicas": replicas, "seed": seed, "bridge": bool(bridge)}
    if isinstance(problem, Bowl):
        if watch is not None:
            raise ValueError("watch belongs to an Sde: a Bowl is watched by its loss")
        levels = passage.increasing("thresholds", thresholds, above=1)
        bowl_sde(problem, process, diffusion=diffusion)  # refuses what does not fit
        theta = _bowl_start(problem, start, replicas, dtype)
        engine = bowl_reference.engine_for(engine, device)
        run = _kernel(engine, "first_passage") or passage.bowl_reference
        theta = _to_device(theta, engine, device)
        own = {"process": process, "loss_ratios": levels, "diffusion": diffusion}
        return Passages(levels, **run(problem, theta, **own, **common))
    if not isinstance(problem, Sde):
        raise TypeError(f"problem must be a Bowl or an Sde: got {type(problem).__name__}")
    check(problem, dt=dt, seed=seed)
    if not isinstance(watch, Watch):
        raise TypeError(f"watch must be a Watch for an Sde: got {type(watch).__name__}")
    if bridge and watch.gradient is None:
        raise ValueError("watch must have a gradient for bridge=True: got None")
    if engine not in ("auto", "reference"):
        raise ValueError(f"engine must be 'auto' or 'reference' for an Sde: got {engine!r}")
    if start is None:
        raise ValueError("start must be given for an Sde: got None")
    levels = passage.increasing("thresholds", thresholds)
    theta = starting_states(start, replicas)
    shapes.of_sde(problem, theta)
    shapes.of_watch(watch, theta, bridge=bool(bridge))
    return Passages(levels, **passage.reference(problem, watch, theta, levels=levels, **common))


@door
def stationary(
    bowl: Bowl,
    *,
    dt: float,
    steps: int,
    burn_in: int,
    replicas: range,
    seed: int,
    process: str = "decoupled",
    diffusion: float | None = None,
    clock: str | None = None,
    edges=None,
    quantity: str = "loss_ratio",
    record_every: int = 1,
    keep_every: int | None = None,
    start=None,
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
) -> Stationary:
    """Time averages, histogram and samples of a stationary process in a quadratic valley.

    Averages are over time in either clock: weighting Eq. (14) by dt = dtau / L gives the law of
    Eq. (12), Eq. (43) of Mori et al.

    Args:
        bowl: the valley.
        dt: step of the SDE's own time (t, or tau for Eq. (14)), positive.
        steps: number of steps averaged over.
        burn_in: number of steps before, at least 0.
        replicas: indices of the paths.
        seed: of the noise, in [0, 2^64).
        process: "decoupled" Eq. (12), "time_changed" Eq. (14), "gld" Eq. (5).
        diffusion: D of "gld", there only.
        clock: "t" or "tau"; None: the process's own.
        edges: (bins + 1,) of the histogram, strictly increasing; None for no histogram.
        quantity: of the histogram: "loss_ratio" L / L*, or "radius" |z|.
        record_every: steps between entries in the histogram.
        keep_every: steps between states kept as samples; None keeps none.
        start: (d,) or (replicas, d); the minimum if None.
        engine: "auto", "reference", "numba" or "triton", as in `first_passage`.
        dtype: "float64" or "float32", of the states.
        device: "auto", "cpu" or "cuda".

    Returns:
        Averages per replica: independent values for an interval.

    Raises:
        TypeError: if ``bowl`` is not a `Bowl`, or a count is not an integer.
        ValueError: if an argument lies outside its range.

    Example:
        >>> bowl = Bowl((1.0,), minimum_loss=0.5, learning_rate=0.1, batch_size=1)
        >>> s = stationary(bowl, dt=0.1, steps=100, burn_in=100, replicas=range(8), seed=0,
        ...                engine="reference")
        >>> s.loss.shape, float(s.duration[0].round(6))
        ((8,), 10.0)
    """
    bowl_sde(bowl, process, diffusion=diffusion)
    _ensemble(dt, seed, dtype)
    validate.count("steps", steps)
    validate.count("burn_in", burn_in, low=0)
    validate.count("burn_in + steps", burn_in + steps, high=STEPS)
    own = bowl_reference.OWN_CLOCK[process]
    clock = own if clock is None else validate.one_of("clock", clock, bowl_reference.CLOCKS)
    if process == "gld" and clock == "tau":
        raise ValueError("clock must be 't' for process 'gld': got 'tau'")
    validate.one_of("quantity", quantity, bowl_reference.QUANTITIES)
    validate.count("record_every", record_every)
    kept = 0 if keep_every is None else validate.count("keep_every", keep_every)
    edges = np.array([0.0, np.inf]) if edges is None else passage.increasing("edges", edges)
    engine = bowl_reference.engine_for(engine, device)
    theta = _to_device(_bowl_start(bowl, start, replicas, dtype), engine, device)
    arrays = (_kernel(engine, "stationary") or bowl_reference.stationary_reference)(
        bowl,
        theta,
        process=process,
        diffusion=diffusion,
        clock=clock,
        dt=dt,
        steps=steps,
        burn_in=burn_in,
        replicas=replicas,
        seed=seed,
        record_every=record_every,
        edges=edges,
        quantity=quantity,
        keep_every=kept,
    )
    return bowl_reference.stationary_result(arrays, edges=edges, dt=dt)


def _ensemble(dt, seed, dtype):
    validate.positive("dt", dt)
    validate.count("seed", seed, low=0, high=2**64 - 1)
    validate.one_of("dtype", dtype, ("float64", "float32"))


def _bowl_start(bowl, start, replicas, dtype):
    """Return states (replicas, d) in ``dtype``, NumPy or torch as given."""
    theta = starting_states(np.zeros(bowl.dimension) if start is None else start, replicas)
    if theta.shape[1] != bowl.dimension:
        shape = tuple(theta.shape)
        raise ValueError(f"start must have {bowl.dimension} coordinates: got shape {shape}")
    if isinstance(theta, torch.Tensor):
        return theta.to(getattr(torch, dtype))
    return theta.astype(dtype)


def _kernel(engine, name):
    """Return the engine's function, imported only now; None for the reference."""
    if engine == "numba":
        from sgdescape.core.sde.kernels import sde_numba

        return getattr(sde_numba, name)
    if engine == "triton":
        from sgdescape.core.sde.kernels import sde_triton

        return getattr(sde_triton, name)
    return None


def _to_device(theta, engine, device):
    """Return the states as NumPy for numba, as a tensor for Triton or a GPU, else as they are."""
    cuda = validate.device(device).type == "cuda"
    if engine == "numba":
        return theta.cpu().numpy() if isinstance(theta, torch.Tensor) else theta
    if engine == "triton" or cuda:
        return torch.as_tensor(theta, device="cuda" if cuda else "cpu")
    return theta
