"""From samples to values: distances of laws, orders, exponents and zeros, with intervals."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    mean_interval,
    reciprocal,
)
from sgdescape.core.stats.power_law import power_law_exponent

_RESAMPLES = 400


@door
def distance_interval(first, second, *, level: float = LEVEL) -> Interval:
    """Return the largest difference of two distribution functions, with an interval for any laws.

    Each empirical function is closer to its law than sqrt(log(2/p) / 2n) with probability 1 - p
    (Dvoretzky, Kiefer and Wolfowitz 1956, constant of Massart 1990); p is half of 1 - level.

    Args:
        first: samples (n,).
        second: samples (m,).
        level: of the interval, in (0, 1).

    Returns:
        The distance of the two samples; its interval covers that of the two laws.

    Raises:
        ValueError: if samples are empty or not finite, or the level lies outside (0, 1).

    Example:
        >>> distance_interval([1.0, 2.0], [3.0, 4.0]).value
        1.0
    """
    first, second = _samples("first", first), _samples("second", second)
    validate.positive("level", level)
    validate.within("level", level, low=0, high=1, open_low=True)
    both = np.sort(np.concatenate([first, second]))
    parts = [np.searchsorted(np.sort(x), both, side="right") / len(x) for x in (first, second)]
    value = float(np.abs(parts[0] - parts[1]).max())
    tail = np.log(4 / (1 - level)) / 2
    width = np.sqrt(tail / len(first)) + np.sqrt(tail / len(second))
    return Interval(
        value, max(value - width, 0.0), min(value + width, 1.0), level, "Dvoretzky-Kiefer-Wolfowitz"
    )


@door
def strong_order(steps, errors, *, seed: int = 0) -> Interval:
    """Return the slope of log mean error against log step, its error from resampled paths.

    Args:
        steps: positive (levels,).
        errors: of each path, positive (levels, paths).
        seed: of the resampling.

    Returns:
        The least-squares slope with its interval.

    Raises:
        ValueError: if a number is not positive.
    """
    log_step = np.log(validate.each_positive("steps", steps))
    validate.count("seed", seed, low=0)
    return bootstrap_interval(
        validate.each_positive("errors", errors).T,
        lambda rows: np.polyfit(log_step, np.log(rows.mean(axis=0)), 1)[0],
        resamples=_RESAMPLES,
        seed=seed,
    )


@door
def limiting_slope(x, coarse, fine) -> Interval:
    """Return the slope of log y against log x between the last two points, with its error.

    The error bound adds what the slope changed from the two points before, and what it changes on
    a grid of half the cells.

    Args:
        x: positive, towards the limit (n,), n at least 3.
        coarse: y on the coarse grid, positive (n,).
        fine: y on the fine grid, positive (n,).

    Example:
        >>> limiting_slope([4.0, 2.0, 1.0], [1.0, 4.0, 16.0], [1.0, 4.0, 16.0]).value
        -2.0
    """
    log_x = np.diff(np.log(validate.each_positive("x", x)))
    rows = [
        np.log(validate.each_positive(name, y)) for name, y in (("coarse", coarse), ("fine", fine))
    ]
    first, second = (np.diff(row) / log_x for row in rows)
    error = abs(second[-1] - second[-2]) + abs(second[-1] - first[-1])
    return computed(second[-1], second[-1] - error, second[-1] + error, "last change and half grid")


@door
def on_grids(coarse: float, fine: float) -> Interval:
    """Return a number computed on two grids: the finer one, in error by less than their distance.

    Args:
        coarse: on half the cells.
        fine: on all of them.

    Example:
        >>> on_grids(1.1, 1.0).high
        1.1
    """
    coarse, fine = float(validate.finite("coarse", coarse)), float(validate.finite("fine", fine))
    error = abs(fine - coarse)
    return computed(fine, fine - error, fine + error, "distance to half the cells")


def zero(x, y) -> float:
    """Return where the least-squares straight line through the points crosses zero.

    Args:
        x: (n,).
        y: (n,), not constant on the line.

    Example:
        >>> round(zero([1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]), 9)
        2.0
    """
    slope, offset = np.polyfit(validate.finite("x", x), validate.finite("y", y), 1)
    return float(-offset / slope)


@reads_dataset
def loss_exponent(ds, samples) -> Interval:
    """Return phi of the law L^-phi fitted to coordinates, at the scale of the loss that is set."""
    scale = np.sqrt(2 * settings(ds).minimum_loss / settings(ds).curvature)
    return power_law_exponent(samples, scale=scale)


@reads_dataset
def wide_exponent(ds) -> Interval:
    """Return phi of the loss ratios in several directions, by their radius sqrt(L/L* - 1)."""
    radius = np.sqrt(np.maximum(ds.long_ratio.values - 1, 0))
    return power_law_exponent(radius, scale=1.0, dimension=settings(ds).wide)


@reads_dataset
def harmonic_loss(ds) -> Interval:
    """Return the harmonic mean of L/L* in tau, between replicas."""
    scale = 2 * settings(ds).minimum_loss / settings(ds).curvature
    return reciprocal(mean_interval((1 / (1 + ds.gibbs**2 / scale)).mean("kept").values))


@reads_dataset
def clock_power(ds) -> Interval:
    """Return the slope of log tau against log t, between paths."""
    log_t, log_tau = np.log(ds.mark.values), np.log(ds.long_tau.values)
    return mean_interval(np.polyfit(log_t, log_tau, 1)[0])


def _samples(name, values):
    values = validate.finite(name, values)
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional: got shape {values.shape}")
    return values
