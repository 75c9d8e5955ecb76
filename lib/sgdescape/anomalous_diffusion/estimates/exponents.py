"""What claims, figures and prose of chapter `anomalous_diffusion` read off its dataset."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sgdescape.anomalous_diffusion.theory.displacement import fitted_exponent
from sgdescape.core.stats.intervals import LEVEL, Interval


def jackknife(samples, statistic, *, level=LEVEL) -> Interval:
    """Return a statistic of the mean over replicas, with its jackknife t interval.

    Args:
        samples: (replicas, ...).
        statistic: maps means (..., as behind the first axis) to numbers; vectorised over further
            leading axes.
        level: of the interval.
    """
    x = np.asarray(samples, dtype=float)
    n = len(x)
    mean = x.mean(axis=0)
    value = float(statistic(mean))
    without = statistic((n * mean - x) / (n - 1))
    error = np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))
    half = stats.t.isf((1 - level) / 2, n - 1) * error
    return Interval(value, value - half, value + half, level, f"jackknife over {n} replicas")


def between(first: Interval, second: Interval) -> Interval:
    """Return the difference of two independent estimates, their half widths added in squares."""
    value = first.value - second.value
    half = np.hypot(first.high - first.value, second.high - second.value)
    return Interval(value, value - half, value + half, first.level, first.method)


def exponent(steps, samples, window, *, level=LEVEL) -> Interval:
    """Return c of the line through the mean displacement inside a window of steps.

    Args:
        steps: k (points,).
        samples: displacement of each replica (replicas, points).
        window: smallest and largest k.
        level: of the interval.
    """
    inside = in_window(steps, window)
    k = np.asarray(steps)[inside]
    return jackknife(np.asarray(samples)[:, inside], lambda y: fitted_exponent(k, y), level=level)


def in_window(steps, window):
    """Return which steps lie in a closed window."""
    return (np.asarray(steps) >= window[0]) & (np.asarray(steps) <= window[1])


def curve_exponent(steps, curve, window) -> float:
    """Return c of the line through a predicted curve inside a window of steps."""
    inside = in_window(steps, window)
    return float(fitted_exponent(np.asarray(steps)[inside], np.asarray(curve)[inside]))


def bands(steps, samples, *, level=0.95):
    """Return local exponents between neighbouring steps with their intervals, (4, points - 1).

    Args:
        steps: k (points,).
        samples: displacement of each replica (replicas, points).
        level: of each interval.

    Returns:
        Rows k, c, low, high.
    """
    k = np.asarray(steps, dtype=float)
    rows = []
    for i in range(k.size - 1):
        found = jackknife(
            samples[:, i : i + 2], lambda y, i=i: fitted_exponent(k[i : i + 2], y), level=level
        )
        rows.append((np.sqrt(k[i] * k[i + 1]), found.value, found.low, found.high))
    return np.array(rows).T


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of runs with one exponent each, as `collapse` takes it."""

    learning_rate: np.ndarray  # (runs,)
    batch_size: np.ndarray  # (runs,)
    momentum: np.ndarray  # (runs,)
    exponent: np.ndarray  # (runs,)
    samples: float


def grid(ds, *, exact=False) -> Grid:
    """Return the exponents of the chapter's own grid: one line through the second epoch.

    Args:
        ds: of `anomalous_diffusion.run`.
        exact: of the predicted curves instead of the measured ones.
    """
    curves = ds.grid_exact if exact else ds.grid_displacement.mean("grid_replica")
    return Grid(
        ds.grid_rate.values,
        ds.grid_size.values,
        ds.grid_momentum.values,
        fitted_exponent(ds.epoch.values, curves.values),
        ds.attrs["grid_samples"],
    )
