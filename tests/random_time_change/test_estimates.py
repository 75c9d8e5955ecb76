"""Distances of laws, orders, limits and zeros on data where the answer is known."""

import numpy as np
import pytest
from scipy import stats

import sgdescape.random_time_change as rtc
from sgdescape.random_time_change import estimates


def test_distance_interval_is_the_two_sample_statistic_and_covers():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(300), rng.standard_normal(500) + 0.4
    found = rtc.distance_interval(a, b)
    assert found.value == pytest.approx(stats.ks_2samp(a, b).statistic)
    truth = 2 * stats.norm.cdf(0.2) - 1
    assert found.low <= truth <= found.high


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_strong_order_of_noisy_errors(power):
    steps, rng = 2.0 ** -np.arange(2, 7), np.random.default_rng(0)
    errors = steps[:, None] ** power * rng.exponential(size=(5, 500))
    found = rtc.strong_order(steps, errors)
    assert found.low < power < found.high and found.high - found.low < 0.5


def test_limiting_slope_covers_the_limit_of_a_power_with_a_correction():
    x = np.array([1e-2, 1e-3, 1e-4])
    y = x**-2.5 * (1 + x)
    found = rtc.limiting_slope(x, y * (1 + 1e-4 * np.arange(3)), y)
    assert found.low <= -2.5 <= found.high and found.level is None


def test_zero_of_a_line():
    assert estimates.zero([1.0, 2.0, 4.0], [-3.0, -1.0, 3.0]) == pytest.approx(2.5)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: rtc.distance_interval([np.nan, 1, 2, 3], [1.0, 2.0]), "first must be finite"),
        (lambda: rtc.distance_interval([1.0], [np.inf]), "second must be finite"),
        (lambda: rtc.distance_interval([], [1.0]), "first must not be empty"),
        (lambda: rtc.distance_interval([[1.0]], [1.0]), "one-dimensional"),
        (lambda: rtc.distance_interval([1.0], [1.0], level=1.0), "level must lie in"),
        (lambda: rtc.strong_order([1.0, 0.5], [[0.0, 1.0], [1.0, 1.0]]), "errors must be posit"),
        (lambda: rtc.limiting_slope([1.0, 0.5, 0.0], [1.0] * 3, [1.0] * 3), "x must be positive"),
        (lambda: rtc.on_grids(np.nan, 1.0), "coarse must be finite"),
        (lambda: estimates.zero([1.0, np.nan], [1.0, 2.0]), "x must be finite"),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
