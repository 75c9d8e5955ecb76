"""The circle model: barriers by a second route, the exact chain, real SGD."""

import numpy as np
import pytest
from scipy import integrate, stats

import sgdescape.large_deviations as ld
from sgdescape.core import quasi_potential as qp
from sgdescape.large_deviations.measure import circle_chain, circle_runs, circle_splitting
from sgdescape.large_deviations.measure.circle_runs import simulate_passages


def products(theta, variance, size, seed=0):
    """Per-sample gradients of the model, from samples."""
    rng = np.random.default_rng(seed)
    x1, x2, eps = rng.standard_normal((3, size))
    residual = x1 * np.cos(theta) + x2 * np.sin(theta) - x1 - np.sqrt(variance) * eps
    return residual * (x2 * np.cos(theta) - x1 * np.sin(theta))


def test_moments_of_the_model():
    g = products(1.1, 2.0, 2_000_000)
    slope, twice = circle_chain._moments(1.1, 2.0)
    assert g.mean() == pytest.approx(slope, abs=0.01)
    assert np.mean(g**2) == pytest.approx(twice + 2 * slope**2, rel=0.01)


def circle_cumulant(variance):
    def hamiltonian(x, p):
        slope, twice = np.sin(x[..., 0]), 2 - 2 * np.cos(x[..., 0]) + variance
        left = (1 + p[..., 0] * slope) ** 2 - twice * p[..., 0] ** 2
        inside = (left > 0) & (1 + p[..., 0] * slope > 0)
        return np.where(inside, -0.5 * np.log(np.where(inside, left, 1)), np.inf)

    return hamiltonian


@pytest.mark.parametrize("variance", [0.3, 2.0, 6.0])
def test_climb_is_the_action_of_the_full_cumulant(variance):
    path = np.linspace(0, np.pi, 400)[:, None]
    found = qp.path_cost(circle_cumulant(variance), path)
    assert ld.circle_climb(variance) == pytest.approx(found, rel=2e-4)


@pytest.mark.parametrize("theory", ["paper", "covariance", "arrhenius"])
def test_rivals_are_the_integrals_of_their_momenta(theory):
    variance = 1.3

    def momentum(t):
        slope, twice = np.sin(t), 2 - 2 * np.cos(t) + variance
        noise = {"paper": twice, "covariance": twice + slope**2, "arrhenius": variance}[theory]
        return 2 * slope / noise

    for stop in (0.7, np.pi):
        exact, _ = integrate.quad(momentum, 0, stop)
        assert ld.circle_potential(stop, variance, theory=theory) == pytest.approx(exact)


def test_jump_cost_is_where_the_cumulant_ends():
    theta, variance = 0.9, 0.7
    h = circle_cumulant(variance)
    for delta in (1.0, -1.0):
        edge = ld.circle_jump_cost(theta, delta, variance)
        p = delta * np.array([[edge * (1 - 1e-9)], [edge * (1 + 1e-9)]])
        values = h(np.full((2, 1), theta), p)
        assert np.isfinite(values[0]) and np.isinf(values[1])


def test_barrier_by_a_finer_grid_and_random_sequences():
    rng = np.random.default_rng(0)
    for variance in (0.1, 0.5, 1.0):
        barrier, legs = ld.circle_path(variance)
        assert barrier < ld.circle_climb(variance) and legs[-1] == ("climb", pytest.approx(np.pi))
        # no climb-jump-climb or climb-jump-jump-climb of 20,000 random ones is cheaper
        a, b, c = rng.uniform(-np.pi, np.pi, (3, 20_000))
        before, one_end, two_end = (ld.circle_potential(t, variance) for t in (a, b, c))
        one = before + ld.circle_jump_cost(a, b - a, variance)
        two = one + ld.circle_jump_cost(b, c - b, variance)
        top = ld.circle_climb(variance)
        best = top + min(np.min(one - one_end), np.min(two - two_end))
        assert barrier - 1e-9 <= best < barrier + 0.1


def test_crossover():
    edge = ld.circle_crossover()
    below, above = ld.circle_path(edge - 1e-3), ld.circle_path(edge + 1e-3)
    assert [kind for kind, _ in below[1]] == ["climb", "jump", "climb"]
    assert [kind for kind, _ in above[1]] == ["climb"]
    assert below[0] == pytest.approx(ld.circle_climb(edge - 1e-3), rel=1e-3)


def test_strong_noise_is_the_climb_in_an_array():
    v = np.array([[2.0, 4.0], [8.0, 0.5]])
    found = ld.circle_barrier(v)
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found.ravel()[:3], ld.circle_climb(v.ravel()[:3]))
    assert found[1, 1] < ld.circle_climb(0.5)
    for bad in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="noise_variance"):
            ld.circle_barrier(bad)


# --- the exact chain


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_density_of_a_step_is_that_of_samples(batch):
    theta, variance = 0.8, 1.5
    sums = products(theta, variance, 200_000 * batch).reshape(-1, batch).sum(axis=1)
    edges = np.array([-8.0, -3.0, -1.0, -0.2, 0.4, 1.0, 3.0, 8.0])
    counts, _ = np.histogram(sums, edges)
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        inner = [0.0] if low < 0 < high else None
        at = (theta, variance, batch)
        chance, _ = integrate.quad(circle_chain.step_density, low, high, at, points=inner)
        p = stats.binomtest(int(count), len(sums), chance).pvalue
        assert p > 1e-6


@pytest.mark.parametrize("batch", [1, 3])
def test_rows_of_the_chain_sum_to_one(batch):
    inside, outside = circle_chain.transition_matrix(
        60, noise_variance=1.0, learning_rate=0.2 * batch, batch_size=batch
    )
    assert np.all(inside >= 0) and np.all(outside > 0)
    np.testing.assert_allclose(inside.sum(axis=1) + outside, 1, atol=1e-6)


def test_chain_of_pairs_in_closed_form():
    # B = 2: a difference of exponentials; the chance to leave from theta by its two exponentials
    variance, eta, start = 2.0, 0.3, 1.0
    slope, twice = circle_chain._moments(start, variance)
    up, down = np.sqrt(twice) + slope, np.sqrt(twice) - slope  # scales of +S and -S
    rate = eta / 2
    below = up / (up + down) * np.exp(-(np.pi + start) / (rate * up))
    above = down / (up + down) * np.exp(-(np.pi - start) / (rate * down))
    found = circle_chain._chance_outside(np.array([start]), variance, rate, 2)[0]
    assert found == pytest.approx(below + above, rel=1e-8)


def test_passage_time_does_not_depend_on_the_grid():
    at = {"noise_variance": 2.0, "learning_rate": 0.1, "batch_size": 1}
    coarse = circle_chain.circle_passage(**at, per_step=2.5)
    fine = circle_chain.circle_passage(**at, per_step=6.0)
    assert coarse.time == pytest.approx(fine.time, rel=3e-3)
    assert abs(coarse.time / fine.time - 1) < coarse.error
    assert ld.circle_passage_time(**at) == pytest.approx(fine.time, rel=1e-3)


def test_passage_time_broadcasts_and_refuses():
    times = ld.circle_passage_time(
        noise_variance=[[8.0], [4.0]], learning_rate=[0.4, 0.8], batch_size=2
    )
    assert times.shape == (2, 2) and np.all(np.diff(times, axis=0) > 0)
    at = {"noise_variance": 2.0, "learning_rate": 0.1, "batch_size": 1}
    for name, bad in (("noise_variance", 0.0), ("learning_rate", -0.1), ("batch_size", 0)):
        with pytest.raises(ValueError, match=name):
            ld.circle_passage_time(**(at | {name: bad}))
    with pytest.raises(ValueError, match="batch_size must be a whole number"):
        ld.circle_passage_time(**(at | {"batch_size": 1.5}))
    with pytest.raises(ValueError, match="learning_rate must be at least"):
        ld.circle_passage_time(**(at | {"learning_rate": 1e-4}))


@pytest.mark.parametrize("batch, eta", [(1, 0.2), (3, 0.6)])
def test_chain_is_real_sgd(batch, eta):
    at = {"noise_variance": 4.0, "learning_rate": eta, "batch_size": batch}
    steps = simulate_passages(**at, runs=1500, max_steps=100_000, seed=5)
    assert np.all(steps > 0)
    mean, error = eta * steps.mean(), eta * steps.std() / np.sqrt(steps.size)
    assert abs(mean - ld.circle_passage_time(**at)) < 4.5 * error


def test_sde_times_have_the_exponents_of_their_barriers():
    for theory in ("paper", "covariance", "arrhenius"):
        times = [
            ld.circle_sde_time(noise_variance=4.0, learning_rate=eta, theory=theory)
            for eta in (0.02, 0.01)
        ]
        slope = np.log(times[1] / times[0]) / 50
        barrier = ld.circle_potential(np.pi, 4.0, theory=theory)
        assert slope == pytest.approx(barrier, rel=5e-3)


# --- the prefactor over the saddle


def test_amplitude_is_the_transport_equation():
    # K'/K = -(V'' Lambda_pp/2 + Lambda_theta p)/Lambda_p + B V'' Lambda_p/2, by differences
    variance, batch = 3.0, 2
    h = circle_cumulant(variance)
    value = lambda t, p: float(h(np.array([[t]]), np.array([[p]]))[0])  # noqa: E731
    momentum = lambda t: 2 * np.sin(t) / ((1 - np.cos(t)) ** 2 + variance)  # noqa: E731
    e = 1e-4

    def rate(t):
        p = momentum(t)
        curvature = (momentum(t + e) - momentum(t - e)) / (2 * e)
        drift = (value(t, p + e) - value(t, p - e)) / (2 * e)
        spread = (value(t, p + e) - 2 * value(t, p) + value(t, p - e)) / e**2
        mixed = value(t + e, p + e) - value(t + e, p - e) - value(t - e, p + e)
        mixed = (mixed + value(t - e, p - e)) / (4 * e**2)
        return -(curvature * spread / 2 + mixed) / drift + batch * curvature * drift / 2

    exact, _ = integrate.quad(rate, 0.02, np.pi - 0.02, epsrel=1e-5)
    closed = batch / 2 * np.log1p(4 / variance) - (1 + batch / 2) * ld.circle_climb(variance)
    assert exact == pytest.approx(closed, abs=2e-3)


def test_overshoot_length_of_sampled_walks():
    rng = np.random.default_rng(0)
    for batch in (1, 4):
        height, over = np.zeros(20_000), np.full(20_000, np.nan)
        ladders = []
        position = height.copy()
        for _ in range(4000):  # first ladder heights: driftless, so some walks take very long
            alive = np.isnan(over)
            if not alive.any():
                break
            up, down = rng.gamma(batch / 2, size=(2, alive.sum()))
            position[alive] += up - down
            done = alive & (position > 0)
            over[done] = position[done]
        ladders = over[np.isfinite(over)]
        assert len(ladders) > 0.97 * len(over)
        found = np.mean(ladders**2) / (2 * np.mean(ladders))
        assert found == pytest.approx(ld.overshoot_length(batch), rel=0.05)


@pytest.mark.parametrize("batch", [1, 3])
def test_climb_time_is_the_chain_at_small_rates(batch):
    ratios = []
    for rate in (0.1, 0.05):
        at = {"noise_variance": 8.0, "learning_rate": rate * batch, "batch_size": batch}
        ratios.append(circle_chain.circle_passage(**at).time / ld.circle_climb_time(**at))
    assert abs(ratios[1] - 1) < 0.6 * abs(ratios[0] - 1)
    assert 2 * ratios[1] - ratios[0] == pytest.approx(1, abs=0.05)


# --- rare passages ------------------------------------------------------------------------------


def test_chance_within_so_many_steps_is_that_of_runs():
    at = {"noise_variance": 8.0, "learning_rate": 0.5, "batch_size": 2}
    chance, error = circle_splitting.passage_chance(10, **at)
    steps = circle_runs.simulate_passages(**at, runs=40_000, max_steps=10, seed=3)
    share = np.mean(steps > 0)
    assert error < 0.02
    assert abs(share - chance) < 5 * np.sqrt(chance / 40_000) + error * chance


def test_chance_of_normal_steps_is_that_of_normal_runs():
    at = {"noise_variance": 8.0, "learning_rate": 0.5, "batch_size": 2}
    rng, theta, alive = np.random.default_rng(5), np.zeros(40_000), np.ones(40_000, bool)
    for _ in range(10):
        slope, twice = np.sin(theta), 2 - 2 * np.cos(theta) + 8.0
        noise = np.sqrt((twice + slope**2) / 2) * rng.standard_normal(theta.size)
        theta = np.where(alive, theta - 0.5 * (slope + noise), theta)
        alive &= np.abs(theta) < np.pi
    chance = circle_splitting.normal_chance(10, **at)
    assert abs(np.mean(~alive) - chance) < 5 * np.sqrt(chance / 40_000) + 0.01 * chance


def test_rare_passages_are_rarer_for_sgd_than_for_normal_steps():
    """Of the law of steps only mean and variance are the same: what is rare depends on the rest."""
    at = {"noise_variance": 8.0, "learning_rate": 0.1, "batch_size": 4}
    chance, _ = circle_splitting.passage_chance(60, **at)
    assert circle_splitting.normal_chance(60, **at) > 5 * chance
