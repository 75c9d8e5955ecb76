"""Chapter `random_time_change`: formulas against exact answers, claims against wrong theories."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from scipy.integrate import quad

import sgdescape.random_time_change as rtc
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.sde import bowl as sde
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.random_time_change.measure import ensembles, operators, paths

NOISE = {"learning_rate": 0.5, "batch_size": 1, "curvature": 1.0}
TINY = replace(
    rtc.QUICK,
    fine_step=2.0**-8,
    levels=(1, 3),
    path_time=1.0,
    paths=20,
    samples=200,
    step=0.05,
    passages=50,
    passage_step=0.05,
    loss_ratio=1.5,
    stationary_samples=200,
    stationary_step=0.05,
    stationary_time=2.0,
    gibbs_chains=60,
    gibbs_step=0.05,
    gibbs_time=4.0,
    gibbs_kept=4,
    runs=50,
    long_step=0.05,
    long_time=16.0,
    growth_steps=50,
    groups=4,
    lives=50,
)
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


def test_the_book_and_core_have_the_same_equations():
    bowl = paths.bowl(rtc.QUICK, (2.0, 0.5))
    z = np.array([[0.3, -1.2], [0.0, 2.0]])
    noise = {"learning_rate": 0.5, "batch_size": 1}
    slow, fast = (sde.bowl_sde(bowl, p) for p in ("decoupled", "time_changed"))
    loss, h = bowl.loss(z), np.array(bowl.curvatures)
    np.testing.assert_allclose(slow.noise(z) ** 2, rtc.diffusion(loss[:, None], h, **noise))
    np.testing.assert_allclose(fast.noise(z) ** 2, rtc.diffusion(np.ones((2, 1)), h, **noise))
    np.testing.assert_allclose(fast.drift(z), rtc.log_drift(bowl.gradient(z), loss))
    np.testing.assert_allclose(slow.drift(z), fast.drift(z) * loss[:, None])


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


# simulations


def test_conventions_have_their_mean_steps():
    """One step of each scheme: its mean is that of the Ito equation plus alpha T grad L dt."""
    process = sde.bowl_sde(paths.bowl(rtc.QUICK))
    theta, dt = np.full((2, 1), 1.3), 1e-4
    dw = np.sqrt(dt) * np.array([[1.0], [-1.0]])  # the two-point law has the right moments
    schemes = (ensembles._ito, ensembles._stratonovich, ensembles._anti_ito)
    for scheme, point in zip(schemes, (0, 0.5, 1), strict=True):
        mean = (scheme(process, theta, dt, dw) - theta).mean() / dt
        assert mean == pytest.approx(-1.3 + point * 0.5 * 1.3, abs=1e-3)


def test_run_to_ends_exactly_on_the_other_clock():
    bowl = paths.bowl(rtc.QUICK)
    process = sde.bowl_sde(bowl, "time_changed")
    calls = []

    def rate(theta):
        calls.append(len(theta))
        return 1 / bowl.loss(theta)

    rng = np.random.default_rng(0)
    flat = sde.Sde(lambda x: 0 * x, lambda x: 0 * x)
    still, own = paths.run_to(flat, np.ones((3, 1)), rate, step=0.3, end=1.0, rng=rng)
    np.testing.assert_allclose(own, 1.0, rtol=1e-12)  # L = 1 there
    np.testing.assert_array_equal(still, 1.0)
    ended, own = paths.run_to(process, np.ones((50, 1)), rate, step=0.02, end=1.0, rng=rng)
    assert np.isfinite(ended).all() and (own > 0.5).all()
    assert calls[-1] < 50  # who has arrived leaves


def test_fine_path_agrees_with_the_pair_of_clocks_in_core():
    config = replace(TINY, fine_step=2.0**-9, paths=64)
    path = paths.one_path(config)
    bowl = paths.bowl(config)
    slow, fast = (sde.bowl_sde(bowl, p) for p in ("decoupled", "time_changed"))
    pair = sde.coupled_clocks(
        slow, fast, bowl.loss, np.full(1, config.start), dt=2.0**-9, steps=2000, tau_step=0.25,
        records=4, seed=1, replicas=range(64),
    )  # fmt: skip
    assert np.abs(pair.slow - pair.fast)[-1].mean() < 0.2
    column = np.arange(config.paths)
    index = paths._first_beyond(path.tau.values, np.array([1.0]))[0]
    ours = path.state.values[index, column]
    same = stats.ks_2samp(ours, pair.slow[-1, :, 0])
    assert same.pvalue > 1 - LEVEL
    driver = path.driver.values[index, column]
    assert abs(driver.mean()) < 5 / 8 and 0.3 < driver.var() < 2.2  # N(0, 1), 64 of them


def test_growth_samples_are_those_of_a_path():
    config = replace(TINY, growth_steps=4000, groups=8, growth_step=0.01)
    found = ensembles.growth(config)
    dt, n = 0.01, 3
    rng = np.random.default_rng(0)
    z = np.zeros((32_000, n)) + np.array([1.0, 0, 0])
    zero = sde.decoupled(
        lambda x: 0.5 * (x * x).sum(-1), lambda x: x, np.ones(n), learning_rate=0.5, batch_size=1
    )
    moved = z + zero.drift(z) * dt + zero.noise(z) * np.sqrt(dt) * rng.standard_normal(z.shape)
    path = np.log(np.linalg.norm(moved, axis=1)) / dt
    ours = found.growth.sel(dimension=n).values
    error = np.hypot(path.std() / np.sqrt(path.size), ours.std(ddof=1) / np.sqrt(ours.size))
    assert abs(path.mean() - ours.mean()) < 5 * error


def test_same_seed_same_numbers_other_seed_other_numbers():
    first, again = (ensembles.frozen(TINY).frozen_tau.values for _ in range(2))
    other = ensembles.frozen(replace(TINY, seed=1)).frozen_tau.values
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


# bad input


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rtc.stationary_exponent(**NOISE | {"learning_rate": -0.1}),
         "learning_rate must be positive: least is -0.1"),
        (lambda: rtc.stationary_exponent(**NOISE | {"batch_size": 0}),
         "batch_size must be at least 1: least is 0"),
        (lambda: rtc.stationary_exponent(**NOISE | {"curvature": [1.0, 0.0]}),
         "curvature must be positive: least is 0"),
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
        (lambda: rtc.clock_power(-1.0), "index must be positive: least is -1"),
        (lambda: rtc.Config(learning_rate=0.0), "learning_rate"),
        (lambda: rtc.Config(loss_ratio=1.0), "loss_ratio must be above 1"),
        (lambda: rtc.Config(wide=2), r"wide must give an index nu in \(0, 1\)"),
        (lambda: rtc.Config(levels=(2, 20)), r"multiple of 2\^23"),
        (lambda: rtc.Config(bowl_start=(1.0,)), "bowl_start must have one entry a curvature"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_run_has_units_provenance_and_every_part():
    ds = rtc.run(TINY)
    assert ds.sizes["level"] == 3 and ds.sizes["convention"] == 3 and ds.sizes["floor"] == 4
    assert all(ds[name].attrs["units"] == units for name, units in rtc.UNITS.items())
    assert ds.attrs["seed"] == 0 and "numba" in ds.attrs and ds.attrs["temperature"] == 0.5
    assert all(np.isfinite(v).all() for name, v in ds.items() if name != "operator_error")


# the operators, exactly


def test_operator_laws_are_the_power_laws():
    errors = []
    for cells in (400, 800):
        laws = operators.stationary_laws(rtc.QUICK, cells=cells)
        ratio = 1 + laws.cell**2  # scale 1: L* = 1/2, h = 1
        for law, phi in (("tau", 2.0), ("Ito", 3.0), ("Stratonovich", 2.5), ("anti-Ito", 2.0)):
            exact = ratio**-phi / special.beta(0.5, phi - 0.5)
            error = abs(laws.operator_density.sel(law=law) / exact - 1)
            errors.append(float(error.where(ratio < 1000).max()))
    assert max(errors[:4]) < 1e-3 and max(errors[4:]) < 0.5 * max(errors[:4])


def test_mapped_laws_of_the_operators_differ_as_the_claim_says():
    found = operators.laws_at_time(rtc.QUICK)
    assert np.all(np.diff(found.law_cdf.values, axis=1) >= -1e-12)
    np.testing.assert_allclose(found.law_cdf[:, -1], 1, atol=1e-3)
    fine = operators.laws_at_time(rtc.QUICK, cells=560)
    np.testing.assert_allclose(fine.rival_distance, found.rival_distance, atol=5e-3)


def test_operator_passage_is_the_quadrature():
    found = operators.regularised(rtc.QUICK).floor_passage
    for floor in found.floor.values:
        exact = rtc.passage_means(
            (floor + 0.5) / floor, temperature=0.5, curvature=1.0, minimum_loss=floor
        )[0]
        assert float(found.sel(floor=floor)) == pytest.approx(exact, rel=1e-3)


# claims


def test_distance_interval_is_the_two_sample_statistic_and_covers():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(300), rng.standard_normal(500) + 0.4
    found = rtc.distance_interval(a, b)
    assert found.value == pytest.approx(stats.ks_2samp(a, b).statistic)
    truth = 2 * stats.norm.cdf(0.2) - 1
    assert found.low <= truth <= found.high


@cache
def measured(seed):
    return rtc.run(replace(rtc.QUICK, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("claim", declared("random_time_change"), ids=lambda claim: claim.__name__)
def test_claims_hold_for_every_seed(claim, seed):
    claim(measured(seed))


def scheme(ds, take, give):
    """The dataset with the errors of one scheme replaced by those of another."""
    found = ds.copy(deep=True)
    for name in ("strong_error", "strong_step"):
        found[name].loc[{"scheme": give}] = ds[name].sel(scheme=take).values
    return found


# claim -> (module, function, wrong function of the right one), or a change of the data
WRONG_THEORIES = [
    ("driver", lambda ds: ds.assign(driver_fixed_tau=ds.driver_fixed_t)),
    ("strong_order", lambda ds: scheme(ds, "not rescaled", "time-changed")),
    ("driver_needed", lambda ds: scheme(ds, "time-changed", "not rescaled")),
    ("euler_order", lambda ds: scheme(ds, "Milstein", "Euler")),
    ("law", lambda ds: ds.assign(mapped=1.2 * ds.mapped)),
    ("unequal_curvatures", ("moments", "mean_loss_curve", lambda f: strat(f))),
    ("passage", ("moments", "passage_means", lambda f: lambda *a, **k: f(*a, **k)[::-1])),
    ("gibbs", ("theory", "gibbs_density", lambda f: lambda x, **k: f(x, **k) / x)),
    ("exponent", ("theory", "convention_exponent", lambda f: lambda a, **k: f(a, **k) - 1)),
    ("exponent", ("theory", "convention_exponent", lambda f: lambda a, **k: 0 * a + f(0.5, **k))),
    ("stratonovich", ("theory", "convention_exponent", lambda f: lambda a, **k: f(0 * a, **k))),
    ("anti_ito", ("theory", "convention_exponent", lambda f: lambda a, **k: f(a / 2, **k))),
    ("mean_loss", ("index", "mean_loss_ratio", lambda f: lambda n, clock, **k: f(n, **k, clock=0))),
    ("wide_exponent", ("theory", "stationary_exponent", lambda f: lambda **k: f(**k) - 1)),
    ("clock_power", ("index", "clock_power", lambda f: lambda nu: 1 + 0 * nu)),
    ("critical_dimension", ("index", "growth_rate", lambda f: lambda n, **k: f(n + 1, **k))),
    ("frozen_clock", ("index", "frozen_clock", lambda f: lower(f))),
    ("floor", ("index", "stability_index", lambda f: lambda n, **k: f(n, **k) - 0.4)),
]  # fmt: skip


def lower(function):
    """The index of Stratonovich in place of Ito's."""
    return lambda *a, index, **k: function(*a, index=index - 0.5, **k)


def strat(function):
    """Every reading gets the correction of Stratonovich on top."""
    return lambda *a, point, **k: function(*a, point=min(point + 0.5, 1), **k)


@pytest.mark.slow
@pytest.mark.parametrize("name, wrong", WRONG_THEORIES, ids=[w[0] for w in WRONG_THEORIES])
def test_a_wrong_theory_is_noticed(name, wrong, monkeypatch):
    ds = measured(0)
    if callable(wrong):
        ds = wrong(ds)
    else:
        where, what, change = wrong
        module = getattr(rtc, where)
        monkeypatch.setattr(module, what, change(getattr(module, what)))
        ds = rtc.predict(ds, rtc.QUICK)
    with pytest.raises(ClaimError):
        getattr(rtc, f"claim_{name}")(ds)


def test_every_claim_meets_a_wrong_theory():
    named = {f"claim_{name}" for name, _ in WRONG_THEORIES}
    assert {claim.__name__ for claim in declared("random_time_change")} == named
