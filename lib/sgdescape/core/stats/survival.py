"""First-passage times of ensembles in which some runs never got there (right-censored).

A run without passage is known to take longer than it was watched; dropping it biases every mean
downward. All functions take ``times``, the passage time or, without passage, the time watched,
and ``observed``, False where there was no passage; `right_censored` makes both from an ensemble.
The unit is the caller's: steps, or t = learning_rate x steps.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import LEVEL, Interval

__all__ = [
    "SurvivalCurve",
    "TooFewPassagesError",
    "kaplan_meier",
    "log_influences",
    "mean_passage",
    "passage_slope",
    "right_censored",
]

LEAST = 10  # passages below which an estimate is refused unless the caller asks for it


class TooFewPassagesError(RuntimeError):
    """Too few passages for an interval; what is known is carried along.

    Args:
        message: how many there are and how many are needed.
        estimate: all the same; infinite if there is none.
        low: lower end of its interval.
        passages: the number found.
    """

    def __init__(self, message, estimate=float("nan"), low=float("nan"), passages=0):
        super().__init__(message, estimate, low, passages)
        self.estimate, self.low, self.passages = float(estimate), float(low), int(passages)

    def __str__(self):
        return self.args[0]


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier estimate of the probability of no passage up to and including a time.

    Args:
        times: where runs pass or stop being watched, ascending, distinct (m,).
        survival: from each time until the next (m,); 1 before the first.
        low: lower ends (m,), each at the level on its own.
        high: upper ends (m,).
        at_risk: runs without passage and still watched just before each time (m,).
        passages: number of passages at each time (m,).
        level: of every single interval, not of the band.
    """

    times: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    passages: np.ndarray
    level: float


@door
def right_censored(passage, last) -> tuple[np.ndarray, np.ndarray]:
    """Return ``times`` and ``observed`` from passages in which -1 or NaN means "never".

    Args:
        passage: (replicas,) or (replicas, thresholds); -1 (or NaN) if not reached.
        last: (replicas,) or a number, how long each replica was watched, positive.

    Returns:
        ``times`` (float64) and ``observed`` (bool), both shaped as ``passage``.

    Raises:
        ValueError: if a passage is neither -1, NaN nor positive, or lies after ``last``.

    Example:
        >>> times, observed = right_censored([3, -1], 10)
        >>> times.tolist(), observed.tolist()
        ([3.0, 10.0], [True, False])
    """
    passage = validate.real("passage", passage)
    if passage.ndim not in (1, 2) or passage.size == 0:
        raise ValueError(f"passage must be (replicas[, thresholds]): got {passage.shape}")
    last = validate.finite("last", last)
    if last.ndim > 1 or (last.ndim == 1 and last.size != len(passage)):
        raise ValueError(f"last must be a number or ({len(passage)},): got shape {last.shape}")
    if np.any(last <= 0):
        raise ValueError(f"last must be positive: got {last.min():g}")
    last = np.broadcast_to(last.reshape(-1, *[1] * (passage.ndim - 1)), passage.shape)
    observed = ~(np.isnan(passage) | (passage == -1))
    if np.any(passage[observed] <= 0):
        raise ValueError(f"passage must be positive, or -1: got {passage[observed].min():g}")
    if np.any(passage[observed] > last[observed]):
        raise ValueError("passage must not lie after the last time watched")
    return np.where(observed, passage, last), observed


@door
def mean_passage(times, observed, *, level: float = LEVEL, least: int = LEAST) -> Interval:
    """Mean of exponential passage times: total time watched over number of passages.

    The maximum-likelihood estimate with its chi-square interval (Epstein and Sobel 1953): exact
    if every run passes or watching stops at a passage. If runs are censored at a time, the lower
    end takes two more degrees of freedom, which is exact for a Poisson process watched for the
    total time and covers at least at the level here. Passage times must be exponential, as those
    of rare escapes are.

    Args:
        times: (n,), positive.
        observed: (n,), False = censored.
        level: of the interval, in (0, 1).
        least: number of passages below which the estimate is refused, at least 1.

    Returns:
        The mean with its interval, in the unit of ``times``.

    Raises:
        TooFewPassagesError: for fewer passages; it carries estimate and lower end.
        ValueError: for times that are not positive or shapes that differ.

    Example:
        >>> found = mean_passage([1.0, 2.0, 3.0, 4.0], [True, True, False, False], least=2)
        >>> found.value
        5.0
    """
    times, observed = _sample(times, observed)
    validate.count("least", least)
    passages, total, tail = int(observed.sum()), float(times.sum()), _tail(level)
    extra = 0 if passages == times.size else 2
    low = 2 * total / stats.chi2.isf(tail, 2 * passages + extra)
    if passages < least:
        value = total / passages if passages else np.inf
        raise _too_few(passages, least, value, low, level)
    high = 2 * total / stats.chi2.ppf(tail, 2 * passages)
    return Interval(total / passages, low, high, level, "exponential, chi-square")


@door
def kaplan_meier(times, observed, *, level: float = LEVEL) -> SurvivalCurve:
    """Probability of no passage as a function of time, for passage times of any law.

    The product-limit estimate of `scipy.stats.ecdf`. Up to the first censoring the number of
    passages is binomial, and the intervals are exact (Clopper and Pearson); from then on they are
    Greenwood's on the log(-log) scale.

    Args:
        times: (n,), positive.
        observed: (n,), False = censored.
        level: of each single interval, in (0, 1).

    Returns:
        The curve. It is not defined beyond its last time if that one is censored.

    Raises:
        ValueError: for times that are not positive or shapes that differ.

    Example:
        >>> kaplan_meier([1.0, 2.0, 2.0, 3.0], [True, True, False, True]).survival.round(6)
        array([0.75, 0.5 , 0.  ])
    """
    times, observed = _sample(times, observed)
    tail, n = _tail(level), times.size
    estimate = stats.ecdf(stats.CensoredData(uncensored=times[observed], right=times[~observed])).sf
    at, survival = estimate.quantiles, estimate.probabilities
    ordered, passed = np.sort(times), np.sort(times[observed])
    at_risk = n - np.searchsorted(ordered, at, side="left")
    passages = np.searchsorted(passed, at, side="right") - np.searchsorted(passed, at, side="left")
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(passages / (at_risk * (at_risk - passages)))) / np.log(survival)
        low, high = (survival ** np.exp(z * spread) for z in stats.norm.ppf([tail, 1 - tail]))
    exact = at <= (times[~observed].min() if not observed.all() else np.inf)
    low[exact], high[exact] = _clopper_pearson(n - np.cumsum(passages)[exact], n, tail)
    # Greenwood's variance is 0 or undefined at 1 and at 0: bounds from those still at risk.
    whole, none = (survival == 1) & ~exact, (survival == 0) & ~exact
    low[whole], high[whole] = _clopper_pearson(at_risk[whole], at_risk[whole], tail)
    for i in np.flatnonzero(none):
        low[i], high[i] = 0.0, high[i - 1]
    return SurvivalCurve(at, survival, low, high, at_risk, passages, level)


@door
def log_influences(times, observed) -> np.ndarray:
    """Return each replica's influence on log(total time / passages): t_ij/mean t_j - d_ij/mean d_j.

    The spread of a weighted row sum over replicas is the error of that sum of logarithms (delta
    method, for passage times of any law).

    Args:
        times: (replicas, m), positive.
        observed: (replicas, m), False = censored.

    Returns:
        (replicas, m), of mean 0; NaN at a threshold without passages.

    Example:
        >>> log_influences(np.array([[1.0], [3.0]]), np.array([[True], [True]])).tolist()
        [[-0.5], [0.5]]
    """
    times = validate.within("times", times, low=0, open_low=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return times / times.mean(axis=0) - observed / observed.mean(axis=0)


@door
def passage_slope(
    thresholds, times, observed, *, level: float = LEVEL, least: int = LEAST
) -> Interval:
    """Slope of log mean passage time against log threshold, all crossed by the same runs.

    Least squares through log(total time / passages) of each threshold. The thresholds' estimates
    are correlated, for a run that is late at one is late at the next: the slope is a smooth
    function of the replicas' joint averages, its error comes from the replicas' influences
    x_i = sum_j w_j (`log_influences`)_ij, which hold all covariances, and the interval is Student's
    t (delta method, for passage times of any law). A local slope is that
    of a few neighbouring thresholds.

    Args:
        thresholds: (m,), positive and distinct, m at least 2.
        times: (replicas, m), positive.
        observed: (replicas, m), False = censored.
        level: of the interval, in (0, 1).
        least: number of passages needed at every threshold.

    Returns:
        The slope with its interval.

    Raises:
        TooFewPassagesError: if a threshold has fewer passages.
        ValueError: for other shapes or values that are not positive.

    Example:
        >>> times = np.outer([0.5, 1.0, 1.5], [1.0, 8.0, 64.0])
        >>> round(passage_slope([1, 2, 4], times, times > 0, least=3).value, 6)
        3.0
    """
    weights, times, observed = _thresholds(thresholds, times, observed)
    replicas, tail = len(times), _tail(level)
    validate.count("least", least)
    passages = observed.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(weights @ np.log(times.sum(axis=0) / passages))
    if passages.min() < least:
        raise _too_few(int(passages.min()), least, value, np.nan, None)
    influence = log_influences(times, observed) @ weights
    half = stats.t.isf(tail, replicas - 1) * influence.std(ddof=1) / np.sqrt(replicas)
    return Interval(value, value - half, value + half, level, f"{replicas} replicas, delta method")


def _thresholds(thresholds, times, observed):
    """Least-squares weights of the thresholds, and the checked table (replicas, m)."""
    u = validate.finite("thresholds", thresholds)
    if u.ndim != 1 or u.size < 2 or np.any(u <= 0) or np.unique(u).size != u.size:
        raise ValueError(f"thresholds must be (m,), positive, distinct, m >= 2: got {thresholds!r}")
    times = validate.finite("times", times)
    if times.ndim != 2 or times.shape[1] != u.size or len(times) < 2:
        raise ValueError(f"times must be (replicas >= 2, {u.size}): got shape {times.shape}")
    flat, mask = _sample(times.ravel(), np.asarray(observed).ravel())
    centred = np.log(u) - np.log(u).mean()
    return centred / (centred @ centred), flat.reshape(times.shape), mask.reshape(times.shape)


def _sample(times, observed):
    times, observed = validate.finite("times", times), np.asarray(observed)
    if observed.dtype != bool:
        raise TypeError(f"observed must be boolean, False = censored: got {observed.dtype}")
    if times.ndim != 1 or observed.shape != times.shape:
        shapes = f"{times.shape} and {observed.shape}"
        raise ValueError(f"times and observed must be (n,) alike: got {shapes}")
    if np.any(times <= 0):
        raise ValueError(f"times must be positive: least is {times.min():g}")
    return times, observed


def _tail(level):
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1): got {level}")
    return (1 - level) / 2


def _clopper_pearson(successes, trials, tail):
    """Exact ends of a binomial probability, for arrays."""
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    low = np.where(k > 0, stats.beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0)
    high = np.where(k < n, stats.beta.isf(tail, k + 1, np.maximum(n - k, 1)), 1.0)
    return low, high


def _too_few(passages, least, estimate, low, level):
    bound = "" if level is None else f", above {low:.4g} at level {level:g}"
    return TooFewPassagesError(
        f"passages must number at least {least}: got {passages}; estimate {estimate:.4g}{bound}",
        estimate,
        low,
        passages,
    )
