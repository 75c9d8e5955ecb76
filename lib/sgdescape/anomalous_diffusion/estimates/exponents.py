"""What claims, figures and prose of chapter `anomalous_diffusion` read off its dataset."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval


@door
def local_exponents(steps, displacement):
    """Return c between neighbouring points: the slope in logarithms, Eq. (local-exponent).

    Args:
        steps: k > 0, ascending (points,).
        displacement: positive (..., points).

    Returns:
        Middles of the intervals in ln k (points - 1,), and exponents (..., points - 1).

    Raises:
        ValueError: for fewer than two points, or values that are not positive and ascending.

    Example:
        >>> local_exponents([1, 2, 4], [3.0, 12.0, 48.0])[1]
        array([2., 2.])
    """
    k = validate.within("steps", steps, low=0, open_low=True)
    square = validate.within("displacement", displacement, low=0, open_low=True)
    if k.ndim != 1 or k.size < 2 or square.shape[-1] != k.size or np.any(np.diff(k) <= 0):
        raise ValueError(f"steps must ascend, one a point: got {k.shape} and {square.shape}")
    return np.sqrt(k[1:] * k[:-1]), np.diff(np.log(square), axis=-1) / np.diff(np.log(k))


@door
def fitted_exponent(steps, displacement):
    """Return c of a least-squares line through ln E|Delta_k|^2 against ln k, Eq. (local-exponent).

    Args:
        steps: k > 0 (points,).
        displacement: positive (..., points).

    Returns:
        The slope (...).
    """
    k = np.log(validate.within("steps", steps, low=0, open_low=True))
    square = np.log(validate.within("displacement", displacement, low=0, open_low=True))
    validate.count("points", k.size, low=2)
    centred = k - k.mean()
    return square @ centred / (centred @ centred)


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


def contrast(values) -> np.ndarray:
    """Return the weights of the mean at the largest value less the mean at the smallest (n,)."""
    high, low = np.isclose(values, np.max(values)), np.isclose(values, np.min(values))
    return high / high.sum() - low / low.sum()


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


def exponent_change(steps, curve, windows):
    """Return c of a line through a long window less that through a short one.

    Args:
        steps: k (points,).
        curve: displacement (..., points).
        windows: (smallest, largest) k of the long and of the short one.

    Returns:
        The difference (...).
    """
    k, y = np.asarray(steps), np.asarray(curve)
    long, short = (fitted_exponent(k[at], y[..., at]) for at in (in_window(k, w) for w in windows))
    return long - short


def window_change(steps, samples, windows, *, level=LEVEL) -> Interval:
    """Return the same of the mean displacement of replicas (replicas, points), its interval."""
    return jackknife(samples, lambda y: exponent_change(steps, y, windows), level=level)


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


@reads_dataset
def epoch_window(ds, size) -> tuple[int, int]:
    """Return the steps from a quarter of an epoch to one, with batches of a size.

    Args:
        ds: of `anomalous_diffusion.run`.
        size: S.

    Raises:
        ValueError: if the longest lag is less than an epoch.
    """
    length = settings(ds).samples // int(size)
    if in_window(ds.lag.values, (length // 4, length)).sum() < 2:
        raise ValueError(f"longest_lag must reach an epoch of {length} steps")
    return length // 4, length


@reads_dataset
def grid_intervals(ds, *, name="grid_displacement", steps=None, level=LEVEL) -> list[Interval]:
    """Return the exponent of each run of the grid with its interval.

    Args:
        ds: of `anomalous_diffusion.run`.
        name: of the displacements (run, replica, time).
        steps: their times; None for the epochs of the dataset.
        level: of each interval.
    """
    times = ds.epoch.values if steps is None else steps
    return [
        jackknife(row, lambda y: fitted_exponent(times, y), level=level) for row in ds[name].values
    ]


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of runs with one exponent each, as `collapse` takes it."""

    learning_rate: np.ndarray  # (runs,)
    batch_size: np.ndarray  # (runs,)
    momentum: np.ndarray  # (runs,)
    exponent: np.ndarray  # (runs,)
    samples: float


@reads_dataset
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
        settings(ds).grid_samples,
    )
