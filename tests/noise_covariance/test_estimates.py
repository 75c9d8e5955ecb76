"""Slopes, barriers and orders on data where the answer is known."""

import numpy as np
import pytest

import sgdescape.noise_covariance as nc
from sgdescape.noise_covariance import estimates

RNG = np.random.default_rng(0)


def test_noise_slopes_are_kurtosis_minus_one_for_any_linear_data():
    n, z = 40, np.array([0.3, 0.8])
    g = RNG.normal(size=(n, 2))
    r = RNG.normal(size=n)
    r -= g @ np.linalg.lstsq(g, r, rcond=None)[0]  # stationary, but not independent
    moved = -r[:, None, None, None] + g[:, :, None, None] * (np.array([[-1], [1]]) * z)
    same = np.broadcast_to(g[:, :, None, None], moved.shape)
    h = np.mean(g**2, axis=0)
    slopes, _, _ = estimates.noise_slopes(-r, g, moved, same, h)
    np.testing.assert_allclose(slopes, nc.kurtosis(g) - 1)


@pytest.mark.parametrize("kurtosis", [1.0, 2.0, 3.0])
def test_barrier_of_sampled_noise_has_no_bias_of_the_inverse(kurtosis):
    c = np.linspace(1, 4, 13)
    exact = nc.kurtosis_noise(c, kurtosis=kurtosis)[:, None]
    noisy = exact * (1 + 0.2 * RNG.standard_normal((13, 2000)))  # 1/v of each is 4 % too large
    found = estimates.barrier(c, noisy)
    closed = nc.diffusion_barrier(4.0, kurtosis=kurtosis)
    assert found.low < closed < found.high and found.value == pytest.approx(closed, rel=0.01)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_order_of_errors_with_a_correction_to_scaling(power):
    eta = 2.0 ** -np.arange(2, 11)
    found = estimates.order(eta, eta**power * (1 + 0.8 * eta))
    assert found.low <= power <= found.high and found.high - found.low < 0.02


def test_rate_spread_tells_the_two_theories_apart():
    kappas = np.array([1.5, 2.5, 4.0])
    assert estimates.rate_spread(kappas - 1, kappas) == pytest.approx(1)
    assert estimates.rate_spread(np.ones(3), kappas) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: estimates.barrier([1.0, 2.0, 3.0], np.zeros((3, 4))), "variances must be posit"),
        (lambda: estimates.barrier([1.0, 2.0, 3.0], np.ones((4, 3))), r"\(3, groups\)"),
        (lambda: estimates.order([1.0, 0.5], [1.0, -1.0]), "errors must be positive"),
        (lambda: estimates.rate_spread([np.nan], [1.0]), "slopes must be finite"),
        (lambda: estimates.rate_spread([1.0], [2.0]), "must not all be 2"),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
