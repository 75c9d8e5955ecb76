"""Estimates of chapter `noise_strength`: slopes of exact powers, intervals that cover."""

import numpy as np
import pytest
import xarray as xr

from sgdescape.core.stats.intervals import LEVEL
from sgdescape.noise_strength import estimates


def test_slopes_of_exact_powers():
    x = xr.DataArray(2.0 ** np.arange(5)[None], dims=("replica", "mark"))
    assert estimates.slopes(x, 3 * x**2, x > 1.5).tolist() == pytest.approx([2.0])
    with pytest.raises(ValueError, match="at least 3 marks in its range: got 2"):
        estimates.slopes(x, x, x > 7)


def test_median_interval_has_its_level_whatever_the_law():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        found = estimates.median_interval(rng.lognormal(0, 2, 24), level=0.9)
        covered += found.low <= 1.0 <= found.high
    level = found.level  # what the sign test really has, at least the 0.9 asked for
    assert 0.9 <= level < 0.95
    assert abs(covered / 2000 - level) < 5 * np.sqrt(level * (1 - level) / 2000)


def test_median_interval_takes_the_range_of_as_few_runs_as_can_do():
    values = np.random.default_rng(1).permutation(18.0 + np.arange(18))
    found = estimates.median_interval(values)
    assert (found.value, found.low, found.high) == (26.5, 18, 35)
    assert LEVEL <= found.level == 1 - 2.0**-17
    inner = estimates.median_interval(np.arange(32.0))
    assert (inner.low, inner.high) == (3, 28) and inner.level >= LEVEL
    with pytest.raises(ValueError, match="interval of level 0.99999 needs 18 runs: got 17"):
        estimates.median_interval(values[:17])
    with pytest.raises(ValueError, match="needs 8 runs: got 3"):
        estimates.median_interval(values[:3], level=0.99)


def test_runs_that_are_not_there_do_not_count():
    found = estimates.median_interval([3.0, 1.0, 2.0, np.nan], level=0.7)
    assert (found.value, found.low, found.high, found.level) == (2, 1, 3, 0.75)


def test_the_farthest_ratio_counts_either_way():
    ratio = xr.DataArray([[1.0, 0.25, 2.0], [1.0, 3.0, 1.0]], dims=("replica", "mark"))
    np.testing.assert_allclose(estimates.farthest(ratio), [2, np.log2(3)])
