"""Censored passage times: textbook values, exact coverage, and correlated thresholds."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sgdescape.core.stats import survival
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.core.stats.survival import (
    TooFewPassagesError,
    kaplan_meier,
    mean_passage,
    passage_slope,
    right_censored,
)

# Remission times in weeks of 21 patients on 6-mercaptopurine (Freireich et al. 1963), as used by
# Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data (2002), Section 1.4 on:
# 9 relapses, "+" still in remission. Table of the Kaplan-Meier estimate: ibid.
PATIENTS = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()
WEEKS = np.array([float(w.rstrip("+")) for w in PATIENTS])
RELAPSED = np.array([not w.endswith("+") for w in PATIENTS])
TABLE = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


def exponential(rng, size, *, cap=np.inf, mean=1.0):
    times = mean * rng.exponential(size=size)
    return np.minimum(times, cap), times <= cap


def tail_z(misses, n, tail):
    return (misses - n * tail) / np.sqrt(n * tail * (1 - tail))


# --- mean ------------------------------------------------------------------------------------


def test_mean_of_the_remission_times():
    # 359 patient-weeks, 9 relapses.
    found = mean_passage(WEEKS, RELAPSED, least=9, level=0.95)
    assert found.value == pytest.approx(359 / 9, rel=1e-12)
    assert found.low == pytest.approx(718 / stats.chi2.ppf(0.975, 20), rel=1e-12)
    assert found.high == pytest.approx(718 / stats.chi2.ppf(0.025, 18), rel=1e-12)


@pytest.mark.parametrize(("level", "passages"), [(0.9, 1), (0.9, 12), (LEVEL, 30)])
def test_mean_interval_is_exact_without_censoring(level, passages):
    # The total of n exponential times is a gamma variable: coverage needs no simulation.
    unit = mean_passage(np.full(passages, 1.0), np.full(passages, True), level=level, least=1)
    total = stats.gamma(passages)  # the interval covers 1 if low <= 1 <= high
    assert total.sf(passages / unit.low) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert total.cdf(passages / unit.high) == pytest.approx((1 - level) / 2, rel=1e-6)


@pytest.mark.parametrize("cap", [0.2, 1.0, 3.0])
def test_mean_interval_covers_under_censoring_in_time(cap):
    # 4,000 ensembles of 25: tails of 5 % have standard error 0.34 %. Conservative, not useless.
    rng, low, high, n = generator(1), 0, 0, 4000
    for _ in range(n):
        try:
            found = mean_passage(*exponential(rng, 25, cap=cap), level=0.9, least=1)
        except TooFewPassagesError as error:
            low, high = low + (error.low > 1), high
            continue
        low, high = low + (found.low > 1), high + (found.high < 1)
    assert tail_z(low, n, 0.05) < 5 and tail_z(high, n, 0.05) < 5
    assert low > 0.01 * n and high > 0.02 * n


def test_dropping_censored_runs_would_be_wrong():
    times, observed = exponential(generator(2), 20_000, cap=1.0)
    assert abs(mean_passage(times, observed).value - 1) < 0.05
    assert times[observed].mean() < 0.45  # 1 - 1 / (e - 1) = 0.418


@given(st.integers(1, 60), st.floats(0.1, 5), st.integers(0, 10**6))
def test_mean_scales_with_the_unit_and_ignores_the_order(n, factor, key):
    times, observed = exponential(generator(key), n, cap=1.5)
    observed[0] = True
    one = mean_passage(times, observed, least=1)
    other = mean_passage(factor * times[::-1], observed[::-1], least=1)
    np.testing.assert_allclose([other.low, other.high], [factor * one.low, factor * one.high])
    assert one.low < one.value < one.high


def test_too_few_passages_carry_what_is_known():
    with pytest.raises(TooFewPassagesError, match="at least 10: got 2; estimate 15") as caught:
        mean_passage([10.0] * 3, [True, True, False])
    assert caught.value.passages == 2 and caught.value.estimate == 15
    with pytest.raises(TooFewPassagesError) as caught:
        mean_passage([10.0] * 3, [False] * 3, level=0.9)
    # No passage in 30 units of time: exp(-30 / mean) > 5 % from the lower end on.
    assert caught.value.estimate == np.inf
    assert caught.value.low == pytest.approx(30 / -np.log(0.05))
    copy = pickle.loads(pickle.dumps(caught.value))  # from a worker
    assert (str(copy), copy.low, copy.passages) == (str(caught.value), caught.value.low, 0)


# --- Kaplan-Meier ----------------------------------------------------------------------------


def test_kaplan_meier_of_the_remission_times():
    curve = kaplan_meier(WEEKS, RELAPSED, level=0.95)
    found = {int(t): s for t, s in zip(curve.times, curve.survival, strict=True) if t in TABLE}
    assert {t: round(s, 3) for t, s in found.items()} == TABLE
    assert curve.at_risk[:3].tolist() == [21, 17, 16] and curve.passages[0] == 3
    # Greenwood's standard error at 10 weeks is 0.0963 (ibid.), here on the log(-log) scale.
    i = np.flatnonzero(curve.times == 10)[0]
    half = 1.959964 * 0.0963 / (0.7529 * abs(np.log(0.7529)))
    expected = 0.7529 ** np.exp([half, -half])
    np.testing.assert_allclose([curve.low[i], curve.high[i]], expected, atol=2e-4)


def test_band_is_scipys_where_that_one_is_defined_and_not_exact_here():
    rng = generator(3)
    times, observed = exponential(rng, 60)
    watched = rng.exponential(size=60)
    observed, times = times <= watched, np.minimum(times, watched)
    curve = kaplan_meier(times, observed, level=0.95)
    theirs = stats.ecdf(stats.CensoredData(times[observed], right=times[~observed])).sf
    with pytest.warns(RuntimeWarning):
        ends = theirs.confidence_interval(0.95, method="log-log")
    late = (curve.times > times[~observed].min()) & (curve.survival > 0)
    np.testing.assert_allclose(curve.low[late], ends.low.probabilities[late], atol=1e-12)
    np.testing.assert_allclose(curve.high[late], ends.high.probabilities[late], atol=1e-12)


def test_without_censoring_the_band_is_binomial():
    times = generator(4).exponential(size=12)
    curve = kaplan_meier(times, np.full(12, True))
    np.testing.assert_allclose(curve.survival, 1 - np.arange(1, 13) / 12)
    for alive, low, high in zip(range(11, -1, -1), curve.low, curve.high, strict=True):
        exact = stats.binomtest(alive, 12).proportion_ci(LEVEL)
        np.testing.assert_allclose([low, high], [exact.low, exact.high], atol=1e-12)


@given(st.integers(2, 40), st.floats(0.2, 4), st.integers(0, 10**6))
def test_survival_is_monotone_and_inside_its_band(n, cap, key):
    times, observed = exponential(generator(key), n, cap=cap)
    times = times.round(1) + 0.1  # ties
    curve = kaplan_meier(times, observed)
    assert np.all(np.diff(curve.survival) <= 0) and np.all(np.diff(curve.times) > 0)
    assert np.all((0 <= curve.low) & (curve.low <= curve.survival + 1e-12))
    assert np.all((curve.survival <= curve.high + 1e-12) & (curve.high <= 1))
    assert curve.passages.sum() == observed.sum() and curve.at_risk[0] == n


def test_no_passage_at_all_is_a_curve_of_ones():
    curve = kaplan_meier([2.0, 3.0], [False, False], level=0.9)
    assert curve.survival.tolist() == [1, 1] and np.all(curve.low > 0)


# --- slopes ----------------------------------------------------------------------------------


def power_law_crossings(rng, replicas, *, slope=6.0, cap=np.inf):
    """Thresholds crossed one after the other by the same runs, mean time = threshold^slope.

    From one threshold to the next a run either is carried over at once or starts again: its time
    then stays exponential at every threshold, and neighbours are correlated.
    """
    thresholds = np.array([1.5, 1.8, 2.1, 2.4])
    means = thresholds**slope
    times = np.empty((replicas, means.size))
    times[:, 0] = means[0] * rng.exponential(size=replicas)
    for j in range(1, means.size):
        fresh = rng.random(replicas) >= means[j - 1] / means[j]
        times[:, j] = times[:, j - 1] + fresh * means[j] * rng.exponential(size=replicas)
    return thresholds, np.minimum(times, cap), times <= cap


def test_crossings_are_what_they_should_be():
    _, times, _ = power_law_crossings(generator(10), 4000)
    assert min(stats.kstest(t / t.mean(), "expon").pvalue for t in times.T) > 1e-5
    assert np.corrcoef(times[:, 2:].T)[0, 1] > 0.3


@pytest.mark.parametrize("cap", [np.inf, 150.0])
def test_slope_interval_covers_with_correlated_thresholds(cap):
    rng, misses, n = generator(11), 0, 2000
    for _ in range(n):
        c, times, observed = power_law_crossings(rng, 80, cap=cap)
        found = passage_slope(c, times, observed, level=0.9)
        misses += not found.low <= 6.0 <= found.high
    assert abs(tail_z(misses, n, 0.1)) < 5


@pytest.mark.slow
@pytest.mark.parametrize("cap", [np.inf, 150.0])
def test_slope_interval_covers_far_in_the_tail(cap):
    # At 0.999 and 30,000 ensembles 30 misses are expected; twice as many would be seen.
    rng, misses, n = generator(12), 0, 30_000
    for _ in range(n):
        c, times, observed = power_law_crossings(rng, 100, cap=cap)
        found = passage_slope(c, times, observed, level=0.999)
        misses += not found.low <= 6.0 <= found.high
    assert misses < 65


def test_ignoring_the_correlation_would_be_wrong():
    # Neighbouring thresholds have correlation (2.1 / 2.4)^6 = 0.45: independent errors of
    # 1 / sqrt(n) at each would be too large by 1 / sqrt(1 - 0.45) = 1.35.
    c, times, observed = power_law_crossings(generator(13), 4000)
    honest = passage_slope(c[2:], times[:, 2:], observed[:, 2:], level=0.9)
    naive = stats.norm.ppf(0.95) / np.sqrt(4000) * np.sqrt(2) / np.log(2.4 / 2.1)
    assert 2 * naive / (honest.high - honest.low) == pytest.approx(1.35, rel=0.1)


def test_slope_is_that_of_a_bootstrap():
    c, times, observed = power_law_crossings(generator(14), 400, cap=150.0)
    found = passage_slope(c, times, observed, level=0.6827)
    rng, slopes = generator(15), []
    for _ in range(600):
        rows = rng.integers(0, 400, 400)
        slopes.append(passage_slope(c, times[rows], observed[rows]).value)
    assert (found.high - found.low) / 2 == pytest.approx(np.std(slopes), rel=0.15)


@given(st.floats(-4, 4), st.floats(0.1, 10))
def test_slope_of_exact_powers(slope, unit):
    c = np.array([1.1, 2.0, 3.5])
    times = unit * np.outer([0.5, 1.0, 1.5], c**slope)
    found = passage_slope(c, times, times > 0, least=3)
    np.testing.assert_allclose([found.value, found.low, found.high], slope, atol=1e-9)


def test_slope_guard_carries_the_slope():
    times = np.outer(np.linspace(0.5, 1.5, 20), [1.0, 8.0])
    observed = np.full((20, 2), True)
    observed[3:, 1] = False
    with pytest.raises(TooFewPassagesError, match="at least 10: got 3") as caught:
        passage_slope([1.0, 2.0], times, observed)
    assert caught.value.estimate == pytest.approx(3 + np.log2(20 / 3))


# --- from ensembles --------------------------------------------------------------------------


def test_censored_entries_of_an_ensemble():
    times, observed = right_censored(np.array([[3, -1], [-1, -1], [2, 9]]), np.array([5, 7, 9]))
    assert times.tolist() == [[3, 5], [7, 7], [2, 9]]
    assert observed.tolist() == [[True, False], [False, False], [True, True]]
    times, observed = right_censored([np.nan, 0.5], 2.0)
    assert times.tolist() == [2.0, 0.5] and observed.tolist() == [False, True]


T, F = [1.0, 2.0, 3.0], [True, True, False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mean_passage([], []), ValueError, "times must not be empty"),
        (lambda: mean_passage([1.0, np.nan], [True, True]), ValueError, "1 of 2 values are NaN"),
        (lambda: mean_passage([1.0, np.inf], [True, True]), ValueError, "times must be finite"),
        (lambda: mean_passage([1.0, 0.0], [True, True]), ValueError, "must be positive: least is"),
        (lambda: mean_passage([1.0, -1.0], [True, True]), ValueError, "must be positive: least is"),
        (lambda: mean_passage(T, [1, 1, 0]), TypeError, "observed must be boolean"),
        (lambda: mean_passage(T, [True]), ValueError, r"\(n,\) alike: got \(3,\) and \(1,\)"),
        (lambda: mean_passage([T], [F]), ValueError, r"\(n,\) alike"),
        (lambda: mean_passage(T, F, level=95), ValueError, r"level must lie in \(0, 1\): got 95"),
        (lambda: mean_passage(T, F, least=0), ValueError, "least must be at least 1: got 0"),
        (lambda: mean_passage(T, F, least=1.5), TypeError, "least must be an integer"),
        (lambda: kaplan_meier(T, F, level=0.0), ValueError, "level must lie in"),
        (lambda: passage_slope([1.0], [[1.0]] * 2, [[True]] * 2), ValueError, "m >= 2"),
        (lambda: passage_slope([1, 1], np.ones((2, 2)), np.ones((2, 2), bool)), ValueError, "dist"),
        (lambda: passage_slope([0, 1], np.ones((2, 2)), np.ones((2, 2), bool)), ValueError, "posi"),
        (lambda: passage_slope([1, 2], T, F), ValueError, r"\(replicas >= 2, 2\): got shape \(3,"),
        (lambda: passage_slope([1, 2], [[1, 2]], [[True, True]]), ValueError, "replicas >= 2"),
        (lambda: passage_slope([1, 2], np.ones((9, 2)), np.ones((9, 2))), TypeError, "boolean"),
        (lambda: right_censored([0, 3], 5), ValueError, "passage must be positive, or -1: got 0"),
        (lambda: right_censored([7], 5), ValueError, "must not lie after the last time"),
        (lambda: right_censored([1, 2], [5, 5, 5]), ValueError, "last must be a number or"),
        (lambda: right_censored([], 5), ValueError, "passage must be"),
        (lambda: right_censored([-1], np.nan), ValueError, "last must be finite"),
        (lambda: right_censored([-1], 0), ValueError, "last must be positive"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_guard_is_an_error_that_the_command_line_reports():
    assert issubclass(survival.TooFewPassagesError, RuntimeError)
