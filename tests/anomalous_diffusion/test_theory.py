"""Theory of chapter `anomalous_diffusion` against exact answers, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

import sgdescape.anomalous_diffusion as ad

AT = {"learning_rate": 0.1, "momentum": 0.9, "batch_size": 8}


def kicks(e, beta, count):
    """U_0 ... U_count by the recursion."""
    u = [0.0, 1.0]
    while len(u) <= count:
        u.append((1 + beta - e) * u[-1] - beta * u[-2])
    return np.array(u[: count + 1])


def covariance(e, beta):
    """Stationary covariance of (x_k, x_{k-1}) for unit forces, by the Lyapunov equation."""
    step = np.array([[1 + beta - e, -beta], [1.0, 0.0]])
    return step, linalg.solve_discrete_lyapunov(step, np.diag([1.0, 0.0]))


# Eqs. (global-displacement), (free-displacement)


@pytest.mark.parametrize("e", [0.001, 0.0026334, 0.1, 2.0, 3.5])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_displacement_by_the_lyapunov_equation(e, beta):
    if e >= 2 * (1 + beta):
        pytest.skip("beyond the edge")
    step, stationary = covariance(e, beta)
    k = np.array([0, 1, 2, 30, 300])
    exact = [
        2 * (stationary[0, 0] - (np.linalg.matrix_power(step, int(j)) @ stationary)[0, 0])
        for j in k
    ]
    found = ad.mean_squared_displacement(
        k, [e / 0.1], 5.0, learning_rate=0.1, momentum=beta, batch_size=8
    )
    np.testing.assert_allclose(found, 0.01 * 5 / 8 * np.array(exact), rtol=1e-8, atol=1e-12)


def test_displacement_continuous_is_the_autocorrelation():
    eta, beta, h = 0.1, 0.9, 1.7
    gamma = (1 - beta) / (eta * (1 + beta))
    nu = np.sqrt(2 * h / (eta * (1 + beta)) - gamma**2)
    k = np.array([1, 5, 50])
    r = np.exp(-gamma * eta * k) * (np.cos(nu * eta * k) + gamma / nu * np.sin(nu * eta * k))
    variance = eta * 3.0 / (2 * 8 * (1 - beta) * h)
    found = ad.mean_squared_displacement(k, [h], 3.0, discrete=False, **AT)
    np.testing.assert_allclose(found, 2 * variance * (1 - r), rtol=1e-12)


def test_free_direction_is_the_limit_and_has_its_formula():
    k = np.array([0, 1, 2, 50, 10**6])
    free = ad.free_displacement(k, 2.0, **AT)
    np.testing.assert_allclose(ad.mean_squared_displacement(k, [0.0], 2.0, **AT), free, rtol=1e-12)
    slow = ad.mean_squared_displacement(k, [1e-13], 2.0, **AT)
    np.testing.assert_allclose(slow, free, rtol=1e-6)
    rate = 0.1**2 * 2.0 / (8 * (1 - 0.9) ** 2)
    assert free[-1] == pytest.approx(rate * 10**6, rel=1e-4)
    late = ad.mean_squared_displacement([10**6], [0.0], 2.0, discrete=False, **AT)
    assert late[0] == pytest.approx(rate * 10**6, rel=1e-4)


def test_discrete_becomes_continuous_for_slow_modes():
    k = np.array([100, 1000])
    pair = [
        ad.mean_squared_displacement(k, [1e-3], 1.0, discrete=flag, **AT) for flag in (True, False)
    ]
    np.testing.assert_allclose(*pair, rtol=1e-3)
    od = ad.overdamped_displacement(k, [1e-3, 0.0], 1.0, **AT)
    both = ad.mean_squared_displacement(k, [1e-3, 0.0], 1.0, **AT)
    np.testing.assert_allclose(od[1], both[1], rtol=0.02)
    saturated = ad.saturation([0.5, 2.0], [0.5, 2.0], **AT)
    assert saturated == pytest.approx(2 * 0.1 / (8 * 0.1))
    far = ad.mean_squared_displacement(10**6, [0.5, 2.0], [0.5, 2.0], discrete=False, **AT)
    assert far == pytest.approx(saturated, rel=1e-12)


def test_modes_add_and_everything_broadcasts():
    rho, sigma = np.array([0.0, 0.3, 2.0]), np.array([1.0, 2.0, 0.5])
    k = np.array([0, 3, 40])
    whole = ad.mean_squared_displacement(k, rho, sigma, weight_decay=0.1, **AT)
    parts = [
        ad.mean_squared_displacement(k, [r], [s], weight_decay=0.1, **AT)
        for r, s in zip(rho, sigma, strict=True)
    ]
    np.testing.assert_allclose(whole, np.sum(parts, axis=0), rtol=1e-12)
    rates = np.array([[0.1], [0.2]])
    grid = ad.mean_squared_displacement(
        k, rho, sigma, learning_rate=rates, momentum=0.9, batch_size=8, weight_decay=0.1
    )
    assert grid.shape == (2, 3)
    np.testing.assert_allclose(grid[0], whole, rtol=1e-12)
    many = ad.mean_squared_displacement(5, np.tile(rho[:, None], (1, 4)), sigma[:, None], **AT)
    assert many.shape == (4,)
    assert np.ndim(ad.mean_squared_displacement(5, 1.0, 1.0, **AT)) == 0
    one = ad.local_displacement(rho, sigma, **AT)
    assert one == pytest.approx(ad.mean_squared_displacement(1, rho, sigma, **AT), rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    e=st.floats(0, 0.99),
    beta=st.floats(0, 0.995),
    k=st.integers(1, 10**6),
    size=st.integers(1, 1000),
)
def test_displacement_scales_and_is_bounded(e, beta, k, size):
    h, eta = e * 2 * (1 + beta) / 0.1, 0.1
    at = {"learning_rate": eta, "momentum": beta}
    found = ad.mean_squared_displacement(k, [h], 1.0, batch_size=size, **at)
    once = ad.mean_squared_displacement(k, [h], 1.0, batch_size=1, **at)
    assert found == pytest.approx(once / size, rel=1e-9)
    assert found >= 0
    if h > 1e-9:
        factor = 1 - eta * h / (2 * (1 + beta))
        variance = eta / (2 * (1 - beta) * h * factor)
        assert once <= 4 * variance * (1 + 1e-6)


def test_every_mode_is_slower_than_a_free_one():
    k = np.unique(np.geomspace(1, 10**5, 80).round())
    free = ad.local_exponents(k, ad.free_displacement(k, 1.0, **AT))[1]
    assert np.all(np.diff(free) < 0) and free[-1] > 1
    double = (1 - np.sqrt(0.9)) ** 2 / 0.1
    for h in double * np.array([1e-6, 1e-3, 0.1, 0.5, 0.99]):
        curve = ad.mean_squared_displacement(k, [h], 1.0, **AT)
        assert np.all(ad.local_exponents(k, curve)[1] <= free + 1e-9)
    ringing = ad.mean_squared_displacement(k, [30.0], 1.0, **AT)
    assert np.any(ad.local_exponents(k, ringing)[1] > free)


def test_first_exponent():
    free = ad.free_displacement([1, 2], 1.0, **AT)
    assert np.log2(free[1] / free[0]) == pytest.approx(float(ad.first_exponent(0.9)), rel=1e-12)


# Eqs. (summed-displacement), (spurious-exact), (spurious-diffusion)


@pytest.mark.parametrize("beta", [0.0, 0.9])
@pytest.mark.parametrize("h", [0.1, 3.0])
def test_the_sum_over_steps_grows_at_the_spurious_rate(beta, h):
    at = {"learning_rate": 0.1, "momentum": beta, "batch_size": 1}
    far = ad.summed_displacement([3000, 4000], h, 1.0, **at)
    step = ad.local_displacement([h], 1.0, discrete=False, **at)
    rate = np.diff(far)[0] / 1000 / step
    assert rate == pytest.approx(float(ad.spurious_rate(beta, rate=0.1 * h)), rel=1e-6)
    assert rate == pytest.approx(float(ad.spurious_rate(beta)), rel=0.07)


def test_the_sum_over_steps_with_discrete_correlations_is_exact():
    """With the AR(2) correlation of steps the same sum is Eq. (global-displacement)."""
    e, beta = 0.3, 0.9
    step, stationary = covariance(e, beta)
    r = [(np.linalg.matrix_power(step, j) @ stationary)[0, 0] for j in range(52)]
    steps = [2 * (r[0] - r[1])] + [2 * r[j] - r[j - 1] - r[j + 1] for j in range(1, 51)]
    k = 50
    total = k * steps[0] + 2 * sum((k - j) * steps[j] for j in range(1, k))
    assert total == pytest.approx(2 * (r[0] - r[k]), rel=1e-9)


# Eqs. (power-law-displacement), (fixed-start), (fixed-start-overdamped)


@pytest.mark.parametrize("a", [1.3, 1.5])
def test_power_law_spectrum_has_its_exponent(a):
    rho = ad.power_law_spectrum(20_000, a)
    tau = np.array([50.0, 500.0])
    exact = (1 - np.exp(-rho * tau[:, None])).sum(axis=1)
    np.testing.assert_allclose(ad.power_law_displacement(tau, a), exact, rtol=2e-3)
    density = np.sum(rho > 1e-8) / np.sum(rho > 1e-4)
    assert density == pytest.approx(10 ** (4 * (a - 1)), rel=0.1)


def test_fixed_start_by_iterating_the_law():
    eta, beta, size = 0.1, 0.9, 8
    rho, sigma, away = np.array([0.0, 0.02, 4.0]), np.array([1.0, 0.5, 2.0]), np.array([1, -2, 0.5])
    k = 90
    drift, noise = 0.0, 0.0
    for h, s, d in zip(rho, sigma, away, strict=True):
        step = np.array([[1 + beta - eta * h, -beta], [1.0, 0.0]])
        state, spread = np.array([d, d], float), np.zeros((2, 2))
        for _ in range(k):
            state = step @ state
            spread = step @ spread @ step.T + np.diag([eta**2 * s / size, 0])
        drift += (state[0] - d) ** 2
        noise += spread[0, 0]
    found = ad.fixed_start_displacement(k, rho, sigma, away, **AT)
    np.testing.assert_allclose(found, (drift, noise), rtol=1e-9)


def test_overdamped_start_is_the_slow_limit_and_knows_tau_only():
    rho, away = np.array([1e-3, 1e-4]), np.array([1.0, 3.0])
    k = np.array([2000, 20_000])
    exact = ad.fixed_start_displacement(k, rho, rho, away, **AT)
    simple = ad.overdamped_start(k, rho, rho, away, **AT)
    np.testing.assert_allclose(simple[0], exact[0], rtol=0.02)
    np.testing.assert_allclose(simple[1], exact[1], rtol=0.02)
    # eta, S and beta changed at one tau_ep: the same curve in epochs
    n, epochs = 1000, np.array([1.0, 1.5, 2.0])
    curves = [
        sum(
            ad.overdamped_start(
                epochs * n / size, rho, rho, away, learning_rate=eta, momentum=beta, batch_size=size
            )
        )
        for eta, size, beta in ((0.1, 2, 0.5), (0.2, 4, 0.5), (0.02, 2, 0.9))
    ]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-12)
    np.testing.assert_allclose(curves[2], curves[0], rtol=1e-12)


# Eqs. (epoch-covariance) to (fixed-order)


def position_average(e, beta, m, k, memory=6000):
    """Variance and displacement with shuffled epochs, summed kick by kick, at every position."""
    a = kicks(e, beta, memory + m + k + 1)[1:]
    projector = (np.eye(m) - 1 / m) * m / (m - 1)  # covariance of one epoch's noise
    variance, moved = [], []
    for position in range(m):
        late, soon = a_blocks(a, memory, position, k, m)
        variance.append(np.einsum("eb,bc,ec->", soon, projector, soon))
        gap = late - soon
        moved.append(np.einsum("eb,bc,ec->", gap, projector, gap))
    return np.mean(variance), np.mean(moved)


def a_blocks(a, memory, position, k, m):
    """Kicks at T = epochs m + position, and at T + k, cut into epochs of the noise."""
    last = (memory // m) * m + position
    count = (last + k) // m + 1
    times = np.arange(count * m)
    soon = np.where(times < last, a[np.clip(last - 1 - times, 0, None)], 0.0)
    late = np.where(times < last + k, a[np.clip(last + k - 1 - times, 0, None)], 0.0)
    return late.reshape(count, m), soon.reshape(count, m)


@pytest.mark.parametrize("e", [0.02, 0.5])
def test_shuffled_epochs_kick_by_kick(e):
    m, beta, size = 6, 0.5, 2
    at = {"learning_rate": 0.1, "momentum": beta, "batch_size": size, "steps_per_epoch": m}
    batch = 3.0 / size * (m * size - size) / (m * size - 1)
    for k in (1, 5, 14):
        variance, moved = position_average(e, beta, m, k, memory=1200)
        found = ad.shuffled_displacement(k, [e / 0.1], 3.0, **at)
        assert found == pytest.approx(0.01 * batch * moved, rel=1e-9)
    found = ad.shuffled_variance(e / 0.1, 3.0, **at)
    assert found == pytest.approx(0.01 * batch * variance, rel=1e-9)


def test_shuffled_variance_of_slow_and_fast_modes():
    m, at = 400, {"learning_rate": 0.01, "momentum": 0.9, "batch_size": 4}
    x = np.array([0.01, 0.3, 3.0, 30.0])
    rho = x * (1 - 0.9) / (0.01 * m)
    found = ad.shuffled_variance(rho, 1.0, steps_per_epoch=m, **at)
    share = (4 * m - 4) / (4 * m - 1)
    iid = 0.01 / (2 * 4 * 0.1 * rho) / (1 - 0.01 * rho / 3.8) * share
    np.testing.assert_allclose(found / iid, ad.shuffled_fraction(x), rtol=0.08, atol=1e-3)
    assert float(ad.shuffled_fraction(3.0)) == pytest.approx(0.5445, abs=1e-4)
    bridge = (0.01 / 0.1) ** 2 / 4 * (m + 1) / 6 * share
    assert ad.shuffled_variance(0.0, 1.0, steps_per_epoch=m, **at) == pytest.approx(bridge, rel=0.1)
    cross = ad.crossover_curvature(learning_rate=0.01, momentum=0.9, steps_per_epoch=m)
    assert cross == pytest.approx(rho[2])


def test_weights_are_the_covariance_of_shuffled_noise():
    rng, m = np.random.default_rng(0), 5
    noise = rng.standard_normal((40_000, 2, m))
    noise = (noise - noise.mean(axis=2, keepdims=True)).reshape(40_000, 2 * m)
    variance = 1 - 1 / m
    for lag, weight in enumerate(ad.epoch_weights(m), 1):
        found = np.mean(noise[:, :m] * noise[:, lag : m + lag])
        assert found == pytest.approx(-weight * variance, abs=5 / np.sqrt(200_000))
    assert ad.epoch_weights(m).sum() == pytest.approx(0.5)


def test_fixed_order_is_periodic_and_is_its_filter():
    m, e, beta, size = 7, 0.3, 0.5, 2
    at = {"learning_rate": 0.1, "momentum": beta, "batch_size": size, "steps_per_epoch": m}
    found = ad.fixed_order_displacement(np.arange(15), [e / 0.1], 3.0, **at)
    assert np.max(np.abs(found[[0, 7, 14]])) < 1e-12
    np.testing.assert_allclose(found[1:7], found[8:14], rtol=1e-9)
    a = kicks(e, beta, 700)[1:701].reshape(100, m).sum(axis=0)  # the answer to periodic noise
    projector = (np.eye(m) - 1 / m) * m / (m - 1)
    shift = np.roll(a, 3) - a
    batch = 3.0 / size * (m * size - size) / (m * size - 1)
    assert found[3] == pytest.approx(0.01 * batch * shift @ projector @ shift, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ad.mean_squared_displacement(-1, [1.0], 1.0, **AT), "steps must lie in"),
        (lambda: ad.mean_squared_displacement(1.5, [1.0], 1.0, **AT), "whole numbers"),
        (lambda: ad.mean_squared_displacement(1, [-1.0], 1.0, **AT), "must not be negative"),
        (lambda: ad.mean_squared_displacement(1, [38.0], 1.0, **AT), r"= 38\): got 38"),
        (lambda: ad.mean_squared_displacement(1, [1.0], -1.0, **AT), "noise must lie"),
        (
            lambda: ad.mean_squared_displacement(1, [1.0], 1.0, **AT | {"momentum": 1.0}),
            "momentum must lie",
        ),
        (
            lambda: ad.mean_squared_displacement(1, [1.0], 1.0, **AT | {"learning_rate": 0.0}),
            "learning_rate must lie",
        ),
        (
            lambda: ad.mean_squared_displacement(1, [1.0], 1.0, **AT | {"batch_size": 0.5}),
            "batch_size must be at least 1",
        ),
        (lambda: ad.mean_squared_displacement(1, [np.nan], 1.0, **AT), "curvatures must be finite"),
        (lambda: ad.saturation([0.0], 1.0, **AT), "must be positive"),
        (lambda: ad.local_exponents([1, 1], [1.0, 2.0]), "must ascend"),
        (lambda: ad.power_law_spectrum(3, 2.5), r"exponent must lie in \(1, 2\)"),
        (
            lambda: ad.epoch_time(learning_rate=0.1, batch_size=-1, momentum=0.9, samples=9),
            "batch_size must be at least 1: got -1",
        ),
        (
            lambda: ad.epoch_time(learning_rate=0.1, batch_size=2.5, momentum=0.9, samples=9),
            "batch_size must be a whole number: got 2.5",
        ),
        (
            lambda: ad.epoch_time(learning_rate=0.1, batch_size=10, momentum=0.9, samples=9),
            "batch_size must be at most samples = 9: got 10",
        ),
        (
            lambda: ad.drift_share(1.0, -1.0, steps=9, momentum=0.9),
            "distance must lie in",
        ),
        (lambda: ad.epoch_weights(1), "steps_per_epoch must be at least 2"),
        (lambda: replace(ad.QUICK, grid_sizes=(3,)), "grid_sizes must divide"),
        (lambda: ad.run(ad.QUICK, device="cuda"), "device must be one of"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
