"""Chapter `kramers_escape`: its formulas against exact answers, its claims against wrong ones."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sympy as sp
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import beta

import sgdescape.kramers_escape as ke
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.fokker_planck import operators as fp
from sgdescape.kramers_escape.claims import dimension, weak_noise
from sgdescape.kramers_escape.measure import escapes, paths, plane
from sgdescape.kramers_escape.theory import algebra, proof
from sgdescape.kramers_escape.theory.passage import Quadrature

ONE = dict(learning_rate=0.1, batch_size=1, curvature_minimum=1.0, curvature_saddle=-1.0)
RATIOS = st.floats(1.0, 20.0)


# Eqs. (15) and (16)


def test_escape_rate_by_hand():
    rate = ke.escape_rate(3.0, **ONE | {"curvature_saddle": -4.0}, effective_dimension=4)
    assert rate == pytest.approx(2 / (2 * math.pi) * 3.0 ** -(10 + 1 - 2))


def test_escape_rate_broadcasts():
    rate = ke.escape_rate(
        np.array([2.0, 3.0])[:, None, None],
        learning_rate=np.array([0.1, 0.2])[:, None],
        batch_size=[1, 2, 4],
        curvature_minimum=1.0,
        curvature_saddle=-1.0,
        effective_dimension=2,
    )
    assert rate.shape == (2, 2, 3)
    one = ke.escape_rate(
        3.0, **ONE | {"batch_size": 4, "learning_rate": 0.2}, effective_dimension=2
    )
    assert rate[1, 1, 2] == pytest.approx(float(one))


@given(RATIOS, st.integers(1, 50), st.floats(0.01, 1), st.floats(0.1, 5), st.floats(1, 8))
def test_only_the_ratio_of_batch_to_learning_rate_counts(c, b, eta, h, n):
    kw = dict(curvature_minimum=h, curvature_saddle=-h, effective_dimension=n)
    rate = ke.escape_rate(c, learning_rate=eta, batch_size=b, **kw)
    double = ke.escape_rate(c, learning_rate=2 * eta, batch_size=2 * b, **kw)
    assert rate == pytest.approx(double)


@given(st.floats(1.1, 20.0), st.floats(0.05, 1), st.integers(1, 20))
def test_rate_does_not_fall_with_the_barrier_at_the_critical_dimension(c, eta, b):
    n = ke.critical_effective_dimension(learning_rate=eta, batch_size=b, curvature=1.0)
    kw = dict(learning_rate=eta, batch_size=b, curvature_minimum=1.0, curvature_saddle=-1.0)
    rates = [float(ke.escape_rate(c, **kw, effective_dimension=n + d)) for d in (-0.5, 0, 0.5)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[1] == pytest.approx(1 / (2 * math.pi))


def test_critical_dimension_is_where_the_stationary_law_stops_being_normalisable():
    eta, b, h = 0.5, 2, 1.0
    n_c = float(ke.critical_effective_dimension(learning_rate=eta, batch_size=b, curvature=h))
    exponent = 1 + b / (eta * h)  # Eq. (17)

    def mass(n, radius):
        return quad(lambda x: np.exp(n * x) * (1 + np.exp(2 * x)) ** -exponent, -20, radius)[0]

    assert mass(n_c - 1, 30) == pytest.approx(mass(n_c - 1, 15), rel=1e-5)
    assert mass(n_c, 30) - mass(n_c, 15) == pytest.approx(15, rel=1e-5)


def test_growth_changes_its_sign_at_the_critical_dimension():
    kw = dict(learning_rate=0.2, batch_size=3, curvature=2.0)
    n_c = float(ke.critical_effective_dimension(**kw))
    rates = ke.growth_rate([n_c - 1, n_c, n_c + 1], **kw)
    np.testing.assert_allclose(rates, 0.2 * 4 / 6 * np.array([-1, 0, 1]), atol=1e-12)


GOOD = dict(**ONE, effective_dimension=2)
CRITICAL = dict(learning_rate=0.1, batch_size=1, curvature=1.0)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"loss_ratio": 0.9}, ValueError, "loss_ratio must be at least 1: got 0.9"),
        ({"loss_ratio": np.nan}, ValueError, "loss_ratio must be finite"),
        ({"loss_ratio": []}, ValueError, "loss_ratio must not be empty"),
        ({"loss_ratio": "2"}, TypeError, "loss_ratio must hold real numbers"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be positive: got 0"),
        ({"learning_rate": [0.1, -0.2]}, ValueError, "learning_rate must be positive: got -0.2"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1: got 0"),
        ({"batch_size": 1.5}, ValueError, "batch_size must be a whole number: got 1.5"),
        ({"batch_size": True}, TypeError, "batch_size must hold real numbers"),
        ({"curvature_minimum": -1}, ValueError, "curvature_minimum must be positive: got -1"),
        ({"curvature_saddle": 0.5}, ValueError, "curvature_saddle must be negative: got 0.5"),
        ({"curvature_saddle": 0}, ValueError, "curvature_saddle must be negative: got 0"),
        ({"curvature_saddle": -math.inf}, ValueError, "curvature_saddle must be finite"),
        ({"effective_dimension": 0.5}, ValueError, "effective_dimension must be at least 1"),
        ({"effective_dimension": 1j}, TypeError, "effective_dimension must hold real numbers"),
    ],
)
def test_bad_input_to_the_rate(changes, error, words):
    arguments = {"loss_ratio": 2.0, **GOOD} | changes
    with pytest.raises(error, match=words):
        ke.escape_rate(arguments.pop("loss_ratio"), **arguments)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: ke.critical_effective_dimension(**CRITICAL | {"curvature": -1.0}),
            "curvature must be positive: got -1",
        ),
        (
            lambda: ke.critical_effective_dimension(**CRITICAL | {"batch_size": 0.5}),
            "batch_size must be at least 1: got 0.5",
        ),
        (lambda: ke.Landscape(loss_ratio=1.0), "loss_ratio must be above 1"),
        (lambda: ke.Landscape(curvature_saddle=-0.3), r"curvature_saddle must lie in \[-1, -0.5\]"),
        (lambda: ke.Landscape(transverse=(-1.0,)), "transverse must be positive"),
        (lambda: ke.tail_dimension([1.2]), r"ratios must lie in \(0, 1\]: got 1.2"),
        (lambda: ke.tail_dimension([0.0]), "ratios must be positive: got 0"),
        (
            lambda: ke.path_dimension(ke.Landscape(loss_ratio=60.0, transverse=(2.0,))),
            "off the axis",
        ),
        (
            lambda: ke.rate_with_curvatures(
                2.0,
                learning_rate=1,
                batch_size=1,
                curvatures_minimum=[1, 1],
                curvatures_saddle=[-1],
            ),
            "curvatures must match",
        ),
        (
            lambda: ke.rate_with_curvatures(
                2.0,
                learning_rate=1,
                batch_size=1,
                curvatures_minimum=[1, 1],
                curvatures_saddle=[-1, -1],
            ),
            r"curvatures_saddle\[1:\] must be positive",
        ),
        (
            lambda: plane.rate(
                ke.Landscape(transverse=(1.0, 0.5)), ke.separable_loss, noise=9.0, cells=(20, 8)
            ),
            "transverse curvatures must be equal",
        ),
        (lambda: Quadrature(1.0, 0.0), "low must be below high"),
        (lambda: ke.Config(noises=(1.0, 2.0)), "noises must double at least twice"),
        (lambda: ke.Config(plane_noises=(1.0, 2.0, 5.0)), "plane_noises must double"),
        (lambda: ke.Config(ratios=(0.5,)), "ratios must hold 0.5 and 1"),
        (lambda: ke.Config(dimensions=(1, 2)), "dimensions must hold 4 and 8"),
        (lambda: ke.Config(replicas=5), "replicas"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# The landscape


@pytest.mark.parametrize("r", [0.5, 0.6, 0.75, 1.0])
@pytest.mark.parametrize("c", [1.1, 4.0, 30.0])
def test_landscape_has_the_stationary_points_and_curvatures_it_says(r, c):
    shape = ke.Landscape(loss_ratio=c, curvature_minimum=2.0, curvature_saddle=-2 * r)
    at = np.array([0.0, shape.saddle, shape.crossing])
    levels = np.array([1, c, 1]) * shape.minimum_loss
    np.testing.assert_allclose(ke.path_loss(shape, at), levels, rtol=1e-10)
    np.testing.assert_allclose(ke.path_slope(shape, at[:2]), 0, atol=1e-12)
    step = 1e-4 * shape.saddle
    bend = (ke.path_slope(shape, at + step) - ke.path_slope(shape, at - step)) / (2 * step)
    np.testing.assert_allclose(bend[:2], [2, -2 * r], rtol=1e-6)
    z = np.linspace(-1, shape.crossing, 7)
    rise = (ke.path_loss(shape, z + step) - ke.path_loss(shape, z - step)) / (2 * step)
    np.testing.assert_allclose(rise, ke.path_slope(shape, z), atol=1e-6)
    inside = np.linspace(-shape.saddle, shape.crossing, 500)
    assert ke.path_loss(shape, inside).min() > 0.99 * shape.minimum_loss


def test_both_readings_agree_on_the_axis_and_at_the_minimum_only():
    shape = ke.Landscape(transverse=(0.7,))
    z = np.linspace(-1, 5, 9)
    np.testing.assert_allclose(ke.separable_loss(shape, z, 0.0), ke.path_loss(shape, z))
    np.testing.assert_allclose(ke.separable_log_loss(shape, z, 0.0), ke.path_loss(shape, z))
    assert ke.separable_loss(shape, 0.0, 1.3) == ke.separable_log_loss(shape, 0.0, 1.3)
    here, there = (f(shape, shape.saddle, 0.1) for f in (ke.separable_loss, ke.separable_log_loss))
    high = shape.loss_ratio * shape.minimum_loss
    assert (there - high) / (here - high) == pytest.approx(shape.loss_ratio)


@given(st.floats(-1, 4), st.floats(0.2, 2))
@settings(deadline=None)
def test_mixed_curvature_of_the_log_loss(z, y):
    shape = ke.Landscape(transverse=(0.7,))
    e = 1e-3
    u = lambda a, b: np.log(ke.separable_loss(shape, z + a, y + b))  # noqa: E731
    mixed = (u(e, e) - u(e, -e) - u(-e, e) + u(-e, -e)) / (4 * e * e)
    claimed = ke.mixed_log_curvature(
        ke.path_slope(shape, z), 0.7 * y, loss=ke.separable_loss(shape, z, y)
    )
    assert claimed == pytest.approx(mixed, abs=2e-5)


# The steps of Appendix B


@pytest.mark.parametrize("name", algebra.CHECKS)
def test_algebra_leaves_nothing(name):
    assert algebra.CHECKS[name]() == 0


def test_algebra_can_fail(monkeypatch):
    """Each symbol that a formula depends on, changed in the module, leaves something."""
    twice = lambda f, *a: 2 * sp.diff(f, *a)  # noqa: E731
    left = [algebra.integrability(), algebra.current_across()]
    assert all(expression != 0 for expression in left)
    fake = type("fake", (), {n: getattr(sp, n) for n in dir(sp) if not n.startswith("_")})
    fake.log, fake.diff = staticmethod(lambda x: 2 * sp.log(x)), staticmethod(sp.diff)
    monkeypatch.setattr(algebra, "sp", fake)
    assert algebra.log_curvature() != 0
    assert algebra.riccati() != 0
    assert algebra.transport() != 0
    fake.log, fake.diff = staticmethod(sp.log), staticmethod(twice)
    assert algebra.log_curvature() != 0


def test_no_current_without_equal_temperatures_needs_a_separable_log_loss():
    assert algebra.integrability().subs(algebra._T2, algebra._T1) == 0


@pytest.fixture(scope="module")
def checked():
    return proof.steps(ke.Landscape(transverse=(1.0,)))


def test_every_step_is_there(checked):
    assert [s.equation for s in checked] == [f"({k})" for k in range(18, 41)]


def test_exact_steps_leave_nothing_and_weak_ones_fall_with_the_noise(checked):
    for step in checked:
        if step.exact:
            assert abs(step.residuals[0]) < 1e-9, step.equation
        elif step.equation != "(27)":  # exponentially small
            first, second, third = np.abs(step.residuals)
            assert 3 < first / second < 5 and 3.5 < second / third < 4.5, step.equation


def test_table_names_every_step(checked):
    text = ke.table(checked)
    assert all(f"({k})" in text for k in range(18, 41))
    broken = replace(checked[0], residuals=(0.1,))
    assert "1.0e-01" in ke.table([broken])


def test_displacement_is_orthogonal():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    z = rng.normal(size=(5, 2))
    theta = ke.displacement(z, minimum=np.ones(6), eigenvectors=basis)
    np.testing.assert_allclose((theta - 1) @ basis.T, z)
    np.testing.assert_allclose(np.linalg.norm(theta - 1, axis=1), np.linalg.norm(z, axis=1))


def test_current_of_the_flux_free_density_vanishes():
    slope, density = np.linspace(-2, 2, 9), np.linspace(1, 3, 9)
    derivative = ke.flux_free_slope(slope, density, temperature=0.3)
    current = ke.probability_current(slope, density, derivative, temperature=0.3)
    np.testing.assert_allclose(current, 0, atol=1e-12)
    assert ke.probability_current(1.0, 2.0, 0.0, temperature=0.3) == -2  # drift downhill


def test_density_mass_and_factors_fit_each_other():
    eta, b, low = 0.3, 2, 0.5
    z = np.linspace(-6, 6, 2001)
    weights = np.full(z.size, z[1] - z[0])
    h = np.array([1.0, 3.0])
    rises = [h[0] * z[:, None] ** 2 / (2 * low), h[1] * z**2 / (2 * low)]
    density = ke.quasi_stationary(rises, temperatures=eta * h / b)
    np.testing.assert_allclose(density, density.T)  # isotropic whatever the curvatures
    mass = ke.valley_mass(density, weights, weights)
    common = dict(learning_rate=eta, batch_size=b, minimum_loss=low)
    assert mass == pytest.approx(ke.well_mass(**common, dimension=2))
    assert mass == pytest.approx(ke.factor_integral(**common) ** 2)


def test_saddle_formulas_fit_each_other():
    c, t, h_s, low = 3.0, 0.05, -0.8, 0.5
    weak = dict(temperature=t, curvature_saddle=h_s, saddle_loss=c * low)
    integral = ke.saddle_integral(c, **weak)
    assert ke.axis_current(integral, temperature=t) == pytest.approx(
        float(ke.weak_axis_current(c, **weak))
    )
    y = np.linspace(-4, 4, 4001)
    across = dict(temperature=t, curvature_saddle=1.7, saddle_loss=c * low)
    width = np.sum(ke.transverse_factor(y, **across)) * (y[1] - y[0])
    assert width == pytest.approx(float(ke.transverse_width(**across)))
    factors = [ke.transverse_factor(0.1, **across)] * 2
    assert ke.product_current(3.0, factors) == pytest.approx(3 * float(factors[0]) ** 2)


def test_axis_density_ends_at_zero_and_has_the_given_current():
    t = 0.4
    z = np.linspace(0, 1, 2001)
    u = np.sin(2 * z)
    grown = np.exp(u / t)
    beyond = np.concatenate([np.cumsum(((grown[1:] + grown[:-1]) / 2 * 5e-4)[::-1])[::-1], [0]])
    density = ke.axis_density(u, beyond, current=1.7, temperature=t)
    assert density[-1] == 0
    slope = np.gradient(density, z)
    current = ke.probability_current(2 * np.cos(2 * z), density, slope, temperature=t)
    np.testing.assert_allclose(current[5:-5], 1.7, rtol=1e-4)


@given(RATIOS, st.floats(0.05, 1), st.lists(st.floats(0.2, 3), min_size=0, max_size=4))
def test_equal_transverse_curvatures_turn_39_into_15(c, eta, transverse):
    full = ke.rate_with_curvatures(
        c,
        learning_rate=eta,
        batch_size=1,
        curvatures_minimum=[1.0, *transverse],
        curvatures_saddle=[-0.5, *transverse],
    )
    short = ke.escape_rate(
        c,
        learning_rate=eta,
        batch_size=1,
        curvature_minimum=1.0,
        curvature_saddle=-0.5,
        effective_dimension=1 + len(transverse),
    )
    assert full == pytest.approx(float(short))


def test_separable_log_loss_turns_39_into_one_dimension():
    c, h = 5.0, [1.0, 0.4, 2.0]
    full = ke.rate_with_curvatures(
        c,
        learning_rate=0.1,
        batch_size=1,
        curvatures_minimum=h,
        curvatures_saddle=[-0.5, *(c * k for k in h[1:])],
    )
    one = ke.escape_rate(c, **ONE | {"curvature_saddle": -0.5}, effective_dimension=1)
    assert full == pytest.approx(float(one))


# Exact passage times


def test_running_integral_is_exact_for_polynomials():
    rule = Quadrature(-1.0, 2.0, 3)
    x = rule.nodes
    np.testing.assert_allclose(rule.running(x**5), (x**6 - 1) / 6, atol=1e-12)
    assert rule.integral(x**5) == pytest.approx((2**6 - 1) / 6)


def test_passage_time_of_ornstein_uhlenbeck_by_scipy():
    t = 0.2
    inner = lambda y: quad(lambda x: np.exp((y * y - x * x) / (2 * t)), -6, y)[0]  # noqa: E731
    exact = quad(inner, 0, 1)[0] / t
    found = ke.log_passage_time(lambda z: z * z / 2, temperature=t, start=0.0, end=1.0, left=-6.0)
    assert np.exp(found) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("a", [2.0, 10.0])
def test_passage_time_on_a_bowl_is_the_closed_asymptotic_form(a):
    c, loss = 1e4, lambda z: 0.5 + z * z / 2
    edge = np.sqrt(c - 1)
    found = ke.log_passage_time(
        lambda z: np.log(loss(z)),
        temperature=1 / a,
        start=0.0,
        end=edge,
        left=-1e-9,  # one side by symmetry: reflecting at the minimum
        clock=loss,
        panels=4000,
    )
    closed = a / (2 * a + 1) * beta(0.5, a + 0.5) * c ** (a + 0.5)
    assert np.exp(found) == pytest.approx(closed, rel=10 * a / c)


def test_passage_times_survive_where_floats_do_not():
    shape = ke.Landscape()
    loss = partial(ke.path_loss, shape)
    found = ke.log_passage_time(
        lambda z: np.log(loss(z)), temperature=1e-3, start=0.0, end=shape.crossing, left=-3.0
    )
    assert 1000 * math.log(4) < found < 1000 * math.log(4) + 10


def test_operator_gives_the_quadrature_in_one_dimension():
    shape, a = ke.Landscape(curvature_saddle=-0.8), 8.0
    loss = partial(ke.path_loss, shape)
    log_time = ke.log_passage_time(
        lambda z: np.log(loss(z)),
        temperature=1 / a,
        start=0.0,
        end=shape.crossing,
        left=-3 * shape.saddle,
        clock=loss,
    )

    def mean_time(cells):
        count = round(cells * 3 * shape.saddle / shape.crossing)
        edges = np.linspace(-count / cells * shape.crossing, shape.crossing, count + cells + 1)
        found = fp.operator_1d(
            lambda z: -ke.path_slope(shape, z), lambda z: loss(z) / a, edges, right="absorbing"
        )
        times = fp.mean_first_passage(found)
        return (times[count - 1] + times[count]) / 2

    coarse, fine = mean_time(200), mean_time(400)
    assert fine + (fine - coarse) / 3 == pytest.approx(np.exp(log_time), rel=1e-4)


def test_plane_with_a_separable_log_loss_escapes_as_one_dimension():
    shape = ke.Landscape(loss_ratio=3.0, transverse=(0.6,))
    # In tau the direction e does not know of the other; in t it does, through the clock 1/L.
    found = [
        plane.rate(shape, ke.separable_log_loss, noise=a, cells=(60, 20)) for a in (20.0, 40.0)
    ]
    line = [np.exp(-escapes.log_times(shape, a)[1]) for a in (20.0, 40.0)]
    ratios = np.array(found) / line
    assert abs(2 * ratios[1] - ratios[0] - 1) < 2e-3


def test_equal_curvatures_in_three_dimensions_are_the_theorem():
    shape = ke.Landscape(loss_ratio=3.0, transverse=(1.0, 1.0))
    found = [
        plane.rate(shape, ke.separable_loss, noise=a, cells=(80, 30))
        / float(
            ke.escape_rate(
                3.0,
                **ONE | {"learning_rate": 1 / a, "curvature_saddle": -0.5},
                effective_dimension=3,
            )
        )
        for a in (20.0, 40.0)
    ]
    assert 2 * found[1] - found[0] == pytest.approx(1, abs=3e-3)


def test_grids_converge():
    shape = ke.Landscape(transverse=(0.5,))
    options = dict(shape=shape, loss=ke.separable_loss, noise=20.0)
    coarse, fine = (plane.rate(**options, cells=cells) for cells in ((60, 20), (120, 40)))
    assert coarse == pytest.approx(fine, rel=1e-3)


def test_higher_walls_change_nothing(monkeypatch):
    options = dict(shape=ke.Landscape(transverse=(0.5,)), loss=ke.separable_loss, noise=20.0)
    before = plane.rate(**options, cells=(100, 30))
    monkeypatch.setattr(plane, "_NEGLIGIBLE", 26.0)
    assert plane.rate(**options, cells=(120, 34)) == pytest.approx(before, rel=1e-3)


def test_linear_barrier_time_is_kramers():
    shape, noise = ke.Landscape(loss_ratio=2.0), 40.0
    found = escapes.linear_barrier_time(shape, noise)
    rate = math.sqrt(0.5) / (2 * math.pi) * math.exp(-noise)
    assert found * rate == pytest.approx(1, abs=0.03)


# The effective dimension


def test_one_direction_and_equal_directions_are_exact():
    assert ke.path_dimension(ke.Landscape()) == 1
    assert ke.path_dimension(ke.Landscape(transverse=(1.0, 1.0))) == pytest.approx(3, abs=1e-6)
    assert ke.path_amplitude(ke.Landscape(curvature_minimum=3.0, curvature_saddle=-2.0)) == 1


def test_path_dimension_depends_on_ratios_only():
    small = ke.Landscape(transverse=(0.5,))
    large = ke.Landscape(
        minimum_loss=7.0, curvature_minimum=3.0, curvature_saddle=-1.5, transverse=(1.5,)
    )
    assert ke.path_dimension(small) == pytest.approx(ke.path_dimension(large), abs=1e-6)


def test_directions_add_up():
    gain = lambda *t: ke.path_dimension(ke.Landscape(transverse=t)) - 1  # noqa: E731
    assert gain(0.3, 0.8) == pytest.approx(gain(0.3) + gain(0.8), abs=1e-6)


@pytest.mark.parametrize("ratio", [0.2, 0.7, 1.5])
def test_low_saddle_counts_by_curvature(ratio):
    n = ke.path_dimension(ke.Landscape(loss_ratio=1.0001, transverse=(ratio,)))
    assert n == pytest.approx(1 + ratio, abs=1e-3)


def test_width_starts_and_ends_at_one_with_the_slope_of_the_series():
    shape = ke.Landscape(transverse=(0.5,))
    found = ke.path_widths(shape, points=4000)
    g, s = found.width[0], np.log(ke.path_loss(shape, found.position) / shape.minimum_loss)
    assert g[0] == pytest.approx(1) and g[-1] == pytest.approx(1, abs=1e-4)
    early = (s > 1e-4) & (s < 1e-3)
    np.testing.assert_allclose((g[early] - 1) / s[early], 0.5 / 1.5, rtol=0.01)
    # the differential equations themselves, by differences
    q = ke.path_slope(shape, found.position) ** 2 / (2 * ke.path_loss(shape, found.position))
    rows = np.flatnonzero((s > 0.05) & (s < 1.2))
    by_difference = np.gradient(g[rows], s[rows])[1:-1]
    claimed = ke.riccati(g, ratio=0.5, steepness=np.maximum(q, 1e-30))[rows]
    np.testing.assert_allclose(by_difference, claimed[1:-1], atol=2e-3)
    slope = np.gradient(found.log_amplitude[rows], s[rows])[1:-1]
    growth = ke.amplitude_slope(g[rows], ratio=0.5, steepness=q[rows])[1:-1]
    np.testing.assert_allclose(slope, growth, atol=2e-3)


@given(st.floats(0.01, 1.0))
def test_tail_dimension_is_the_fixed_point(rho):
    g = ((1 + rho) + math.sqrt((1 - rho) * (1 + 3 * rho))) / (2 * rho)
    assert ke.riccati(g, ratio=rho, steepness=1.0) == pytest.approx(0, abs=1e-6 / rho)
    slope = ke.amplitude_slope(g, ratio=rho, steepness=1.0)  # d log K/ds
    assert float(ke.tail_dimension([rho])) == pytest.approx(2 + 2 * float(slope), abs=1e-9)


@pytest.mark.parametrize("noise", [1.0, 3.0, 40.0])
def test_circle_is_exact_for_equal_curvatures(noise):
    assert ke.circle_slope(1.0, noise=noise, cells=200) == pytest.approx(noise, abs=1e-6)


def test_circle_converges_at_second_order_and_ends_at_one_direction():
    values = [ke.circle_slope(0.5, noise=20.0, cells=n) for n in (250, 500, 1000)]
    assert (values[0] - values[1]) / (values[1] - values[2]) == pytest.approx(4, abs=0.2)
    assert ke.circle_slope(1e-4, noise=20.0) == pytest.approx(20.5, abs=1e-3)


def test_circle_is_where_a_moment_neither_grows_nor_decays():
    """The generator of the moment itself, not made symmetric, has the largest eigenvalue zero."""
    ratio, a, cells = 0.5, 3.0, 400
    p, step = 2 * ke.circle_slope(ratio, noise=a, cells=4000), math.pi / 2 / cells
    angle = (np.arange(cells) + 0.5) * step
    cos, sin = np.cos(angle), np.sin(angle)
    m, k = cos**2 + ratio**2 * sin**2, cos**2 + ratio * sin**2
    drift, rate = (1 - ratio) * sin * cos / (2 * step), m / (2 * a * step**2)
    up, down = rate + drift, rate - drift
    matrix = np.diag(m * p**2 / (2 * a) - k * p - 2 * rate)
    matrix += np.diag(up[:-1], 1) + np.diag(down[1:], -1)
    matrix[0, 0] += down[0]
    matrix[-1, -1] += up[-1]
    assert np.linalg.eigvals(matrix).real.max() == pytest.approx(0, abs=1e-4)


# Paths


def test_sde_has_the_drift_and_noise_of_the_landscape():
    shape = ke.Landscape(transverse=(0.5,))
    sde = paths.landscape_sde(shape, learning_rate=0.2, batch_size=4)
    theta = np.array([[0.3, -0.7], [1.0, 0.4]])
    loss = ke.separable_loss(shape, theta[:, 0], theta[:, 1])
    np.testing.assert_allclose(sde.noise(theta) ** 2, 0.1 * loss[:, None] * np.array([1.0, 0.5]))
    np.testing.assert_allclose(
        sde.drift(theta), -np.stack([ke.path_slope(shape, theta[:, 0]), 0.5 * theta[:, 1]], axis=1)
    )


def test_escape_times_depend_on_seed_and_replica_alone():
    shape = ke.Landscape(loss_ratio=1.5)
    common = dict(learning_rate=0.4, batch_size=1, dt=0.05, max_time=20.0)
    few, last, lost = paths.escapes(shape, **common, replicas=5, seed=3)
    more, _, _ = paths.escapes(shape, **common, replicas=9, seed=3)
    np.testing.assert_array_equal(few, more[:5])
    assert (lost == -1).all() and (last > 0).all()
    seen = ~np.isnan(more).any(axis=1)
    assert (more[seen, 0] < more[seen, 1]).all()


# The claims


@pytest.fixture(scope="module")
def measured():
    return ke.run(ke.QUICK)


@pytest.mark.parametrize("claim", declared("kramers_escape"), ids=lambda c: c.__name__)
def test_claims_hold(measured, claim):
    assert claim(measured).verdict.startswith(("confirmed", "refuted", "not testable"))


RATE, CRITICAL_DIMENSION = ke.escape_rate, ke.critical_effective_dimension


def wrong_rate(*, power=0.0, factor=1.0, linear=False):
    def rate(c, *, learning_rate, batch_size, curvature_minimum, effective_dimension, **kw):
        right = RATE(
            c,
            learning_rate=learning_rate,
            batch_size=batch_size,
            curvature_minimum=curvature_minimum,
            effective_dimension=effective_dimension,
            **kw,
        )
        barrier = np.asarray(batch_size) / (np.asarray(learning_rate) * curvature_minimum)
        change = np.exp(barrier * (np.log(c) - (np.asarray(c) - 1))) if linear else 1.0
        return factor * right * np.asarray(c) ** power * change

    return rate


def no_bias(c, *, learning_rate, batch_size, curvature_minimum, **kw):
    return RATE(
        c, learning_rate=learning_rate, batch_size=batch_size, curvature_minimum=1.0, **kw
    ) * np.sqrt(curvature_minimum)


WRONG = {
    "prefactor": [
        ("escape_rate", wrong_rate(factor=math.sqrt(2))),
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(linear=True)),
    ],
    "exponent": [
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(power=0.5)),
    ],
    "half": [("escape_rate", wrong_rate(factor=2))],
    "operator": [("escape_rate", wrong_rate(factor=2))],
    "plane": [
        ("escape_rate", wrong_rate(power=-1)),
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(factor=1.01)),
    ],
    "path_dimension": [
        ("path_dimension", lambda shape: float(shape.dimension)),
        ("path_dimension", lambda shape: 1 + sum(shape.transverse)),
    ],
    "stiff": [
        ("path_dimension", lambda shape: float(shape.dimension)),
        ("path_dimension", lambda shape: 1 + sum(shape.transverse)),
    ],
    "space": [("path_dimension", lambda shape: float(shape.dimension))],
    "separable": [("escape_rate", wrong_rate(power=0.5))],
    "tail_dimension": [
        ("tail_dimension", lambda r: 1 + np.sum(r)),
        ("tail_dimension", lambda r: 1.0 + len(r)),
    ],
    "instability": [
        ("critical_effective_dimension", lambda **kw: CRITICAL_DIMENSION(**kw) - 2),
    ],
    "bowl_power": [
        ("critical_effective_dimension", lambda **kw: CRITICAL_DIMENSION(**kw) - 2),
    ],
    "bias": [("escape_rate", no_bias), ("escape_rate", wrong_rate(linear=True))],
}
DATA = {
    "outliers": lambda ds: ds.assign(plane_rate=0 * ds.plane_rate + ds.plane_theory),
    "clock": lambda ds: ds.assign(log_time=ds.log_time + np.array([0, 0, np.log(2)])),
    "paths": lambda ds: ds.assign(path_time=ds.path_time * 1.5),
    "paths_saddle": lambda ds: ds.assign(path_time=ds.path_time * 1.5),
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    for function, wrong in WRONG[name]:
        with monkeypatch.context() as patch:
            patch.setattr(ke, function, wrong)
            with pytest.raises(ClaimError):
                getattr(ke, name)(ke.predict(measured))


@pytest.mark.parametrize("name", DATA)
def test_claims_without_a_formula_reject_other_data(measured, name):
    with pytest.raises(ClaimError):
        getattr(ke, name)(DATA[name](measured))


def test_every_claim_is_given_a_wrong_theory():
    assert {*WRONG, *DATA, "network"} == {claim.__name__ for claim in declared("kramers_escape")}


def test_extrapolation_to_weak_noise():
    a = np.array([10.0, 20.0, 40.0, 80.0])
    found = weak_noise(2 + 3 / a - 5 / a**2)
    assert found.value == pytest.approx(2, abs=1e-12)
    assert found.low <= 2 <= found.high and found.high - found.low < 0.01


def test_effective_dimension_is_right_to_one_per_cent_at_every_ratio(measured):
    for ratio in measured.ratio.values:
        found = dimension(measured, "loss", float(ratio))
        assert found.value == pytest.approx(
            float(measured.dimension_theory.sel(ratio=ratio)), rel=0.01
        )
        bowl = measured.sel(ratio=ratio)
        if ratio <= 1:
            n = weak_noise((2 * (bowl.circle_noise + 1 - bowl.circle)).values)
            assert n.value == pytest.approx(float(bowl.tail_theory), rel=0.01)


def test_bowl_times_have_closed_forms_in_two_and_four_dimensions(measured):
    c = measured.level.values
    two = (c - 1) ** 2 / 4 + (c - 1)
    np.testing.assert_allclose(measured.bowl_time.sel(dimension=2), two, rtol=1e-5)
    np.testing.assert_allclose(measured.bowl_time.sel(dimension=4), (c - 1) / 2, rtol=1e-5)


TINY = replace(
    ke.QUICK,
    noises=(5.0, 10.0, 20.0),
    plane_cells=(24, 8),
    ratios=(0.5, 1.0, 2.0),
    line_cells=100,
    replicas=20,
    max_time=20.0,
)


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(tmp_path):
    first, second = ke.run(TINY), escapes.measure(TINY)
    for name in second.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = escapes.paths(replace(TINY, seed=1))
    assert not np.array_equal(first["passage"], other["passage"], equal_nan=True)
    first.to_netcdf(tmp_path / "result.nc")
    xr.testing.assert_equal(first, xr.load_dataset(tmp_path / "result.nc"))


def test_explorer_is_complete_without_scripts():
    html = ke.rate_explorer()
    assert html.count("<polyline") == 2 and 'type="range"' in html
    assert "B = 4: a minimum of curvature 2 is left" in html


def test_summary_formats(measured):
    for value, fmt in ke.summary(measured).values():
        assert math.isfinite(value) and format(value, fmt)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = ke.run(replace(ke.QUICK, seed=seed))
    for claim in declared("kramers_escape"):
        claim(dataset)


@pytest.mark.slow
def test_paper_scale_grids_agree_with_quick(measured):
    config = replace(ke.PAPER, replicas=20, max_time=1.0, ratios=(0.5, 1.0, 2.0))
    fine = escapes.in_plane(config).plane_rate
    np.testing.assert_allclose(measured.plane_rate.sel(ratio=fine.ratio), fine, rtol=2e-3)


settings.register_profile("kramers_escape", deadline=None)
settings.load_profile("kramers_escape")
