"""How a network's kept runs compare with predicted times: octaves, and growth with the exponent."""

import numpy as np

from sgdescape.core.stats.intervals import LEVEL, Interval

_FAR = 1.5  # thresholds are compared above this multiple of the largest raised loss


def far(dataset):
    """Return which thresholds are far from the minimum: chosen by the prediction alone."""
    return dataset.threshold.values > _FAR * float(dataset.base.max())


def mean_octaves(dataset, name) -> Interval:
    """Return the mean log2 of the runs' times over predicted ones, far out, over all settings.

    The half-width is the mean of the single half-widths: the runs of a setting share their
    thresholds, and no independence is assumed.

    Args:
        dataset: of `run_network`.
        name: of the predicted logarithm of the time.
    """
    there = far(dataset)
    difference = (dataset.log_time - dataset[name]).values[..., there] / np.log(2)
    half = dataset.half_width.values[..., there] / np.log(2)
    known = np.isfinite(difference)
    value, width = float(difference[known].mean()), float(half[known].mean())
    method = f"{int(known.sum())} times, half-widths averaged"
    return Interval(value, value - width, value + width, LEVEL, method)


def predicted_octaves(dataset, name) -> float:
    """Return what `mean_octaves` of the chain would be if another prediction were true."""
    there = far(dataset)
    known = np.isfinite(dataset.log_time.values[..., there])
    other = (dataset[name] - dataset.chain_log_time).values[..., there]
    return float(other[known].mean() / np.log(2))


def bend_place(dataset, batch_size, pair) -> float:
    """Return the largest threshold at which both exponents of a pair have a time.

    Args:
        dataset: of `run_network`.
        batch_size: B.
        pair: two exponents B / (eta h).
    """
    both = dataset.log_time.sel(batch_size=batch_size, exponent=list(pair)).values
    return float(dataset.threshold.values[np.isfinite(both).all(axis=0)].max())


def growth(dataset, *, batch_size, pair, threshold) -> Interval:
    """Return the growth of the runs' log time with B / (eta h), between two of its values.

    Args:
        dataset: of `run_network`.
        batch_size: B.
        pair: two exponents.
        threshold: c.
    """
    at = dataset.sel(batch_size=batch_size, exponent=list(pair), threshold=threshold)
    gap = pair[1] - pair[0]
    value = float(np.diff(at.log_time.values)[0] / gap)
    half = float(np.hypot(*at.half_width.values) / gap)
    return Interval(value, value - half, value + half, LEVEL, "delta method, independent runs")


def predicted_growth(dataset, name, *, batch_size, pair, threshold) -> float:
    """Return the same growth of a predicted time."""
    at = dataset.sel(batch_size=batch_size, exponent=list(pair), threshold=threshold)
    return float(np.diff(at[name].values)[0] / (pair[1] - pair[0]))
