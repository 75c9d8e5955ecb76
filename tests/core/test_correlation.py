"""Correlated samples: exact AR(1) times, coverage between blocks, refusals with the estimate."""

import pickle

import numpy as np
import pytest
from scipy import signal

from sgdescape.core.stats.correlation import (
    TooCorrelatedError,
    block_means,
    correlated_mean,
    integrated_time,
)
from sgdescape.core.stats.intervals import mean_interval


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


def ar1(rng, phi, *size):
    """Stationary AR(1) of unit variance along the last axis: tau = (1 + phi) / (1 - phi)."""
    noise = rng.standard_normal((*size[:-1], size[-1] + 200))
    return (np.sqrt(1 - phi**2) * signal.lfilter([1.0], [1.0, -phi], noise))[..., 200:]


@pytest.mark.parametrize(("phi", "expected"), [(0.9, 19.0), (0.5, 3.0), (0.0, 1.0)])
def test_time_of_ar1_is_exact(phi, expected):
    # Relative error sqrt(2 (2 x 5 tau + 1) / n) = 2 % at tau = 19.
    assert integrated_time(ar1(generator(1), phi, 10**6)) == pytest.approx(expected, rel=0.1)


def test_negative_correlation_makes_the_time_shorter():
    # The window ends at k = 5, where the alternating sum is 0.3125; its error is 0.01.
    assert integrated_time(ar1(generator(2), -0.5, 10**5)) == pytest.approx(1 / 3, abs=0.07)


def test_replicas_share_one_correlation_function():
    found = integrated_time(ar1(generator(3), 0.8, 200, 2000))
    assert found == pytest.approx(9.0, rel=0.1)


def test_time_ignores_unit_and_level_and_constants_have_none():
    path = ar1(generator(4), 0.6, 5000)
    assert integrated_time(1e6 + 1e-3 * path) == pytest.approx(integrated_time(path), rel=1e-3)
    assert integrated_time(np.full(1000, 3.7)) == 1.0


def test_too_short_a_run_is_refused_with_its_estimate():
    path = ar1(generator(5), 0.99, 600)  # tau = 199
    with pytest.raises(TooCorrelatedError, match="many autocorrelation times") as caught:
        integrated_time(path)
    assert caught.value.time > 12 and caught.value.estimate == pytest.approx(path.mean())
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and copy.time == caught.value.time


def test_intervals_cover_where_those_of_independent_samples_do_not():
    # 600 runs: standard error 1.2 % at coverage 0.9. Batch means of 22 tau are 4 % short.
    paths = ar1(generator(6), 0.8, 600, 10_000)
    cover = lambda found: np.mean([i.low <= 0 <= i.high for i in found])  # noqa: E731
    ours = cover([correlated_mean(p, level=0.9) for p in paths])
    naive = cover([mean_interval(p, level=0.9) for p in paths])
    assert 0.84 < ours < 0.96 and naive < 0.55


def test_blocks_that_are_too_short_are_refused_but_rows_are_independent():
    paths = ar1(generator(7), 0.95, 60, 200)  # 10 tau = 390
    with pytest.raises(TooCorrelatedError, match="got 200 samples in each of 60 blocks"):
        block_means(paths.reshape(1, -1), blocks=60)
    np.testing.assert_allclose(block_means(paths, blocks=60), paths.mean(axis=1))
    assert block_means(paths.reshape(20, -1)[:, :600], blocks=20).shape == (20,)


def test_rows_are_cut_evenly_and_the_start_is_left_over():
    rows = generator(8).normal(size=(3, 1007))
    means = block_means(rows, blocks=12)
    assert means.shape == (12,)
    np.testing.assert_allclose(means[0], rows[0, 3 : 3 + 251].mean())
    np.testing.assert_allclose(means[-1], rows[2, -251:].mean())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: integrated_time([]), ValueError, "samples must not be empty"),
        (lambda: integrated_time([1.0, np.nan]), ValueError, "1 of 2 values are NaN"),
        (lambda: integrated_time(np.ones((2, 2, 2))), ValueError, r"\(n,\) or \(replicas, n\)"),
        (lambda: integrated_time(3.0), ValueError, r"\(n,\) or \(replicas, n\)"),
        (lambda: block_means(np.ones(30), blocks=40), ValueError, "at least 40 for 40 blocks"),
        (lambda: block_means(np.ones(30), blocks=1), ValueError, "blocks must be at least 2"),
        (lambda: block_means(np.ones(30), blocks=2.0), TypeError, "blocks must be an integer"),
        (lambda: correlated_mean(np.arange(100.0), level=2), TooCorrelatedError, "many autocorr"),
        (lambda: correlated_mean(np.ones(1000), level=2), ValueError, "level must lie in"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
