"""What claims, figures and prose of chapter `kramers_escape` read off its dataset."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import survival
from sgdescape.core.stats.intervals import Interval, computed, mean_interval

LAW_NOISE = 20.0
"""B/(eta h_e*) at which the slowest mode is compared with stationary laws."""

WIDTH_RATIO = 0.5
"""rho of the valley whose widths are measured."""


def weak_noise(values, errors=0.0) -> Interval:
    """Extrapolate to weak noise from the last three of values at noise, noise/2, noise/4.

    The bound is the last correction, from first to second order in the noise, to both sides, and
    what the errors of the values amount to.

    Args:
        values: (3 or more,), each at twice the B/(eta h) of the one before.
        errors: numerical errors of the values, of a shape that broadcasts.

    Example:
        >>> found = weak_noise([1.1, 1.05, 1.025])  # 1 + 1/a exactly: no second order
        >>> round(found.value, 9), found.high - found.low < 1e-9
        (1.0, True)
    """
    values = np.asarray(values, dtype=float)
    first, second, third = values[-3:]
    e1, e2, e3 = np.broadcast_to(errors, values.shape)[-3:]
    linear, before = 2 * third - second, 2 * second - first
    quadratic = (4 * linear - before) / 3
    error = abs(quadratic - linear) + (8 * e3 + 6 * e2 + e1) / 3
    method = "weak-noise limit, last correction and grids"
    return computed(quadratic, quadratic - error, quadratic + error, method)


@reads_dataset
def dimension(ds, reading: str, ratio: float) -> Interval:
    """Return the n with which Eq. (15) gives the measured rate in two dimensions.

    Args:
        ds: of `kramers_escape.run`.
        reading: "loss" or "log loss", what separates.
        ratio: rho.
    """
    at = ds.sel(reading=reading, ratio=ratio)
    return _counted(ds, at.plane_rate, at.plane_error)


@reads_dataset
def space_dimension(ds) -> Interval:
    """Return the same n with three directions, two of them of ratio 1/2.

    Args:
        ds: of `kramers_escape.run`.
    """
    return _counted(ds, ds.space_rate, ds.space_error)


@reads_dataset
def bowl_dimension(ds, ratio: float) -> Interval:
    """Return the n of a parabolic bowl far from its minimum, from the exact growth exponent.

    Args:
        ds: of `kramers_escape.run`.
        ratio: rho, at most 1.
    """
    at = ds.sel(ratio=ratio)
    n = 2 * (ds.circle_noise + 1 - at.circle)
    return weak_noise(n.values, 2 * at.circle_error.values)


@reads_dataset
def hot_action(ds) -> Interval:
    """Return how log(1/rate) grows with B/(eta h_e*) next to a much stiffer direction.

    The slopes of the last two steps extrapolated to weak noise at first order; the bound is what
    that changes, and the grids.

    Args:
        ds: of `kramers_escape.run`.
    """
    span, errors = np.diff(ds.hot_noise.values), ds.hot_error.values
    before, last = (-np.diff(ds.hot_log.values) / span)[-2:]
    e_before, e_last = ((errors[1:] + errors[:-1]) / span)[-2:]
    value, error = 2 * last - before, abs(last - before) + 2 * e_last + e_before
    method = "weak-noise limit, last correction and grids"
    return computed(value, value - error, value + error, method)


@reads_dataset
def far_slope(ds, dimension: int, *, logarithm: bool) -> Interval:
    """Return how mean passage times of an isotropic bowl grow with log c at its highest levels.

    Args:
        ds: of `kramers_escape.run`.
        dimension: n.
        logarithm: whether log time is meant (a power of c), or the time itself.

    Returns:
        The slope between the last two levels; its bound is the change from the slope before.
    """
    times = ds.bowl_time.sel(dimension=dimension)
    times = np.log(times) if logarithm else times
    slopes = (times.diff("level") / np.log(ds.level).diff("level")).values
    error = abs(slopes[-1] - slopes[-2])
    return computed(slopes[-1], slopes[-1] - error, slopes[-1] + error, "change from step to step")


@reads_dataset
def curvature_slope(ds) -> Interval:
    """Return d log(rate) / d log(h) at fixed losses, from minima a little sharper and flatter.

    Args:
        ds: of `kramers_escape.run`.
    """
    logs, h = ds.log_bias.values, np.log(ds.curvature.values)
    wide = -(logs[-1] - logs[0]) / (h[-1] - h[0])
    narrow = -(logs[-2] - logs[1]) / (h[-2] - h[1])
    value = (4 * narrow - wide) / 3
    error = abs(value - narrow)
    return computed(value, value - error, value + error, "central differences of two steps")


@reads_dataset
def log_odds(ds, choice: str) -> Interval:
    """Return the log odds of the second valley, with its interval over runs.

    Args:
        ds: of `kramers_escape.run`.
        choice: "flat" or "few".
    """
    mean = mean_interval(ds.choice_share.sel(choice=choice).values)
    value, low, high = (float(np.log(p / (1 - p))) for p in (mean.value, mean.low, mean.high))
    return Interval(value, low, high, mean.level, mean.method)


@reads_dataset
def mean_time(ds, place: str) -> Interval:
    """Return the mean passage time of simulated paths, censored ones counted.

    Args:
        ds: of `kramers_escape.run`.
        place: "saddle" or "beyond".
    """
    passed = survival.right_censored(ds.passage.sel(place=place).values, ds.watched.values)
    return survival.mean_passage(*passed)


def _counted(ds, rate, error):
    """The n that Eq. (15) would need, at the chapter's loss ratio."""
    scale = 2 / np.log(provenance.settings(ds).loss_ratio)
    found = 2 + scale * np.log(rate / ds.plane_theory)
    return weak_noise(found.values, (scale * error / rate).values)
