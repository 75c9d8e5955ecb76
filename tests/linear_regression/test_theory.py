"""Formulas of chapter `linear_regression` against closed forms, quadrature and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, linalg, special, stats

import sgdescape.linear_regression as lr
from sgdescape.core.ensembles import regression
from sgdescape.core.fokker_planck import operators
from sgdescape.core.stats import intervals
from sgdescape.linear_regression import estimates
from sgdescape.linear_regression.theory import _inputs

RNG = np.random.default_rng(0)
AT = {"learning_rate": 0.1, "batch_size": 1}


# Eq. (passage-time) and its relatives


def double_integral(c, d, a, weight):
    """The two integrals of Eq. (passage-time), in |z|; weight returns both integrands' factors."""
    options = {"epsabs": 0, "epsrel": 1e-11, "limit": 200}
    density = lambda y: 2 * y ** (d - 1) * weight(y)[0]  # noqa: E731
    inner = lambda x: integrate.quad(density, 0, x, **options)[0]  # noqa: E731
    outer = lambda x: 2 * x ** (1 - d) * weight(x)[1] * inner(x)  # noqa: E731
    return a / 2 * integrate.quad(outer, 0, np.sqrt(c - 1), **options)[0]


@pytest.mark.parametrize("d", [1, 2, 5, 10, 30])
@pytest.mark.parametrize("a", [1, 10, 40])
def test_passage_times_are_their_double_integrals(d, a):
    for c in (1.05, 1.5, 3.0):
        at = {"dimension": d, "learning_rate": 1 / a, "batch_size": 1}
        power = lambda x: ((1 + x * x) ** (-a - 1), (1 + x * x) ** a)  # noqa: E731
        assert lr.mean_first_passage_time(c, **at) == pytest.approx(
            double_integral(c, d, a, power), rel=1e-9
        )
        gauss = lambda x: (np.exp(-a * x * x), np.exp(a * x * x))  # noqa: E731
        assert lr.linear_barrier_time(c, **at) == pytest.approx(
            double_integral(c, d, a, gauss), rel=1e-9
        )


def test_passage_time_by_the_fokker_planck_operator():
    a, edge = 10.0, np.sqrt(0.6)
    edges = np.linspace(-edge, edge, 801)
    operator = operators.operator_1d(
        lambda z: -z, lambda z: (1 + z**2) / (2 * a), edges, left="absorbing", right="absorbing"
    )
    times = operators.mean_first_passage(operator)
    assert np.max(times) == pytest.approx(
        lr.mean_first_passage_time(1.6, dimension=1, **AT), rel=1e-3
    )


def test_two_dimensions_in_closed_form():
    k = np.arange(1, 11)
    closed = [np.sum((c**k - 1) / k) / 2 for c in (1.2, 3.0, 50.0)]
    found = lr.mean_first_passage_time([1.2, 3.0, 50.0], dimension=2, **AT)
    np.testing.assert_allclose(found, closed, rtol=1e-12)


def test_passage_times_broadcast_scale_with_curvature_and_do_not_overflow():
    found = lr.mean_first_passage_time(
        [[1.5], [2.0]], dimension=[1, 2, 3], learning_rate=0.1, batch_size=1
    )
    assert found.shape == (2, 3)
    assert found[1, 2] == lr.mean_first_passage_time(2.0, dimension=3, **AT)
    # only eta h / B and the unit of time matter
    scaled = lr.mean_first_passage_time(
        2.0, dimension=3, learning_rate=0.05, batch_size=2, curvature=4.0
    )
    assert scaled == pytest.approx(found[1, 2] / 4)
    assert lr.mean_first_passage_time(1.0, dimension=3, **AT) == 0
    tiny = {"dimension": 4, "learning_rate": 1e-4, "batch_size": 1}
    assert lr.mean_first_passage_time(3.0, **tiny) == np.inf
    logs = lr.log_mean_first_passage_time([2.0, 2.0002], **tiny)
    slope = np.diff(logs)[0] / np.log(1.0001)
    assert slope == pytest.approx(lr.local_slope(2.0, **tiny), rel=1e-4)


@given(st.floats(1.01, 20), st.integers(1, 40), st.floats(0.02, 3.0), st.integers(1, 5))
def test_passage_times_grow_with_c_fall_with_dimension_and_stay_below_the_linear_barrier(
    c, d, eta, b
):
    at = {"learning_rate": eta, "batch_size": b}
    log_time = lr.log_mean_first_passage_time([c, 1.1 * c], dimension=d, **at)
    assert log_time[1] > log_time[0]
    assert lr.log_mean_first_passage_time(c, dimension=d + 1, **at) < log_time[0]
    with np.errstate(over="ignore"):
        linear = lr.linear_barrier_time(c, dimension=d, **at)
    assert np.log(linear) > log_time[0] - 1e-9


def test_asymptotic_form_becomes_exact():
    errors = []
    for a in (20, 40, 80):
        at = {"dimension": np.array([1, 2, 5]), "learning_rate": 1 / a, "batch_size": 1}
        exact = lr.mean_first_passage_time(2.5, **at)
        errors.append(np.abs(lr.asymptotic_passage_time(2.5, **at) / exact - 1))
    assert np.all(errors[1] < 0.3 * errors[0]) and np.all(errors[2] < 0.3 * errors[1])  # order 2
    assert np.isnan(lr.asymptotic_passage_time(1.05, dimension=10, **AT))


def test_slopes_meet_far_out():
    d = np.array([1, 2, 5, 10])
    far = lr.local_slope(1e6, dimension=d, **AT)
    np.testing.assert_allclose(far, lr.paper_slope(dimension=d, **AT), atol=1e-4)


def test_kurtosis_two_is_the_paper_and_one_the_linear_barrier():
    c = np.array([1.2, 2.0])
    paper = lr.mean_first_passage_time(c, dimension=1, **AT)
    np.testing.assert_allclose(lr.kurtosis_passage_time(c, kurtosis=2, **AT), paper)
    linear = lr.linear_barrier_time(c, dimension=1, **AT)
    np.testing.assert_allclose(lr.kurtosis_passage_time(c, kurtosis=1, **AT), linear)
    near = lr.kurtosis_passage_time(c, kurtosis=1 + 1e-7, **AT)
    np.testing.assert_allclose(near, linear, rtol=1e-5)
    three = lambda x: ((1 + 2 * x * x) ** -6.0, (1 + 2 * x * x) ** 5.0)  # noqa: E731
    assert lr.kurtosis_passage_time(2.0, kurtosis=3, **AT) == pytest.approx(
        double_integral(2.0, 1, 10, three), rel=1e-9
    )


# One step of discrete SGD


def draw_inputs(law, size):
    return {
        "rademacher": lambda: RNG.choice([-1.0, 1.0], size),
        "uniform": lambda: RNG.uniform(-np.sqrt(3), np.sqrt(3), size),
        "gaussian": lambda: RNG.normal(size=size),
        "laplace": lambda: RNG.laplace(scale=np.sqrt(0.5), size=size),
    }[law]()


@pytest.mark.parametrize("law", _inputs.INPUTS)
def test_nodes_have_the_moments_of_their_law(law):
    s, w = _inputs.mean_square(0.1, inputs=law)
    kurtosis = {"rademacher": 1, "uniform": 1.8, "gaussian": 3, "laplace": 6}[law]
    np.testing.assert_allclose([w.sum(), w @ s, w @ s**2], [1, 1, kurtosis], rtol=1e-9)


@pytest.mark.parametrize("b", [2, 3, 10, 50])
def test_batch_nodes_are_those_of_chi_square(b):
    s, w = _inputs.mean_square(0.1, batch_size=b)
    np.testing.assert_allclose([w.sum(), w @ s, w @ s**2], [1, 1, 1 + 2 / b], rtol=1e-8)


@pytest.mark.parametrize(("law", "b"), [*[(x, 1) for x in _inputs.INPUTS], ("gaussian", 4)])
def test_kernel_is_the_step(law, b):
    n, theta, levels = 200_000, 0.8, np.array([0.3, 0.7, 0.9, 1.2])
    x, y = draw_inputs(law, (n, b)), RNG.normal(size=(n, b))
    moved = np.abs(theta - 0.3 * np.mean(x * (x * theta - y), axis=1))
    found = lr.exceedance([theta], levels, learning_rate=0.3, batch_size=b, inputs=law)[0]
    for level, p in zip(levels, found, strict=True):
        assert abs(np.mean(moved > level) - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-9


@pytest.mark.parametrize("d", [2, 3, 10])
def test_radial_kernel_is_the_step(d):
    n, rho, levels = 200_000, 0.8, np.array([0.3, 0.7, 0.9, 1.5])
    x, y = RNG.normal(size=(n, d)), RNG.normal(size=n)
    theta = np.append(rho, np.zeros(d - 1))
    moved = np.linalg.norm(theta - 0.2 * x * (x @ theta - y)[:, None], axis=1)
    found = lr.radial_exceedance([rho], levels, learning_rate=0.2, dimension=d)[0]
    for level, p in zip(levels, found, strict=True):
        assert abs(np.mean(moved > level) - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-6


# Eq. (exact-passage)


def test_elimination_solves_every_leading_block():
    n = 7
    whole = RNG.dirichlet(np.ones(n + 1), size=n)
    times = lr.nested_times(whole[:, :n], whole[:, n])
    for k in range(1, n + 1):
        direct = np.linalg.solve(np.eye(k) - whole[:k, :k], np.ones(k))
        assert times[k - 1] == pytest.approx(direct[0], rel=1e-12)


def test_elimination_keeps_its_digits_where_a_solver_has_none():
    n, up = 30, 1e-3  # a walk that goes up with probability 1e-3 and down with 1 - 1e-3
    kernel = np.diag(np.full(n - 1, up), 1) + np.diag(np.full(n - 1, 1 - up), -1)
    kernel[0, 0] = 1 - up
    out = np.zeros(n)
    out[-1] = up
    ratio = (1 - up) / up
    # from state j to j + 1 takes T_j = 1/up + ratio T_(j-1)
    steps, total = 1 / up, 1 / up
    for _ in range(n - 1):
        steps = 1 / up + ratio * steps
        total += steps
    assert total > 1e85
    assert lr.nested_times(kernel, out)[-1] == pytest.approx(total, rel=1e-12)


def normal_walk(c, eta, bins=4000):
    """x = +-1: theta' = (1 - eta) theta + eta y, solved by a dense Nystrom rule."""
    edge = np.sqrt(c - 1)
    nodes, weights = np.polynomial.legendre.leggauss(bins)
    x, w = edge * nodes, edge * weights
    k = stats.norm.pdf((x[None] - (1 - eta) * x[:, None]) / eta) / eta * w
    t = np.linalg.solve(np.eye(bins) - k, np.full(bins, eta))
    start = stats.norm.pdf(x / eta) / eta * w
    return eta + start @ t


def test_exact_time_against_a_smooth_nystrom_rule():
    found = lr.first_passage([1.3, 1.6], learning_rate=0.1, inputs="rademacher")
    for c, time, error in zip((1.3, 1.6), found.times, found.errors, strict=True):
        assert time == pytest.approx(normal_walk(c, 0.1, bins=200), rel=1e-3)
        assert error < 0.03


def test_chains_of_one_and_many_dimensions_agree_with_simulation():
    for d, c in ((1, [1.2, 1.5]), (3, [1.3, 1.8])):
        made = regression.first_passage(
            regression.FreshData(d),
            thresholds=c,
            max_steps=10**6,
            replicas=range(2000),
            seed=5,
            device="cpu",
            **AT,
        )
        exact = lr.first_passage(c, dimension=d, learning_rate=0.1).times
        for steps, time in zip(made.steps.T, exact, strict=True):
            interval = intervals.mean_interval(0.1 * steps)
            assert interval.low < time < interval.high
            assert interval.high / interval.low < 1.4


def test_chain_becomes_the_diffusion_of_the_exact_covariance_at_short_times():
    # low barrier, small steps: B/eta (c - 1) = 1 fixed
    ratio = []
    for eta in (0.04, 0.01):
        c = 1 + eta
        exact = lr.first_passage([c], learning_rate=eta).times[0]
        sde = lr.kurtosis_passage_time(c, kurtosis=3, learning_rate=eta, batch_size=1)
        ratio.append(exact / sde - 1)
    assert 0 < ratio[1] < 0.6 * ratio[0] < 0.6


def test_batches_of_one_input_scale_time_and_noise():
    found = lr.first_passage([1.4], learning_rate=0.2, batch_size=4).times[0]
    made = regression.first_passage(
        regression.FreshData(1),
        thresholds=[1.4],
        learning_rate=0.2,
        batch_size=4,
        max_steps=10**6,
        replicas=range(1000),
        seed=1,
        device="cpu",
    )
    interval = intervals.mean_interval(0.2 * made.steps[:, 0])
    assert interval.low < found < interval.high


def test_times_of_one_data_set_agree_with_its_simulation():
    data = regression.gaussian_data(300, 1, seed=8)
    exact = lr.data_passage([1.2, 1.6], data.inputs[:, 0], data.targets, learning_rate=0.1)
    made = regression.first_passage(
        data,
        thresholds=[1.2, 1.6],
        max_steps=10**6,
        replicas=range(2000),
        seed=2,
        device="cpu",
        **AT,
    )
    for steps, time in zip(made.steps.T, exact.times, strict=True):
        interval = intervals.mean_interval(0.1 * steps)
        assert interval.low < time * 1.02 and time * 0.98 < interval.high


def test_many_samples_are_fresh_samples():
    data = regression.gaussian_data(200_000, 1, seed=3)
    own = lr.data_passage([1.3], data.inputs[:, 0], data.targets, learning_rate=0.1).times
    fresh = lr.first_passage([1.3], learning_rate=0.1).times
    assert own == pytest.approx(fresh, rel=0.05)


# The stationary law


def test_stationary_law_of_a_walk_with_normal_steps_is_normal():
    law = lr.stationary_law(learning_rate=0.5, inputs="rademacher", bins=200)
    sd = np.sqrt(0.5 / 1.5)
    exact = np.diff(2 * stats.norm.cdf(law.edges / sd))
    np.testing.assert_allclose(law.mass, exact, atol=3e-4)


def test_elimination_gives_the_eigenvector():
    law = lr.stationary_law(learning_rate=0.3, batch_size=2, bins=50)
    beyond = lr.exceedance(law.middle, law.edges, learning_rate=0.3, batch_size=2)
    k = beyond[:, :-1] - beyond[:, 1:]
    k[:, -1] += beyond[:, -1]
    values, vectors = linalg.eig(k.T)
    one = np.abs(vectors[:, np.argmax(values.real)].real)
    np.testing.assert_allclose(law.mass, one / one.sum(), atol=1e-9)


@pytest.mark.parametrize(("eta", "b"), [(0.1, 1), (0.1, 5), (0.5, 3), (1.0, 8)])
def test_variance_of_the_exact_law(eta, b):
    (square,) = lr.stationary_averages([np.square], learning_rate=eta, batch_size=b, bins=40)
    closed = lr.stationary_variance(learning_rate=eta, batch_size=b)
    assert square == pytest.approx(closed, rel=2e-3)
    phi = lr.discrete_exponent(learning_rate=eta, batch_size=b)
    assert closed == pytest.approx(1 / (2 * phi - 3))
    assert lr.stationary_variance(learning_rate=2.0, batch_size=1) == np.inf


def test_exact_covariance_exponent_by_the_moment_equation():
    # d<z^2>/dt = -2 v + (eta/B)(1 + 2 v) = 0
    eta, b = 0.3, 2
    v = eta / (2 * b - 2 * eta)
    assert lr.covariance_exponent(learning_rate=eta, batch_size=b) == pytest.approx(1.5 + 0.5 / v)


def test_fit_of_the_exact_law_is_a_fit_of_its_samples():
    exponent, gain = lr.fitted_laws(learning_rate=1.0, batch_size=6, bins=40)
    theta = np.zeros(40_000)
    for _ in range(30):
        x, y = RNG.normal(size=(2, theta.size, 6))
        theta = theta - np.mean(x * (x * theta[:, None] - y), axis=1)
    mean_log, square = np.mean(np.log1p(theta**2)), np.mean(theta**2)
    assert lr.likelihood_gain(mean_log, square) == pytest.approx(gain, abs=0.01)
    error = np.std(np.log1p(theta**2)) / mean_log / 200
    slope = 1.2  # of log phi against log of the mean, at most
    fitted = estimates.exponent_of(mean_log, dimension=1)
    assert fitted == pytest.approx(exponent, rel=5 * slope * error)


def test_gain_is_zero_for_large_exponents_and_positive_for_power_laws():
    def gain(phi):
        return lr.likelihood_gain(
            special.digamma(phi) - special.digamma(phi - 0.5), 1 / (2 * phi - 3)
        )

    assert gain(3) > gain(10) > gain(1000) > 0 and gain(1000) < 1e-6
    # direct integral of p log(p / gauss)
    z, v = np.linspace(-60, 60, 400_001), 1 / 7
    p = (1 + z * z) ** -5.0
    p /= integrate.trapezoid(p, z)
    direct = integrate.trapezoid(p * (np.log(p) - stats.norm.logpdf(z, scale=np.sqrt(v))), z)
    assert gain(5) == pytest.approx(direct, rel=1e-4)


# Tails and barriers


@pytest.mark.parametrize("b", [2, 3, 6])
def test_kesten_root_where_it_is_known(b):
    # E|1 - eta S|^2 = 1 - 2 eta + eta^2 (1 + 2/B) = 1 at eta = 2 / (1 + 2/B)
    eta = 2 / (1 + 2 / b)
    assert lr.kesten_exponent(learning_rate=eta, batch_size=b) == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize("d", [1, 2, 5, 10])
def test_kesten_root_by_the_second_moment_in_many_dimensions(d):
    # E|(I - eta x x^T) e|^2 = 1 - 2 eta + eta^2 (d + 2)
    assert lr.kesten_exponent(learning_rate=2 / (d + 2), dimension=d) == pytest.approx(2, abs=1e-4)


def test_kesten_exponent_for_small_rates():
    z = 3.5911214766686  # z log z = z + 1
    found = [eta * lr.kesten_exponent(learning_rate=eta) for eta in (0.02, 0.01)]
    assert abs(found[1] - z / 2) < 0.6 * abs(found[0] - z / 2) < 0.02


@pytest.mark.parametrize("eta", [0.1, 0.005])
def test_kesten_root_by_adaptive_quadrature(eta):
    beta = lr.kesten_exponent(learning_rate=eta)

    def integrand(x):  # two parts of very different size: logarithms
        length = beta * np.log(np.abs(1 - eta * x * x) + 1e-300)
        return np.exp(length - x * x / 2) * np.sqrt(2 / np.pi)

    middle = np.sqrt(1 / eta)
    reach = np.sqrt((1 + 2 * eta * beta) / eta)  # where the large part peaks
    points = sorted({*np.linspace(0, 3, 7), middle, *np.linspace(reach - 12, reach + 12, 13)})
    edges = [0.0, *[p for p in points if p > 0], reach + 40]
    total = sum(integrate.quad(integrand, a, b)[0] for a, b in zip(edges, edges[1:], strict=False))
    assert total == pytest.approx(1, rel=1e-3)


def test_kesten_slope_is_the_slope_of_exact_times():
    c = [1000.0, 2000.0]
    times = lr.first_passage(c, learning_rate=1.0, batch_size=3, width=0.06).times
    slope = np.diff(np.log(times))[0] / np.log(2)
    half = lr.kesten_exponent(learning_rate=1.0, batch_size=3) / 2
    assert slope == pytest.approx(half, rel=5e-3)


@pytest.mark.parametrize("law", _inputs.INPUTS)
def test_quadratic_barrier_solves_hamilton_jacobi_for_every_input_law(law):
    s, w = _inputs.mean_square(0.1, inputs=law)
    for theta in (0.2, 0.5, 0.9):
        p = 2 * theta
        assert w @ np.exp(s * (p**2 / 2 - p * theta)) == pytest.approx(1, rel=1e-9)
        p = 2 * theta / (1 + theta**2)  # the paper's SDE: p = L'/L
        assert w @ np.exp(s * (p**2 / 2 - p * theta)) < 0.998


def test_barrier_of_a_large_data_set():
    x, y = RNG.uniform(-np.sqrt(3), np.sqrt(3), 200_000), RNG.normal(size=200_000)
    assert lr.data_barrier(1.5, x, y) == pytest.approx(0.5, rel=0.05)
    p = lr.momentum(0.4, x, y)
    best = (x @ y) / (x @ x)
    gradient = x * (x * 0.4 - (y - best * x))
    assert np.mean(np.exp(-p * gradient)) == pytest.approx(1)
    assert lr.momentum(-0.4, x, y) < 0


def test_a_jump_of_one_sample_costs_what_is_said():
    """The least (x^2 + y^2)/2 of a sample whose step of size 1/eta moves theta by Delta."""
    for theta, delta in ((0.0, 1.5), (-0.3, 1.7), (0.4, 0.8)):
        x = np.concatenate([np.linspace(0.05, 8, 400_001), -np.linspace(0.05, 8, 400_001)])
        y = x * theta + delta / x  # delta = -x (x theta - y)
        least = np.min((x**2 + y**2) / 2)
        assert lr.jump_cost([theta], [delta]) == pytest.approx(least, rel=1e-7)


def test_a_jump_in_many_dimensions_is_the_support_of_the_momenta_that_have_a_mean():
    theta, delta = np.array([0.6, -0.2]), np.array([0.3, 1.1])
    angle = np.linspace(0, 2 * np.pi, 200_001)
    way = np.stack([np.cos(angle), np.sin(angle)])
    # |p| sqrt(1 + |theta|^2) < 1 + p.theta: an ellipse in polar coordinates about its focus
    radius = 1 / (np.sqrt(1 + theta @ theta) - theta @ way)
    assert lr.jump_cost(theta, delta) == pytest.approx(np.max(radius * (delta @ way)), rel=1e-8)


def shortest(distance, points=1601):
    """Cheapest climbs and jumps on a grid of positions, by relaxation until nothing changes."""
    x = np.linspace(-distance, distance, points)
    hop = lr.jump_cost(x[:, None, None], (x - x[:, None])[..., None])
    best = x**2  # climbs from the minimum
    while True:
        jumped = np.min(best[:, None] + hop, axis=0)
        new = np.minimum(best, jumped)
        # down for free, and on by climbing
        right, left = x >= 0, x <= 0
        outward = np.minimum.accumulate(new[right] - x[right] ** 2) + x[right] ** 2
        new[right] = np.minimum.accumulate(outward[::-1])[::-1]
        outward = np.minimum.accumulate((new[left] - x[left] ** 2)[::-1]) + x[left][::-1] ** 2
        new[left] = np.minimum.accumulate(outward[::-1])
        if np.allclose(new, best, rtol=1e-13, atol=0):
            return new[-1]
        best = new


@pytest.mark.parametrize("c", [1.5, 2.0, 3.0, 10.0, 20.0, 40.0])
def test_the_quasi_potential_is_the_cheapest_sequence_of_climbs_and_jumps(c):
    assert lr.quasi_potential(c) == pytest.approx(shortest(np.sqrt(c - 1)), rel=1e-4)


def test_the_quasi_potential_in_closed_form_until_a_second_jump_is_cheaper():
    w = np.linspace(0.01, 0.8, 60)
    c = 1 + (np.exp(w) * np.cosh(2 * w)) ** 2
    closed = np.cosh(2 * w) + np.sinh(2 * w) / 2
    one = c < 24.28
    np.testing.assert_allclose(lr.quasi_potential(c[one]), closed[one], rtol=1e-12)
    assert one.sum() < len(c) and np.all(lr.quasi_potential(c[c > 24.29]) < closed[c > 24.29])
    assert len(lr.cheapest_path(24.27)) == 2 and len(lr.cheapest_path(24.29)) == 3
    np.testing.assert_allclose(lr.quasi_potential([1.0, 1.3, 2.0]), [0.0, 0.3, 1.0], atol=1e-15)
    beyond = np.linspace(2.01, 1000, 500)
    assert np.all(lr.quasi_potential(beyond) < np.sqrt(beyond - 1))  # never one jump alone


def test_the_path_costs_what_the_quasi_potential_says():
    for c in (1.5, 3.0, 30.0, 1e4):
        path = lr.cheapest_path(c)
        hops = zip(path[:-1], path[1:], strict=True)
        jumps = [lr.jump_cost([start], [end - start]) for start, end in hops]
        assert path[0] ** 2 + np.sum(jumps) == pytest.approx(lr.quasi_potential(c), rel=1e-9)
        assert path[-1] == pytest.approx(np.sqrt(c - 1))


def test_the_quasi_potential_ends_in_half_of_kestens_exponent():
    z = lr.jump_factor()
    assert z * np.log(z) == pytest.approx(z + 1)
    c = 1e8
    period = z**4  # two jumps and the same side again: log-periodic in c
    slope = np.diff(lr.quasi_potential([c, c * period]))[0] / np.log(period)
    assert slope == pytest.approx(lr.tail_slope(), rel=2e-3)  # periods are reached slowly
    eta = 0.005
    half = eta * lr.kesten_exponent(learning_rate=eta) / 2
    assert half == pytest.approx(lr.tail_slope(), rel=0.02)


BAD = [
    (lambda: lr.mean_first_passage_time(0.9, dimension=1, **AT), "loss_ratio .* 0.9"),
    (lambda: lr.mean_first_passage_time([], dimension=1, **AT), "loss_ratio must not be empty"),
    (lambda: lr.mean_first_passage_time(2, dimension=0, **AT), "dimension"),
    (lambda: lr.mean_first_passage_time(2, dimension=1.5, **AT), "whole"),
    (
        lambda: lr.mean_first_passage_time(2, dimension=1, learning_rate=-0.1, batch_size=1),
        "learning_rate must be positive: got -0.1",
    ),
    (
        lambda: lr.mean_first_passage_time(2, dimension=1, curvature=0, **AT),
        "curvature must be positive",
    ),
    (lambda: lr.mean_first_passage_time(np.nan, dimension=1, **AT), "finite"),
    (lambda: lr.kurtosis_passage_time(2, kurtosis=0.5, **AT), "at least 1: got 0.5"),
    (lambda: lr.first_passage([1.0], learning_rate=0.1), "above 1"),
    (lambda: lr.first_passage([2.0], learning_rate=0.1, inputs="cauchy"), "'cauchy'"),
    (
        lambda: lr.first_passage([2.0], learning_rate=0.1, dimension=2, batch_size=2),
        "dimension above 1",
    ),
    (
        lambda: lr.first_passage([2.0], learning_rate=0.1, batch_size=2, inputs="uniform"),
        "batch_size must be 1",
    ),
    (lambda: lr.data_passage([0.5], [1.0, 2.0], [1.0, 0.0], learning_rate=0.1), "above 1"),
    (lambda: lr.kesten_exponent(learning_rate=4.0), "stationary"),
    (lambda: lr.kesten_exponent(learning_rate=0.1, inputs="uniform"), "lengthens"),
    (lambda: lr.kesten_exponent(learning_rate=0.1, dimension=2, batch_size=2), "dimension"),
    (lambda: lr.quasi_potential(0.5), "at least 1: got 0.5"),
    (lambda: lr.momentum(0.5, [1.0, 1.0], [0.0, 0.0]), "no sample"),
    (lambda: lr.data_barrier(1.0, [1.0], [1.0]), "above 1"),
    (lambda: lr.exceedance([0.0], [0.1], learning_rate=-0.1), "learning_rate must be positive"),
    (lambda: lr.jump_cost([0.0], [0.0, 1.0]), "position and displacement must have one last axis"),
    (lambda: lr.Config(dimensions=(1, 2)), "largest"),
    (lambda: lr.Config(law_ratios=(1.0,)), "law_ratios"),
    (lambda: lr.Config(data_sets=1), "data_sets"),
    (lambda: lr.Config(runs=2), "runs"),
]


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_kesten_root_at_a_kink_of_the_integrand():
    # beta is no even number: 1 - eta x^2 changes its sign inside, at x = 1
    beta = lr.kesten_exponent(learning_rate=1.0)

    def integrand(x):
        return np.abs(1 - x * x) ** beta * np.exp(-x * x / 2) * np.sqrt(2 / np.pi)

    total = sum(integrate.quad(integrand, a, b, epsabs=1e-13)[0] for a, b in ((0, 1), (1, 12)))
    # |1 - x^2|^beta has a singular end there, which costs the fixed nodes all but five digits
    assert total == pytest.approx(1, abs=1e-5)
