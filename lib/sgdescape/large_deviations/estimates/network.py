"""How a network's kept runs compare with predicted times: octaves, and growth with the exponent."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval

_FAR = 1.5  # thresholds are compared above this multiple of the largest raised loss


def far(dataset):
    """Return which thresholds are far from the minimum: chosen by the prediction alone."""
    return dataset.threshold.values > _FAR * float(dataset.base.max())


@reads_dataset
def octaves(dataset, name):
    """Return log2 of every run's time over a predicted one, far out, at all settings (n,)."""
    difference = (dataset.log_time - dataset[name]).values[..., far(dataset)] / np.log(2)
    return difference[np.isfinite(difference)]


@reads_dataset
def growths_held(dataset, name) -> tuple[int, int]:
    """Return at how many pairs of neighbouring exponents a prediction's growth holds, and of all.

    Args:
        dataset: of `run_network`.
        name: of the predicted logarithm of the time.
    """
    exponents = [float(a) for a in dataset.exponent.values]
    held = []
    for batch in dataset.batch_size.values:
        for pair in zip(exponents[:-1], exponents[1:], strict=True):
            at = {"batch_size": batch, "pair": pair}
            at["threshold"] = bend_place(dataset, batch, pair)
            found = growth(dataset, **at)
            held.append(found.low <= predicted_growth(dataset, name, **at) <= found.high)
    return sum(held), len(held)


@reads_dataset
def bend_place(dataset, batch_size, pair) -> float:
    """Return the largest threshold at which both exponents of a pair have a time.

    Args:
        dataset: of `run_network`.
        batch_size: B.
        pair: two exponents B / (eta h).
    """
    both = dataset.log_time.sel(batch_size=batch_size, exponent=list(pair)).values
    return float(dataset.threshold.values[np.isfinite(both).all(axis=0)].max())


@reads_dataset
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


@reads_dataset
def predicted_growth(dataset, name, *, batch_size, pair, threshold) -> float:
    """Return the same growth of a predicted time."""
    at = dataset.sel(batch_size=batch_size, exponent=list(pair), threshold=threshold)
    return float(np.diff(at[name].values)[0] / (pair[1] - pair[0]))
