"""Intervals: exact answers, coverage by simulation, and correlated residuals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sgdescape.core.stats import intervals as statistics
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    mean_interval,
    proportion_interval,
    ratio_interval,
)
from sgdescape.core.stats.slopes import local_slope, log_log_slope

# Coverage at level 0.9 from 4,000 simulations has standard error 0.0047, so |z| < 5 passes
# coverages in [0.876, 0.924] only: an interval 10 % too short (coverage 0.861) is caught with
# probability 0.998, one with a normal instead of a t quantile at n = 5 (0.825) always.
SIMULATIONS = 4000


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


def coverage_z(intervals, truth, level=0.9):
    hits = sum(i.low <= truth <= i.high for i in intervals)
    n = len(intervals)
    return (hits - n * level) / np.sqrt(n * level * (1 - level))


def ar1(rng, *, phi, size):
    """Stationary AR(1) paths of unit variance along the last axis."""
    noise = rng.standard_normal(size)
    path = np.empty(size)
    path[..., 0] = noise[..., 0]
    for i in range(1, size[-1]):
        path[..., i] = phi * path[..., i - 1] + np.sqrt(1 - phi**2) * noise[..., i]
    return path


def test_mean_interval_is_scipys_t_test():
    samples = generator(1).exponential(size=40)
    ours = mean_interval(samples, level=0.99)
    theirs = stats.ttest_1samp(samples, 0).confidence_interval(0.99)
    np.testing.assert_allclose([ours.low, ours.high], [theirs.low, theirs.high], rtol=1e-12)


def test_mean_interval_covers():
    samples = generator(2).normal(3.0, 2.0, (SIMULATIONS, 5))
    assert abs(coverage_z([mean_interval(s, level=0.9) for s in samples], 3.0)) < 5


def test_default_level_fails_once_in_100000():
    # Exact: a standard normal mean of two samples leaves the interval with the tail of t(1).
    interval = mean_interval([-1.0, 1.0])
    assert LEVEL == 1 - 1e-5 and interval.level == LEVEL
    assert stats.t.sf(interval.high, 1) * 2 == pytest.approx(1e-5, rel=1e-6)


@pytest.mark.parametrize("trials", [1, 7, 40])
@pytest.mark.parametrize("level", [0.9, LEVEL])
def test_proportion_interval_covers_for_every_probability(trials, level):
    # Exact, no simulation: sum the binomial weights of the counts whose interval covers p.
    ends = [proportion_interval(k, trials, level=level) for k in range(trials + 1)]
    low, high = np.array([(i.low, i.high) for i in ends]).T
    for p in np.linspace(0.001, 0.999, 101):
        weights = stats.binom.pmf(np.arange(trials + 1), trials, p)
        assert weights[(low <= p) & (p <= high)].sum() >= level - 1e-12
    assert low[0] == 0 and high[-1] == 1
    np.testing.assert_allclose(low, 1 - high[::-1], atol=1e-9)  # success <-> failure


def test_proportion_interval_known_answer():
    # With no success the upper end solves (1 - p)^n = (1 - level) / 2.
    high = proportion_interval(0, 20, level=0.95).high
    assert high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-6)


def test_ratio_interval_covers():
    rng = generator(4)
    shared = rng.normal(size=(SIMULATIONS, 10))
    top = 6.0 + shared + rng.normal(size=shared.shape)
    bottom = 3.0 + shared
    pairs = zip(top, bottom, strict=True)
    assert abs(coverage_z([ratio_interval(a, b, level=0.9) for a, b in pairs], 2.0)) < 5


def test_ratio_interval_refuses_a_denominator_around_zero():
    with pytest.raises(ValueError, match="denominator must differ from zero"):
        ratio_interval([1.0, 2.0, 3.0], [-1.0, 0.1, 1.0])


@given(st.floats(-5, 5).filter(lambda c: abs(c) > 0.01))
def test_ratio_of_proportional_samples_is_exact(c):
    bottom = np.array([1.0, 1.1, 0.9, 1.05])
    interval = ratio_interval(c * bottom, bottom, level=0.99)
    np.testing.assert_allclose([interval.low, interval.value, interval.high], c, rtol=1e-6)


def test_bootstrap_covers_a_skewed_median():
    # 200 simulations: standard error 0.021; |z| < 5 passes [0.79, 1], an interval of half the
    # width (coverage 0.59) is always caught.
    rng = generator(5)
    median = lambda s: np.median(s)  # noqa: E731
    intervals = [
        bootstrap_interval(s, median, level=0.9, resamples=200, seed=i)
        for i, s in enumerate(rng.exponential(size=(200, 31)))
    ]
    assert intervals[0].method.startswith("BCa")
    assert abs(coverage_z(intervals, np.log(2))) < 5


def test_bootstrap_says_when_resamples_cannot_resolve_the_level():
    samples = generator(6).normal(size=200)
    interval = bootstrap_interval(samples, resamples=500)
    exact = mean_interval(samples)
    assert interval.method.startswith("bootstrap s.e.")
    # The bootstrap standard error has relative error 1/sqrt(2 x 500) = 3 %; five of them.
    assert interval.high - interval.low == pytest.approx(exact.high - exact.low, rel=0.16)


def test_bootstrap_keeps_rows_together_and_is_reproducible():
    rows = generator(7).normal(size=(50, 2)).cumsum(axis=1)
    correlation = lambda a: np.corrcoef(a.T)[0, 1]  # noqa: E731
    one = bootstrap_interval(rows, correlation, level=0.9, resamples=400, seed=3)
    assert one == bootstrap_interval(rows, correlation, level=0.9, resamples=400, seed=3)
    assert one != bootstrap_interval(rows, correlation, level=0.9, resamples=400, seed=4)
    assert one.low < np.sqrt(0.5) < one.high


@pytest.mark.parametrize("interval", [mean_interval, bootstrap_interval])
def test_constant_samples_have_no_width(interval):
    found = interval([2.0] * 8)
    assert (found.low, found.value, found.high) == (2, 2, 2)


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_slope_of_an_exact_power_law(power, factor):
    x = np.geomspace(0.01, 100, 12)
    interval = log_log_slope(x, factor * x**power)
    assert interval.value == pytest.approx(power, abs=1e-9)
    assert interval.high - interval.low < 1e-9


def test_slope_is_least_squares():
    rng = generator(8)
    x, y = rng.uniform(1, 10, 30), rng.uniform(1, 2, 30)
    expected = np.polyfit(np.log(x), np.log(y), 1)[0]
    assert log_log_slope(x, y).value == pytest.approx(expected, rel=1e-9)


def naive_ols(u, v, level):
    fit = stats.linregress(u, v)
    half = stats.t.isf((1 - level) / 2, u.size - 2) * fit.stderr
    return Interval(fit.slope, fit.slope - half, fit.slope + half, level)


@pytest.mark.parametrize(("phi", "naive_below"), [(0.0, 1.0), (0.5, 0.75), (0.8, 0.5)])
def test_slope_errors_hold_for_correlated_residuals_where_naive_ones_do_not(phi, naive_below):
    # 1,500 curves: standard error 0.008 at coverage 0.9. The floor 0.86 allows 5 of them; without
    # the AR(1) correction coverage is 0.825 at phi = 0.8, and the naive formula has 0.41.
    x = np.geomspace(1, 100, 200)
    noise = 0.1 * ar1(generator(10), phi=phi, size=(1500, 200))
    ours = [log_log_slope(x, x * np.exp(e), level=0.9) for e in noise]
    naive = [naive_ols(np.log(x), np.log(x) + e, 0.9) for e in noise[:400]]
    cover = lambda found: np.mean([i.low <= 1.0 <= i.high for i in found])  # noqa: E731
    assert cover(naive) < naive_below
    assert 0.86 < cover(ours) < 0.94


def test_slope_errors_hold_between_replicas():
    x = np.geomspace(1, 100, 40)
    noise = 0.1 * ar1(generator(11), phi=0.95, size=(1500, 6, 40))
    intervals = [log_log_slope(x, x * np.exp(e), level=0.9) for e in noise]
    assert abs(coverage_z(intervals, 1.0)) < 5
    assert intervals[0].method == "between 6 replicas"


def test_local_slope_finds_a_break():
    x = np.geomspace(1e-4, 1, 41)
    y = np.where(x < 1e-2, 100 * x**2, x)
    found = local_slope(x, y, window=5)
    assert found.index[0] == 2 and found.index[-1] == 38 and found.level == LEVEL
    np.testing.assert_allclose(found.slope[found.index < 18], 2, atol=1e-9)
    np.testing.assert_allclose(found.slope[found.index > 22], 1, atol=1e-9)
    assert np.all(found.low <= found.slope) and np.all(found.slope <= found.high)


def test_local_slope_is_the_global_slope_of_its_window():
    rng = generator(12)
    x, y = rng.uniform(1, 10, (4, 15)), rng.uniform(1, 2, (4, 15))
    found = local_slope(x, y, window=7)
    expected = log_log_slope(x[:, 3:10], y[:, 3:10])
    assert found.slope[3] == pytest.approx(expected.value)
    assert found.high[3] == pytest.approx(expected.high)


def test_local_slope_is_nan_where_x_stands_still():
    found = local_slope([1, 1, 1, 1, 1, 2, 3], [1, 2, 3, 4, 5, 6, 7], window=5)
    assert np.isnan(found.slope[0]) and np.isfinite(found.slope[1:]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Interval(1.0, 2.0, 1.5), r"low must not exceed high: got \[2.0, 1.5\]"),
        (lambda: Interval(float("nan"), 0, 1), "value of an interval must be finite: got nan"),
        (lambda: Interval(0, -1, 1, 1.0), r"level must lie in \(0, 1\): got 1.0"),
        (lambda: mean_interval([1.0]), r"samples must be one-dimensional with at least 2"),
        (lambda: mean_interval([]), "samples must not be empty"),
        (lambda: mean_interval([1.0, np.nan]), "1 of 2 values are NaN"),
        (lambda: mean_interval([1.0, 2.0], level=95), r"level must lie in \(0, 1\): got 95"),
        (lambda: proportion_interval(5, 4), r"successes must lie in \[0, 4\]: got 5"),
        (lambda: bootstrap_interval([1.0]), "samples must hold at least 2"),
        (lambda: bootstrap_interval([1.0, 2.0], resamples=9), "resamples must be at least 100"),
        (
            lambda: ratio_interval([1.0, 2.0], [1.0, 2.0, 3.0]),
            "samples must be paired: got 2 and 3",
        ),
        (lambda: log_log_slope([1, 2, 3, 4, 0], [1, 2, 3, 4, 5]), "x must be positive"),
        (lambda: log_log_slope([1, 2], [1, 2]), "n >= 5"),
        (lambda: log_log_slope([1] * 5, [1, 2, 3, 4, 5]), "x must vary"),
        (lambda: log_log_slope(np.ones((2, 5)), np.ones((3, 5))), "x and y must match"),
        (lambda: local_slope(range(1, 9), range(1, 9), window=6), "window must be odd"),
        (lambda: local_slope(range(1, 9), range(1, 9), window=9), r"window must lie in \[5, 8\]"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.lists(st.floats(0.1, 10), min_size=5, max_size=30), st.integers(0, 3))
def test_intervals_move_with_the_unit(samples, power):
    c = 4.0**power
    one, other = mean_interval(samples), mean_interval(c * np.array(samples))
    np.testing.assert_allclose([other.low, other.high], [c * one.low, c * one.high], atol=1e-9)
    assert statistics.mean_interval(samples[::-1]).value == pytest.approx(one.value)


def test_a_numerical_bound_has_no_level():
    bound = computed(np.float64(1.0), 0.9, 1.2, "half the step")
    assert bound == Interval(1.0, 0.9, 1.2, None, "half the step")
    with pytest.raises(ValueError, match="method must say how"):
        computed(1.0, 0.9, 1.2, " ")
    with pytest.raises(ValueError, match="low must not exceed high"):
        computed(1.0, 1.2, 0.9, "half the step")
