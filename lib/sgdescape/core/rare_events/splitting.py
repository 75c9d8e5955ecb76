"""Adaptive multilevel splitting: the replicas that climbed least are replaced, level by level."""

import hashlib
import importlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import seeds
from sgdescape.core.runs import sweep as runner
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval

Step = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Score = Callable[[np.ndarray], np.ndarray]


class TooFewRepetitionsError(RuntimeError):
    """One repetition carries most of the estimate: the interval between them would not be honest.

    Args:
        message: says so.
        estimates: of the repetitions (repetitions,).
    """

    def __init__(self, message, estimates):
        super().__init__(message, estimates)
        self.estimates = estimates

    def __str__(self):
        return self.args[0]


@dataclass(frozen=True)
class Splitting:
    """A small probability with its interval.

    Args:
        probability: mean of the repetitions with its interval.
        estimates: of the independent repetitions (repetitions,), each unbiased.
        levels: mean number of levels of a repetition.
        steps: of the chain that were simulated in all, the cost.
    """

    probability: Interval
    estimates: np.ndarray  # (repetitions,)
    levels: float
    steps: int


@door
def probability(
    step: Step,
    start,
    score: Score,
    *,
    target: float,
    steps: int,
    replicas: int = 400,
    share: float = 0.25,
    repetitions: int = 20,
    seed: int = 0,
    level: float = LEVEL,
    executor: Executor | None = None,
    store: str | Path | None = None,
    progress: bool = False,
) -> Splitting:
    """Return the chance that the score reaches the target within so many steps.

    Args:
        step: (states (n, d), generator) -> next states (n, d); independent rows, any n.
        start: x_0 (d,), the same for all.
        score: states (n, d) -> (n,), larger is nearer to the event; only steers, except for the
            event itself: score >= target.
        target: of the score.
        steps: K; the event is max over k <= K of the score >= target.
        replicas: n of each repetition, at least 10.
        share: of the replicas replaced a level, in (0, 1).
        repetitions: independent ones, at least 4; a function of (seed, index) alone.
        seed: integer.
        level: of the interval, in (0, 1).
        executor: of the repetitions, see `core.runs.engines`; None computes in this process.
        store: folder for finished repetitions, as in `core.runs.sweep`: after a stop the same call
            continues from them, and with more repetitions it makes only the new ones.
        progress: show a bar on stderr; it asks the same of step and score as a store does.

    Returns:
        The probability with its interval between repetitions, whatever executor and store.

    Raises:
        ChunkError: if a repetition fails on the way to a store or on an executor.
        TypeError: if step or score, with any of these three, cannot be found again by their names.
        TooFewRepetitionsError: if one repetition is more than half of the sum.
        ValueError: if an argument lies outside its range, or a callback returns another shape.

    Example:
        >>> def walk(x, rng):
        ...     return x + rng.choice([-1.0, 1.0], size=x.shape)
        >>> found = probability(walk, np.zeros(1), lambda x: x[:, 0], target=10.0, steps=10)
        >>> found.probability.low < 2.0**-10 < found.probability.high
        True
    """
    validate.count("repetitions", repetitions, low=4)
    options = {"steps": steps, "size": replicas, "share": share}
    if executor is None and store is None and not progress:
        made = _repeat(range(repetitions), step, score, start, target=target, seed=seed, **options)
    else:
        start = validate.finite("start", start).tolist()
        goal = float(validate.finite("target", target))
        options |= {"calls": [_name(step), _name(score)], "start": start}
        made = runner.sweep(
            _chunk, {"target": [goal]}, replicas=repetitions, seed=seed, chunk_size=1,
            options=options, version=_version(step, score),
            executor=executor, store=store, progress=progress,
        ).isel(target=0)  # fmt: skip
    estimates = np.asarray(made["estimate"])
    largest = estimates.max()
    if largest > 0.5 * estimates.sum() and repetitions > 2:
        raise TooFewRepetitionsError(
            f"one of {repetitions} repetitions is {100 * largest / estimates.sum():.0f} % of the "
            f"sum: more replicas ({replicas}) or another score are needed",
            estimates,
        )
    interval = mean_interval(estimates, level=level)
    interval = Interval(
        interval.value, max(interval.low, 0.0), interval.high, level, "between repetitions"
    )
    return Splitting(
        interval,
        estimates,
        float(np.mean(made["levels"])),
        int(np.sum(made["steps"])),
    )


def _repeat(indices, step, score, start, *, target, steps, size, share, seed):
    """Repetitions by their indices: name -> array (repetitions,)."""
    rows = [
        split_once(
            step, start, score, target=target, steps=steps, replicas=size, share=share,
            seed=seed, index=index,
        )
        for index in indices
    ]  # fmt: skip
    estimates, levels, made = zip(*rows, strict=True)
    return {"estimate": np.array(estimates), "levels": np.array(levels), "steps": np.array(made)}


def _chunk(replicas, *, calls, start, **options):
    """The same for the runner: callbacks by their names, so that what is stored has an identity."""
    step, score = (attrgetter(name)(importlib.import_module(module)) for module, name in calls)
    return _repeat(replicas, step, score, np.array(start), **options)


def _name(function):
    """Module and name under which another process finds a callback."""
    place = getattr(function, "__module__", None), getattr(function, "__qualname__", "<none>")
    if place[0] is None or "<" in place[1]:
        raise TypeError(
            "step and score must be defined at the top of a module, to be found again with an "
            f"executor or a store: got {function!r}"
        )
    return list(place)


def _version(*functions):
    """Hash of everything that stored repetitions depend on, other than arguments."""
    whole = "".join(runner.code_version(function) for function in functions)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


@door
def split_once(
    step: Step, start, score: Score, *, target, steps, replicas=400, share=0.25, seed=0, index=0
) -> tuple[float, int, int]:
    """Return one unbiased estimate, its number of levels and the steps simulated.

    A function of its arguments alone: repetitions may run anywhere, in any order, and a chunk of
    them is found again after a stop by whatever keeps results (`core.runs.sweep`).

    Each level is the k-th smallest of the replicas' best scores. All at or below it are replaced
    by copies of others, cut where those first rose above the level; the estimate is multiplied by
    the share that stayed. Counting equal scores among the replaced keeps it unbiased.

    Args:
        step: as in `probability`.
        start: as in `probability`.
        score: as in `probability`.
        target: of the score.
        steps: K.
        replicas: n.
        share: of the replicas replaced a level.
        seed: integer.
        index: of the repetition, at least 0.

    Returns:
        Estimate, levels, steps.

    Raises:
        ValueError: as `probability`.

    Example:
        >>> def walk(x, rng):
        ...     return x + rng.choice([-1.0, 1.0], size=x.shape)
        >>> estimate, levels, cost = split_once(
        ...     walk, np.zeros(1), lambda x: x[:, 0], target=3.0, steps=10, index=1
        ... )
        >>> 0.2 < estimate < 0.5
        True
    """
    start = validate.finite("start", start)
    if start.ndim != 1:
        raise ValueError(f"start must be (d,): got shape {start.shape}")
    target = float(validate.finite("target", target))
    horizon = validate.count("steps", steps)
    n = validate.count("replicas", replicas, low=10)
    removed = max(1, int(validate.within("share", share, low=0, high=1, open_low=True) * n))
    key = seeds.derive(seed, "rare_events", "splitting", validate.count("index", index, low=0))
    rng = np.random.Generator(np.random.Philox(key=key))

    paths = np.empty((n, horizon + 1, start.size))
    scores = np.empty((n, horizon + 1))
    paths[:, 0], scores[:, 0] = start, _scores(score, np.tile(start, (n, 1)))
    cost = _simulate(paths, scores, np.arange(n), np.zeros(n, int), step, score, rng)
    estimate, levels = 1.0, 0
    while True:
        best = scores.max(axis=1)
        level = np.partition(best, removed - 1)[removed - 1]
        if level >= target:
            break
        dead = np.flatnonzero(best <= level)
        alive = np.flatnonzero(best > level)
        estimate *= alive.size / n
        levels += 1
        if not alive.size:
            return 0.0, levels, cost
        parents = rng.choice(alive, dead.size)
        cut = np.argmax(scores[parents] > level, axis=1)
        paths[dead], scores[dead] = paths[parents], scores[parents]
        cost += _simulate(paths, scores, dead, cut, step, score, rng)
    return float(estimate * np.mean(best >= target)), levels, cost


def _simulate(paths, scores, rows, since, step, score, rng):
    """Continue paths from their times ``since`` to the end, in place; return the steps made."""
    horizon = scores.shape[1] - 1
    made = 0
    # latest last: the rows that still move are then a slice
    order = np.argsort(since, kind="stable")
    rows, since = rows[order], since[order]
    for offset in range(horizon - (since[0] if since.size else horizon)):
        moving = np.searchsorted(since, horizon - offset)  # since + offset < horizon
        who, when = rows[:moving], since[:moving] + offset
        before = paths[who, when]
        after = np.asarray(step(before, rng))
        if after.shape != before.shape:
            raise ValueError(f"step must return states {before.shape}: got shape {after.shape}")
        paths[who, when + 1] = after
        scores[who, when + 1] = _scores(score, after)
        made += moving
    return int(made)


def _scores(score, states):
    found = np.asarray(score(states), float)
    if found.shape != states.shape[:1]:
        raise ValueError(f"score must return ({states.shape[0]},): got shape {found.shape}")
    if np.isnan(found).any():
        raise ValueError("score must be a number for every state: got NaN")
    return found


__all__ = ["Score", "Splitting", "Step", "TooFewRepetitionsError", "probability", "split_once"]
