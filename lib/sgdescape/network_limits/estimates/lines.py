"""Means, slopes and exponents of given numbers with their intervals, and fits of single paths."""

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    mean_interval,
    ratio_interval,
)


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


def bend(lags, curve, low, middle, high) -> float:
    """Return by how much the exponent of a curve is larger after a middle lag than before it.

    Args:
        lags: k (n,), ascending.
        curve: y (n,).
        low: first lag.
        middle: end of the first part and start of the second.
        high: last lag.

    Example:
        >>> k = np.array([1.0, 2, 4, 8, 16])
        >>> round(bend(k, k**2, 1, 4, 16), 6)
        0.0
    """
    return line_exponent(lags, curve, middle, high) - line_exponent(lags, curve, low, middle)


def curvature_power(h, noise, *, level=LEVEL) -> Interval:
    """Return the slope of ln noise against ln h, resampling eigenvectors.

    Args:
        h: curvatures (n,), positive.
        noise: variances of the noise along the same eigenvectors (n,).
        level: of the interval.
    """
    pairs = np.log(np.stack([h, noise], 1))
    return bootstrap_interval(pairs, fitted_slope, level=level, resamples=500)


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


def axis_ratio(variances, *, level=LEVEL) -> Interval:
    """Return the ratio of two axes of a cloud from variances (replicas, 2)."""
    found = ratio_interval(variances[:, 0], variances[:, 1], level=level)
    return Interval(*(np.sqrt((found.value, found.low, found.high))), level, found.method)


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
