"""Estimates of chapter `neural_network` on samples whose answer is known."""

import numpy as np
import pytest

from sgdescape.neural_network.estimates import passages as estimates


def test_mean_times_count_the_censored():
    times = np.array([[1.0, 4.0], [3.0, 4.0]] * 8)
    mean, low, high = estimates.mean_times(times, np.array([[True, True], [True, False]] * 8))
    np.testing.assert_allclose(mean, [2.0, 8.0])
    assert (low < mean).all() and (mean < high).all()
    assert np.isnan(estimates.mean_times(times, np.zeros((16, 2), dtype=bool))[0]).all()


def test_log_ratio_covers():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        samples = []
        for scale in (1.0, 2.0):
            start = rng.exponential(scale, (40, 1))
            times = np.hstack([start, start + rng.exponential(scale, (40, 1))])
            samples.append((np.minimum(times, 5 * scale), times < 5 * scale))
        found = estimates.log_ratio([tuple(samples)], level=0.95)
        inside += found.low <= -1.0 <= found.high
    assert 265 <= inside <= 298  # 0.95 x 300 = 285, within 5 standard deviations


def test_slope_of_scaled_times_is_exact():
    c = np.geomspace(1.5, 3, 6)
    base = np.random.default_rng(1).exponential(1.0, (30, 1))
    found = estimates.slope(base * c**7, np.ones((30, 6), dtype=bool), c)
    np.testing.assert_allclose([found.value, found.low, found.high], 7.0)
    _, slopes, *_ = estimates.local_slopes(base * c**7, np.ones((30, 6), dtype=bool), c)
    np.testing.assert_allclose(slopes, 7.0)


def test_window_uses_the_prediction_alone():
    times = np.tile([0.001, 0.5, 2.0, np.nan], (10, 1))
    assert estimates.window(times, watch=10.0).tolist() == [False, True, True, False]


def test_paired_ratio_is_sharp_where_the_paths_are_the_same():
    rng = np.random.default_rng(0)
    times = rng.exponential(1.0, (60, 3)).cumsum(1)
    seen = np.ones_like(times, dtype=bool)
    close = 1.1 * times * rng.normal(1, 0.01, (60, 1))
    paired = estimates.paired_ratio((close, seen), (times, seen))
    apart = estimates.log_ratio([((close, seen), (times, seen))])
    np.testing.assert_allclose(paired.value, apart.value)
    assert paired.low < np.log2(1.1) < paired.high
    assert paired.high - paired.low < 0.1 * (apart.high - apart.low)
    with pytest.raises(ValueError, match="each threshold needs 8 passages"):
        estimates.paired_ratio((times, ~seen), (times, seen))
