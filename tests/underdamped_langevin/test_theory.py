"""Formulas of chapter `underdamped_langevin` against second ways, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, linalg

import sgdescape.underdamped_langevin as ul
from sgdescape.core.ensembles import phase_space
from sgdescape.core.ensembles.regression_data import FiniteData
from sgdescape.underdamped_langevin.measure import regression

# under-, over- and critically damped, negative roots, beta = 0, double roots, near the edge
MODES = [
    (0.1, 0.9, 1.0),
    (0.01, 0.9, 0.01),
    (0.1, 0.9, 0.1 / 3.8 * 1.0),
    (0.1, 0.5, 29.9),
    (0.1, 0.0, 1.0),
    (1.0, 0.0, 1.0),
    (1.0, 0.25, 0.25),
    (1.0, 0.25, 2.25),
    (0.3, 0.99, 0.5),
]


def rates(eta, beta):
    return {"learning_rate": eta, "momentum": beta}


def one_step(eta, beta, h):
    return np.array([[1 - eta * h, eta * beta], [-h, beta]])


def kick(eta, variance):
    return np.outer([eta, 1.0], [eta, 1.0]) * variance


# Continuous time


@pytest.mark.parametrize(("eta", "beta", "h"), [*MODES, (0.1, 0.9, 0.0)])
def test_propagator_is_the_matrix_exponential(eta, beta, h):
    drift = ul.drift_matrix([[h]], **rates(eta, beta))
    for t in (0.0, 0.3 * eta, 3 * eta, 40 * eta):
        np.testing.assert_allclose(
            ul.propagator(t, h, **rates(eta, beta)), linalg.expm(-drift * t), rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize(("eta", "beta", "h"), MODES)
def test_continuous_covariance_solves_the_lyapunov_equation(eta, beta, h):
    at = rates(eta, beta) | {"batch_size": 7}
    drift = ul.drift_matrix([[h]], **rates(eta, beta))
    noise = 2 * ul.diffusion_matrix([[3.0]], **rates(eta, beta)) / (7 * (1 - beta**2))
    found = ul.stationary_covariance(h, 3.0, **at, discrete=False)
    np.testing.assert_allclose(drift @ found + found @ drift.T, noise, atol=1e-9 * noise.max())


@pytest.mark.parametrize(("eta", "beta", "h"), [*MODES, (0.1, 0.9, 0.0)])
def test_continuous_covariance_at_all_times_is_its_integral(eta, beta, h):
    at = rates(eta, beta) | {"batch_size": 7}
    noise = 2 * ul.diffusion_matrix([[3.0]], **rates(eta, beta)) / (7 * (1 - beta**2))
    nodes, weights = np.polynomial.legendre.leggauss(300)
    for k in (0.5, 8.0, 60.0):
        t = eta * k * (nodes + 1) ** 2 / 4  # dense at early times
        w = weights * eta * k * (nodes + 1) / 2
        p = ul.propagator(t, h, **rates(eta, beta))
        direct = np.einsum("n,nij,jk,nlk->il", w, p, noise, p)
        found = ul.covariance(k, h, 3.0, **at, discrete=False)
        np.testing.assert_allclose(found, direct, rtol=1e-5, atol=1e-7 * np.abs(direct).max())


def test_rates_are_those_of_the_drift_matrix():
    eta, beta, h = 1e-5, 0.9, 919.6
    values = np.linalg.eigvals(ul.drift_matrix([[h]], **rates(eta, beta)))
    gamma, omega = ul.damping_rate(**rates(eta, beta)), ul.angular_frequency(h, **rates(eta, beta))
    np.testing.assert_allclose(values.real, gamma)
    np.testing.assert_allclose(np.abs(values), omega)
    assert 2 * np.pi / np.abs(values.imag[0]) / eta == pytest.approx(75.6, abs=0.05)
    mass, friction, _ = ul.langevin_coefficients(**rates(eta, beta), batch_size=1)
    assert gamma == pytest.approx(friction / (2 * mass)) and omega == pytest.approx(
        np.sqrt(h / mass)
    )


def test_critical_damping():
    at = rates(np.array([1e-4, 0.01, 0.3]), np.array([0.9, 0.5, 0.99]))
    rho = ul.critical_curvature(**at)
    np.testing.assert_allclose(ul.damping_ratio(rho, **at), 1)
    beta = ul.critical_momentum(rho, learning_rate=at["learning_rate"])
    np.testing.assert_allclose(beta, at["momentum"])
    assert ul.critical_curvature(learning_rate=1e-4, momentum=0.9) == pytest.approx(26.3, abs=0.05)
    low, high = ul.oscillating_band(learning_rate=1.0, momentum=0.9)
    assert low == pytest.approx(0.002633, abs=1e-6)
    for h in (0.99 * low, 1.01 * low, 0.99 * high, 1.01 * high):
        complex_roots = np.any(np.abs(np.roots([1, -(1.9 - h), 0.9]).imag) > 0)
        assert complex_roots == (low < h < high)


def test_long_times_and_weak_modes_do_not_overflow():
    at = rates(1e-3, 0.5)
    slow = ul.propagator(np.array([0.0, 1e3, 1e6]), 1e-3, **at)
    np.testing.assert_allclose(
        slow[:, 0, 0], np.exp(-1e-3 * np.array([0, 1e3, 1e6]) / 0.5), rtol=2e-5
    )
    assert np.isfinite(ul.covariance([10**7], 1e-9, 1.0, **at, batch_size=1)).all()


def test_overdamped_limit_is_the_effective_learning_rate():
    eta, beta, h = 1e-4, 0.9, 0.01
    k = np.array([1e4, 1e5, 1e6])
    r = ul.autocorrelation(k, h, **rates(eta, beta), discrete=False)
    np.testing.assert_allclose(r, np.exp(-h * eta * k / (1 - beta)), rtol=1e-3)


# Discrete time


@pytest.mark.parametrize(("eta", "beta", "h"), [*MODES, (0.1, 0.9, 0.0)])
def test_powers_are_powers(eta, beta, h):
    step = one_step(eta, beta, h)
    np.testing.assert_allclose(ul.update_matrix([[h]], **rates(eta, beta)), step)
    for k in (0, 1, 2, 3, 7, 60):
        z = ul.mean(k, h, [1.0, 0.0], [0.0, 1.0], **rates(eta, beta))
        np.testing.assert_allclose(z.T, np.linalg.matrix_power(step, k), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("eta", "beta", "h"), MODES)
def test_discrete_covariance_solves_its_lyapunov_equation(eta, beta, h):
    found = ul.stationary_covariance(h, 3.0, **rates(eta, beta), batch_size=7)
    direct = linalg.solve_discrete_lyapunov(one_step(eta, beta, h), kick(eta, 3 / 7))
    np.testing.assert_allclose(found, direct, rtol=1e-7)
    half = ul.stationary_covariance(
        0.75 * h, 3.0, **rates(eta, beta), batch_size=7, weight_decay=0.25 * h
    )
    np.testing.assert_allclose(half, found)


@pytest.mark.parametrize(("eta", "beta", "h"), [*MODES, (0.1, 0.9, 0.0), (0.1, 0.0, 0.0)])
def test_discrete_covariance_at_all_times_is_its_recursion(eta, beta, h):
    step, now = one_step(eta, beta, h), np.zeros((2, 2))
    path = ul.covariance(np.arange(40), h, 3.0, **rates(eta, beta), batch_size=7)
    for k in range(40):
        np.testing.assert_allclose(path[k], now, rtol=1e-6, atol=1e-9 * (1 + np.abs(now).max()))
        now = step @ now @ step.T + kick(eta, 3 / 7)


@pytest.mark.parametrize(("eta", "beta", "h"), MODES)
def test_autocorrelations_are_their_recursions(eta, beta, h):
    r = [1.0, 1 - eta * h / (1 + beta)]
    for _ in range(60):
        r.append((1 + beta - eta * h) * r[-1] - beta * r[-2])
    r = np.array(r)
    found = ul.autocorrelation(np.arange(r.size), h, **rates(eta, beta))
    np.testing.assert_allclose(found, r, atol=1e-8)
    c = (2 * r[1:-1] - r[:-2] - r[2:]) / (2 * (1 - r[1]))
    found = ul.velocity_autocorrelation(np.arange(1, r.size - 1), h, **rates(eta, beta))
    np.testing.assert_allclose(found, c, atol=1e-6)


def test_stationary_law_by_simulation():
    eta, beta, h, n = 0.5, 0.8, 2.0, 20_000
    rng = np.random.default_rng(0)
    x, v = np.zeros(n), np.zeros(n)
    for _ in range(200):
        v = beta * v - h * x - rng.normal(size=n)
        x = x + eta * v
    found = ul.stationary_covariance(h, 1.0, **rates(eta, beta), batch_size=1)
    products = np.stack([x * x, x * v, v * v])
    error = products.std(axis=1) / np.sqrt(n)
    z = (products.mean(axis=1) - found[np.triu_indices(2)]) / error
    assert np.abs(z).max() < 5


def test_free_direction_is_the_limit_of_weak_curvature():
    at = rates(0.1, 0.9) | {"batch_size": 4}
    k = np.array([1, 5, 50, 500])
    for discrete in (True, False):
        free = ul.covariance(k, 0.0, 1.0, **at, discrete=discrete)
        weak = ul.covariance(k, 1e-7, 1.0, **at, discrete=discrete)
        np.testing.assert_allclose(weak, free, rtol=2e-4)


@given(st.floats(0, 0.98), st.floats(0.001, 0.97), st.floats(1e-3, 10), st.integers(1, 100))
def test_both_theories_differ_by_one_factor(beta, x, eta, size):
    h = 2 * (1 + beta) * x / eta
    at = rates(eta, beta) | {"batch_size": size}
    exact = ul.stationary_covariance(h, 2.0, **at)
    sde = ul.stationary_covariance(h, 2.0, **at, discrete=False)
    factor = ul.common_factor(h, **rates(eta, beta))
    np.testing.assert_allclose(np.diag(exact), factor * np.diag(sde))
    assert exact[0, 1] == pytest.approx(eta * exact[1, 1] / 2)
    omega = ul.angular_frequency(h, **rates(eta, beta))
    assert exact[1, 1] == pytest.approx(omega**2 * exact[0, 0])  # equipartition
    assert np.linalg.det(exact) > 0
    speed = ul.square_step([h], [2.0], **at)
    assert speed == pytest.approx(eta**2 * exact[1, 1])


def test_formulas_broadcast():
    found = ul.stationary_covariance(
        np.ones((3, 1)), np.ones(4), learning_rate=0.1, momentum=[0.0, 0.1, 0.2, 0.9], batch_size=2
    )
    assert found.shape == (3, 4, 2, 2)
    assert ul.mean(np.arange(5)[:, None], [1.0, 2.0], 1.0, **rates(0.1, 0.9)).shape == (5, 2, 2)
    assert ul.critical_curvature(learning_rate=[0.1, 0.2], momentum=0.9).shape == (2,)


def test_continuous_theory_is_reached_for_small_steps():
    k = np.arange(200)
    for eta, bound in ((1e-3, 0.02), (1e-5, 2e-4)):
        beta = 1 - 2 * 0.2 * np.sqrt(eta)
        exact, sde = (
            ul.autocorrelation(k, 1.0, **rates(eta, beta), discrete=d) for d in (True, False)
        )
        assert np.abs(exact - sde).max() < bound


# The modified equation


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_orders_of_the_modified_equation(beta):
    eta = np.array([0.02, 0.01, 0.005])
    error = ul.path_errors(eta, momentum=beta, time=1.0)
    orders = np.diff(np.log(error), axis=0)[-1] / np.log(0.5)
    np.testing.assert_allclose(orders, [1, 1, 2], atol=0.12)


# Real minibatches


def small_problem(n=200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * np.array([1.0, 0.5, 0.2])
    return FiniteData(x, x @ rng.normal(size=3) + rng.normal(size=n))


def test_closed_second_moments_against_simulation():
    data = small_problem()
    at = rates(0.1, 0.8) | {"batch_size": 2}
    x, residuals = regression.sample_noise(data)
    exact = ul.regression_covariance(x, residuals, **at)
    made = phase_space.averages(
        data, steps=400, burn_in=300, replicas=range(500), seed=3, device="cpu", **at
    )
    squares = np.hstack([made.square_position[:, ::-1], made.square_velocity[:, ::-1]])
    z = (squares.mean(0) - np.diag(exact)) / squares.std(0) * np.sqrt(500)
    assert np.abs(z).max() < 5
    constant = ul.stationary_covariance(
        data.curvatures[::-1], np.mean((x * residuals[:, None]) ** 2, axis=0), **at
    )
    ratio = np.diag(exact)[:3] / constant[:, 0, 0]
    assert ratio.min() > 1.1  # so that the simulation could tell


def test_closed_second_moments_stop_moving_and_grow_to_their_limit():
    data = small_problem()
    at = rates(0.1, 0.8) | {"batch_size": 4}
    x, residuals = regression.sample_noise(data)
    final = ul.regression_covariance(x, residuals, **at)
    path = ul.regression_covariance(x, residuals, **at, steps=600)
    np.testing.assert_allclose(path[-1], final, rtol=1e-6, atol=1e-12)
    assert path.shape == (601, 6, 6) and not path[0].any()
    # one step from (mu, 0): the covariance of one gradient
    first = ul.noise_covariance_at(x, residuals, np.zeros(3)) / 4
    np.testing.assert_allclose(path[1], np.kron([[0.01, 0.1], [0.1, 1.0]], first), rtol=1e-9)


def test_mean_noise_of_a_cloud_is_the_closed_form():
    data = small_problem()
    x, residuals = regression.sample_noise(data)
    rng = np.random.default_rng(1)
    cloud = rng.normal(size=(4000, 3)) * [0.3, 0.5, 0.2]
    mean = np.mean([ul.noise_covariance_at(x, residuals, y) for y in cloud], axis=0)
    c = cloud.T @ cloud / len(cloud)
    spread = np.einsum("na,ab,nb->n", x, c, x)
    hessian = data.basis.T @ data.hessian @ data.basis
    hessian = hessian[::-1, ::-1]
    closed = (x * (residuals**2 + spread)[:, None]).T @ x / len(x) - hessian @ c @ hessian
    np.testing.assert_allclose(mean, closed, atol=0.03 * closed.max())


def test_an_infinite_covariance_is_refused():
    x, residuals = regression.sample_noise(small_problem())
    with pytest.raises(ValueError, match="infinite"):
        ul.regression_covariance(x, residuals, learning_rate=1.2, momentum=0.0, batch_size=1)


# Doors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must lie in"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\)"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"weight_decay": -0.1}, "weight_decay must lie in"),
        ({"learning_rate": 4.0}, "must lie below 2 .* = 0.95"),
        ({"momentum": np.nan}, "momentum must be finite"),
    ],
)
def test_bad_input_is_refused(change, message):
    at = {"learning_rate": 0.1, "momentum": 0.9, "batch_size": 1} | change
    with pytest.raises(ValueError, match=message):
        ul.stationary_covariance(1.0, 1.0, **at)


def test_modes_that_are_not_stationary_are_refused():
    at = rates(0.1, 0.9)
    with pytest.raises(ValueError, match="must be positive"):
        ul.stationary_covariance([1.0, 0.0], 1.0, **at, batch_size=1)
    with pytest.raises(ValueError, match="curvature must lie in"):
        ul.mean(1, -1.0, 1.0, **at)
    with pytest.raises(ValueError, match="whole numbers"):
        ul.mean(1.5, 1.0, 1.0, **at)
    with pytest.raises(ValueError, match="whole number of steps"):
        ul.path_errors([0.3], momentum=0.0, time=1.0)
    with pytest.raises(ValueError, match="symmetric"):
        ul.drift_matrix([[1.0, 0.5], [0.0, 1.0]], **at)
    with pytest.raises(ValueError, match="eigenbasis"):
        ul.regression_covariance(
            np.random.default_rng(0).normal(size=(20, 2)), np.ones(20), **at, batch_size=1
        )


def test_impulse_response_is_its_recursion_and_adds_up_to_the_covariance():
    for eta, beta, h in [*MODES, (0.1, 0.9, 0.0)]:
        found = ul.impulse_response(60, h, **rates(eta, beta))
        g = [1.0, 1 + beta - eta * h]
        for _ in range(58):
            g.append((1 + beta - eta * h) * g[-1] - beta * g[-2])
        np.testing.assert_allclose(found, g, rtol=1e-6, atol=1e-8)
        spread = ul.covariance(60, h, 3.0, **rates(eta, beta), batch_size=7)[0, 0]
        assert eta**2 * 3 / 7 * np.sum(found**2) == pytest.approx(spread, rel=1e-6)
    many = ul.impulse_response(5, [0.0, 1.0], learning_rate=0.1, momentum=[0.5, 0.9])
    assert many.shape == (2, 5) and np.all(many[:, 0] == 1)


def test_mean_square_step_is_the_sum_of_the_velocity_variances():
    at = rates(0.1, 0.8) | {"batch_size": 3, "weight_decay": 0.1}
    for discrete in (True, False):
        law = ul.stationary_covariance([0.5, 2.0], [1.0, 4.0], **at, discrete=discrete)
        found = ul.square_step([0.5, 2.0], [1.0, 4.0], **at, discrete=discrete)
        assert found == pytest.approx(0.1**2 * law[:, 1, 1].sum())


def test_closed_second_moments_of_one_input_by_hand():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 500))
    y -= x * (x @ y) / (x @ x)
    found = ul.regression_covariance(x[:, None], y, **rates(0.1, 0.0), batch_size=3)
    h, four, noise = np.mean(x**2), np.mean(x**4), np.mean(x**2 * y**2)
    shrink = 1 - 2 * 0.1 * h + 0.01 * (h**2 + (four - h**2) / 3)
    assert found[0, 0] == pytest.approx(0.01 * noise / 3 / (1 - shrink), rel=1e-9)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_closed_second_moments_by_one_dense_linear_system(decay):
    data, eta, beta, size = small_problem(), 0.1, 0.8, 2
    fixed = np.linalg.solve(data.hessian + decay * np.eye(3), data.hessian @ data.minimum)
    x = data.rows[:, :-1]
    residuals = data.inputs @ fixed - data.targets
    gradients = x * residuals[:, None]
    noise = np.cov(gradients.T, bias=True) / size
    pairs = (x[:, :, None] * x[:, None, :]).reshape(len(x), 9)
    curved = np.kron(*2 * (np.diag(data.curvatures),))
    spread = (pairs.T @ pairs / len(x) - curved) / size
    step = ul.update_matrix(np.diag(data.curvatures), **rates(eta, beta), weight_decay=decay)
    both = np.kron(np.array([[eta], [1.0]]), np.eye(3))
    pick = np.hstack([np.eye(3), np.zeros((3, 3))])
    whole = np.kron(step, step) + np.kron(both, both) @ spread @ np.kron(pick, pick)
    law = np.linalg.solve(np.eye(36) - whole, np.kron(both, both) @ noise.ravel()).reshape(6, 6)
    found = ul.regression_covariance(
        x, residuals, **rates(eta, beta), batch_size=size, weight_decay=decay
    )
    np.testing.assert_allclose(found, law, rtol=1e-8, atol=1e-12)


def kicks(e, beta, count):
    """U_0 ... U_count by the recursion."""
    u = [0.0, 1.0]
    while len(u) <= count:
        u.append((1 + beta - e) * u[-1] - beta * u[-2])
    return np.array(u[: count + 1])


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("place", ["free", "slow", "below", "double", "above", "stiff", "edge"])
def test_response_is_its_recursion(beta, place):
    double = (1 - np.sqrt(beta)) ** 2
    e = {
        "free": 0.0,
        "slow": 1e-9,
        "below": double * (1 - 1e-7),
        "double": double,
        "above": double * (1 + 1e-5),
        "stiff": (1 + np.sqrt(beta)) ** 2 * (1 - 1e-4),
        "edge": 1.99 * (1 + beta),
    }[place]
    u = kicks(e, beta, 400)
    k = np.array([0, 1, 2, 7, 64, 65, 66, 200, 400])
    kick, total = ul.response(k, e, beta)
    # near the edge U alternates with a size that the recursion itself knows to 1e-8 only
    scale = np.maximum.accumulate(np.abs(u))[k] + 1e-12
    np.testing.assert_allclose(kick / scale, u[k] / scale, atol=1e-8)
    sums = np.concatenate([[0.0], np.cumsum(u)])[k]
    np.testing.assert_allclose(total, sums, rtol=1e-8, atol=1e-10)
    energy = np.cumsum(u**2)[k]
    np.testing.assert_allclose(ul.kick_energy(k, e, beta), energy, rtol=1e-7)


def test_response_after_a_million_steps_is_known():
    kick, total = ul.response(10**6, 0.0, 0.9)
    assert kick == pytest.approx(10, rel=1e-12)
    assert total == pytest.approx((10**6 - 10) / 0.1, rel=1e-12)
    # a mode that relaxes in 10^12 steps looks free to one part in a million
    assert ul.response(10**6, 1e-13, 0.9)[1] == pytest.approx(total, rel=1e-6)
    for e in (0.1, (1 - np.sqrt(0.9)) ** 2, 3.0):
        kick, total = ul.response(10**6, e, 0.9)
        assert abs(kick) < 1e-300 and total == pytest.approx(1 / e, rel=1e-12)


def test_continuous_response_is_its_double_integral():
    for gamma, omega in ((1.0, 0.3), (1.0, 1.0), (1.0, 1 + 1e-9), (0.2, 3.0), (1.0, 0.0)):
        w = np.sqrt(complex(gamma**2 - omega**2))
        w = w if abs(w) > 1e-6 else 1e-6

        def kick(s, w=w, gamma=gamma):
            return (np.exp(-gamma * s) * np.sinh(w * s) / w).real

        for t in (1e-3, 0.3, 2.0, 9.0):
            exact = integrate.quad(kick, 0, t, epsabs=0, epsrel=1e-11)[0]
            assert ul.continuous_response(t, gamma, omega**2) == pytest.approx(exact, rel=1e-8)
