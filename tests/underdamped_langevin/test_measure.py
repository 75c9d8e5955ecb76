"""Measurements of chapter `underdamped_langevin` against other ways to make the same numbers."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import sgdescape.underdamped_langevin as ul
from sgdescape.underdamped_langevin import estimates
from sgdescape.underdamped_langevin.measure import correlations, images, regression, single_modes


def test_correlations_are_those_of_an_autoregression():
    rng = np.random.default_rng(0)
    x = np.zeros((400, 80, 1))
    for k in range(1, 400):
        x[k] = 0.7 * x[k - 1] + rng.normal(size=(80, 1))
    found = correlations.normalised(correlations.autocovariances(x[50:], 5))
    assert found.shape == (40, 1, 6)
    np.testing.assert_allclose(found.mean(axis=0)[0], 0.7 ** np.arange(6), atol=0.03)
    direct = np.mean(x[50:-3] * x[53:], axis=0)
    np.testing.assert_allclose(correlations.autocovariances(x[50:], 5)[3], direct, rtol=1e-9)


def test_paths_of_modes_are_their_recursion():
    noise = np.random.default_rng(1).normal(size=(30, 4, 2))
    found = single_modes.mode_paths(noise, [0.5, 2.0], learning_rate=0.2, momentum=0.7)
    x, v = np.zeros((4, 2)), np.zeros((4, 2))
    for k in range(30):
        v = 0.7 * v - np.array([0.5, 2.0]) * x - noise[k]
        x = x + 0.2 * v
        np.testing.assert_allclose(found[k], x, atol=1e-12)


@pytest.fixture(scope="module")
def drawn():
    """A small training run on images, again in NumPy and one chain at a time."""
    config = replace(
        ul.QUICK, images=150, image_batch=4, chains=8, spiral_steps=20, speed_steps=30,
        spiral_momenta=(0.5, 0.9), momentum=0.5,
    )  # fmt: skip
    return config, images.pixels(config.image_set, config.images)


def test_spirals_are_minibatch_steps_of_the_mean_gradient(drawn):
    config, (x, y, rho, q, mu) = drawn
    made = images.spirals(config)
    batches = images._batches(config, "spirals", 8, 20).numpy()
    eta = config.image_step / rho[0]
    for beta in config.spiral_momenta:
        theta, b = np.zeros((784, 10)), np.zeros((784, 10))
        at = made.sel(spiral_momentum=beta).isel(chain=5)
        for k, batch in enumerate(batches[:, 5]):
            place, speed = q[:, 0] @ (theta - mu), -q[:, 0] @ b
            np.testing.assert_allclose(at.spiral_position[k], place, atol=1e-4)
            np.testing.assert_allclose(at.spiral_velocity[k], speed, atol=2e-4 * abs(speed).max())
            b = beta * b + x[batch].T @ (x[batch] @ theta - y[batch]) / 4  # 1 / S
            theta = theta - eta * b
    assert np.abs(made.spiral_velocity).max() > 1  # so that the comparison could tell
    residual = x @ mu - y
    noise = np.mean(((x @ q[:, 3]) ** 2)[:, None] * residual**2, axis=0).sum()
    assert float(made.image_noise[3]) == pytest.approx(noise)


def test_speed_on_images_is_that_of_the_same_batches_in_numpy(drawn):
    config, (x, y, rho, _, mu) = drawn
    made, beta, eta = images.image_speed(config), 0.5, config.image_step / drawn[1][2][0]
    burn_in = int(6 / (1 - beta))
    batches = images._batches(config, "speed", 8, burn_in + 30).numpy()[:, 2]
    theta, b, free = mu.copy(), np.zeros_like(mu), np.zeros_like(mu)
    total = np.zeros(2)
    for k, batch in enumerate(batches):
        b = beta * b + x[batch].T @ (x[batch] @ theta - y[batch]) / 4
        free = beta * free + x[batch].T @ (x[batch] @ mu - y[batch]) / 4
        theta = theta - eta * b
        if k >= burn_in:
            total += eta**2 * np.array([np.sum(b**2), np.sum(free**2)]) / 30
    assert float(made.image_square_step[2]) == pytest.approx(total[0], rel=1e-3)
    assert float(made.image_free_step[2]) == pytest.approx(total[1], rel=1e-3)


def test_ensemble_keeps_averages_over_all_its_records(config, small):
    x = small.square_step.mean("record")
    square = small.square_velocity.sum("mode") * config.learning_rate**2
    np.testing.assert_allclose(x, square, rtol=1e-12)
    assert abs(estimates.midpoint_excess(small, mode=3)) < 1e-12
    assert float(np.abs(small.growth_of_square).max()) > 1e-6


def test_free_noise_is_an_exponential_average_of_gradients():
    config = SimpleNamespace(free_steps=400, free_replicas=50)
    gradients = np.random.default_rng(0).normal(size=(30, 2))
    at = {"learning_rate": 0.3, "batch_size": 5, "momentum": 0.6}
    found = regression._free_speed(gradients, np.random.default_rng(1), config, **at)
    mean = gradients.mean(axis=0)
    noise, drift = gradients.var(axis=0).sum() / 5, np.sum(mean**2)
    exact = 0.3**2 * (noise / (1 - 0.6**2) + drift / (1 - 0.6) ** 2)
    assert found.mean() == pytest.approx(exact, rel=0.05)


def test_replicas_that_diverged_are_left_out_by_name():
    made = SimpleNamespace(diverged_at=np.array([-1, 7, -1, 3]))
    with pytest.warns(UserWarning, match="2 of 4 replicas diverged .* replica 3 at step 3"):
        kept = regression.surviving(made)
    np.testing.assert_array_equal(kept, [True, False, True, False])
    with pytest.raises(FloatingPointError, match="all 2 replicas diverged, the first at step 3"):
        regression.surviving(SimpleNamespace(diverged_at=np.array([3, 7])))
    np.testing.assert_array_equal(estimates.settled(np.array([1.0, np.nan, 2.0])), [1, 2])


def test_run_is_reproducible_and_independent_of_the_number_of_chains(config, small):
    again = ul.run(replace(config, replicas=80, chains=10))
    np.testing.assert_array_equal(again.square_step[:, :40], small.square_step)
    both = again.spiral_position[:, :, :8], small.spiral_position
    np.testing.assert_allclose(*both, atol=1e-6)  # single precision
    other = ul.run(replace(config, seed=4))
    assert np.abs(other.square_step - small.square_step).min() > 0


@settings(max_examples=20)
@given(st.floats(0.5, 2.0))
def test_overlap_is_the_amplitude(amplitude):
    theory = np.cos(np.arange(30) / 3)
    noise = np.random.default_rng(0).normal(size=(30, 50))
    found = estimates.overlap(amplitude * theory[:, None] + 0.1 * noise, theory)
    assert found.low < amplitude < found.high


def test_order_is_extrapolated_between_bounds_of_its_last_step():
    rates = np.array([0.1, 0.05, 0.025, 0.0125])
    errors = np.stack([rates, 2 * rates, 3 * rates**2 * (1 + 4 * rates)], axis=1)
    found, first, second = estimates.last_order(rates, errors)
    assert found.low < 2 < found.high and found.level is None
    assert found.high - found.low < 0.3 and (first, second) == pytest.approx((1, 1))


def test_scatter_of_a_chi_square():
    steps = np.random.default_rng(0).normal(size=(200, 300, 4))
    found = estimates.scatter(_dataset(square_step=np.sum(steps**2, axis=-1)))
    assert found.low < np.sqrt(2 / 4) < found.high and found.high - found.low < 0.04


def test_contrast_is_one_where_the_noise_is_proportional():
    rng = np.random.default_rng(0)
    squares, errors = rng.normal(size=(4000, 10)) ** 2, rng.normal(size=4000) ** 2
    found = estimates.image_contrast(_dataset(image_top=squares, image_errors=errors))
    assert found.low < 1 < found.high  # the pair is chosen on other images


def test_figures_draw(small):
    fig, ax = plt.subplots()
    draws = {
        ul.figures.order: {},
        ul.figures.edge: {},
        ul.figures.noise: {},
        ul.figures.growth: {},
        ul.figures.autocorrelation: {},
        ul.figures.paper_correlation: {},
        ul.figures.spiral: {"momentum": 0.99},
        ul.figures.path: {"momentum": 0.99},
        ul.figures.speed: {"varied": "momentum"},
        ul.figures.paper_path: {"mode": 1},
    }
    for draw, options in draws.items():
        ax.clear()
        assert draw(small, ax, **options) is ax and ax.has_data()
        fig.canvas.draw()
    plt.close(fig)


def _dataset(**arrays):
    axes = ("one", "two")
    return xr.Dataset({k: ([f"{k}_{a}" for a in axes[: v.ndim]], v) for k, v in arrays.items()})
