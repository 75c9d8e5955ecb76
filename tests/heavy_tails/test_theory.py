"""Tail indices against closed forms, independent quadrature, products of matrices and limits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

import sgdescape.heavy_tails as ht
from sgdescape.heavy_tails.measure import chain, states
from sgdescape.heavy_tails.theory import momentum, published

STILL = {"dimension": 1, "batch_size": 1}
DRAW = {
    "gaussian": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.uniform(-np.sqrt(3), np.sqrt(3), size),
    "laplace": lambda rng, size: rng.laplace(0, np.sqrt(0.5), size),
}
EVEN = {  # E x^(2k), k = 0 to 4, of inputs of variance 1
    "gaussian": [1, 1, 3, 15, 105],
    "uniform": [1, 1, 9 / 5, 27 / 7, 9.0],
    "laplace": [1, 1, 6, 90, 2520],
}


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


# --- without momentum ------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "b"), [(1, 1), (1, 2), (1, 7), (2, 1), (3, 4), (10, 5), (50, 20)])
def test_index_one_where_the_second_moment_is_one(d, b):
    eta = 2 * b / (b + d + 1)
    assert ht.tail_index(dimension=d, learning_rate=eta, batch_size=b) == pytest.approx(1, abs=1e-8)


@given(st.integers(1, 12), st.integers(1, 9), st.floats(0.01, 1.5))
@settings(max_examples=15, deadline=None)
def test_second_and_fourth_moments_are_closed_forms(d, b, eta):
    at = {"dimension": d, "learning_rate": eta, "batch_size": b}
    second = 1 - 2 * eta + eta**2 * (b + d + 1) / b
    assert ht.log_moment(2.0, **at) == pytest.approx(np.log(second), abs=1e-9)
    # ||Me||^4 with moments of q = R^2 (chi-square, b) and w (chi-square, d - 1)
    q = [np.prod(b + 2 * np.arange(k)) for k in range(5)]
    w = [1, d - 1, (d - 1) * (d + 1)]
    a = eta / b
    one = np.polynomial.Polynomial([1, -2 * a, a**2])  # (1 - a q)^2
    parts = [(one**2, w[0]), (2 * a**2 * np.polynomial.Polynomial([0, 1]) * one, w[1])]
    parts.append((a**4 * np.polynomial.Polynomial([0, 0, 1]), w[2]))
    fourth = sum(weight * np.dot(p.coef, q[: p.coef.size]) for p, weight in parts)
    assert ht.log_moment(4.0, **at) == pytest.approx(np.log(fourth), abs=1e-8)


@pytest.mark.parametrize("eta", [0.05, 0.4, 1.2])
def test_root_by_adaptive_quadrature(eta):
    s = 2 * ht.tail_index(learning_rate=eta, **STILL)
    points = [1 / np.sqrt(eta), np.sqrt(2 * s + 1 / eta)]

    def integrand(x):
        with np.errstate(divide="ignore"):
            return np.exp(s * np.log(abs(1 - eta * x**2)) - x**2 / 2) * np.sqrt(2 / np.pi)

    far = points[1] + 14
    total = integrate.quad(integrand, 0, far, points=points, limit=400, epsabs=1e-12)[0]
    assert total == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize(
    ("inputs", "b"), [*product(["uniform"], [1, 2, 3, 8]), *product(["laplace"], [1, 2, 3])]
)
def test_moments_of_other_inputs_are_closed_forms(inputs, b):
    """E (1 - eta S)^2 and its square from moments of x, S the mean of b squares."""
    squares = np.array([EVEN[inputs][k] / special.factorial(k) for k in range(5)])
    total = np.polynomial.polynomial.polypow(squares, b)[:5]
    moments = [total[k] * special.factorial(k) / b**k for k in range(5)]
    for power, eta in product((2, 4), (0.1, 0.9)):
        exact = sum(special.binom(power, k) * (-eta) ** k * moments[k] for k in range(power + 1))
        found = ht.log_moment(float(power), learning_rate=eta, batch_size=b, inputs=inputs)
        assert found == pytest.approx(np.log(exact), abs=2e-6)  # what the docstring promises


@pytest.mark.parametrize("inputs", ["uniform", "laplace", "gaussian"])
def test_root_by_sampled_steps(inputs):
    eta, b = (1.3 if inputs == "uniform" else 0.9), 3
    s = 2 * ht.tail_index(dimension=1, learning_rate=eta, batch_size=b, inputs=inputs)
    mean = []
    for key in range(20):
        x = DRAW[inputs](generator(key), (b, 100_000))
        mean.append(np.mean(np.abs(1 - eta * np.mean(x**2, axis=0)) ** s))
    assert abs(np.mean(mean) - 1) < 5 * np.std(mean) / np.sqrt(20)
    assert np.std(mean) / np.sqrt(20) < 0.02  # an index off by a tenth would be seen


def test_small_learning_rates_reach_one_jump_in_every_dimension():
    limit, factor = ht.small_step_limit()
    assert factor * np.log(factor) == pytest.approx(factor + 1)
    z = np.linspace(2, 6, 4001)
    assert limit == pytest.approx(np.min((z + 1) / (4 * np.log(z))), rel=1e-6)
    for d in (1, 5):
        errors = [
            r * ht.tail_index(dimension=d, learning_rate=r, batch_size=1) - limit
            for r in (4e-3, 1e-3)
        ]
        assert errors[1] == pytest.approx(errors[0] / 4, rel=0.1) and abs(errors[1]) < 3e-3


def test_lyapunov_of_one_input_is_a_digamma_at_large_rates():
    # E log|eta x^2 - 1| -> log eta + E log x^2
    found = ht.lyapunov(learning_rate=1e6)
    assert found == pytest.approx(np.log(1e6) + special.digamma(0.5) + np.log(2), abs=2e-3)


def test_where_no_power_law_exists():
    assert ht.tail_index(learning_rate=2 / 3, inputs="uniform", **STILL) == np.inf
    assert ht.tail_index(learning_rate=0.67, inputs="uniform", **STILL) < 1000
    assert ht.tail_index(learning_rate=1.99, inputs="rademacher", **STILL) == np.inf
    assert ht.tail_index(dimension=5, learning_rate=0.1, batch_size=2, inputs="uniform") == np.inf


# --- momentum --------------------------------------------------------------------------------


def even_growth(power, eta, beta, b, inputs="gaussian"):
    """log k(s) at even s: the largest eigenvalue on homogeneous polynomials of degree s."""
    squares = np.array([EVEN[inputs][k] / special.factorial(k) for k in range(5)])
    total = np.polynomial.polynomial.polypow(squares, b)[: power + 1]
    moments = np.array([total[k] * special.factorial(k) / b**k for k in range(power + 1)])
    matrix = np.zeros((power + 1, power + 1))
    poly = np.polynomial.polynomial
    for j in range(power + 1):  # theta'^(power - j) v'^j as a polynomial in theta, v and S
        for ks in product(range(power - j + 1), range(j + 1)):
            # theta' = (1 - eta S) theta + beta v, v' = -eta S theta + beta v
            first, second = ks
            ways = special.binom(power - j, first) * special.binom(j, second)
            s_poly = poly.polymul(
                poly.polypow([1, -eta], first) if first else [1.0],
                poly.polypow([0, -eta], second) if second else [1.0],
            )
            mean = np.dot(s_poly, moments[: len(s_poly)])
            matrix[j, power - first - second] += ways * beta ** (power - first - second) * mean
    return np.log(np.max(np.abs(np.linalg.eigvals(matrix))))


@pytest.mark.parametrize("inputs", ["gaussian", "uniform", "laplace"])
@pytest.mark.parametrize(("eta", "beta", "b"), [(0.3, 0.5, 1), (0.1, 0.9, 2), (0.02, 0.95, 1)])
def test_growth_at_even_powers_is_an_eigenvalue(inputs, eta, beta, b):
    for power in (2, 4):
        found = ht.log_growth(
            power, learning_rate=eta, momentum=beta, batch_size=b, inputs=inputs, angles=192
        )
        assert found == pytest.approx(even_growth(power, eta, beta, b, inputs), abs=2e-6)


def test_the_second_moment_is_that_eigenvalue():
    found = ht.second_moment_growth(learning_rate=0.2, momentum=0.7, batch_size=3)
    assert found == pytest.approx(even_growth(2, 0.2, 0.7, 3), abs=1e-12)


def test_growth_by_products_of_matrices():
    eta, beta, s = 0.5, 0.5, 1.2
    expected = ht.log_growth(s, learning_rate=eta, momentum=beta)
    rng, n = generator(1), 400_000
    theta, speed, logs, marks = np.ones(n), np.zeros(n), np.zeros(n), []
    for step in range(16):
        speed = beta * speed - eta * rng.standard_normal(n) ** 2 * theta
        theta = theta + speed
        size = np.hypot(theta, speed)
        logs, theta, speed = logs + np.log(size), theta / size, speed / size
        if step in (7, 15):
            marks.append(np.exp(s * logs).reshape(20, -1).mean(axis=1))
    slopes = np.log(marks[1] / marks[0]) / 8
    assert abs(slopes.mean() - expected) < 5 * slopes.std() / np.sqrt(20) + 1e-4
    assert slopes.std() / np.sqrt(20) < 0.01


def test_lyapunov_by_a_long_product():
    eta, beta = 0.3, 0.8
    expected = ht.lyapunov_momentum(learning_rate=eta, momentum=beta)
    rng, n = generator(2), 2000
    theta, speed, logs = np.ones(n), np.zeros(n), np.zeros(n)
    for step in range(600):
        speed = beta * speed - eta * rng.standard_normal(n) ** 2 * theta
        theta = theta + speed
        size = np.hypot(theta, speed)
        theta, speed = theta / size, speed / size
        if step >= 100:
            logs += np.log(size)
    found = logs / 500
    assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(n)


def test_little_momentum_is_almost_none():
    still = ht.tail_index(learning_rate=0.5, **STILL)
    moved = [ht.tail_index(learning_rate=0.5, momentum=m, **STILL) for m in (0.01, 0.02)]
    assert 2 * moved[0] - moved[1] == pytest.approx(still, rel=5e-4)


@pytest.mark.slow
def test_vanishing_damping_doubles_the_index():
    """T a -> 2 for Gaussian inputs: two temperatures, extrapolated, at two dampings."""
    limits = []
    for zeta in (0.1, 0.05):
        values = []
        for t in (0.2, 0.1):
            # zeta = eps / sqrt(2 eta (2 - eps)), eta = T eps
            eps = 4 * t * zeta**2 / (1 + 2 * t * zeta**2)
            values.append(t * ht.tail_index(learning_rate=t * eps, momentum=1 - eps, **STILL))
        limits.append(2 * values[1] - values[0])
    assert limits[0] < limits[1] < 2 and 2 * limits[1] - limits[0] == pytest.approx(2, abs=0.06)
    assert ht.momentum_limit(temperature=1.0) == 2.0


def test_momentum_pumps_bounded_inputs():
    """Two matrices in turn are enough: growth of a product found by hand is below the largest."""
    eta, beta = 0.1, 0.9
    rate = ht.largest_growth(learning_rate=eta, momentum=beta)

    def step(s):
        return np.array([[1 - eta * s, beta], [-eta * s, beta]])

    best = max(
        np.log(np.max(np.abs(np.linalg.eigvals(
            np.linalg.matrix_power(step(3.0), m) @ np.linalg.matrix_power(step(0.0), n)
        )))) / (m + n)
        for m, n in product(range(1, 9), range(1, 9))
    )  # fmt: skip
    assert 0 < best <= rate + 1e-3 and rate < 1.5 * best
    pumped = ht.tail_index(learning_rate=eta, momentum=beta, inputs="uniform", **STILL)
    assert 3 < pumped < 6
    assert ht.tail_index(learning_rate=eta, momentum=0.5, inputs="uniform", **STILL) == np.inf


# --- waves, finite data, published indices ---------------------------------------------------


def test_complex_roots_are_roots_and_lie_beyond_kestens():
    for eta in (0.02, 0.1, 0.7):
        found = ht.wave(learning_rate=eta)
        s = complex(found.root + found.fading, found.frequency)
        assert abs(np.exp(ht.complex_log_moment(s, learning_rate=eta)) - 1) < 1e-7
        assert found.fading > 0
    # few jumps at small rates: the phase of one jump is a whole turn
    assert ht.wave(learning_rate=0.005).frequency == pytest.approx(
        2 * np.pi / np.log(ht.small_step_limit()[1]), rel=0.01
    )


def test_chain_has_the_moments_of_sgd():
    """AR(1) with random coefficient: E theta^2 = eta / (2 - 3 eta), one Gaussian input."""
    eta = 0.2
    r, beyond = chain.stationary_tail(learning_rate=eta, bins=300, largest=100.0)
    second = np.trapezoid(2 * r * beyond, r)
    assert second == pytest.approx(eta / (2 - 3 * eta), rel=2e-3)


def test_stationary_law_solves_its_equation():
    rows = generator(3).random((30, 30)) ** 4
    matrix = rows / rows.sum(axis=1, keepdims=True)
    law = chain.stationary(matrix)
    np.testing.assert_allclose(law @ matrix, law, rtol=1e-12)


def test_data_root_is_a_root_and_the_bound_is_reached():
    x, y = generator(4).standard_normal((2, 50))
    eta = 2.5 / np.max(x**2)
    s = ht.data_root(x, learning_rate=eta)
    assert np.mean(np.abs(1 - eta * x**2) ** s) == pytest.approx(1, abs=1e-9)
    small = 1.5 / np.max(x**2)
    assert ht.data_root(x, learning_rate=small) == np.inf
    z = states.on_data(generator(5), x, y, learning_rate=small, replicas=2000, steps=300)
    limit = ht.bound(x, y, learning_rate=small)
    assert np.max(np.abs(z)) <= limit
    # whoever draws the one sample that pushes hardest for ever ends there
    residuals = np.abs((y - x * (x @ y) / (x @ x)) / x)
    assert limit == pytest.approx(np.max(residuals[small * x**2 <= 1]), rel=1e-9)
    assert ht.bound(x, y, learning_rate=eta) == np.inf


def test_many_data_have_the_index_of_their_law():
    x = generator(6).standard_normal(2_000_000)
    found = ht.data_root(x, learning_rate=0.7) / 2
    assert found == pytest.approx(ht.tail_index(learning_rate=0.7, **STILL), rel=0.02)


def test_published_indices():
    noise = {"learning_rate": 0.2, "batch_size": 3}
    assert ht.paper_index(dimension=4, **noise) == pytest.approx(15 + 1 - 2)
    # both are where the variance of discrete SGD diverges
    edge = 2 * 3 / (3 + 2)
    at = {"learning_rate": edge, "batch_size": 3}
    assert ht.discrete_index(**at) == pytest.approx(1)
    assert ht.tail_index(dimension=1, **at) == pytest.approx(1, abs=1e-8)
    # growth of |theta|^2 of the SDE: -2 + (eta / B)(d + 1) = 0
    d = 3
    rate = 2 / (d + 1)
    assert ht.covariance_index(dimension=d, learning_rate=rate, batch_size=1) == pytest.approx(1)
    k = np.arange(1.0, 2e6)
    mean = np.sum(np.log(k) * k**-3) / np.sum(k**-3)
    assert published.zeta_seen_as_continuous(3.0) == pytest.approx(1 / mean, rel=1e-6)


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 4.0}, "learning_rate must allow a stationary law"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive and finite"),
        ({"dimension": 0}, "dimension must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"momentum": -0.1}, r"momentum must be in \[0, 1\)"),
        ({"inputs": "cauchy"}, "inputs must be one of 'gaussian', 'uniform'"),
        ({"dimension": 2, "momentum": 0.5}, "dimension must be 1 with momentum: got 2"),
        ({"dimension": 3, "inputs": "laplace"}, "inputs must be 'gaussian' for dimension above 1"),
        ({"dimension": 3, "inputs": "uniform", "learning_rate": 0.5}, r"at most .* = 0.2222"),
        ({"inputs": "rademacher", "learning_rate": 2.0}, "learning_rate must be below 2"),
        ({"momentum": 0.9, "learning_rate": 0.5}, "stationary law.*momentum 0.9"),
    ],
)
def test_refusals_name_argument_and_range(change, message):
    with pytest.raises(ValueError, match=message):
        ht.tail_index(**({"dimension": 1, "learning_rate": 0.1, "batch_size": 1} | change))


def test_types_are_refused():
    for change in ({"dimension": 1.5}, {"batch_size": True}, {"learning_rate": "0.1"}):
        with pytest.raises(TypeError):
            ht.tail_index(**({"dimension": 1, "learning_rate": 0.1, "batch_size": 1} | change))


@pytest.mark.slow
def test_grid_of_angles_is_fine_enough():
    at = {"learning_rate": 0.0139, "momentum": 0.9305}
    coarse, fine = (momentum.log_growth(13.4, angles=n, **at) for n in (256, 768))
    assert coarse == pytest.approx(fine, abs=1e-8)
