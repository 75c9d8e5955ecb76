"""Formulas of chapter `kramers_escape` against algebra, quadrature and limits."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.integrate import quad

import sgdescape.kramers_escape as ke
from sgdescape.kramers_escape.measure import plane
from sgdescape.kramers_escape.theory import _algebra as algebra
from sgdescape.kramers_escape.theory import detour, proof
from sgdescape.kramers_escape.theory.integrals import Quadrature

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
        (lambda: ke.Config(noises=(1.0, 2.0)), "^noises must double at least twice"),
        (lambda: ke.Config(plane_noises=(1.0, 2.0, 5.0)), "plane_noises must double"),
        (lambda: ke.Config(ratios=(0.5,)), "ratios must hold 0.5, 1 and 2"),
        (lambda: ke.Config(dimensions=(1, 2)), "dimensions must hold 4 and 8"),
        (lambda: ke.Config(replicas=5), "replicas"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FIELDS = {
    "positive": ("loss_ratio minimum_loss bias_noise learning_rate path_loss_ratio dt max_time "
                 "bowl_noise hot_ratio curvature_saddle choice_rate choice_variance choice_flat "
                 "choice_width choice_time").split(),
    "whole": "line_cells batch_size replicas seed choice_directions choice_replicas".split(),
    "many": ("noises loss_ratios plane_noises plane_cells ratios hot_noises hot_cells "
             "detour_ratios circle_noises dimensions levels").split(),
}  # fmt: skip


def bad_fields():
    for kind, names in FIELDS.items():
        for name in names:
            for bad in (math.nan, math.inf, -1, "2", True, ()):
                if kind == "many":
                    yield name, () if bad == () else (*getattr(ke.QUICK, name)[:-1], bad)
                elif not (name == "curvature_saddle" and bad == -1):
                    yield name, bad
            if kind == "whole":
                yield name, 1.5


@pytest.mark.parametrize(("name", "bad"), list(bad_fields()))
def test_every_field_of_the_configuration_is_checked_when_it_is_made(name, bad):
    with pytest.raises((ValueError, TypeError), match=name):
        replace(ke.QUICK, **{name: bad})


def test_every_field_is_in_the_table():
    assert {n for names in FIELDS.values() for n in names} == set(asdict(ke.QUICK))


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


def test_quadrature_is_exact_for_polynomials():
    rule = Quadrature(-1.0, 2.0, 3)
    assert rule.integral(rule.nodes**5) == pytest.approx((2**6 - 1) / 6)


# Off the axis


def test_a_path_on_the_axis_costs_the_logarithm_of_the_loss_ratio():
    shape = ke.Landscape(loss_ratio=5.0, transverse=(2.0,))
    u = np.linspace(0, 1, 4001)
    path = np.stack([u, np.zeros_like(u)], axis=1)
    up, gradient = detour._action(detour._unit(shape), path)
    assert up == pytest.approx(math.log(5.0), rel=1e-6)
    down, _ = detour._action(detour._unit(shape), path[::-1])
    assert down == pytest.approx(0, abs=1e-12)


def test_the_gradient_of_the_action_is_its_derivative():
    unit = detour._unit(ke.Landscape(loss_ratio=4.0, transverse=(4.0,)))
    rng = np.random.default_rng(0)
    path = detour._guess(unit, 4.0, 12) + 0.01 * rng.normal(size=(12, 2))
    _, gradient = detour._action(unit, path)
    step = 1e-6
    for i, k in ((0, 1), (3, 0), (7, 1), (11, 0)):
        ends = []
        for sign in (1, -1):
            moved = path.copy()
            moved[i, k] += sign * step
            ends.append(detour._action(unit, moved)[0])
        assert gradient[i, k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_the_action_depends_on_ratios_only_and_in_units_of_the_escape_curvature():
    small = ke.off_axis(ke.Landscape(loss_ratio=5.0, transverse=(4.0,)), points=40)
    large = ke.off_axis(
        ke.Landscape(
            loss_ratio=5.0,
            minimum_loss=3.0,
            curvature_minimum=2.0,
            curvature_saddle=-1.0,
            transverse=(8.0,),
        ),
        points=40,
    )
    assert small.action == pytest.approx(large.action, rel=1e-9)
    np.testing.assert_allclose(small.loss_ratio, large.loss_ratio, rtol=1e-6)
    scale = math.sqrt(3.0 / 2.0 / 0.5)
    np.testing.assert_allclose(scale * small.along, large.along, atol=1e-6)


def test_a_saddle_four_times_softer_is_left_off_the_axis_from_a_loss_ratio_of_about_three():
    high = ke.off_axis(ke.Landscape(loss_ratio=4.0, transverse=(4.0,)), points=100)
    assert high.action == pytest.approx(1.288, abs=0.003)  # by two independent minimisations
    assert high.action < math.log(4.0) and high.loss_ratio.max() > 20
    low = ke.off_axis(ke.Landscape(loss_ratio=3.0, transverse=(4.0,)), points=100)
    assert low.action > math.log(3.0)


def test_thresholds_are_ordered_and_fall_with_the_ratio():
    pairs = [(ke.axis_threshold(r, points=40), ke.focusing_threshold(r)) for r in (2.0, 4.0)]
    assert pairs[0][0] == pytest.approx(11.5, abs=0.3)
    assert pairs[1][0] == pytest.approx(3.41, abs=0.05)
    for (end, focus), known in zip(pairs, (18.9, 8.47), strict=True):
        assert end < 0.7 * focus and focus == pytest.approx(known, rel=2e-3)
    ke.path_dimension(ke.Landscape(loss_ratio=18.8, transverse=(2.0,)))  # still exists


def test_far_above_the_threshold_the_stiffest_direction_counts():
    shapes = [ke.Landscape(loss_ratio=c, transverse=(4.0,)) for c in (1e2, 1e3)]
    actions = [ke.off_axis(s, points=60).action for s in shapes]
    assert np.diff(actions)[0] / math.log(10) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ke.axis_threshold(1.0),
        lambda: ke.focusing_threshold(0.5),
        lambda: ke.off_axis(ke.Landscape()),
        lambda: ke.off_axis(ke.Landscape(transverse=(2.0, 2.0))),
    ],
)
def test_no_detour_without_one_stiffer_direction(call):
    with pytest.raises(ValueError, match="must be above 1|must hold one curvature"):
        call()


# Between two valleys


def test_log_odds_are_those_of_two_rates():
    at = {"learning_rate": 0.4, "batch_size": 1, "curvature_saddle": -0.8}
    rates = [
        ke.escape_rate(3.0, curvature_minimum=h, effective_dimension=n, **at)
        for h, n in ((1.0, 4), (0.6, 1))
    ]
    odds = ke.log_odds(3.0, noise=2.5, curvatures=(1.0, 0.6), directions=(3, 0))
    assert odds == pytest.approx(np.log(rates[0] / rates[1]), rel=1e-12)


@pytest.mark.parametrize("variance", [0.5, 2.0, 8.0])
def test_climb_is_the_integral_of_its_root(variance):
    def root(angle):  # of E exp(-q u r) = 1, u and r normal with the model's moments
        twice, slope = 2 * (1 - np.cos(angle)) + variance, np.sin(angle)
        moment = lambda q: (1 + q * slope) ** 2 - q**2 * twice - 1  # noqa: E731
        return optimize.brentq(moment, 1e-9, 10 / np.sqrt(variance)) if slope > 1e-6 else 0.0

    climb = quad(root, 1e-3, np.pi - 1e-9)[0]
    odds = ke.climb_log_odds(1 + 4 / variance, noise=1.0, curvatures=(1.0, 0.5))
    assert odds - np.log(2) / 2 == pytest.approx(climb, rel=1e-4)


def test_equal_valleys_of_the_exact_chain_have_equal_odds():
    odds = ke.chain_log_odds(3.0, learning_rate=0.4, curvatures=(1.0, 1.0), width=0.25)
    assert odds == pytest.approx(0, abs=1e-5)


def test_odds_refuse_what_is_no_valley():
    with pytest.raises(ValueError, match="curvatures"):
        ke.log_odds(3.0, noise=1.0, curvatures=(1.0, -1.0))
    with pytest.raises(ValueError, match="loss_ratio"):
        ke.climb_log_odds(1.0, noise=1.0, curvatures=(1.0, 0.5))
