"""Costs of climbs and jumps in Gaussian regression, each by a second route."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special

import sgdescape.large_deviations as ld
from sgdescape.core import quasi_potential as qp
from sgdescape.large_deviations.theory import prefactors
from sgdescape.linear_regression.theory import large_deviations as exponents


def test_cumulant_is_the_mean_over_samples():
    # quadrature over x and y in one dimension
    theta, p = 0.7, 0.9
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x, y = np.meshgrid(nodes, nodes)
    mean = np.sum(np.outer(weights, weights) * np.exp(-p * x * (x * theta - y)))
    assert ld.cumulant([theta], [p]) == pytest.approx(np.log(mean), rel=1e-9)


def test_cumulant_in_three_dimensions():
    rng = np.random.default_rng(0)
    theta, p = rng.normal(size=(2, 3))
    p *= 0.2
    # over y in closed form, over x by the determinant
    matrix = np.outer(p, theta) + np.outer(theta, p) - np.outer(p, p)
    expected = -0.5 * np.log(np.linalg.det(np.eye(3) + matrix))
    assert ld.cumulant(theta, p) == pytest.approx(expected)


@given(st.integers(1, 5), st.integers(0, 1000))
def test_the_climb_solves_the_equation_in_every_dimension(d, seed):
    theta = np.random.default_rng(seed).normal(size=d) / np.sqrt(d)
    assert ld.cumulant(theta, 2 * theta) == pytest.approx(0, abs=1e-10)


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(0, 1000))
def test_jump_cost_is_the_support_function_of_the_domain(d, seed):
    rng = np.random.default_rng(seed)
    theta, delta = rng.normal(size=(2, d))
    # the largest p.Delta over boundary points of the domain, along many rays from its focus
    rays = rng.normal(size=(4000, d))
    rays = np.concatenate([rays / np.linalg.norm(rays, axis=1)[:, None], np.eye(d), -np.eye(d)])
    reach = 1 / (np.sqrt(1 + theta @ theta) - rays @ theta)
    best = np.max((reach[:, None] * rays) @ delta)
    cost = ld.jump_cost(theta, delta)
    assert best <= cost * (1 + 1e-12)
    assert best > cost * (0.999 if d == 1 else 0.8)
    # the optimal momentum, by hand, is on the boundary
    p = theta + (delta + theta * (theta @ delta)) / np.sqrt(delta @ delta + (theta @ delta) ** 2)
    assert p @ delta == pytest.approx(cost)
    assert np.linalg.norm(p) * np.sqrt(1 + theta @ theta) == pytest.approx(1 + p @ theta)


def test_jump_cost_is_the_cheapest_sample():
    # least (|x|^2 + y^2)/2 with -x (x.theta - y) = Delta, in two dimensions x is along Delta
    theta, delta = np.array([0.5, -0.3]), np.array([-1.0, 0.4])
    along = delta / np.linalg.norm(delta)

    def price(size):
        x = size * along
        y = x @ theta + np.linalg.norm(delta) / size
        return (size**2 + y**2) / 2

    found = optimize.minimize_scalar(price, bounds=(1e-3, 10), method="bounded")
    assert ld.jump_cost(theta, delta) == pytest.approx(found.fun, rel=1e-6)


def test_jump_cost_broadcasts_and_keeps_digits():
    theta = np.array([[0.0], [-1e8]])
    cost = ld.jump_cost(theta[:, None], np.array([[1.0], [2.0], [3.0]]))
    assert cost.shape == (2, 3)
    np.testing.assert_allclose(cost[1], np.array([1, 2, 3]) / 2e8, rtol=1e-12)
    with pytest.raises(ValueError, match="one last axis"):
        ld.jump_cost([1.0, 2.0], [1.0])


# --- V


def value_iteration(z):
    """V on a symmetric grid by climbs and jumps, knowing only the two costs."""
    climb = np.diff(z**2)
    return qp.line_potential(
        z,
        rightward=np.maximum(climb, 0),
        leftward=np.maximum(-climb, 0),
        jump=ld.jump_cost(z[:, None, None], (z - z[:, None])[..., None]),
        start=len(z) // 2,
    )


def test_quasi_potential_is_the_shortest_path_on_a_line():
    z = np.sinh(np.linspace(-3.6, 3.6, 1001))
    found = value_iteration(z)
    np.testing.assert_allclose(found.values, ld.quasi_potential(1 + z**2), atol=3e-4)
    kinds = [kind for kind, _ in found.path(len(z) - 1)]
    assert kinds == ["climb", "jump", "jump"]


def climb_cost(x, v):
    """Support function of {Lambda <= 0}: an ellipsoid about theta, flatter along than across."""
    along = np.sum(x * v, axis=-1)
    square, size = np.sum(x**2, axis=-1), np.sum(v**2, axis=-1)
    across = np.maximum(square * size - along**2, 0)
    return along + np.sqrt(along**2 + across / (1 + square))


def test_climb_cost_in_the_plane():
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 50, 2))
    found, _, _ = qp.step_cost(ld.cumulant, x, v)
    np.testing.assert_allclose(found, climb_cost(x, v), rtol=1e-6, atol=1e-8)


def test_quasi_potential_is_the_same_in_the_plane():
    x = np.linspace(-3, 3, 25)
    v = qp.plane_potential(climb_cost, x, x, start=(12, 12), jump=ld.jump_cost, rings=(1, 2))
    radius = np.hypot(*np.meshgrid(x, x))
    np.testing.assert_allclose(v, ld.quasi_potential(1 + radius**2), atol=0.03)


def test_direct_minimisation_over_sequences():
    for c in (3.0, 30.0, 2000.0):
        z = np.sqrt(c - 1)
        costs = []
        for jumps in range(1, 5):

            def price(logs, jumps=jumps, z=z):
                stops = np.append(np.exp(logs), z)
                signs = (-1.0) ** np.arange(jumps + 1)
                s = stops * signs
                hops = ld.jump_cost(s[:-1, None], np.diff(s)[:, None])
                return s[0] ** 2 + np.sum(hops)

            start = np.log(np.geomspace(0.3, z, jumps + 1)[:-1])
            options = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-12}
            found = optimize.minimize(price, start, method="Nelder-Mead", options=options)
            costs.append(found.fun)
        assert ld.quasi_potential(c) == pytest.approx(min(costs), rel=1e-7)
        assert len(ld.cheapest_path(c)) == np.argmin(costs) + 2


def test_closed_form_of_climb_and_jump():
    w = np.linspace(0.01, 0.7, 20)
    z = np.exp(w) * np.cosh(2 * w)
    v = ld.quasi_potential(1 + z**2)
    np.testing.assert_allclose(v, np.cosh(2 * w) + np.sinh(2 * w) / 2, rtol=1e-12)
    assert np.all(v < ld.single_jump(1 + z**2))  # a single jump is never the cheapest
    assert ld.quasi_potential(3.0) == pytest.approx(1.3618, abs=5e-5)


def test_second_jump_from_the_named_loss_on():
    def cost(c, jumps):
        distance = np.array([np.sqrt(c - 1)])
        _, costs = exponents._sequence(exponents._first_climb(distance, jumps), jumps)
        return float(np.sum(costs, axis=0)[0])

    crossing = optimize.brentq(lambda c: cost(c, 1) - cost(c, 2), 20, 30)
    assert crossing == pytest.approx(prefactors.TWO_JUMPS, abs=1e-4)


@settings(max_examples=40)
@given(st.floats(1, 1e6), st.floats(1.0, 3.0))
def test_quasi_potential_grows_and_nothing_beats_it(c, factor):
    low, high = ld.quasi_potential([c, 1 + (c - 1) * factor])
    assert high >= low - 1e-12
    # the momentum stays below that of the climb: climbing on is never cheaper
    assert high <= low + (c - 1) * (factor - 1) + 1e-9


def test_far_out_the_slope_is_that_of_the_best_factor():
    z = ld.jump_factor()
    assert z * np.log(z) == pytest.approx(z + 1)
    assert ld.tail_slope() == pytest.approx(z / 4)
    c = np.geomspace(1e20, 1e60, 5)
    rest = ld.quasi_potential(c) - ld.tail_slope() * np.log(c)
    assert np.ptp(rest) < 0.03
    stops = np.abs(ld.cheapest_path(1e40))
    np.testing.assert_allclose(stops[-5:] / stops[-6:-1], z, rtol=0.03)


def test_the_modulation_fades():
    c = np.geomspace(1e2, 1e30, 4000)
    rest = ld.quasi_potential(c) - ld.tail_slope() * np.log(c)
    heights = [np.ptp(rest[(c > low) & (c < low * 1e4)]) for low in (1e2, 1e8, 1e16, 1e24)]
    assert np.all(np.diff(heights) < 0) and heights[-1] < 0.4 * heights[0]


def test_quasi_potential_broadcasts_and_refuses():
    assert ld.quasi_potential([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    assert ld.quasi_potential(1.0) == 0
    for bad in (0.9, np.nan, np.inf):
        with pytest.raises(ValueError, match="loss_ratio"):
            ld.quasi_potential(bad)


def test_three_momenta_are_the_slopes_of_their_barriers():
    theta = np.linspace(0.1, 0.9, 9)
    for theory, name in (("sgd", "climb"), ("paper", "paper"), ("covariance", "covariance")):
        above, below = (
            ld.barriers(1 + (theta + shift) ** 2)[f"barrier_{name}"] for shift in (1e-6, -1e-6)
        )
        slope = (above - below) / 2e-6
        np.testing.assert_allclose(ld.climb_momentum(theta, theory=theory), slope, rtol=1e-6)
    p = ld.climb_momentum(theta)
    np.testing.assert_allclose(ld.cumulant(theta[:, None], p[:, None]), 0, atol=1e-12)


# --- prefactors


def test_chance_above_zero_is_that_of_sampled_walks():
    z, batch = 0.6, 2
    rng = np.random.default_rng(0)
    w = np.arcsinh(z)
    steps = np.exp(-w) * rng.gamma(batch / 2, size=(200_000, 6))
    steps -= np.exp(w) * rng.gamma(batch / 2, size=(200_000, 6))
    walk = np.cumsum(steps, axis=1)
    for n in (1, 3, 6):
        share = special.expit(-2 * w)
        exact = special.betainc(n * batch / 2, n * batch / 2, share)
        assert np.mean(walk[:, n - 1] > 0) == pytest.approx(exact, abs=0.006)


def test_overshoot_by_sampled_walks():
    # current through a threshold: tilted drift times mean of exp(-2 z R), R sampled
    z = 0.7
    rng = np.random.default_rng(1)
    w = np.arcsinh(z)
    position, over = np.full(40_000, -30.0), np.full(40_000, np.nan)
    while np.isnan(over).any():
        alive = np.isnan(over)
        up, down = rng.gamma(0.5, size=(2, alive.sum()))
        position[alive] += np.exp(w) * up - np.exp(-w) * down  # tilted: signs exchanged
        done = alive & (position > 0)
        over[done] = position[done]
    mean = np.mean(np.exp(-2 * z * over))
    expected = np.exp(-2 * prefactors._above_zero(z, 1)) / (2 * z**2)
    assert mean == pytest.approx(float(expected), rel=0.02)


def test_jump_curvature_and_starts_by_quadrature():
    # Laplace's method against the integral it replaces, at a small rate
    c, eta = 4.0, 2e-4
    z, climb = np.sqrt(c - 1), abs(ld.cheapest_path(c)[0])
    price = lambda t: t**2 + (z + t) * np.exp(-np.arcsinh(t))  # noqa: E731
    least = price(climb)
    width = 10 * np.sqrt(eta)
    exact, _ = integrate.quad(
        lambda t: np.exp(-(price(t) - least) / eta), climb - width, climb + width, epsabs=0
    )
    w = np.arcsinh(climb)
    down = np.exp(-w)
    curvature = 2 - 2 * down / np.cosh(w) + (z + climb) * down * (1 + np.tanh(w)) / np.cosh(w) ** 2
    assert exact == pytest.approx(np.sqrt(2 * np.pi * eta / curvature), rel=1e-3)


def test_times_refuse_the_other_regime():
    with pytest.raises(ValueError, match="loss_ratio"):
        ld.climb_passage_time(2.5, learning_rate=0.1)
    for c in (2.0, 30.0):
        with pytest.raises(ValueError, match="loss_ratio"):
            ld.jump_passage_time(c, learning_rate=0.1)
