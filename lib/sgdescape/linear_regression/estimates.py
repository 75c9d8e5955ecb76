"""What claims, figures and prose of chapter `linear_regression` read off its dataset."""

import numpy as np
from scipy import stats

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import survival
from sgdescape.core.stats.correlation import correlated_mean
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    proportion_interval,
    weighted_sum,
)
from sgdescape.core.stats.power_law import exponent_of
from sgdescape.linear_regression.theory.stationary import likelihood_gain


@reads_dataset
def exponent(dataset, learning_rate, batch_size, *, level=LEVEL) -> Interval:
    """Return phi of L^-phi by maximum likelihood from the replicas on fresh samples, Fig. 3a.

    The estimate is a function of the mean of log(L/L*) alone, whose interval is carried over.

    Args:
        dataset: of `linear_regression.run`.
        learning_rate: eta.
        batch_size: B.
        level: of the interval.
    """
    logs = dataset.mean_log.sel(learning_rate=learning_rate, batch_size=batch_size).values
    logs = logs[np.isfinite(logs)]  # without replicas that diverged
    mean = correlated_mean(logs[:, None], level=level)
    low, value, high = (exponent_of(m, dimension=1) for m in (mean.high, mean.value, mean.low))
    return Interval(value, low, high, level, f"{logs.size} replicas")


@reads_dataset
def protocol_exponent(dataset, learning_rate, batch_size, *, level=LEVEL) -> Interval:
    """Return phi by maximum likelihood from the one run on N samples: between blocks of the run.

    Args:
        dataset: of `linear_regression.run`.
        learning_rate: eta.
        batch_size: B.
        level: of the interval.
    """
    at = dataset.protocol.sel(learning_rate=learning_rate, batch_size=batch_size).values
    mean = correlated_mean(np.log1p(at**2), level=level)
    low, value, high = (exponent_of(m, dimension=1) for m in (mean.high, mean.value, mean.low))
    return Interval(value, low, high, level, "blocks of one run")


@reads_dataset
def passage_table(dataset, name, **where):
    """Return passage times in t and whether they were seen, (runs, thresholds).

    Args:
        dataset: of `linear_regression.run`.
        name: "data", "fresh", "slow" or "law".
        where: coordinates of the part, for example dimension=2.
    """
    rate = {"slow": "slow_rate"}.get(name, "learning_rate")
    part = dataset[[f"{name}_steps", f"{name}_last"]].sel(**where)
    steps, last = part[f"{name}_steps"].values, part[f"{name}_last"].values
    times, observed = survival.right_censored(steps, last)
    return getattr(provenance.settings(dataset), rate) * times, observed


@reads_dataset
def mean_times(dataset, name, *, level=LEVEL, least=5, **where):
    """Return the mean passage time of each threshold with its interval, censored runs counted.

    The interval is that of exponential times: passages to low thresholds vary less than that, and
    the interval is then wider than it need be.

    Args:
        dataset: of `linear_regression.run`.
        name: as in `passage_table`.
        level: of each interval.
        least: passages below which a threshold is left out (NaN).
        where: coordinates of the part.

    Returns:
        value, low, high (thresholds,) each.
    """
    times, observed = passage_table(dataset, name, **where)
    rows = np.full((times.shape[1], 3), np.nan)
    for j in range(times.shape[1]):
        if observed[:, j].sum() >= least:
            found = survival.mean_passage(times[:, j], observed[:, j], level=level, least=least)
            rows[j] = found.value, found.low, found.high
    return rows.T


@reads_dataset
def window_slope(dataset, name, low, high, *, level=LEVEL, **where) -> Interval:
    """Return the log-log slope of the mean passage time over the thresholds in [low, high].

    Args:
        dataset: of `linear_regression.run`.
        name: as in `passage_table`.
        low: smallest c.
        high: largest c.
        level: of the interval.
        where: coordinates of the part.
    """
    ratios, inside = window(dataset, name, low, high, **where)
    times, observed = passage_table(dataset, name, **where)
    return survival.passage_slope(ratios, times[:, inside], observed[:, inside], level=level)


@reads_dataset
def window(dataset, name, low, high, **where):
    """Return the thresholds in [low, high] and their positions.

    Args:
        dataset: of `linear_regression.run`.
        name: as in `passage_table`.
        low: smallest c.
        high: largest c.
        where: coordinates of the part.
    """
    key = {"slow": "slow_ratio", "law": "law_ratio"}.get(name, "loss_ratio")
    part = dataset[key]
    ratios = part.sel({k: v for k, v in where.items() if k in part.dims and k != key}).values
    inside = (ratios >= low * (1 - 1e-9)) & (ratios <= high * (1 + 1e-9))
    if inside.sum() < 2:
        raise ValueError(f"fewer than 2 thresholds in [{low}, {high}]: {ratios}")
    return ratios[inside], inside


def curve_slope(ratios, times) -> float:
    """Return the least-squares slope of log times against log ratios: a theory in a window.

    Args:
        ratios: c (thresholds,).
        times: (thresholds,).

    Example:
        >>> round(curve_slope([1.0, 2.0, 4.0], [1.0, 8.0, 64.0]), 9)
        3.0
    """
    return float(np.polyfit(np.log(ratios), np.log(times), 1)[0])


@reads_dataset
def gain(dataset, learning_rate, batch_size) -> Interval:
    """Return the mean log density of the best L^-phi less that of the best Gaussian, nats a sample.

    Args:
        dataset: of `linear_regression.run`.
        learning_rate: eta.
        batch_size: B.
    """
    at = dataset.sel(learning_rate=learning_rate, batch_size=batch_size)
    rows = np.column_stack([at.mean_log.values, at.mean_square.values])
    rows = rows[np.isfinite(rows).all(axis=1)]
    return bootstrap_interval(rows, lambda a: likelihood_gain(*a.mean(axis=0)), resamples=200)


@reads_dataset
def mean_time(dataset, name, index, **where) -> Interval:
    """Return the mean passage time to one threshold, in t.

    Args:
        dataset: of `linear_regression.run`.
        name: as in `passage_table`.
        index: of the threshold.
        where: coordinates of the part.
    """
    times, observed = passage_table(dataset, name, **where)
    return survival.mean_passage(times[:, index], observed[:, index])


def weak_slope(slopes, errors) -> Interval:
    """Return the exponent of exact times for small eta from slopes at falling eta.

    The last slope; its bound is its change from the one before and what the grids' errors make.

    Args:
        slopes: (steps,), 2 or more, of log(t/sqrt(eta)) against 1/eta.
        errors: (steps,), numerical errors of the slopes.

    Example:
        >>> found = weak_slope([0.61, 0.602], [0.001, 0.001])
        >>> round(found.low, 3), round(found.high, 3)
        (0.593, 0.611)
    """
    slopes, errors = np.asarray(slopes, float), np.asarray(errors, float)
    error = abs(slopes[-1] - slopes[-2]) + errors[-1]
    method = "change from the step before, and grids"
    return computed(slopes[-1], slopes[-1] - error, slopes[-1] + error, method)


@reads_dataset
def slope_change(dataset, low, high, *, first, last) -> Interval:
    """Return by how much the slope of one number of inputs is above that of another.

    Args:
        dataset: of `linear_regression.run`.
        low: smallest c.
        high: largest c.
        first: d of the steeper one.
        last: d of the other.
    """
    pair = [window_slope(dataset, "fresh", low, high, dimension=d) for d in (first, last)]
    return weighted_sum(pair, [1, -1], method="delta method, both samples")


@reads_dataset
def longer(dataset, low, high) -> Interval:
    """Return the logarithm of the mean time to one threshold over that to another, one input.

    Args:
        dataset: of `linear_regression.run`.
        low: index of the lower threshold.
        high: of the higher one.
    """
    ratios = dataset.loss_ratio.sel(dimension=1).values[[low, high]]
    times, observed = passage_table(dataset, "fresh", dimension=1)
    found = survival.passage_slope(ratios, times[:, [low, high]], observed[:, [low, high]])
    scale = float(np.log(ratios[1] / ratios[0]))
    ends = found.value * scale, found.low * scale, found.high * scale
    return Interval(*ends, found.level, found.method)


@reads_dataset
def start_power(dataset, *, level=LEVEL) -> Interval:
    """Return the power of the starting distance with which the chance to reach a loss falls.

    Least squares through the logarithms of the counted shares; the interval carries the binomial
    errors over.

    Args:
        dataset: of `linear_regression.run`.
        level: of the interval.
    """
    runs, counts = provenance.settings(dataset).zero_runs, dataset.zero_reached.values
    x = np.log(dataset.zero_start.values)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    value = float(weights @ np.log(counts / runs))
    error = np.sqrt(np.sum(weights**2 * (1 - counts / runs) / counts))
    half = float(stats.norm.ppf((1 + level) / 2) * error)
    return Interval(value, value - half, value + half, level, "binomial shares, delta method")


@reads_dataset
def apart_share(dataset, factor=1.2) -> Interval:
    """Return the share of data sets whose exact time differs by a factor from their middle one.

    Args:
        dataset: of `linear_regression.run`.
        factor: above 1.
    """
    logs = np.log(dataset.spread_time.values)
    far = np.abs(logs - np.median(logs)) > np.log(factor)
    return proportion_interval(int(far.sum()), far.size)
