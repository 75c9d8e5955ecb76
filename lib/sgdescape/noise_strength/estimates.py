"""Estimates of chapter `noise_strength`: one number a run, and the interval of the median run.

The moments have no sampling error, they are averages over the whole training set. What varies is
the run: its images, initial weights and batches.
"""

import numpy as np
from scipy import stats

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval

SQUARE, ENTROPY, ONE_OUTPUT = "MLP, square", "MLP, cross-entropy", "MLP, one output"
CNN_SQUARE, CNN_ENTROPY = "CNN, square", "CNN, cross-entropy"
EARLY = 0.15  # loss above which the square-loss MLP is in the first part of its training
LATE = 0.02  # loss below which it is in the last part
WRONG = (0.25, 2.0)  # losses between which the cross-entropy MLP has many wrong samples
FITTED = 0.012  # loss below which it has none
CNN_LATE = 0.1  # loss below which the square-loss CNN has fitted nearly all images
CNN_FITTED = 0.02  # loss below which the cross-entropy CNN has no wrong samples
CNN_LEVEL = 0.99  # of intervals of the CNN, of which there are fewer runs


def median_interval(values, *, level: float = LEVEL) -> Interval:
    """Return the median of a continuous law with its interval, whatever the law.

    [x_(k), x_(n+1-k)] of the ordered sample covers the median with probability
    1 - 2 P(Bin(n, 1/2) < k); k is the largest that keeps the level (the sign test, inverted).

    Args:
        values: (runs,), independent, one law; at least 18 at `LEVEL`. NaN is a run that was not
            made.
        level: asked for; that of the interval is the one it really has, at least as high.

    Raises:
        ValueError: if there are too few runs for the level.

    Example:
        >>> median_interval([1.0, 3.0, 2.0], level=0.7)
        Interval(value=2.0, low=1.0, high=3.0, level=0.75, method='median of 3 runs, sign test')
    """
    x = np.asarray(values, dtype=float)
    x = np.sort(x[~np.isnan(x)])
    n = x.size
    missed = 2 * stats.binom.cdf(np.arange(n // 2 + 1), n, 0.5)  # with k = 1, 2, ...
    k = int(np.searchsorted(missed, 1 - level, side="right"))
    if k < 1:
        needed = int(np.ceil(1 - np.log2(1 - level)))
        raise ValueError(f"an interval of level {level:g} needs {needed} runs: got {n}")
    method = f"median of {n} runs, sign test"
    return Interval(np.median(x), x[k - 1], x[n - k], 1 - missed[k - 1], method)


def slopes(x, y, chosen) -> np.ndarray:
    """Return the least-squares slope of log y against log x in each replica, NaN without data.

    Args:
        x: (replicas, marks), positive.
        y: (replicas, marks), positive.
        chosen: (replicas, marks), which marks enter the fit.

    Raises:
        ValueError: if fewer than 3 marks are chosen in a replica.
    """
    found = []
    for a, b, keep in zip(np.log(x.values), np.log(y.values), chosen.values, strict=True):
        if np.isnan(a).all():
            found.append(np.nan)
            continue
        if keep.sum() < 3:
            raise ValueError(f"a slope needs at least 3 marks in its range: got {keep.sum()}")
        found.append(np.polyfit(a[keep], b[keep], 1)[0])
    return np.array(found)


@reads_dataset
def trained(dataset, case: str):
    """Return a case without its initial point, which depends on the weights and no training."""
    return dataset.sel(case=case).isel(mark=slice(1, None))


def log_mean(ratio) -> np.ndarray:
    """Return the geometric mean over training of each replica."""
    return np.exp(np.log(ratio).mean("mark")).values


def median_fall(loss) -> float:
    """Return the octaves by which the loss of the median run falls."""
    return float(np.median(np.log2(falls(loss))))


def median_farthest(ratio) -> float:
    """Return `farthest` of the median run."""
    return float(np.median(farthest(ratio)))


def falls(loss) -> np.ndarray:
    """Return the factor by which the loss falls in each replica."""
    return (loss.max("mark") / loss.min("mark")).values


def farthest(ratio) -> np.ndarray:
    """Return the largest abs(log2 ratio) of each replica: how far off at the worst moment."""
    return np.abs(np.log2(ratio)).max("mark").values


@reads_dataset
def at_worst(ds):
    """Return a case at the mark of each replica at which noise over prediction is largest."""
    return ds.isel(mark=ds.ratio.argmax("mark"))
