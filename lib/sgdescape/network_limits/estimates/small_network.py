"""What the runs of the small network give, with intervals."""

import numpy as np

from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval, ratio_interval, scaled
from sgdescape.network_limits.estimates.lines import line_exponent, pooled
from sgdescape.network_limits.theory.balance import equipartition


@reads_dataset
def speed_growth(ds, sampler, *, level=LEVEL) -> Interval:
    """Return the growth of ln |delta|^2 from block to block of steps, between replicas."""
    blocks = ds.speed_block.sel(sampler=sampler).values
    time = np.arange(blocks.shape[1])
    return mean_interval([np.polyfit(time, np.log(row), 1)[0] for row in blocks], level=level)


@reads_dataset
def displacement_exponent(ds, name, sampler, *, low, high, level=LEVEL) -> Interval:
    """Return c, the slope of ln |Delta_k|^2 in ln k between two lags, between replicas.

    Curves of single replicas are smooth, as each is a sum over a thousand directions.
    """
    rows = ds[name].sel(sampler=sampler).values
    return pooled([line_exponent(ds.lag.values, row, low, high) for row in rows], level=level)


@reads_dataset
def equipartition_of(ds, sampler, *, level=LEVEL) -> Interval:
    """Return (1 + beta)/(2 eta) sum E delta_i^2 over sum h_i Var theta_i of the watched modes.

    Kinetic over potential energy with its interval between replicas.
    """
    config, at = settings(ds), ds.sel(sampler=sampler)
    h = ds.curvature.values + config.weight_decay
    ratio = ratio_interval(
        at.step_variance.sum("mode").values,
        (at.position_variance * h).sum("mode").values,
        level=level,
    )
    unit = equipartition(
        1.0, 1.0, 1.0, learning_rate=config.learning_rate, momentum=config.momentum
    )
    return scaled(ratio, 1 / unit)


def error_exponent(ds, *, level=LEVEL) -> Interval:
    """Return the slope of ln(1 - accuracy) against ln k, between replicas with replacement."""
    at = ds.sel(sampler="iid")
    u = np.log(at.snapshot_step.values)
    return pooled([np.polyfit(u, np.log1p(-row), 1)[0] for row in at.accuracy.values], level=level)


def valley(values, axis) -> np.ndarray:
    """Return the ratio of the axes of a loss's contours in the plane, along parallel lines.

    A parabola is fitted along each line of the grid over the inner 70 % of its width.

    Args:
        values: loss on a square grid (n, n).
        axis: its coordinates along either side (n,), symmetric.

    Returns:
        Root of the curvature along the first direction over the mean one along the other (lines,).
    """
    inner = np.abs(axis) <= 0.71 * axis.max()
    first = np.polyfit(axis[inner], values[inner][:, inner], 2)[0]
    other = np.polyfit(axis[inner], values[inner][:, inner].T, 2)[0]
    return np.sqrt(first / other.mean())


@reads_dataset
def mahalanobis(ds, sampler="iid") -> tuple[np.ndarray, int]:
    """Return squared distances (replicas, times) a degree of freedom, and how many there are.

    Positions and steps in units of their stationary variances with replacement, which `predict`
    has put beside the clouds.
    """
    exact, at = ds.sel(sampler="iid"), ds.sel(sampler=sampler)
    positions = (at.cloud.values.astype(float) ** 2 / exact.variance_exact.values).sum(-1)
    steps = (at.cloud_step.values.astype(float) ** 2 / exact.step_exact.values).sum(-1)
    freedom = 2 * ds.sizes["mode"]
    return (positions + steps) / freedom, freedom
