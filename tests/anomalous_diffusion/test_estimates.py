"""Estimates of chapter `anomalous_diffusion`, and the numbers of the paper that it analyses."""

from types import SimpleNamespace

import numpy as np
import pytest

import sgdescape.anomalous_diffusion as ad
from sgdescape.anomalous_diffusion.estimates import collapse, exponents
from sgdescape.core.stats.intervals import Interval, weighted_sum


def test_jackknife_of_a_mean_is_student():
    x = np.random.default_rng(0).standard_normal((30, 1))
    found = exponents.jackknife(x, lambda m: np.asarray(m)[..., 0], level=0.95)
    half = 2.045 * x.std(ddof=1) / np.sqrt(30)
    assert found.value == pytest.approx(x.mean())
    assert found.high - found.value == pytest.approx(half, rel=1e-3)
    both = weighted_sum([Interval(2.0, 1.7, 2.3), Interval(1.0, 0.6, 1.4)], [1, -1])
    assert (both.value, both.low) == (1.0, pytest.approx(0.5))


def test_published_numbers_are_those_of_the_notes():
    data = ad.published_exponents()
    assert data.exponent.shape == (27,)
    at = {}
    for e, s, b, c in zip(
        data.learning_rate, data.batch_size, data.momentum, data.exponent, strict=True
    ):
        at[float(e), int(s), float(b)] = float(c)
    assert at[1e-5, 128, 0.8] == 1.335 and at[1e-3, 512, 0.99] == 0.75
    assert at[1e-4, 256, 0.9] == 0.987 and at[1e-5, 512, 0.99] == 1.087
    tau = ad.epoch_time(learning_rate=1e-5, batch_size=256, momentum=0.99, samples=ad.SAMPLES)
    assert tau == pytest.approx(5.0, rel=0.01)


def test_the_collapse_of_the_notes():
    """R^2 = .993, rms .020 in sample, and free powers .86, .93 with a quartic."""
    data = ad.published_exponents()
    x = np.log(ad.variables(data)["eta N / (S (1 - beta))"])
    curve = np.polynomial.Polynomial.fit(x, data.exponent, 4)
    residual = data.exponent - curve(x)
    assert np.sqrt(np.mean(residual**2)) == pytest.approx(0.020, abs=0.001)
    assert 1 - residual.var() / data.exponent.var() == pytest.approx(0.993, abs=0.001)
    p, q = ad.free_powers(data, resamples=200)
    assert p.value == pytest.approx(0.86, abs=0.01) and q.value == pytest.approx(0.93, abs=0.01)
    shares = {name: ad.explained(v, data.exponent) for name, v in ad.variables(data).items()}
    assert max(shares, key=shares.get) == "eta N / (S (1 - beta))"


def test_free_powers_find_a_made_up_variable():
    eta, size, beta = (
        x.ravel() for x in np.meshgrid([1e-3, 1e-2, 1e-1], [2, 4, 8], [0.5, 0.8, 0.95])
    )
    u = np.log(eta) - 0.5 * np.log(size) - 2 * np.log1p(-beta)
    rng = np.random.default_rng(1)
    c = 1 / (1 + np.exp(0.4 * (u - u.mean()))) + 0.002 * rng.standard_normal(u.size)
    data = SimpleNamespace(learning_rate=eta, batch_size=size, momentum=beta, exponent=c)
    p, q = ad.free_powers(data, resamples=300)
    assert p.low < 0.5 < p.high < 1 and 1 < q.low < 2 < q.high


def test_explained_does_not_reward_flexibility():
    rng = np.random.default_rng(2)
    x, noise = np.geomspace(0.1, 10, 27), rng.standard_normal(27)
    assert collapse.explained(x, noise) < 0.2
    # the two ends are not extrapolated to, all others are exact
    assert 0.95 < collapse.explained(x, np.log(x) ** 2) < 1


def test_steps_printed_by_the_notebook():
    nominal = np.floor(np.linspace(32, 1024, 20)).astype(int)[:4]
    assert tuple(ad.SAMPLES // ad.actual_batch_size(nominal)) == ad.PRINTED_STEPS
