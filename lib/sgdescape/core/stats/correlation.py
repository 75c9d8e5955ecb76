"""Averages of correlated samples: integrated autocorrelation time and means over blocks.

Neighbouring samples of a stationary run share information. Means over blocks much longer than
the correlation are close to independent, and Student's t holds for them; blocks that are too short
are refused with the estimate, in the way of emcee.
"""

import numpy as np
from scipy import fft

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval

__all__ = ["TooCorrelatedError", "block_means", "correlated_mean", "integrated_time"]

BLOCKS = 50  # Student's t at `LEVEL` is then 12 % wider than the normal law
_LENGTHS = 10  # integrated times in a block: its variance is then at most 10 % too small


class TooCorrelatedError(RuntimeError):
    """The samples hold too few independent ones; what is known is carried along.

    Args:
        message: says what was found and what is needed.
        estimate: the estimate all the same; NaN if there is none.
        time: integrated autocorrelation time, in samples.
    """

    def __init__(self, message, estimate=float("nan"), time=float("nan")):
        super().__init__(message, estimate, time)
        self.estimate, self.time = float(estimate), float(time)

    def __str__(self):
        return self.args[0]


@door
def integrated_time(samples) -> float:
    r"""Integrated autocorrelation time tau = 1 + 2 sum_k rho(k), in samples.

    The variance of a mean of n samples is tau times that of n independent ones. The sum stops at
    the first k >= 5 max(tau, 1) (Sokal 1997); replicas share one mean and one correlation.

    Args:
        samples: (n,) or (replicas, n), each row in the order of time.

    Returns:
        The time, at least 0; 1 for independent samples, and for constant ones.

    Raises:
        TooCorrelatedError: if a row is shorter than 10 times or all rows are shorter than 50
            times what was found; it carries the estimate.
        ValueError: for other shapes or values that are not finite.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> 0.8 < integrated_time(rng.normal(size=10_000)) < 1.2
        True
    """
    rows = _rows(samples)
    n = rows.shape[1]
    centred = rows - rows.mean()
    size = fft.next_fast_len(2 * n, real=True)
    covariance = np.zeros(n)
    for row in centred:  # one at a time: replicas may be many
        covariance += fft.irfft(np.abs(fft.rfft(row, size)) ** 2, size)[:n]
    if covariance[0] <= 1e-24 * np.sum(rows**2):
        return 1.0
    times = 2 * np.cumsum(covariance / covariance[0]) - 1
    window = np.arange(n) >= 5 * np.maximum(times, 1.0)
    time = float(max(times[np.argmax(window)] if window.any() else times[-1], 0.0))
    if not window.any() or n < 10 * time or rows.size < 50 * time:
        raise TooCorrelatedError(
            f"samples must be many autocorrelation times: got {len(rows)} rows of {n}, and a time "
            f"of at least {time:.3g}",
            rows.mean(),
            time,
        )
    return time


@door
def block_means(samples, *, blocks: int = BLOCKS) -> np.ndarray:
    """Return means over blocks that are long against the correlation.

    Args:
        samples: (n,) or (replicas, n), each row in the order of time. With at least ``blocks``
            rows each row is a block, however short, for rows are independent; fewer rows are
            cut, and what is left over at the start of a row is not used.
        blocks: smallest number of blocks, at least 2.

    Returns:
        (b,), b at least ``blocks``.

    Raises:
        TooCorrelatedError: if a cut block is shorter than 10 integrated autocorrelation times.
        ValueError: if there are fewer samples than blocks, or as in `integrated_time`.

    Example:
        >>> block_means(np.arange(8.0).reshape(4, 2), blocks=4).tolist()
        [0.5, 2.5, 4.5, 6.5]
    """
    rows = _rows(samples)
    validate.count("blocks", blocks, low=2)
    if len(rows) >= blocks:
        return rows.mean(axis=1)
    pieces = -(-blocks // len(rows))
    length = rows.shape[1] // pieces
    if length < 1:
        raise ValueError(f"samples must number at least {blocks} for {blocks} blocks: {rows.shape}")
    time = integrated_time(rows)
    if length < _LENGTHS * time:
        raise TooCorrelatedError(
            f"blocks must be at least {_LENGTHS} autocorrelation times of {time:.3g} long: got "
            f"{length} samples in each of {pieces * len(rows)} blocks",
            rows.mean(),
            time,
        )
    return rows[:, -pieces * length :].reshape(-1, length).mean(axis=1)


@door
def correlated_mean(samples, *, blocks: int = BLOCKS, level: float = LEVEL) -> Interval:
    """Mean of correlated samples with Student's t interval between blocks.

    Args:
        samples: (n,) or (replicas, n), each row in the order of time.
        blocks: smallest number of blocks, see `block_means`.
        level: of the interval, in (0, 1).

    Returns:
        The mean of the blocks with its interval.

    Raises:
        TooCorrelatedError: if the blocks are too short; it carries mean and correlation time.
        ValueError: as in `block_means`.

    Example:
        >>> correlated_mean(np.tile([1.0, 3.0], 500)).value
        2.0
    """
    means = block_means(samples, blocks=blocks)
    found = mean_interval(means, level=level)
    return Interval(found.value, found.low, found.high, level, f"between {means.size} blocks")


def _rows(samples):
    rows = validate.finite("samples", samples)
    if rows.ndim not in (1, 2):
        raise ValueError(f"samples must be (n,) or (replicas, n): got shape {rows.shape}")
    return np.atleast_2d(rows)
