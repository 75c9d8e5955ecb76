"""Measurements and estimates of chapter `heavy_tails` against their definitions."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

import sgdescape.heavy_tails as ht
from sgdescape.core import plotting
from sgdescape.heavy_tails import estimates
from sgdescape.heavy_tails.measure import states


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


@pytest.mark.parametrize(("d", "b"), [(1, 3), (3, 2)])
def test_states_follow_matrices_of_inputs(d, b):
    """The reduced step has the law of theta' = theta - (eta / B) X^T (X theta - y)."""
    eta, n, steps = 0.4, 20_000, 12
    reduced = states.fresh(
        generator(1), dimension=d, learning_rate=eta, batch_size=b, replicas=n, steps=steps
    )
    rng, theta = generator(2), np.zeros((n, d))
    for _ in range(steps):
        x, y = rng.standard_normal((n, b, d)), rng.standard_normal((n, b))
        error = np.einsum("nbd,nd->nb", x, theta) - y
        theta = theta - eta / b * np.einsum("nbd,nb->nd", x, error)
    assert stats.ks_2samp(reduced, np.linalg.norm(theta, axis=1)).pvalue > 1e-5


def test_momentum_has_its_stationary_variance():
    """Small steps: variance eta / (2 B) (1 + O(eta)) whatever the momentum, in units L* = 1/2."""
    eta, beta, b = 0.02, 0.8, 10
    theta = states.fresh(
        generator(3), learning_rate=eta, batch_size=b, momentum=beta, replicas=20_000, steps=600
    )
    expected = eta / (2 * b * (1 - beta))
    assert np.mean(theta**2) == pytest.approx(expected, rel=0.06)


def test_steps_on_data_are_those_of_the_loss():
    x, y, eta = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 0.5]), 0.2
    best = (x @ y) / (x @ x)
    found = states.on_data(generator(4), x, y, learning_rate=eta, replicas=50, steps=1)
    possible = -eta * x * (x * best - y)
    assert np.all(np.min(np.abs(found[:, None] - possible), axis=1) < 1e-12)


def test_feature_of_the_images_is_one_unit_input():
    x, y = states.image_feature()
    assert np.mean(x**2) == pytest.approx(1) and set(y) == {-1.0, 1.0}
    assert 10 < np.max(x**2) < 20


def test_results_are_functions_of_the_seed():
    small = replace(ht.QUICK, replicas=20_000, steps=10, share=0.01)
    one, again = states.tails(small), states.tails(small)
    other = states.tails(replace(small, seed=1))
    assert one.identical(again)
    assert not np.array_equal(one.largest, other.largest)


def test_wave_is_found_where_it_was_put(dataset):
    """A made tail with known fading and frequency."""
    radius = dataset.radius.values
    u = np.log(np.maximum(radius, 1e-9))
    log = -35 * u + 0.8 * np.exp(-0.25 * u) * np.cos(5.1 * u + 1)
    made = dataset.assign(chain_log=dataset.chain_log * 0 + log)
    found = estimates.fitted_wave(made, float(dataset.chain_rate[0]))
    assert found.fading.value == pytest.approx(0.25, abs=1e-6)
    assert found.frequency.value == pytest.approx(5.1, abs=1e-6)


def test_index_of_pareto_losses_is_covered():
    values = np.sort(generator(5).pareto(3.0, 200_000) + 1)[-2001:] ** 0.5
    found = estimates.tail_index(values)
    assert found.low < 3 < found.high


@pytest.mark.parametrize("name", ht.figures.__all__)
def test_figures_draw_every_series(dataset, name):
    fig, ax = plotting.figure()
    assert getattr(ht.figures, name)(dataset, ax) is ax
    assert ax.lines or ax.collections
    assert ax.get_xlabel() or name == "estimators"
    plt.close(fig)


def test_dataset_survives_netcdf(dataset, tmp_path):
    dataset.to_netcdf(tmp_path / "result.nc")
