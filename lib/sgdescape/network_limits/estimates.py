"""Numbers and intervals from the measurements, for claims, figures and prose; no theory in here."""

import json

import numpy as np

from sgdescape.core.stats.intervals import LEVEL, Interval, bootstrap_interval, mean_interval


def settings(ds) -> dict:
    """Return the configuration that a dataset was made with."""
    return json.loads(ds.attrs["config"])


def rates(ds, *, batch=True) -> dict:
    """Return the hyper-parameters of the main runs as arguments of the theory."""
    config = settings(ds)
    names = ("learning_rate", "momentum", "weight_decay") + (("batch_size",) if batch else ())
    return {name: config[name] for name in names}


def pooled(rows, *, level=LEVEL) -> Interval:
    """Return the mean of one number a replica (or a replica and mode, taken as independent)."""
    return mean_interval(np.asarray(rows, dtype=float).ravel(), level=level)


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


def scaled(interval, by) -> Interval:
    """Return an interval divided by a positive number."""
    ends = (interval.value / by, interval.low / by, interval.high / by)
    return Interval(*ends, interval.level, interval.method)


def exponent(ds, name, sampler, *, low, high, level=LEVEL) -> Interval:
    """Return c, the slope of ln |Delta_k|^2 in ln k between two lags, between replicas.

    Curves of single replicas are smooth, as each is a sum over a thousand directions.
    """
    inside = (ds.lag.values >= low) & (ds.lag.values <= high)
    rows = ds[name].sel(sampler=sampler).values[:, inside]
    return slopes(ds.lag.values[inside], rows, level=level)


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
