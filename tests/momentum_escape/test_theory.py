"""Theory of chapter `momentum_escape` against closed forms, other routes and quadrature."""

import numpy as np
import pytest
from scipy import integrate, optimize

import sgdescape.large_deviations as ld
import sgdescape.momentum_escape as me
from sgdescape.momentum_escape.theory import minimum_action as paths
from sgdescape.momentum_escape.theory.barrier import _followed
from sgdescape.momentum_escape.theory.plane import _field

# --- pushes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("theta, tilt", [(0.0, 0.5), (0.7, -0.3), (1.5, 2.0)])
def test_cumulants_are_averages_over_inputs(theta, tilt):
    q, side = tilt**2 / 2 - tilt * theta, np.sqrt(3)
    normal = integrate.quad(lambda x: np.exp((q - 0.5) * x**2), -30, 30)[0] / np.sqrt(2 * np.pi)
    assert np.isclose(me.cumulant(theta, tilt, me.input_law("gaussian")), np.log(normal), atol=1e-8)
    even = integrate.quad(lambda x: np.exp(q * x**2), -side, side)[0] / (2 * side)
    assert np.isclose(me.cumulant(theta, tilt, me.input_law("uniform")), np.log(even), atol=1e-9)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "rademacher"])
def test_the_force_and_the_noise_are_in_the_cumulant(law):
    """Lambda = -p theta + p^2 (1 + (kurtosis - 1) theta^2)/2 + O(p^3)."""
    push, theta, h = me.input_law(law), 0.8, 1e-4
    low, mid, high = me.cumulant(theta, [-h, 0.0, h], push)
    assert (high - low) / (2 * h) == pytest.approx(-theta, abs=1e-6)
    variance = 1 + (push.kurtosis - 1) * theta**2
    assert (high - 2 * mid + low) / h**2 == pytest.approx(variance, rel=1e-5)


def test_the_climb_needs_the_same_tilt_whatever_the_inputs():
    theta = np.linspace(-2, 2, 9)
    for law in ("gaussian", "uniform", "rademacher"):
        assert np.allclose(me.cumulant(theta, 2 * theta, me.input_law(law)), 0, atol=1e-12)


def test_the_domain_ends_at_the_largest_tilt():
    end = float(me.largest_tilt(0.7))
    push = me.input_law("gaussian")
    assert np.isfinite(me.cumulant(0.7, end - 1e-9, push))
    assert np.isinf(me.cumulant(0.7, end + 1e-9, push))


# --- the barrier -----------------------------------------------------------------------------


def test_limits_in_closed_form():
    c = np.array([1.0, 1.5, 2.0, 3.0, 10.0])
    assert np.allclose(me.barrier(c, damping=0.0), 2 * np.log((1 + c) / 2))
    assert np.allclose(me.barrier(c, damping=0.0, kurtosis=2.0), 4 * np.log((3 + c) / 4))
    assert np.allclose(me.barrier(c, damping=0.0, kurtosis=1.0), c - 1)
    assert np.allclose(me.barrier(c[:3], damping=np.inf), c[:3] - 1)
    assert np.allclose(me.diffusion_barrier(c, damping=np.inf), np.log(c))
    z = np.exp(0.4) * np.cosh(0.8)  # one push across the minimum, parametrised by its start
    one = np.cosh(0.8) + np.sinh(0.8) / 2
    assert me.barrier(1 + z**2, damping=np.inf) == pytest.approx(one, abs=1e-4)


def test_far_out_the_strong_limit_is_log_periodic():
    """Each push multiplies the distance by z, z log z = z + 1, at the price (z + 1)/2."""
    z = 3.591121
    c = 1 + 1600.0
    gain = me.barrier(1 + (c - 1) * z**2, damping=np.inf) - me.barrier(c, damping=np.inf)
    assert gain == pytest.approx((z + 1) / 2, rel=2e-3)


@pytest.mark.parametrize("damping", [0.05, 0.4, 1.0, 1.1, 1.6, 5.0])
def test_inputs_of_one_size_have_gibbs_barrier(damping):
    """The solver itself: K(q) = q makes the Hamiltonian a quadratic, w = c - 1."""
    c = np.array([1.2, 2.0, 3.0, 5.0])
    found = _followed(me.input_law("rademacher"), damping, c)
    assert np.allclose(found, c - 1, atol=2e-3)
    assert np.allclose(me.barrier(c, damping=damping, inputs="rademacher"), c - 1)


def test_weak_friction_is_reached_with_the_square_of_the_damping():
    c = np.array([1.5, 2.0, 3.0, 5.0])
    limit = me.barrier(c, damping=0.0)
    errors = [np.abs(me.barrier(c, damping=z) - limit).max() for z in (0.1, 0.05)]
    assert errors[1] < 2e-3
    assert 3 < errors[0] / errors[1] < 5
    assert np.allclose(me.diffusion_barrier(c, damping=0.02), 4 * np.log((3 + c) / 4), rtol=2e-3)


def test_strong_friction_is_reached():
    c = np.array([1.5, 2.0, 2.5, 3.0, 5.0, 10.0])
    limit = me.barrier(c, damping=np.inf)
    errors = [np.abs(me.barrier(c, damping=z) - limit).max() for z in (2.0, 4.0, 8.0)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.02


@pytest.mark.parametrize("damping", [0.3, 1.0, 2.0])
def test_the_least_action_of_a_path_is_the_barrier(damping):
    w, _, _ = me.minimum_action(1.6, damping=damping, points=1000)
    assert w == pytest.approx(me.barrier(1.6, damping=damping), abs=4e-4)


def test_paths_and_extremals_agree_where_the_path_swings_far():
    fine, coarse = (me.minimum_action(3.0, damping=0.3, points=n)[0] for n in (1600, 800))
    richardson = (4 * fine - coarse) / 3
    assert richardson == pytest.approx(me.barrier(3.0, damping=0.3), abs=1e-4)


def test_no_path_is_cheaper_than_the_barrier():
    """Any path's action is an upper bound, here one that is bent at random."""
    _, times, path = me.minimum_action(3.0, damping=0.3, points=1200)
    bent = path * (1 + 0.05 * np.sin(times) * (times < times[-1] - 1))
    action, _ = paths._path_action(bent, times, 0.3)
    assert action > me.barrier(3.0, damping=0.3)


@pytest.mark.parametrize("inputs", ["gaussian", "uniform"])
def test_barriers_rise_with_the_loss_and_stay_below_gibbs(inputs):
    c = np.linspace(1, 6, 41)
    for damping in (0.0, 0.3, 0.95, 1.3, 6.0, np.inf):
        w = me.barrier(c, damping=damping, inputs=inputs)
        assert np.all(np.diff(w) > 0) and np.all(w <= c - 1 + 2e-3)


def test_barrier_is_continuous_in_the_damping():
    for nearby in ((0.0099, 0.0101), (0.9995, 1.0005), (1.199, 1.201), (7.99, 8.01)):
        one, other = me.barrier([1.5, 2.5, 5.0], damping=np.array(nearby)[:, None])
        assert np.allclose(one, other, atol=3e-3)


def test_barrier_broadcasts():
    w = me.barrier([[1.5], [3.0]], damping=[0.0, 1.0, np.inf])
    assert w.shape == (2, 3)
    assert isinstance(me.barrier(2.0, damping=0.0), float)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"loss_ratio": 0.5, "damping": 1.0}, "loss_ratio"),
        ({"loss_ratio": np.nan, "damping": 1.0}, "loss_ratio"),
        ({"loss_ratio": 1e5, "damping": 1.0}, "loss_ratio"),
        ({"loss_ratio": 2.0, "damping": -0.1}, "damping"),
        ({"loss_ratio": 2.0, "damping": np.nan}, "damping"),
        ({"loss_ratio": 2.0, "damping": 1.0, "kurtosis": 2.0}, "kurtosis"),
        ({"loss_ratio": 2.0, "damping": 0.0, "kurtosis": 0.5}, "kurtosis"),
        ({"loss_ratio": 2.0, "damping": 0.0, "inputs": "laplace"}, "inputs"),
        ({"loss_ratio": 2.0, "damping": 0.0, "inputs": "uniform", "kurtosis": 2.0}, "kurtosis"),
    ],
)
def test_barrier_refuses(options, words):
    with pytest.raises(ValueError, match=words):
        me.barrier(options.pop("loss_ratio"), **options)


# --- action of a path ------------------------------------------------------------------------


def test_push_cost_is_the_legendre_transform():
    theta, rate = 0.8, np.array([-3.0, -0.8, 0.0, 2.0])
    low, high = (float(me.largest_tilt(s * theta)) * s for s in (-1, 1))
    p = np.linspace(low, high, 400_001)[1:-1]
    dual = (p[None] * rate[:, None] - me.cumulant(theta, p, me.input_law("gaussian"))).max(1)
    assert np.allclose(me.push_cost(theta, rate)[0], dual, atol=1e-6)


def test_gradient_and_curvature_of_the_action():
    rng = np.random.default_rng(1)
    path, times, h = 0.1 * rng.normal(size=20), np.linspace(0, 3, 20), 1e-6
    _, gradient = paths._path_action(path, times, 0.7)
    curvature = paths._path_curvature(path, times, 0.7).toarray()
    for i, step in enumerate(h * np.eye(20)):
        up, down = (paths._path_action(path + s * step, times, 0.7) for s in (1, -1))
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[i], rel=1e-5, abs=1e-5)
        assert np.allclose((up[1] - down[1]) / (2 * h), curvature[i], rtol=1e-4, atol=1e-2)


# --- scales ----------------------------------------------------------------------------------


def test_scales_and_settings_are_inverse():
    t, zeta = np.meshgrid([0.01, 0.1], [0.05, 0.7])
    step, beta = me.settings(t, zeta, batch_size=3)
    at = {"learning_rate": step / 2, "momentum": beta, "curvature": 2.0}
    assert np.allclose(me.damping(**at), zeta)
    assert np.allclose(me.temperature(batch_size=3, **at), t)
    assert me.settings(0.5, 1.0)[1] == pytest.approx(0.0)
    with pytest.raises(ValueError, match="momentum is 0"):
        me.settings(1.0, 1.0)


@pytest.mark.parametrize(
    "name, value",
    [("learning_rate", 0.0), ("momentum", 1.0), ("curvature", -1.0), ("batch_size", 0.5)],
)
def test_scales_refuse(name, value):
    at = {"learning_rate": 0.1, "momentum": 0.5, "curvature": 1.0, "batch_size": 2} | {name: value}
    with pytest.raises(ValueError, match=name):
        me.temperature(**at)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("batch_size", [1, 10, 1000])
def test_second_moments_are_lost_at_the_stable_step(momentum, batch_size):
    at = {"momentum": momentum, "batch_size": batch_size}
    edge = float(me.stable_step(**at))
    assert (
        me.second_moment_radius(0.999 * edge, **at)
        < 1
        < me.second_moment_radius(1.001 * edge, **at)
    )
    assert edge < 2 * (1 + momentum)


# --- weak friction at any temperature --------------------------------------------------------


@pytest.mark.parametrize("kurtosis", [1.0, 2.0, 3.0])
def test_energy_tail_solves_the_diffusion(kurtosis):
    """Zero flux of drift -e + T(1 + k e/2) and variance 2 T e (1 + k e/4)."""
    t, k, e = 0.3, kurtosis - 1, np.linspace(0.01, 3, 3000)
    density = -np.gradient(me.energy_tail(e, temperature=t, kurtosis=kurtosis), e)
    drift, half = -e + t * (1 + k * e / 2), t * e * (1 + k * e / 4)
    flux = drift * density - np.gradient(half * density, e)
    assert np.abs(flux[5:-5]).max() < 2e-3 * np.abs(drift * density).max()
    assert np.allclose(
        me.energy_tail(e, temperature=t, kurtosis=1.0), me.gibbs_tail(e, temperature=t)
    )


def test_tail_index_at_the_edge_of_second_moments():
    at = {"momentum": 0.9999, "batch_size": 1}
    edge = float(me.stable_step(**at))
    t = me.temperature(learning_rate=edge, curvature=1.0, **at)
    assert me.tail_exponent(temperature=t) == pytest.approx(1.0, abs=1e-3)


def test_turnover_joins_diffusion_and_flux():
    from sgdescape.momentum_escape.theory.energy import turnover

    at = {"damping": np.array([1e-6, 1e-5, 3.0]), "temperature": 0.25}
    found = turnover(3.0, 0.5, **at)
    loss = 2 * np.pi * at["damping"] * 2.0 * 0.5 / 0.25
    assert np.allclose(found[:2], loss[:2], rtol=0.02)
    assert found[2] == pytest.approx(1.0, abs=1e-6)


# --- two directions --------------------------------------------------------------------------


@pytest.mark.parametrize("aligned", [0.0, 1.0])
def test_orbit_hamiltonian_is_the_average_over_the_orbit(aligned):
    """The bracket of energy and angular momentum, by quadrature over one ellipse."""
    rng = np.random.default_rng(3)
    a, b = 1.3, 0.4
    r = np.array([a + b, a - b]) / np.sqrt(2)
    q = rng.normal(size=2)
    phase = np.linspace(0, 2 * np.pi, 4001)[:-1]
    th = np.array([a * np.cos(phase), b * np.sin(phase)])
    v = np.array([-a * np.sin(phase), b * np.cos(phase)])
    p_e, p_m = (q[0] / r[0] + q[1] / r[1]) / 4, (q[0] / r[0] - q[1] / r[1]) / 4
    p = 2 * (p_e * v + p_m * np.array([-th[1], th[0]]))
    noise = (1 + (th**2).sum(0)) * (p**2).sum(0) + aligned * (th * p).sum(0) ** 2
    average = np.mean(-(p * v).sum(0) + noise / 2)
    assert me.orbit_hamiltonian(r, q, aligned=aligned) == pytest.approx(average, rel=1e-9)


@pytest.mark.parametrize("aligned", [0.0, 1.0])
def test_orbit_field_is_hamiltonian(aligned):
    state, h = np.random.default_rng(0).normal(size=4), 1e-6

    def energy(s):
        return me.orbit_hamiltonian(s[:2], s[2:], aligned=aligned)

    g = [(energy(state + h * e) - energy(state - h * e)) / (2 * h) for e in np.eye(4)]
    assert np.allclose(_field(aligned)(0, [*state, 0.0])[:4], [g[2], g[3], -g[0], -g[1]])


def test_the_optimum_in_the_plane_lies_below_line_and_circle():
    c = np.array([2.0, 3.4, 3.6, 5.0, 9.0, 30.0, 100.0])
    best, line, circle = me.plane_barrier(c), me.weak_friction(c, 2.0), me.circle_barrier(c)
    assert np.allclose(best[:2], line[:2])
    assert np.all(best[2:] < np.minimum(line, circle)[2:] - 5e-4)
    assert np.all(np.diff(best) > 0)
    assert me.weak_friction(9.0, 2.0) == pytest.approx(me.circle_barrier(9.0))


def test_samples_with_normal_inputs_stay_on_the_line():
    c = np.array([2.0, 10.0, 100.0])
    assert np.allclose(me.plane_barrier(c, aligned=1.0), me.weak_friction(c, 3.0))


# --- far out -----------------------------------------------------------------------------------


def far_field(t, slope, zeta):
    """Root of Eq. (momentum-far-field) by bracketing, on the falling branch."""
    b = t * (t + 2 * zeta)

    def left_side(x):
        return 8 * slope * zeta * t - b * np.expm1(x) - x

    low, high = -1.0, np.log(-1 / b) if b < 0 else 1.0
    while left_side(low) < 0:
        low *= 2
    while b > 0 and left_side(high) > 0:
        high *= 2
    return np.expm1(optimize.brentq(left_side, low, high, xtol=1e-14)) / (4 * zeta)


@pytest.mark.parametrize("zeta", [0.05, 0.6, 2.0])
def test_what_a_turn_gains_is_nothing_at_the_slope_of_the_tail(zeta):
    slope = me.tail_slope(zeta)

    def pair(t):
        return far_field(t, slope, zeta) + far_field(-t, slope, zeta)

    near = integrate.quad(pair, 0, 1, limit=200)[0]
    far = integrate.quad(lambda s: pair(1 / s) / s**2, 0, 1, limit=200)[0]
    assert near + far == pytest.approx(0, abs=1e-5)
    assert abs(near) > 0.05


@pytest.mark.parametrize("zeta", [0.1, 0.3, 0.6])
def test_the_barrier_grows_far_out_with_the_slope_of_the_tail(zeta):
    low, high = me.barrier(np.array([200.0, 2000.0]), damping=zeta)
    assert (high - low) / np.log(10) == pytest.approx(me.tail_slope(zeta), abs=4e-3)


def test_the_slope_of_the_tail_joins_its_limits():
    ends = me.tail_slope([0.0, np.inf])
    assert ends == pytest.approx([2.0, ld.jump_factor() / 4], abs=1e-12)
    joints = me.tail_slope([1e-3, 1.001e-3, 999.0, 1001.0])
    assert joints[::2] == pytest.approx(joints[1::2], rel=1e-7)
    assert np.all(np.diff(me.tail_slope(np.geomspace(0.01, 100, 30))) < 0)
    with pytest.raises(ValueError, match="damping must be at least 0, infinity allowed: got -1"):
        me.tail_slope([0.5, -1.0])
