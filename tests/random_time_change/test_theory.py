"""Formulas against exact answers: symbolic generators, quadrature, chains, known laws."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import sgdescape.random_time_change as rtc

NOISE = {"learning_rate": 0.5, "batch_size": 1, "curvature": 1.0}
positive = st.floats(1e-3, 1e3)


# Eqs. (12)-(14)


@given(positive, st.integers(1, 100), positive)
def test_diffusion_is_loss_times_temperature_times_two(eta, batch_size, h):
    t = rtc.temperature(learning_rate=eta, batch_size=batch_size, curvature=h)
    found = rtc.diffusion(1.7, h, learning_rate=eta, batch_size=batch_size)
    np.testing.assert_allclose(found, 2 * 1.7 * t, rtol=1e-14)


@given(st.lists(positive, min_size=2, max_size=50), positive)
def test_clocks_are_inverse_to_each_other_on_constant_loss(losses, step):
    tau = rtc.internal_time(losses, step=step)
    assert tau[0] == 0 and np.all(np.diff(tau) > 0)
    flat = np.full(len(losses), losses[0])
    there = rtc.internal_time(flat, step=step)
    back = rtc.physical_time(flat, step=losses[0] * step)
    np.testing.assert_allclose(back, step * np.arange(len(flat)), rtol=1e-12)
    np.testing.assert_allclose(there, losses[0] * step * np.arange(len(flat)), rtol=1e-12)


def test_clock_of_a_decaying_loss_has_its_closed_form():
    t = np.linspace(0, 3, 30_001)
    tau = rtc.internal_time(np.exp(-2 * t), step=t[1])
    np.testing.assert_allclose(tau, -np.expm1(-2 * t) / 2, atol=1e-8)


def test_drift_is_the_gradient_of_the_log():
    z = np.array([[0.3, -1.2]])
    h = np.array([2.0, 0.5])

    def log_loss(z):
        return np.log(0.1 + 0.5 * np.sum(h * z**2))

    small = 1e-6 * np.eye(2)
    slopes = [(log_loss(z + d) - log_loss(z - d)) / 2e-6 for d in small]
    loss = 0.1 + 0.5 * np.sum(h * z**2, axis=1)
    np.testing.assert_allclose(rtc.log_drift(h * z, loss)[0], -np.array(slopes), rtol=1e-8)
    floor = rtc.log_drift(h * z, loss - 0.1, epsilon=0.1)
    np.testing.assert_allclose(floor, rtc.log_drift(h * z, loss), rtol=1e-14)


def test_a_constant_leaves_the_linear_barrier_and_compresses_the_log_barrier():
    floors = np.array([0.01, 0.1, 1.0])
    barriers = rtc.log_barrier(floors + 0.5, floors)
    assert np.all(np.diff(barriers) < 0)
    np.testing.assert_allclose(barriers, np.log1p(0.5 / floors))


# stationary laws, Eqs. (17) and (41)-(43)


def test_exponent_broadcasts_and_has_the_form_of_the_paper():
    found = rtc.stationary_exponent(
        learning_rate=[[0.1], [0.5]], batch_size=[1, 4], curvature=np.array([1.0, 2.0])
    )
    np.testing.assert_allclose(found, [[11, 21], [3, 5]])


@pytest.mark.parametrize("point", [0.0, 0.3, 0.5, 1.0])
def test_no_current_flows_in_the_law_of_each_convention(point):
    z, t, floor, h = sp.symbols("z T L_* h", positive=True)
    alpha = sp.nsimplify(point)
    loss = floor + h * z**2 / 2
    law = loss ** -(1 - alpha + 1 / t)
    drift = -(1 - alpha * t) * sp.diff(loss, z)
    assert sp.simplify((drift * law - sp.diff(t * loss * law, z)) / law) == 0
    value = rtc.convention_exponent(point, **NOISE)
    assert value == pytest.approx(float((1 - alpha + 1 / t).subs(t, 0.5)))


@given(st.floats(0.05, 0.9), st.floats(0.1, 10))
@settings(max_examples=30)
def test_change_of_clock_on_a_grid_is_the_closed_form(temperature, floor):
    angle = (np.arange(20_000) + 0.5) * np.pi / 40_000  # z = tan(angle): L/L* = 1 / cos^2
    loss = floor / np.cos(angle) ** 2
    volume = np.cos(angle) ** -2
    gibbs = rtc.gibbs_density(loss, temperature=temperature)
    gibbs /= np.sum(gibbs * volume)
    law, mean = rtc.change_clock(gibbs, loss, volume=volume)
    np.testing.assert_allclose(np.sum(law * volume), 1, rtol=1e-12)
    np.testing.assert_allclose(np.sum(law * loss * volume), mean, rtol=1e-12)
    closed = floor * rtc.mean_loss_ratio(1, temperature=temperature)
    np.testing.assert_allclose(mean, closed, rtol=0.02)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("clock", [0, 1])
def test_mean_loss_by_quadrature(n, clock):
    t = 0.25
    phi = clock + 1 / t

    def weight(r, power):
        return r ** (n - 1) * (1 + r * r) ** power

    top, bottom = (quad(weight, 0, np.inf, args=(p,))[0] for p in (1 - phi, -phi))
    found = rtc.mean_loss_ratio(n, temperature=t, clock=clock)
    np.testing.assert_allclose(found, top / bottom, rtol=1e-7)


def test_mean_loss_diverges_at_its_dimension_and_not_before():
    assert rtc.mean_loss_ratio(3, temperature=0.5) == 4.0
    assert rtc.mean_loss_ratio(4, temperature=0.5) == np.inf
    assert rtc.mean_loss_ratio(2, temperature=0.5, clock=0) == np.inf


@pytest.mark.parametrize("n", [1, 2, 5])
def test_loss_law_is_that_of_the_density(n):
    phi = n / 2 + 0.7
    law = rtc.loss_law(phi, n)

    def weight(r):
        return r ** (n - 1) * (1 + r * r) ** -phi

    inside = quad(weight, 0, 2.0)[0] / quad(weight, 0, np.inf)[0]
    np.testing.assert_allclose(law.sf(1 / 5.0), inside, rtol=1e-6)  # L/L* = 1 + r^2 < 5


def test_time_average_weights_by_the_clock():
    loss = np.array([1.0, 3.0, 1.0, 5.0])
    t = np.arange(4.0)
    tau = rtc.internal_time(loss, step=1.0)
    assert rtc.time_average(loss, clock=t) == pytest.approx(tau[-1] / t[-1])
    assert rtc.time_average(np.ones(4), clock=tau) == pytest.approx(1)


# moments and passages


def test_mean_loss_curve_against_the_scalar_solution():
    times, h, floor, noise = np.linspace(0, 3, 7), 2.0, 0.3, 0.1
    rate = 2 * h - noise * h**2
    limit = 2 * noise * h * floor / rate
    moment = limit + (1.5**2 - limit) * np.exp(-rate * times)
    found = rtc.mean_loss_curve(
        times, [1.5], curvatures=[h], minimum_loss=floor, learning_rate=0.1, batch_size=1
    )
    np.testing.assert_allclose(found, floor + h * moment / 2, rtol=1e-12)


def test_mean_loss_curve_tends_to_the_stationary_mean():
    for n in (1, 2, 3):
        found = rtc.mean_loss_curve(
            [80.0], np.ones(n), curvatures=np.ones(n), minimum_loss=0.5, learning_rate=0.5,
            batch_size=1,
        )  # fmt: skip
        ratio = rtc.mean_loss_ratio(n, temperature=0.5)
        np.testing.assert_allclose(found, 0.5 * ratio, rtol=1e-6)


def test_driver_is_normal_without_fluctuations_and_has_the_right_second_moment():
    calm = NOISE | {"learning_rate": 1e-10}
    assert rtc.driver_kurtosis(0.7, 2.0, minimum_loss=0.5, **calm) == pytest.approx(1, abs=1e-8)
    # for h -> 0 with T fixed the generator is that of L constant: normal again
    assert rtc.driver_kurtosis(1e-6, 2.0, minimum_loss=0.5, **NOISE) == pytest.approx(1, abs=1e-4)
    assert rtc.driver_kurtosis(1.0, 2.0, minimum_loss=0.5, **NOISE) > 1.5


def test_driver_kurtosis_against_a_markov_chain():
    # fourth moment from <M^4>' = 6 <L M^2>: a lattice walk in (z, M) with matched moments
    rng = np.random.default_rng(0)
    z, m, dt = np.full(200_000, 1.0), np.zeros(200_000), 0.004
    for _ in range(50):
        loss = 0.5 + z**2 / 2
        dw = np.sqrt(dt) * rng.choice([-1.0, 1.0], z.size)
        z, m = z - z * dt + np.sqrt(loss) * dw, m + np.sqrt(loss) * dw
    sample = np.mean(m**4) / 3 / np.mean(m**2) ** 2
    exact = rtc.driver_kurtosis(0.2, 1.0, minimum_loss=0.5, **NOISE)
    assert sample == pytest.approx(exact, rel=0.03) and exact > 1.05


@pytest.mark.parametrize("c", [1.5, 4.0])
@pytest.mark.parametrize("temperature", [0.2, 0.5, 3.0])
def test_passage_means_solve_the_backward_equation(c, temperature):
    """A birth-death chain on a fine grid, solved exactly."""
    h, floor, cells = 1.3, 0.4, 4000
    edge = np.sqrt(2 * floor * (c - 1) / h)
    x = (np.arange(cells) + 0.5) * edge / cells
    face = np.arange(1, cells) * edge / cells

    def weight(y):  # of the stationary law L^-(1 + 1/T)
        return (floor + h * y**2 / 2) ** (-1 - 1 / temperature)

    def loss(y):
        return floor + h * y**2 / 2

    mass = weight(x)
    inner = np.cumsum(mass) * edge / cells
    resistance = 1 / (temperature * loss(face) * weight(face))
    means = []
    for rate in (np.ones(cells), loss(x)):
        flux = np.cumsum(mass * rate) * edge / cells
        last = flux[-1] / (temperature * loss(edge) * weight(edge)) * edge / cells / 2
        means.append(np.sum(flux[:-1] * resistance) * edge / cells + last)
    assert inner[-1] > 0
    found = rtc.passage_means(c, temperature=temperature, curvature=h, minimum_loss=floor)
    np.testing.assert_allclose(found, means, rtol=2e-3)


def test_passage_from_low_floors_grows_with_the_index():
    nu = rtc.stability_index(1, **NOISE)
    means = [
        rtc.passage_means((f + 0.5) / f, temperature=0.5, curvature=1.0, minimum_loss=f)[0]
        for f in (1e-4, 1e-5)
    ]
    assert np.log(means[1] / means[0]) / np.log(10) == pytest.approx(nu, rel=1e-3)


# the index


@given(st.floats(0.05, 5), st.integers(1, 40))
def test_one_index_decides_everything(temperature, n):
    noise = {"learning_rate": temperature, "batch_size": 1, "curvature": 1.0}
    nu = float(rtc.stability_index(n, **noise))
    rate = float(rtc.growth_rate(n, temperature=temperature, curvature=1.0))
    np.testing.assert_allclose(rate, -temperature * nu, rtol=1e-9, atol=1e-9)
    if abs(nu - 1) > 1e-9:
        assert np.isfinite(rtc.mean_loss_ratio(n, temperature=temperature)) == (nu > 1)
    critical = 2 * (1 / temperature + 1)
    if abs(n - critical) > 1e-9:
        assert (nu > 0) == (n < critical)


def test_growth_rate_by_its_own_definition():
    # log|z| of dz = -h z dt + sqrt(hT) |z| dW in n dimensions: Ito's formula, symbolically
    n = 3
    z = sp.symbols("z1:4", real=True)
    h, t = sp.symbols("h T", positive=True)
    log = sp.log(sum(a**2 for a in z)) / 2
    square = sum(a**2 for a in z)
    generator = sum(-h * a * sp.diff(log, a) + h * t * square / 2 * sp.diff(log, a, 2) for a in z)
    closed = -h + h * t * sp.Rational(n - 2, 2)
    assert sp.simplify(generator - closed) == 0
    value = rtc.growth_rate(n, temperature=0.7, curvature=1.3)
    assert float(value) == pytest.approx(float(closed.subs({h: 1.3, t: 0.7})))


def test_frozen_clock_is_dufresnes_perpetuity():
    # moments: <tau^k> of tau = (h/2) int z^2 dt from those of geometric Brownian motion
    t, h = 0.2, 1.0
    index = float(rtc.stability_index(1, learning_rate=t, batch_size=1, curvature=h))
    law = rtc.frozen_clock(1.5, index=index, temperature=t)
    # <z^2> = z0^2 exp(-(2h - hT) t)
    first = h / 2 * 1.5**2 / (2 * h - h * t)
    np.testing.assert_allclose(law.mean(), first, rtol=1e-12)
    fourth = 4 * h - 6 * h * t  # <z^4> decays at this rate
    second = 2 * (h / 2) ** 2 * 1.5**4 / ((2 * h - h * t) * fourth)
    np.testing.assert_allclose(law.moment(2), second, rtol=1e-12)


def test_frozen_clock_without_noise_is_that_of_gradient_flow():
    law = rtc.frozen_clock(1.0, index=1e6 + 0.5, temperature=1e-6)
    assert law.mean() == pytest.approx(0.25, rel=1e-5) and law.std() < 1e-3


def test_clock_power_has_its_corner_at_one():
    np.testing.assert_allclose(rtc.clock_power([3.0, 1.0, 0.5, 0.25]), [1, 1, 2, 4])


@pytest.mark.parametrize("batch_size", [1, 4])
def test_growth_rate_of_sgd_against_products_of_matrices(batch_size):
    n, eta, rng = 5, 0.2, np.random.default_rng(1)
    x = rng.standard_normal((60_000, batch_size, n))
    z = np.eye(n)[0]
    moved = z - eta / batch_size * np.einsum("kbi,kb->ki", x, x @ z)
    logs = np.log(np.linalg.norm(moved, axis=1))
    noise = {"learning_rate": eta, "batch_size": batch_size, "curvature": 1.0}
    exact = float(rtc.sgd_growth_rate(n, **noise))
    assert abs(logs.mean() - exact) < 5 * logs.std() / np.sqrt(logs.size)


@pytest.mark.parametrize("eta, batch_size", [(0.1, 1), (0.03, 1), (0.1, 4), (0.5, 10)])
def test_mean_square_of_sgd_is_marginal_at_its_critical_dimension(eta, batch_size):
    n = rtc.sgd_critical_dimension(learning_rate=eta, batch_size=batch_size, curvature=1.0)
    # <|z'|^2>/|z|^2 with <s> = 1, <s^2> = 1 + 2/B
    factor = 1 - 2 * eta + eta**2 * (1 + 2 / batch_size) + eta**2 * (n - 1) / batch_size
    assert factor == pytest.approx(1, abs=1e-12)


def test_paths_of_sgd_run_away_beyond_a_dimension_that_the_formula_approaches():
    gaps = []
    for eta in (0.1, 0.03, 0.01):
        noise = {"learning_rate": eta, "batch_size": 1, "curvature": 1.0}
        start = rtc.sgd_critical_dimension(**noise)
        n = np.arange(round(start) - 2, round(start) + 5)
        gaps.append(np.interp(0, rtc.sgd_growth_rate(n, **noise), n) - start)
    assert 0 < gaps[2] < gaps[1] < gaps[0] < 1
    assert gaps[1] / gaps[2] == pytest.approx(3, rel=0.2)  # O(eta h)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rtc.stationary_exponent(**NOISE | {"learning_rate": -0.1}),
         "learning_rate must be positive: got -0.1"),
        (lambda: rtc.stationary_exponent(**NOISE | {"batch_size": 0}),
         "batch_size must be at least 1: got 0"),
        (lambda: rtc.stationary_exponent(**NOISE | {"curvature": [1.0, 0.0]}),
         "curvature must be positive: got 0"),
        (lambda: rtc.stationary_exponent(**NOISE | {"curvature": np.nan}), "finite"),
        (lambda: rtc.convention_exponent(1.5, **NOISE), r"point must lie in \[0, 1\]: got 1.5"),
        (lambda: rtc.stability_index(0, **NOISE), "dimension must be at least 1"),
        (lambda: rtc.internal_time([1.0, -1.0], step=0.1), "loss must be at least 0"),
        (lambda: rtc.physical_time([1.0, 0.0], step=0.1), "loss must be positive"),
        (lambda: rtc.log_drift(np.ones((1, 1)), np.zeros(1)), r"loss \+ epsilon must be positive"),
        (lambda: rtc.log_barrier(0.1, 0.2), "loss_saddle / loss_minimum must be at least 1"),
        (lambda: rtc.loss_law(1.0, 2), "exponent must be above dimension / 2 = 1.0: got 1.0"),
        (lambda: rtc.passage_means(1.0, temperature=1, curvature=1, minimum_loss=1),
         "loss_ratio must be above 1"),
        (lambda: rtc.frozen_clock(1.0, index=0.0, temperature=1.0), "index must be positive"),
        (lambda: rtc.clock_power(-1.0), "index must be positive: got -1"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


BOWL = {"curvatures": [1.0], "minimum_loss": 0.5, "learning_rate": 0.5, "batch_size": 1}
PASSAGE = {"temperature": 1.0, "curvature": 1.0, "minimum_loss": 1.0}
STEPS = {"learning_rate": 0.1, "batch_size": 1, "curvature": 1.0}
OUTSIDE = [
    (lambda: rtc.temperature(**NOISE | {"batch_size": 1.5}), "batch_size must be a whole"),
    (lambda: rtc.diffusion(-1.0, 1.0, learning_rate=1, batch_size=1), "loss must be at least 0"),
    (lambda: rtc.diffusion(1.0, NAN, learning_rate=1, batch_size=1), "hessian must be finite"),
    (lambda: rtc.internal_time([1.0, INF], step=0.1), "loss must be finite"),
    (lambda: rtc.internal_time([1.0], step=0.0), "step must be positive"),
    (lambda: rtc.log_drift([[NAN]], [1.0]), "gradient must be finite"),
    (lambda: rtc.gibbs_density(-1.0, temperature=1.0), "loss must be positive"),
    (lambda: rtc.gibbs_density(1.0, temperature=0.0), "temperature must be positive"),
    (lambda: rtc.time_average([1.0, NAN], clock=[0.0, 1.0]), "values must be finite"),
    (lambda: rtc.time_average([1.0, 1.0], clock=[1.0, 0.0]), "clock must increase"),
    (lambda: rtc.change_clock([-1.0], [1.0], volume=1.0), "density must be at least 0"),
    (lambda: rtc.change_clock([1.0], [1.0], volume=-1.0), "volume must be positive"),
    (lambda: rtc.mean_loss_curve([-1.0], [1.0], **BOWL), "times must be at least 0"),
    (lambda: rtc.mean_loss_curve([1.0], [1.0, 1.0], **BOWL), "start must have one entry"),
    (lambda: rtc.mean_loss_curve([1.0], [1.0], **BOWL | {"batch_size": 0.5}), "batch_size"),
    (lambda: rtc.driver_kurtosis(0.0, 1.0, minimum_loss=1.0, **NOISE), "time must be positive"),
    (lambda: rtc.driver_kurtosis(1.0, NAN, minimum_loss=1.0, **NOISE), "start must be finite"),
    (lambda: rtc.passage_means(INF, **PASSAGE), "loss_ratio must be finite"),
    (lambda: rtc.passage_means(2.0, **PASSAGE | {"minimum_loss": 0.0}), "minimum_loss"),
    (lambda: rtc.loss_law(NAN, 1), "exponent must be positive"),
    (lambda: rtc.mean_loss_ratio(1, temperature=1.0, clock=2), "clock must be one of"),
    (lambda: rtc.stability_index(1.5, **NOISE), "dimension must be a whole"),
    (lambda: rtc.growth_rate(0, temperature=1.0, curvature=1.0), "dimension must be at least 1"),
    (lambda: rtc.sgd_growth_rate(1, **STEPS), "dimension must be at least 2"),
    (lambda: rtc.sgd_growth_rate(2.5, **STEPS), "dimension must be a whole"),
    (lambda: rtc.sgd_critical_dimension(**STEPS | {"batch_size": 1.5}), "batch_size"),
    (lambda: rtc.frozen_clock(0.0, index=1.0, temperature=1.0), "distance must be positive"),
]


@pytest.mark.parametrize("call, words", OUTSIDE, ids=[words for _, words in OUTSIDE])
def test_what_the_docstring_excludes_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("bad", [1j, "1", True, None])
def test_what_is_no_real_number_is_refused(bad):
    calls = (
        lambda: rtc.stationary_exponent(**NOISE | {"learning_rate": bad}),
        lambda: rtc.diffusion(bad, 1.0, learning_rate=1.0, batch_size=1),
        lambda: rtc.internal_time([bad, bad], step=1.0),
        lambda: rtc.log_barrier(bad, 0.5),
        lambda: rtc.growth_rate(1, temperature=bad, curvature=1.0),
        lambda: rtc.passage_means(bad, **PASSAGE),
        lambda: rtc.frozen_clock(bad, index=1.0, temperature=1.0),
        lambda: rtc.sgd_growth_rate(bad, **STEPS),
    )
    for call in calls:
        with pytest.raises(TypeError):
            call()
