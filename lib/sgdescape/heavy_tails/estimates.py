"""Numbers of chapter `heavy_tails` from its measurements, with intervals."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import optimize

from sgdescape.core.doors import door
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import tails
from sgdescape.core.stats.intervals import LEVEL, Interval, computed
from sgdescape.heavy_tails.measure.states import LAWS, known_samples

ESTIMATORS = ("hill_tenth", "hill_hundredth", "clauset", "discrete")


@door
def tail_index(values, *, level=LEVEL) -> Interval:
    """Return the index of P(L > c L*), L/L* - 1 = |theta|^2, by Hill from all the values but one.

    Args:
        values: the largest |theta| of independent runs (k + 1,).
        level: of the interval.
    """
    return tails.hill(np.asarray(values) ** 2, count=len(values) - 1, level=level)


@reads_dataset
def chain_index(dataset, rate, low, high) -> Interval:
    """Return the index of the loss between two |theta| of an exact chain, extrapolated.

    Args:
        dataset: of the chapter.
        rate: eta of the chain.
        low: smaller |theta|.
        high: larger.
    """
    at = dataset.chain_log.sel(chain_rate=rate)
    ends = at.sel(radius=[low, high], method="nearest")
    length = np.diff(np.log(ends.radius.values))[0]
    coarse, fine = (
        float(-np.diff(ends.sel(grid=g).values)[0] / length / 2) for g in ("coarse", "fine")
    )
    value = fine + (fine - coarse) / 3
    error = abs(value - fine)
    return computed(value, value - error, value + error, "twice the bins")


@dataclass(frozen=True)
class FittedWave:
    """A wave on a tail: rate at which it fades, frequency (both of log|theta|), with bounds."""

    fading: Interval
    frequency: Interval


@reads_dataset
def fitted_wave(dataset, rate, *, low=30.0, high=2000.0) -> FittedWave:
    """Return the wave on the tail of an exact chain, by least squares on log P(|theta| > r).

    The model is a straight line in log r, a wave and its second harmonic (of a logarithm of a sum).
    The error is the change with the grid and with the window.

    Args:
        dataset: of the chapter.
        rate: eta of the chain.
        low: smallest |theta|.
        high: largest.
    """
    found = []
    for grid, start in (("coarse", low), ("fine", low), ("fine", 5 * low / 3)):
        at = dataset.chain_log.sel(chain_rate=rate, grid=grid)
        keep = (at.radius.values >= start) & (at.radius.values <= high)
        u, y = np.log(at.radius.values[keep]), at.values[keep]
        start_at = [0.3, 4.9]
        fit = optimize.least_squares(_beside_wave, start_at, x_scale=[0.1, 1.0], args=(u, y))
        found.append(fit.x)
    coarse, fine, inner = np.array(found)
    error = np.abs(fine - coarse) + np.abs(fine - inner)
    fading, frequency = (
        computed(v, v - e, v + e, "twice the bins, and another window")
        for v, e in zip(fine, error, strict=True)
    )
    return FittedWave(fading, frequency)


def _beside_wave(parameters, u, y):
    """What line, wave and second harmonic leave of y."""
    fading, frequency = parameters
    first, second = np.exp(-fading * u), np.exp(-2 * fading * u)
    waves = [
        *(first * f(frequency * u) for f in (np.cos, np.sin)),
        *(second * f(2 * frequency * u) for f in (np.cos, np.sin)),
    ]
    basis = np.column_stack([np.ones_like(u), u, second, *waves])
    return y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]


def estimators(config) -> xr.Dataset:
    """Return what each estimator reports on samples of each known law: index of P(X > x) ~ x^-a.

    Hill from a tenth and a hundredth of the values; maximum likelihood above Clauset's minimum,
    with the interval that ignores its choice; the same with the discrete law, for whole numbers.

    Args:
        config: of the chapter.
    """
    shape = (len(ESTIMATORS), len(LAWS), config.repetitions, 3)
    found = np.full(shape, np.nan)
    level, n = config.estimate_level, config.sample_size
    for j, law in enumerate(LAWS):
        for k in range(config.repetitions):
            x = known_samples(config, law, k)
            whole = law == "zipf"
            # whole numbers are spread evenly over their cell: what a continuous law sees of them
            smooth = x + (_within_cell(x) - 0.5) if whole else x
            intervals = {
                "hill_tenth": tails.hill(smooth, count=n // 10, level=level),
                "hill_hundredth": tails.hill(smooth, count=n // 100, level=level),
            }
            tail = tails.choose_minimum(smooth, candidates=40)
            intervals["clauset"] = tails.hill(smooth, count=tail.count - 1, level=level)
            if whole:
                minimum = tails.choose_discrete_minimum(x).minimum
                fit = tails.discrete_tail_exponent(x, minimum=minimum, level=level)
                intervals["discrete"] = Interval(fit.value - 1, fit.low - 1, fit.high - 1, level)
            for name, interval in intervals.items():
                entry = interval.value, interval.low, interval.high
                found[ESTIMATORS.index(name), j, k] = entry
    return xr.Dataset(
        {"estimate": (("estimator", "law", "repetition", "end"), found)},
        {
            "estimator": list(ESTIMATORS),
            "law": list(LAWS),
            "end": ["value", "low", "high"],
        },
    )


@reads_dataset
def coverage(dataset, estimator, law) -> tuple[int, int]:
    """Return in how many repetitions the interval holds the law's index, and of how many.

    Args:
        dataset: of the chapter, with its predictions.
        estimator: one of `ESTIMATORS`.
        law: one of `measure.states.LAWS`.
    """
    at = dataset.estimate.sel(estimator=estimator, law=law)
    truth = float(dataset.law_index.sel(law=law))
    inside = (at.sel(end="low") <= truth) & (truth <= at.sel(end="high"))
    return int(inside.sum()), int(at.sizes["repetition"])


def _within_cell(x):
    """Numbers in (0, 1), evenly spread among equal values."""
    order = np.argsort(x, kind="stable")
    seen, start, counts = np.unique(x[order], return_index=True, return_counts=True)
    place = np.empty(x.size)
    rank = np.arange(x.size) - np.repeat(start, counts)
    place[order] = (rank + 0.5) / np.repeat(counts, counts)
    return place


__all__ = [
    "ESTIMATORS",
    "FittedWave",
    "chain_index",
    "coverage",
    "estimators",
    "fitted_wave",
    "tail_index",
]
