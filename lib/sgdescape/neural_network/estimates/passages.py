"""Mean passage times of runs and bowls, their logarithms' errors, and ratios of the two.

All thresholds are crossed by the same runs, so errors come from the replicas' influences on the
estimate (delta method), which hold the covariances; no law of the times is assumed. The mean is
total time watched over number of passages.
"""

from dataclasses import replace

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import survival
from sgdescape.core.stats.intervals import LEVEL, Interval

LEAST = 8  # passages below which a threshold is left out

__all__ = ["local_slopes", "log_ratio", "mean_times", "paired_ratio", "times_of", "window"]


@reads_dataset
def times_of(ds, **cell):
    """Return times in t and which were observed (replicas, thresholds) of one (exponent, B)."""
    one = ds.sel(**cell)
    rate = float(one.learning_rate)
    passage, last = one.passage.values, one.last_step.values[:, None]
    return np.where(passage > 0, passage, last) * rate, passage > 0


@reads_dataset
def bowl_times_of(ds, bowl):
    """Return the same of simulated paths (path, threshold) with NaN for censored."""
    values = bowl.values
    watch = provenance.settings(ds).watch / float(ds.curvature[0])
    return np.where(np.isfinite(values), values, watch), np.isfinite(values)


@door
def mean_times(times, observed, *, level: float = LEVEL):
    """Return mean passage time with its interval at every threshold; NaN below `LEAST` passages.

    Args:
        times: (replicas, m), where censored the time watched.
        observed: (replicas, m), False = censored.
        level: of each interval.

    Returns:
        Means, lower and upper ends (m,); the interval is symmetric in the logarithm.
    """
    times, observed = _watched(times, observed)
    validate.within("level", level, low=0, high=1, open_low=True)
    passages = observed.sum(0)
    enough = passages >= LEAST
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(enough, times.sum(0) / passages, np.nan)
    error = survival.log_influences(times, observed).std(0, ddof=1) / np.sqrt(len(times))
    half = stats.t.isf((1 - level) / 2, len(times) - 1) * error
    return mean, mean * np.exp(-half), mean * np.exp(half)


@door
def window(bowl_times, *, watch: float) -> np.ndarray:
    """Return which thresholds (m,) are compared: those that the bowl reaches in good time.

    Its mean passage time must lie between 1/100 and 3/10 of the time watched: the choice uses the
    prediction alone, not the runs.

    Args:
        bowl_times: of the bowl, NaN where censored (paths, m).
        watch: time watched, in the same unit.
    """
    watch, bowl_times = validate.positive("watch", watch), validate.times("bowl_times", bowl_times)
    seen = np.isfinite(bowl_times)
    with np.errstate(divide="ignore"):
        mean = np.where(seen, bowl_times, watch).sum(0) / seen.sum(0)
    return (mean > 0.01 * watch) & (mean < 0.3 * watch)


def log_ratio(pairs, *, weights=None, level: float = LEVEL) -> Interval:
    """Return the mean over thresholds and pairs of log2 of one mean time over another.

    Args:
        pairs: of ((times, observed), (times, observed)), each (replicas, m), over the same
            thresholds; all are independent.
        weights: of the thresholds (m,) in each pair; None for equal ones.
        level: of the interval, Welch's t.

    Raises:
        ValueError: if a threshold has too few passages.
    """
    value, variance, freedom = 0.0, 0.0, 0.0
    for pair in pairs:
        for sign, (times, observed) in zip((1, -1), pair, strict=True):
            passages = observed.sum(0)
            if passages.min() < LEAST:
                raise ValueError(f"each threshold needs {LEAST} passages: got {passages.tolist()}")
            n, m = times.shape
            w = np.full(m, 1 / m) if weights is None else np.asarray(weights)
            value += sign * float(w @ np.log(times.sum(0) / passages)) / len(pairs)
            part = (survival.log_influences(times, observed) @ w).var(ddof=1) / n / len(pairs) ** 2
            variance += part
            freedom += part**2 / (n - 1)
    freedom = variance**2 / freedom if freedom else np.inf
    half = stats.t.isf((1 - level) / 2, freedom) * np.sqrt(variance)
    octave = np.log(2)
    ends = (value - half) / octave, (value + half) / octave
    return Interval(value / octave, *ends, level, f"{len(pairs)} pairs, delta method")


def log2_times(sample) -> np.ndarray:
    """Return log2 of the mean times (m,) of (times, observed); a lower bound without passages."""
    times, observed = sample
    return np.log2(times.sum(0) / np.maximum(observed.sum(0), 1))


def paired_ratio(sample, other, *, level: float = LEVEL) -> Interval:
    """Return the mean over thresholds of log2 of one mean time over another, same random numbers.

    Args:
        sample: (times, observed), each (replicas, m).
        other: the same of runs with the same batches: a replica's two influences are one draw.
        level: of the interval, Student's t.

    Raises:
        ValueError: if a threshold has too few passages.
    """
    means, influence = [], 0.0
    for sign, (times, observed) in zip((1, -1), (sample, other), strict=True):
        passages = observed.sum(0)
        if passages.min() < LEAST:
            raise ValueError(f"each threshold needs {LEAST} passages: got {passages.tolist()}")
        means.append(float(log2_times((times, observed)).mean()))
        influence = influence + sign * survival.log_influences(times, observed).mean(1)
    n, value = len(influence), means[0] - means[1]
    half = stats.t.isf((1 - level) / 2, n - 1) * influence.std(ddof=1) / np.sqrt(n) / np.log(2)
    return Interval(value, value - half, value + half, level, f"{n} pairs of runs, delta method")


def slope(times, observed, thresholds, *, level: float = LEVEL) -> Interval:
    """Return the slope of log mean time in log c over these thresholds, with its interval."""
    found = survival.passage_slope(thresholds, times, observed, level=level, least=1)
    return replace(found, method=f"{len(times)} runs, delta method")


@door
def local_slopes(times, observed, thresholds, *, width: int = 5, level: float = LEVEL):
    """Return centres (geometric), slopes and ends of windows of ``width`` thresholds; NaN if thin.

    Args:
        times: (replicas, m).
        observed: (replicas, m).
        thresholds: (m,).
        width: thresholds in a window.
        level: of each interval.
    """
    times, observed = _watched(times, observed)
    thresholds = validate.within("thresholds", thresholds, low=0, open_low=True)
    if thresholds.shape != times.shape[1:]:
        raise ValueError(f"thresholds must be {times.shape[1:]}: got shape {thresholds.shape}")
    validate.count("width", width, low=2, high=len(thresholds))
    validate.within("level", level, low=0, high=1, open_low=True)
    rows = []
    for start in range(len(thresholds) - width + 1):
        inside = slice(start, start + width)
        centre = np.exp(np.log(thresholds[inside]).mean())
        if observed[:, inside].sum(0).min() < LEAST:
            rows.append((centre, np.nan, np.nan, np.nan))
            continue
        found = slope(times[:, inside], observed[:, inside], thresholds[inside], level=level)
        rows.append((centre, found.value, found.low, found.high))
    return np.array(rows).T


def _watched(times, observed):
    """Times and whether they are passages, both (replicas, m), checked."""
    times, observed = validate.within("times", times, low=0), np.asarray(observed)
    if times.ndim != 2 or observed.dtype != bool or observed.shape != times.shape:
        raise ValueError(
            "times must be (replicas, m), and observed true or false for each: got shapes "
            f"{times.shape} and {observed.shape} of {observed.dtype}"
        )
    return times, observed
