"""The landing page's formulas and its simulation, each against an independent exact route."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import norm

from sgdescape import intro
from sgdescape import linear_regression as lr

RATES = {"learning_rate": 0.1, "batch_size": 1}


@pytest.fixture(scope="module")
def preview():
    return intro.run(intro.QUICK)


def exact_discrete_time(loss_ratio, learning_rate, bins=201):
    """Mean passage time of theta(1 - eta x^2) + eta x y from 0, by transition matrix."""
    edge = np.sqrt(loss_ratio - 1)
    edges = np.linspace(-edge, edge, bins + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    kernel = np.zeros((bins, bins))
    for x, weight in zip(nodes, weights / weights.sum(), strict=True):
        mean, width = middle * (1 - learning_rate * x * x), learning_rate * abs(x)
        kernel += weight * np.diff(norm.cdf((edges[None] - mean[:, None]) / width), axis=1)
    steps = np.linalg.solve(np.eye(bins) - kernel, np.ones(bins))
    return learning_rate * steps[bins // 2]


def test_simulated_times_agree_with_the_exact_transition_matrix(preview):
    for ratio in (1.1, 1.3, 1.5, 1.7):
        at = preview.sel(threshold=ratio)
        exact = exact_discrete_time(ratio, 0.1)
        assert at.passage_time_low < exact < at.passage_time_high
        # power: the SDE's own time, which ignores the finite learning rate, lies outside
        assert lr.mean_first_passage_time(ratio, dimension=1, **RATES) < at.passage_time_low


@pytest.mark.parametrize(
    ("law", "diffusion"),
    [
        (lr.mean_first_passage_time, lambda x: (1 + x**2) / 20),
        (lr.linear_barrier_time, lambda x: 1 / 20),
    ],
)
def test_exact_times_solve_the_backward_equation(law, diffusion):
    points, step = np.array([0.3, 0.6]), 2e-4
    # as a function of the boundary x, the time from 0 obeys D T'' - x T' = 1
    time = lambda x: law(1 + x * x, dimension=1, **RATES)  # noqa: E731
    slope = (time(points + step) - time(points - step)) / (2 * step)
    curvature = (time(points + step) - 2 * time(points) + time(points - step)) / step**2
    np.testing.assert_allclose(diffusion(points) * curvature - points * slope, 1, rtol=1e-3)


def test_all_laws_have_one_slope_near_the_minimum_and_part_beyond():
    def slope(law, c):
        at = {"dimension": 1, **RATES}
        return (np.log(law(c * 1.001, **at)) - np.log(law(c, **at))) / np.log(1.001)

    rates = {**RATES, "batch_size": 1000, "dimension": 1}
    ratio = lr.log_mean_first_passage_time(1.05, **rates)
    assert 0.95 < np.log(lr.linear_barrier_time(1.05, **rates)) / ratio < 1.1
    assert slope(lr.linear_barrier_time, 2.5) > 2 * slope(lr.mean_first_passage_time, 2.5)


@pytest.mark.parametrize("momentum", [0.9, 0.99, 0.0])
def test_spiral_is_the_matrix_exponential(momentum):
    eta, h = intro.SPIRAL_LEARNING_RATE, intro.SPIRAL_CURVATURE
    scale = 2 / (eta * (1 + momentum))
    drift = np.array([[0, 1], [-scale * h, -scale * (1 - momentum)]])
    for k in (1, 40, 300):
        exact = expm(drift * eta * k)[:, 0]
        np.testing.assert_allclose(
            np.array(intro.spiral(k, momentum=momentum)), exact, rtol=1e-6, atol=1e-12
        )


def test_simulated_spirals_lie_on_the_theory(preview):
    for momentum in preview.momentum.values:
        position, _ = intro.spiral(preview.step, momentum=momentum)
        assert abs(preview.position.sel(momentum=momentum) - position).max() < 0.08
    wrong, _ = intro.spiral(preview.step, momentum=0.95)
    assert abs(preview.position.sel(momentum=0.9) - wrong).max() > 0.2


def test_same_seed_same_numbers_other_seed_others():
    small = replace(intro.QUICK, replicas=20, steps=1000, thresholds=(1.05,))
    assert intro.run(small).equals(intro.run(small))
    assert not intro.run(small).equals(intro.run(replace(small, seed=1)))


def test_explorer_shows_the_barrier_of_the_diffusion_and_that_of_sgd():
    html = intro.barrier_explorer()
    assert html.count('class="reference"') == 3
    assert "Kurtosis 3.00: at c = 2 the barrier of the diffusion is 0.55" in html
    assert "s own is 1.00 unless tails are heavier than Gaussian" in html


def test_figures_show_the_data(preview):
    _, ax = plt.subplots()
    points = intro.plot_escape(preview, ax).containers[0].lines[0]
    np.testing.assert_allclose(points.get_ydata(), preview.passage_time)
    _, ax = plt.subplots()
    assert len(intro.plot_spirals(preview, ax).lines) == 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: intro.spiral(3, momentum=1.0), r"momentum must lie in \[0, 1\): got 1.0"),
        (lambda: intro.Config(learning_rate=np.nan), "learning_rate must be positive"),
        (lambda: intro.Config(thresholds=(1.0,)), "thresholds must lie in"),
        (lambda: intro.Config(momenta=(1.0,)), "momenta must lie in"),
        (lambda: intro.Config(replicas=1), "replicas must be at least 2"),
        (lambda: intro.Config(seed=-1), "seed must lie in"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
