"""Estimates with intervals: means, proportions and ratios.

Every function returns the value together with an interval whose level is stated. Claims use
`LEVEL`, at which a true statement fails once in 100,000 independent checks; figures may use less.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = [
    "Interval",
    "bootstrap_interval",
    "computed",
    "mean_interval",
    "proportion_interval",
    "ratio_interval",
    "reciprocal",
    "scaled",
    "shifted",
    "weighted_sum",
]

LEVEL = 1 - 1e-5


@dataclass(frozen=True)
class Interval:
    """A measured value with a two-sided interval.

    Args:
        value: the estimate.
        low: lower end, at most ``high``.
        high: upper end.
        level: probability that the interval covers the truth, in (0, 1); None for a bound of a
            numerical error, which has no probability (`computed`).
        method: how it was made, a few words for captions.

    Raises:
        ValueError: if an entry is not finite, the ends are in the wrong order or the level lies
            outside (0, 1).
    """

    value: float
    low: float
    high: float
    level: float | None = LEVEL
    method: str = ""

    def __post_init__(self):
        for name in ("value", "low", "high", *(() if self.level is None else ("level",))):
            number = _finite(name, getattr(self, name))
            object.__setattr__(self, name, number)  # NumPy scalars become floats, for JSON
        if not isinstance(self.method, str):
            raise TypeError(f"method of an interval must be a text: got {self.method!r}")
        if self.low > self.high:
            raise ValueError(f"low must not exceed high: got [{self.low}, {self.high}]")
        if self.level is not None:
            _level(self.level)


def _finite(name, value) -> float:
    number = validate.real(f"{name} of an interval", value)
    if number.size != 1:
        raise ValueError(f"{name} of an interval must be one number: got shape {number.shape}")
    if not np.isfinite(number).all():
        raise ValueError(f"{name} of an interval must be finite: got {number.item()}")
    return number.item()


@door
def computed(value: float, low: float, high: float, method: str) -> Interval:
    """A number computed without sampling, between bounds of its numerical error.

    Args:
        value: the number.
        low: lower bound, discretisation included.
        high: upper bound.
        method: how the error was bounded, a few words for captions.

    Returns:
        The interval; its level is None.

    Raises:
        ValueError: as `Interval`, or if no method is named.

    Example:
        >>> computed(1.0, 0.99, 1.01, "half the step").level is None
        True
    """
    if not method.strip():
        raise ValueError(f"method must say how the error was bounded: got {method!r}")
    return Interval(value, low, high, None, method)


@door
def mean_interval(samples, *, level: float = LEVEL) -> Interval:
    """Mean of independent samples with Student's t interval.

    Args:
        samples: (n,), n at least 2; exact for normal samples, good for large n otherwise.
        level: of the interval, in (0, 1).

    Returns:
        The mean; the interval has zero width if all samples are equal.

    Raises:
        ValueError: for fewer than 2 samples, a non-finite one or a level outside (0, 1).

    Example:
        >>> round(mean_interval([1.0, 2.0, 3.0], level=0.95).high, 3)
        4.484
    """
    values = _samples("samples", samples)
    error = values.std(ddof=1) / np.sqrt(values.size)
    return _symmetric(values.mean(), error, values.size - 1, level, "Student t")


@door
def bootstrap_interval(
    samples,
    statistic: Callable[[np.ndarray], float] = np.mean,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of any statistic of independent samples.

    Bias-corrected and accelerated (BCa; Efron 1987) while at least 10 resamples lie beyond each
    end, ``resamples * (1 - level) / 2 >= 10``. Beyond that (at `LEVEL`: below 2 million resamples)
    resampling cannot see the tails, and the interval is value ± t(n - 1) x bootstrap standard
    error: it then assumes that the statistic is close to normal. `Interval.method` says which.

    Args:
        samples: (n, ...), n at least 2; resampled along the first axis.
        statistic: maps an array (n, ...) to a number; the mean unless given.
        level: of the interval, in (0, 1).
        resamples: number of bootstrap samples, at least 100.
        seed: of the resampling.

    Returns:
        The statistic of the samples with its interval.

    Raises:
        ValueError: for fewer than 2 samples, non-finite ones or a level outside (0, 1).
    """
    values = validate.finite("samples", samples)
    size = values.shape[0] if values.ndim else 0
    if size < 2:
        raise ValueError(f"samples must hold at least 2 along the first axis: got {values.shape}")
    validate.count("resamples", resamples, low=100)
    validate.count("seed", seed, low=0)
    resolved = round(resamples * (1 - _level(level)) / 2, 6) >= 10  # 200 x 0.1 / 2 is 9.99...
    result = stats.bootstrap(
        (np.arange(size),),  # indices, so that samples of any shape stay together
        lambda index: float(statistic(values[index])),
        n_resamples=resamples,
        vectorized=False,
        method="BCa" if resolved else "percentile",
        confidence_level=level,
        rng=np.random.Generator(np.random.Philox(key=seed)),
    )
    value, error = float(statistic(values)), float(result.standard_error)
    if resolved and error > 0:
        ends = result.confidence_interval
        return Interval(value, ends.low, ends.high, level, f"BCa bootstrap, {resamples} resamples")
    return _symmetric(value, error, size - 1, level, f"bootstrap s.e., {resamples} resamples")


@door
def proportion_interval(successes: int, trials: int, *, level: float = LEVEL) -> Interval:
    """Exact interval of a probability (Clopper and Pearson 1934).

    Args:
        successes: number of successes, in [0, trials].
        trials: number of independent trials, at least 1.
        level: of the interval, in (0, 1); it covers at least that often for every probability.

    Returns:
        The observed share with its interval inside [0, 1].

    Raises:
        ValueError: for counts or a level outside their range.

    Example:
        >>> round(proportion_interval(0, 10, level=0.95).high, 4)
        0.3085
    """
    validate.count("trials", trials)
    validate.count("successes", successes, low=0, high=trials)
    ends = stats.binomtest(successes, trials).proportion_ci(_level(level), method="exact")
    return Interval(successes / trials, ends.low, ends.high, level, "Clopper-Pearson")


@door
def ratio_interval(numerator, denominator, *, level: float = LEVEL) -> Interval:
    """Ratio of the means of paired samples with Fieller's interval.

    Args:
        numerator: (n,) samples, n at least 2.
        denominator: (n,) samples drawn together with them.
        level: of the interval, in (0, 1); exact if the pairs are normal.

    Returns:
        mean(numerator) / mean(denominator) with its interval, not symmetric about it.

    Raises:
        ValueError: for unequal lengths, or if the denominator's own interval contains zero: then
            no bounded interval of the ratio exists.

    Example:
        >>> ratio_interval([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], level=0.9).value
        2.0
    """
    top, bottom = _samples("numerator", numerator), _samples("denominator", denominator)
    if top.size != bottom.size:
        raise ValueError(f"samples must be paired: got {top.size} and {bottom.size}")
    n = top.size
    (var_top, cov), (_, var_bottom) = np.cov(top, bottom) / n
    a, b, t2 = top.mean(), bottom.mean(), stats.t.isf((1 - _level(level)) / 2, n - 1) ** 2
    # The ends solve (a - r b)^2 = t^2 Var(a - r b), a quadratic in r.
    curvature = b**2 - t2 * var_bottom
    if curvature <= 0:
        raise ValueError(f"denominator must differ from zero at level {level}: mean {b:.4g}")
    middle = (a * b - t2 * cov) / curvature
    square = middle**2 - (a**2 - t2 * var_top) / curvature
    half = np.sqrt(max(square, 0.0))
    value = a / b
    return Interval(value, min(middle - half, value), max(middle + half, value), level, "Fieller")


@door
def scaled(interval: Interval, by: float) -> Interval:
    """An interval divided by a positive number.

    Example:
        >>> scaled(Interval(2.0, 1.0, 4.0), 2.0).high
        2.0
    """
    by = validate.positive("by", by)
    ends = (interval.value / by, interval.low / by, interval.high / by)
    return Interval(*ends, interval.level, interval.method)


@door
def shifted(interval: Interval, by: float) -> Interval:
    """An interval less a number.

    Args:
        interval: any.
        by: finite.

    Raises:
        ValueError: if the number is not finite.

    Example:
        >>> shifted(Interval(2.0, 1.0, 4.0), 2.0).low
        -1.0
    """
    by = float(validate.finite("by", by))
    ends = (interval.value - by, interval.low - by, interval.high - by)
    return Interval(*ends, interval.level, interval.method)


@door
def weighted_sum(intervals, weights, *, method: str | None = None) -> Interval:
    """A weighted sum of independent estimates; their half widths add in squares.

    Args:
        intervals: of one level, each as wide above its value as below (n).
        weights: of each, 1 and -1 for a difference (n).
        method: of the sum; None for the first one's.

    Raises:
        ValueError: for other numbers of weights, or levels that differ.

    Example:
        >>> weighted_sum([Interval(3.0, 0.0, 6.0), Interval(1.0, -3.0, 5.0)], [1, -1]).high
        7.0
    """
    parts, levels = validate.finite("weights", weights), {i.level for i in intervals}
    if parts.shape != (len(intervals),) or len(levels) != 1:
        raise ValueError(
            f"intervals must be of one level, with as many weights: got {len(intervals)} of levels "
            f"{sorted(map(str, levels))}, weights of shape {parts.shape}"
        )
    value = float(sum(p * i.value for p, i in zip(parts, intervals, strict=True)))
    half = float(np.linalg.norm(parts * [i.high - i.value for i in intervals]))
    first = intervals[0]
    return Interval(value, value - half, value + half, first.level, method or first.method)


@door
def reciprocal(interval: Interval) -> Interval:
    """One over an interval of positive numbers.

    Raises:
        ValueError: if it reaches 0.

    Example:
        >>> reciprocal(Interval(2.0, 1.0, 4.0)).low
        0.25
    """
    validate.positive("low", interval.low)
    ends = (1 / interval.value, 1 / interval.high, 1 / interval.low)
    return Interval(*ends, interval.level, interval.method)


def _samples(name, samples):
    values = validate.finite(name, samples)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"{name} must be one-dimensional with at least 2: got {values.shape}")
    return values


def _level(level):
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1): got {level}")
    return level


def _symmetric(value, error, freedom, level, method):
    half = stats.t.isf((1 - _level(level)) / 2, freedom) * error
    return Interval(value, value - half, value + half, level, method)
