"""Numbers and intervals from the measurements, for claims, figures and prose."""

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    mean_interval,
    ratio_interval,
    scaled,
)
from sgdescape.network_limits.theory import equipartition

BURN = 3
"""Memories 1/(1 - beta) of a ResNet's run that averages leave out."""


def pooled(rows, *, level=LEVEL) -> Interval:
    """Return the mean of one number a replica (or a replica and mode, taken as independent)."""
    return mean_interval(np.asarray(rows, dtype=float).ravel(), level=level)


def range_of(values, what) -> Interval:
    """Return the mean of computed numbers between the least and the largest of them.

    Args:
        values: (n,).
        what: they are, a few words.
    """
    numbers = np.asarray(values, dtype=float)
    return computed(numbers.mean(), numbers.min(), numbers.max(), f"range of {what}")


def slopes(x, rows, *, level=LEVEL) -> Interval:
    """Return the slope of ln y against ln x, (replicas, n) rows, between replicas."""
    u = np.log(np.asarray(x, dtype=float))
    return mean_interval([np.polyfit(u, np.log(row), 1)[0] for row in rows], level=level)


def pooled_slope(x, rows, *, level=LEVEL) -> Interval:
    """Return the slope of the mean row, resampling replicas: the logarithm of one is biased."""
    u = np.log(np.asarray(x, dtype=float))
    return bootstrap_interval(
        rows, lambda r: np.polyfit(u, np.log(r.mean(0)), 1)[0], level=level, resamples=500
    )


def fitted_slope(pairs) -> float:
    """Return the slope of the second column against the first, (n, 2) rows."""
    return float(np.polyfit(pairs[:, 0], pairs[:, 1], 1)[0])


def difference(first, second, *, level=LEVEL) -> Interval:
    """Return the mean of some replicas less that of others, with Student's t of two samples.

    Args:
        first: (n,), n at least 2.
        second: (m,), m at least 2, independent of the first; of the same variance if n = m = 2.
        level: of the interval.
    """
    rows = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    error = np.sqrt(sum(row.var(ddof=1) / len(row) for row in rows))
    half = stats.t.isf((1 - level) / 2, sum(len(row) - 1 for row in rows)) * error
    value = rows[0].mean() - rows[1].mean()
    return Interval(value, value - half, value + half, level, "two samples, Student t")


def curvature_power(h, noise, *, level=LEVEL) -> Interval:
    """Return the slope of ln noise against ln h, resampling eigenvectors.

    Args:
        h: curvatures (n,), positive.
        noise: variances of the noise along the same eigenvectors (n,).
        level: of the interval.
    """
    pairs = np.log(np.stack([h, noise], 1))
    return bootstrap_interval(pairs, fitted_slope, level=level, resamples=500)


@reads_dataset
def speed_growth(ds, sampler, *, level=LEVEL) -> Interval:
    """Return the growth of ln |delta|^2 from block to block of steps, between replicas."""
    blocks = ds.speed_block.sel(sampler=sampler).values
    time = np.arange(blocks.shape[1])
    return mean_interval([np.polyfit(time, np.log(row), 1)[0] for row in blocks], level=level)


@reads_dataset
def speed_over_noise(ds, run, unit, *, level=LEVEL) -> Interval:
    """Return the mean |delta|^2 of a ResNet's run over the noise of its minibatch gradient.

    The relative errors of both are added in quadrature.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
        unit: the law's factor of the noise.
        level: of the intervals.
    """
    steps = mean_of_path(ds.residual_speed.values[run, settled(ds, run)], level=level)
    draws = pooled(ds.residual_noise.values, level=level)
    value = steps.value / (unit * draws.value)
    relative = np.hypot(*((i.high - i.value) / i.value for i in (steps, draws)))
    return Interval(value, value * (1 - relative), value * (1 + relative), level, steps.method)


def line_exponent(lags, curve, low, high) -> float:
    """Return the slope of ln y against ln k of one curve between two lags.

    Args:
        lags: k (n,), ascending.
        curve: y (n,).
        low: first lag.
        high: last lag.

    Raises:
        ValueError: if fewer than two lags lie between them.
    """
    inside = (np.asarray(lags) >= low) & (np.asarray(lags) <= high)
    if inside.sum() < 2:
        raise ValueError(f"lags must hold two between {low:g} and {high:g}: got {inside.sum()}")
    logs = np.log(np.asarray(lags)[inside]), np.log(np.asarray(curve)[inside])
    return float(np.polyfit(*logs, 1)[0])


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


def prony(track):
    """Return momentum and cosine of damped oscillations (steps, modes) by linear prediction.

    A noiseless mode obeys x_{k+1} = a x_k - b x_{k-1}; a and b are fitted by least squares.

    Returns:
        Two arrays (modes,): decay time -2 / ln b and period 2 pi / arccos(a / (2 sqrt b)).
    """
    found = []
    for x in np.asarray(track).T:
        matrix = np.stack([x[1:-1], -x[:-2]], 1)
        found.append(np.linalg.lstsq(matrix, x[2:], rcond=None)[0])
    a, b = np.array(found).T
    return -2 / np.log(b), 2 * np.pi / np.arccos(a / (2 * np.sqrt(b)))


def first_crossing(track) -> float:
    """Return the step, between two by a straight line, at which a ring first passes zero.

    Args:
        track: position after a kick, in units of it (steps + 1,).

    Raises:
        ValueError: if it does not.

    Example:
        >>> first_crossing([1.0, 0.5, -0.5])
        1.5
    """
    track = validate.finite("track", track)
    below = np.flatnonzero(track <= 0)
    if not below.size:
        raise ValueError(f"track must pass zero: got a least value of {track.min():.3g}")
    k = below[0]
    return float(k - track[k] / (track[k] - track[k - 1]))


@reads_dataset
def settled(ds, run) -> slice:
    """Return the steps of a ResNet's run that averages use: all after some memories."""
    _, beta, _, steps = settings(ds).residual_runs[run]
    return slice(round(BURN / (1 - beta)), int(steps))


@reads_dataset
def mode_equipartition(ds, run) -> np.ndarray:
    """Return kinetic over potential energy of each watched mode in a ResNet's run.

    For runs of thousands of steps; those of the page are too short for it.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.

    Returns:
        (modes,), 1 if theory and Hessian are right.
    """
    eta, beta, *_ = settings(ds).residual_runs[run]
    seen = ds.isel(residual_run=run, residual_step=settled(ds, run))
    return equipartition(
        (seen.residual_move.values**2).mean(0),
        seen.residual_position.values.var(0),
        ds.residual_curvature.values,
        learning_rate=eta,
        momentum=beta,
        weight_decay=settings(ds).weight_decay,
    )


@reads_dataset
def run_slope(ds, run, name) -> float:
    """Return the slope of ln variance against ln curvature over the watched modes of a run.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
        name: ``residual_position`` or ``residual_move``.
    """
    variance = ds[name].values[run, settled(ds, run)].var(axis=0)
    return fitted_slope(np.log(np.stack([ds.residual_curvature.values, variance], axis=1)))


def mean_of_path(values, *, level=LEVEL) -> Interval:
    """Return the mean of one correlated path, with Student's t of its effective sample size.

    Args:
        values: (n,), n at least 16, in the order of the path.
        level: of the interval.

    Returns:
        The mean; n_eff = n / (1 + 2 sum of autocorrelations), summed until they first fall
        below 0 (Geyer), and t with n_eff - 1 degrees of freedom.

    Raises:
        ValueError: if fewer than 3 of the samples count as independent.
    """
    x = validate.finite("values", values)
    validate.count("values", x.size, low=16)
    centred = x - x.mean()
    products = np.correlate(centred, centred, "full")[x.size - 1 :]
    r = products / products[0]
    end = int(np.argmax(r <= 0)) if np.any(r <= 0) else x.size
    effective = x.size / max(1 + 2 * r[1:end].sum(), 1.0)
    if effective < 3:
        raise ValueError(f"values must hold 3 independent samples: got {effective:.1f}")
    half = stats.t.isf((1 - level) / 2, effective - 1) * x.std(ddof=1) / np.sqrt(effective)
    method = f"{effective:.0f} effective samples, Student t"
    return Interval(x.mean(), x.mean() - half, x.mean() + half, level, method)


@reads_dataset
def norm_growth(ds, run) -> tuple[float, float]:
    """Return the growth a step of the convolutions' |theta|^2, and what its own steps imply.

    If a convolution's gradient is at right angles to it, c_k = theta_{k-1}.delta_k obeys
    c_{k+1} = beta (c_k + |delta_k|^2) - eta lambda |theta_k|^2; summed over a path that gives
    its growth up to rounding, ends included.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
    """
    config = settings(ds)
    eta, beta, _, steps = config.residual_runs[run]
    norm = ds.residual_norm.values[run, : int(steps)]
    moved = ds.residual_norm_speed.values[run, : int(steps)]
    c = (np.diff(norm) - moved[1:]) / 2  # c_k of all steps but the first
    push = beta * moved[1:-1] - eta * config.weight_decay * norm[1:-1]
    total = (push.sum() - beta * (c[-1] - c[0])) / (1 - beta)  # sum of c_{k+1}
    grown = 2 * total + moved[2:].sum()
    count = norm.size - 2
    return float(norm[-1] - norm[1]) / count, float(grown) / count
