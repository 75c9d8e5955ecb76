"""Fokker-Planck operators, generators and quadrature against exact answers."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, special
from tests.core import planar_escape as planar

from sgdescape.core.fokker_planck import quadrature
from sgdescape.core.fokker_planck.elimination import eliminate
from sgdescape.core.fokker_planck.operators import (
    absorb,
    committor,
    currents,
    escape_rate,
    mean_first_passage,
    operator_1d,
    operator_2d,
    prepare,
    quasi_stationary,
    spectral_gap,
    stationary,
)

ONE = np.linspace(-6, 6, 241)


def ou(edges=ONE, k=1.0, d=1.0, **kwargs):
    return operator_1d(lambda x: -k * x, lambda x: d, edges, **kwargs)


def well(temperature, edges, **kwargs):
    return operator_1d(lambda x: x - x**3, lambda x: temperature, edges, **kwargs)


def centre(generator, values, x=0.0):
    return np.interp(x, generator.centres[0], values)


# --- one dimension ---------------------------------------------------------------------------


def test_ou_stationary_gaussian():
    g = ou()
    x = g.centres[0]
    density = stationary(g) / g.volumes
    np.testing.assert_allclose(density, np.exp(-x * x / 2) / np.sqrt(2 * np.pi), rtol=1e-7)


def test_ou_gap_is_k_of_second_order():
    gaps = [spectral_gap(ou(np.linspace(-7, 7, n + 1), k=1.7)) - 1.7 for n in (100, 200, 400)]
    orders = np.log2(np.abs(gaps[:-1]) / np.abs(gaps[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.05)
    assert abs((4 * gaps[2] - gaps[1]) / 3) < 1e-5


def ou_passage(b):
    """Mean time from 0 to b > 0, k = D = 1: integral of sqrt(pi/2) e^(y^2/2) (1 + erf)."""
    return integrate.quad(
        lambda y: np.sqrt(np.pi / 2) * np.exp(y * y / 2) * (1 + special.erf(y / np.sqrt(2))), 0, b
    )[0]


def test_quadrature_ou():
    found = quadrature.passage(lambda x: -x, lambda x: 1.0, 0, left=-9, right=2.5)
    np.testing.assert_allclose(found.time, ou_passage(2.5), rtol=1e-10)


def test_ou_passage_order_two_and_richardson():
    exact = ou_passage(2.0)
    found = []
    for n in (110, 220, 440, 880):
        g = ou(np.linspace(-9, 2, n + 1), right="absorbing")
        t = mean_first_passage(g)
        found.append(0.5 * t[n * 9 // 11 - 1] + 0.5 * t[n * 9 // 11])  # either side of 0
    error = np.abs(np.array(found) - exact)
    np.testing.assert_allclose(np.log2(error[:-1] / error[1:]), 2, atol=0.05)
    assert abs((4 * found[3] - found[2]) / 3 / exact - 1) < 1e-6


def drift(x):
    return np.cos(2 * x) - x


def diffusion(x):
    return 0.3 + 0.2 * np.sin(x)


@pytest.mark.parametrize("left", ["reflecting", "absorbing"])
def test_multiplicative_passage_against_quadrature(left):
    exact = quadrature.passage(drift, diffusion, 0.3, left=-1, right=1.2, left_kind=left).time
    found = []
    for n in (400, 800):
        g = operator_1d(
            drift, diffusion, np.linspace(-1, 1.2, 11 * n + 1), left=left, right="absorbing"
        )
        t, i = mean_first_passage(g), 13 * n // 2
        w = np.array([-1, 9, 9, -1]) / 16
        found.append(w @ t[i - 2 : i + 2])
    assert abs(found[1] / exact - 1) < 1e-6
    assert abs((4 * found[1] - found[0]) / 3 / exact - 1) < 1e-9


def test_nonuniform_grid_is_second_order():
    exact = quadrature.passage(drift, diffusion, -0.5, left=-1, right=1.2).time
    errors = []
    for n in (100, 200, 400):
        edges = -1 + 2.2 * np.linspace(0, 1, n + 1) ** 2
        g = operator_1d(drift, diffusion, edges, right="absorbing")
        t = np.interp(-0.5, g.centres[0], mean_first_passage(g))
        errors.append(abs(t / exact - 1))
    assert errors[2] < 1e-4 and errors[0] / errors[2] > 8


def test_double_well_gap_tends_to_kramers():
    ratios = []
    for temperature in (0.02, 0.01, 0.005):
        kramers = 2 * np.sqrt(2) / (2 * np.pi) * np.exp(-0.25 / temperature)
        ratios.append(spectral_gap(well(temperature, np.linspace(-2, 2, 1601))) / kramers)
    # 1 + b T with the known b < 0 of the quartic well: deviations proportional to T
    slopes = (1 - np.array(ratios)) / [0.02, 0.01, 0.005]
    assert abs(ratios[-1] - 1) < 0.01
    np.testing.assert_allclose(slopes[1:], 1.5, atol=0.1)


@pytest.mark.parametrize("temperature", [0.05, 0.01, 0.001, 0.0004])
def test_escape_rate_exponentially_small(temperature):
    """Half the passage time to the other well is 1/(rate); accurate at barriers 5 to 625."""
    edges = np.linspace(-2, 0, 1601)
    g = well(temperature, edges, right="absorbing")
    exact = quadrature.passage(
        lambda x: x - x**3, lambda x: temperature, -1, left=-2, right=0
    ).log_time
    t = mean_first_passage(g)
    np.testing.assert_allclose(np.log(0.5 * (t[799] + t[800])), exact, rtol=0, atol=2e-3)
    law = quasi_stationary(g)
    assert law.converged and law.low <= law.rate <= law.high
    assert law.high / law.low - 1 < 1e-9
    if temperature < 0.02:
        np.testing.assert_allclose(law.rate * t[800], 1, rtol=1e-5)
    np.testing.assert_allclose(law.probability.sum(), 1)


def test_solver_keeps_twelve_digits_of_the_discrete_problem():
    """Birth-death chains have an exact positive formula: the sparse solve against it."""
    g = well(0.0005, np.linspace(-2, 0, 801), right="absorbing")
    up, down, out = g.matrix.diagonal(-1), g.matrix.diagonal(1), g.loss[-1]
    step = np.zeros(800)  # mean time from cell k to k + 1
    step[0] = 1 / up[0]
    for k in range(1, 800):
        step[k] = (1 + down[k - 1] * step[k - 1]) / (up[k] if k < 799 else out)
    exact = np.cumsum(step[::-1])[::-1]
    assert exact[0] > 1e200
    np.testing.assert_allclose(mean_first_passage(g), exact, rtol=1e-11)


def test_naive_solve_loses_them():
    g = well(0.004, np.linspace(-2, 0, 801), right="absorbing")
    naive = np.linalg.solve(-g.matrix.toarray().T, np.ones(800))
    good = mean_first_passage(g)
    assert not np.allclose(naive, good, rtol=0.1)  # what the anchors are for


@pytest.mark.parametrize("a", [2.0, 10.0, 60.0])
def test_law_of_multiplicative_noise(a):
    """Eq. (12) in one dimension: L^-(1 + B/(eta h)), L = (1 + x^2)/2."""
    edges = np.linspace(-8, 8, 1601)
    g = operator_1d(lambda x: -x, lambda x: (1 + x * x) / (2 * a), edges)
    x = g.centres[0]
    density = stationary(g) / g.volumes
    exact = -(1 + a) * np.log((1 + x * x) / (1 + x[800] ** 2))
    np.testing.assert_allclose(np.log(density / density[800]), exact, atol=1e-6)


def exits(drift, diffusion, start, *, left, right):
    """Probabilities to leave by the left and by the right end, both absorbing."""
    found = quadrature.passage(
        drift, diffusion, start, left=left, right=right, left_kind="absorbing"
    )
    return np.exp([found.log_left, found.log_right])


def test_quadrature_exit_sides():
    left, right = exits(lambda x: 2.0, lambda x: 1.0, 0.5, left=0, right=2)
    np.testing.assert_allclose(right, (1 - np.exp(-1.0)) / (1 - np.exp(-4.0)), rtol=1e-12)
    np.testing.assert_allclose(left + right, 1)
    found = quadrature.passage(
        lambda x: -400 * x, lambda x: 1.0, 0.1, left=-1, right=1.0, left_kind="absorbing"
    )
    mirror = quadrature.passage(
        lambda x: -400 * x, lambda x: 1.0, -0.1, left=-1, right=1.0, left_kind="absorbing"
    )
    np.testing.assert_allclose(found.log_time, mirror.log_time, rtol=1e-12)
    np.testing.assert_allclose(found.log_left, mirror.log_right, rtol=1e-9)


def test_quadrature_mirror_image():
    kwargs = dict(left=-1, right=1.2)
    one = quadrature.passage(drift, diffusion, 0.3, **kwargs)
    other = quadrature.passage(
        lambda x: -drift(-x),
        lambda x: diffusion(-x),
        -0.3,
        left=-1.2,
        right=1,
        left_kind="absorbing",
        right_kind="reflecting",
    )
    np.testing.assert_allclose(one.log_time, other.log_time, rtol=1e-11)


def test_quadrature_beyond_floats():
    found = quadrature.passage(lambda x: x - x**3, lambda x: 2e-4, -1, left=-2, right=0.6)
    kramers = np.log(2 * np.pi / np.sqrt(2)) + 0.25 / 2e-4
    assert found.time == np.inf and abs(found.log_time - kramers) < 1e-3


def test_committor_1d():
    g = operator_1d(drift, diffusion, np.linspace(-1, 1.2, 2201), left="absorbing")
    target = np.zeros(2200, dtype=bool)
    target[-1] = True
    q = committor(g, target=target)
    exact = exits(drift, diffusion, 0.3, left=-1, right=1.1995)[1]
    np.testing.assert_allclose(np.interp(0.3, g.centres[0], q), exact, rtol=1e-5)
    assert q[-1] == 1 and np.all(np.diff(q) > 0)


def test_targets_and_absorbing_cells_agree():
    mask = np.zeros(240, dtype=bool)
    mask[200:] = True
    by_target = mean_first_passage(ou(), target=mask)
    by_cells = mean_first_passage(ou(absorbing=mask))
    np.testing.assert_allclose(by_target[:150], by_cells[:150], rtol=0.2)  # centre or face
    assert np.all(by_target[200:] == 0) and np.all(by_target[:200] > by_cells[:200])
    by_level = mean_first_passage(ou(absorbing=lambda x: x - ONE[200]))
    np.testing.assert_allclose(by_level, by_cells, rtol=1e-10)
    np.testing.assert_allclose(absorb(ou(), mask).active, ~mask)


def test_cut_cells_put_the_boundary_at_its_place():
    found = [
        centre(g, mean_first_passage(g))
        for n in (240, 480)
        for g in [ou(np.linspace(-6, 6, n + 1), absorbing=lambda x: x - np.sqrt(3))]
    ]
    np.testing.assert_allclose(found, ou_passage(np.sqrt(3)), rtol=1e-3)


def test_periodic_current():
    """Constant drift on a circle: uniform law, current v / length."""
    g = operator_1d(
        lambda x: 0.7, lambda x: 0.2, np.linspace(0, 3, 31), left="periodic", right="periodic"
    )
    np.testing.assert_allclose(stationary(g), 1 / 30, rtol=1e-12)
    np.testing.assert_allclose(currents(g, stationary(g)), np.full(30, 0.7 / 3), rtol=1e-9)


# --- properties ------------------------------------------------------------------------------

numbers = st.floats(-3, 3)


@st.composite
def generators(draw):
    a = [draw(numbers) for _ in range(4)]
    d = draw(st.floats(0.03, 2))
    cross = draw(st.sampled_from([0.0, 0.5, -0.9]))
    kinds = [draw(st.sampled_from(["reflecting", "absorbing"])) for _ in range(4)]
    edges = np.linspace(-1, 1, 9)
    return operator_2d(
        lambda x, y: (a[0] * x + a[1] * y, a[2] * x + a[3] * y * y),
        lambda x, y: (d * (1 + x * x), d * (1 + x * x), cross * d),
        edges,
        edges,
        **dict(zip(("left", "right", "bottom", "top"), kinds, strict=True)),
    )


@settings(max_examples=25, deadline=None)
@given(generators())
def test_conservative_positive_m_matrix(g):
    dense = g.matrix.toarray()
    off = dense - np.diag(np.diag(dense))
    assert off.min() >= 0 and g.loss.min() >= 0 and np.diag(dense).max() <= 0
    scale = np.abs(dense).max()
    np.testing.assert_allclose(dense.sum(axis=0), -g.loss, atol=1e-13 * scale)
    moved = linalg.expm(0.3 / scale * dense)
    assert moved.min() >= 0
    assert linalg.expm(50 / scale * dense).min() >= -1e-15
    if g.loss.any():
        times = mean_first_passage(g)
        rounding = 1e-13 * scale * times.max()
        np.testing.assert_allclose(-dense.T @ times.ravel(), 1, rtol=1e-9, atol=rounding)
        slowest = -np.linalg.eigvals(dense).real.max()
        np.testing.assert_allclose(escape_rate(g), slowest, rtol=1e-6, atol=1e-12 * scale)
    else:
        p = stationary(g)
        np.testing.assert_allclose(dense @ p.ravel(), 0, atol=1e-12 * scale)
        np.testing.assert_allclose(p.sum(), 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10**6))
def test_elimination_against_dense(n, seed):
    rng = np.random.default_rng(seed)
    rates, loss = rng.random((n, n)), rng.random(n)
    np.fill_diagonal(rates, 0)
    matrix = np.diag(rates.sum(axis=1) + loss) - rates
    chain, b = eliminate(rates, loss), rng.random(n)
    np.testing.assert_allclose(matrix @ chain.adjoint(b), b, rtol=1e-9)
    np.testing.assert_allclose(chain.forward(b) @ matrix, b, rtol=1e-9)


def test_anchors_do_not_change_the_answer():
    g = well(0.02, np.linspace(-2, 0, 401), right="absorbing")
    np.testing.assert_allclose(
        mean_first_passage(g), mean_first_passage(g, anchors=[150, 220]), rtol=1e-9
    )
    assert prepare(g, anchors=[200]).jumps < 1e6


# --- two dimensions --------------------------------------------------------------------------

PLANE = np.linspace(-6, 6, 97)


def linear(matrix, noise, edges_x=PLANE, edges_y=PLANE):
    a = np.asarray(matrix)
    d = np.asarray(noise)
    parts = (d[0, 0], d[1, 1]) if d[0, 1] == 0 else (d[0, 0], d[1, 1], d[0, 1])
    return operator_2d(
        lambda x, y: (-a[0, 0] * x - a[0, 1] * y, -a[1, 0] * x - a[1, 1] * y),
        lambda x, y: parts,
        edges_x,
        edges_y,
    )


def covariance(g, law):
    x, y = np.meshgrid(*g.centres, indexing="ij")
    p = law.ravel()
    return np.cov(np.stack([x.ravel(), y.ravel()]), aweights=p, ddof=0)


CASES = {
    "unequal": ([[1.0, 0], [0, 3.0]], [[1.0, 0], [0, 0.5]]),
    "rotation": ([[1.0, -2.0], [2.0, 1.0]], [[1.0, 0], [0, 1.0]]),
    "correlated": ([[1.0, 0], [0, 1.0]], [[1.0, 0.6], [0.6, 1.0]]),
    "all": ([[1.0, -1.0], [0.5, 1.5]], [[1.0, -0.5], [-0.5, 0.8]]),
}


def lyapunov(case):
    a, d = map(np.array, CASES[case])
    return linalg.solve_continuous_lyapunov(a, 2 * d)


@pytest.mark.parametrize("case", CASES)
def test_plane_ou_covariance_converges(case):
    errors = []
    for n in (48, 96, 192):
        g = linear(*CASES[case], *[np.linspace(-6, 6, n + 1)] * 2)
        errors.append(covariance(g, stationary(g)) - lyapunov(case))
    size = [np.abs(e).max() for e in errors]
    assert size[2] < 0.01
    assert np.abs((4 * errors[2] - errors[1]) / 3).max() < 5e-4
    if size[2] > 1e-6:
        assert 3.5 < size[1] / size[2] < 4.5


def test_detailed_balance_of_a_gradient():
    def slope(x, y):
        return -(x**3 - x + 0.5 * y), -(y + 0.5 * x)

    e = np.linspace(-3, 3, 61)
    g = operator_2d(slope, lambda x, y: (0.4, 0.4), e, e)
    law = stationary(g)
    x, y = np.meshgrid(*g.centres, indexing="ij")
    gibbs = np.exp(-(x**4 / 4 - x * x / 2 + 0.5 * x * y + y * y / 2) / 0.4)
    np.testing.assert_allclose(law, gibbs / gibbs.sum(), rtol=1e-8)
    flow = g.matrix.tocoo()
    forth = flow.data * law.ravel()[flow.col]
    assert max(np.abs(j).max() for j in currents(g, law)) < 1e-12 * forth.max()


def test_current_of_a_rotation():
    edges = np.linspace(-5, 5, 161)
    g = linear(*CASES["rotation"], edges, edges)
    law = stationary(g)
    jx, jy = currents(g, law)
    x, y = np.meshgrid(*g.centres, indexing="ij")
    h = 10 / 160
    density = np.exp(-(x * x + y * y) / 2) / (2 * np.pi)
    exact = 2 * 0.5 * (y[1:] * density[1:] + y[:-1] * density[:-1]) * h  # J_x = 2 y P
    assert np.abs(jx - exact).max() < 0.01 * np.abs(exact).max()
    out = np.zeros_like(law)
    out[:-1] += jx
    out[1:] -= jx
    out[:, :-1] += jy
    out[:, 1:] -= jy
    assert np.abs(out).max() < 1e-12 * np.abs(jx).max() / h


def test_currents_of_diagonal_jumps_balance():
    g = linear(*CASES["all"], np.linspace(-4, 4, 33), np.linspace(-4, 4, 33))
    p = np.random.default_rng(0).random(g.shape)
    jx, jy = currents(g, p)
    out = np.zeros_like(p)
    out[:-1] += jx
    out[1:] -= jx
    out[:, :-1] += jy
    out[:, 1:] -= jy
    np.testing.assert_allclose(out, -(g.matrix @ p.ravel()).reshape(p.shape), atol=1e-10)


def test_underdamped_oscillator():
    """dx = v dt, dv = (-w^2 x - gamma v) dt + sqrt(2 gamma T) dW: Gaussian, <x^2> = T/w^2."""
    found = []
    for n in (80, 160):
        e = np.linspace(-5, 5, n + 1)
        g = operator_2d(lambda x, v: (v, -x - v), lambda x, v: (0.0, 1.0), e, e)
        law = stationary(g)
        assert law.min() >= 0
        found.append(covariance(g, law))
    first = [c[0, 0] - 1 for c in found]
    assert 1.7 < first[0] / first[1] < 2.3  # upwind in x: of first order
    np.testing.assert_allclose(2 * found[1] - found[0], np.eye(2), atol=0.01)


def test_bowl_passage_against_radial_quadrature():
    """Flag F7: isotropic bowl in the plane, level set cutting the cells; n = 2, a = 5, c = 2."""
    a, c = 5.0, 2.0
    inner = lambda u: integrate.quad(lambda v: (1 + v) ** (-a - 1), 0, u)[0]  # noqa: E731
    exact = a / 2 * integrate.quad(lambda u: (1 + u) ** a * inner(u) / u, 0, c - 1)[0]
    radial = quadrature.passage(
        lambda r: -r + (1 + r * r) / (2 * a) / r,
        lambda r: (1 + r * r) / (2 * a),
        1e-6,
        left=1e-6,
        right=1.0,
        breaks=[1e-4, 1e-2],
    )
    np.testing.assert_allclose(radial.time, exact, rtol=1e-6)
    found = []
    for n in (50, 100, 200):
        e = np.linspace(0, 1.1, n + 1)
        g = operator_2d(
            lambda x, y: (-x, -y),
            lambda x, y: ((1 + x * x + y * y) / (2 * a),) * 2,
            e,
            e,
            absorbing=lambda x, y: x * x + y * y - 1,
        )
        found.append(mean_first_passage(g)[0, 0])
    errors = np.abs(np.array(found) / exact - 1)
    assert errors[2] < 1e-3 and errors[2] < errors[0] / 2.5


def test_plane_of_one_lane_is_a_line():
    x = np.linspace(-2, 0, 101)
    line = mean_first_passage(well(0.02, x, right="absorbing"))
    plane = operator_2d(
        lambda x, y: (x - x**3, -y), lambda x, y: (0.02, 0.02), x, ONE[::40], right="absorbing"
    )
    times = mean_first_passage(plane)
    np.testing.assert_allclose(times, np.tile(line[:, None], times.shape[1]), rtol=1e-8)


@pytest.mark.slow
def test_large_grid_in_seconds():
    e = np.linspace(-5, 5, 401)
    begin = time.process_time()
    g = operator_2d(
        lambda x, y: (-x, -2 * y),
        lambda x, y: (0.05, 0.05),
        e,
        e,
        absorbing=lambda x, y: x * x + 2 * y * y - 16,
    )
    assert mean_first_passage(g).max() > 1e60
    assert time.process_time() - begin < 10


# --- escape in the plane ---------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7, 0.9])
def test_effective_dimension_at_infinity(rho):
    """Flag F4's closed form against the tail root at B/(eta h) = 100."""
    slope = planar.tail_slope(curvature_ratio=rho, noise=0.01)
    n = 2 * (101 - slope)
    np.testing.assert_allclose(n, planar.effective_dimension(rho), rtol=0.002)
    assert abs(n - 2) > 0.3  # the number of outliers is not it


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7, 0.9])
def test_effective_dimension_of_the_plane_solver(rho):
    noise, step = 0.02, 1.1
    c = 30.0
    times = [
        planar.wall_passage(v, curvature_ratio=rho, noise=noise, cells=(300, 80))
        for v in (c / step, c * step)
    ]
    slope = np.log(times[1] / times[0]) / np.log(step**2)
    theory = planar.wall_slope(c, curvature_ratio=rho, noise=noise)
    found, expected = (2 * (1 / noise + 1 - s) for s in (slope, theory))
    np.testing.assert_allclose(found, expected, rtol=0.01)
    if rho < 0.6:  # c is not yet large for the others
        np.testing.assert_allclose(found, planar.effective_dimension(rho), rtol=0.06)


def test_wall_slope_limit():
    for rho in (0.3, 0.6):
        slope = planar.wall_slope(1e9, curvature_ratio=rho, noise=0.01)
        np.testing.assert_allclose(2 * (101 - slope), planar.effective_dimension(rho), rtol=1e-5)


def valley_ratio(noise, transverse, cells):
    """T kappa of Eq. (15), n = 2, Richardson in the cell widths."""
    c = (0.1 + 1 / (6 * 0.36)) / 0.1
    coarse, fine = (
        planar.saddle_passage(noise=noise, transverse=transverse, cells=(k * cells, k * cells // 2))
        for k in (1, 2)
    )
    return (4 * fine - coarse) / 3 * c ** -(1 / noise) / (2 * np.pi)


def test_theorem_with_prefactor_for_equal_curvatures():
    gaps = [1 - valley_ratio(1 / a, 1.0, 100) for a in (20, 40, 80)]
    np.testing.assert_allclose(np.array(gaps) * [20, 40, 80], 0.30, atol=0.03)


@pytest.mark.parametrize("transverse", [0.25, 0.5, 2.0])
def test_path_factor_for_unequal_curvatures(transverse):
    found = [valley_ratio(1 / a, transverse, 100) for a in (40, 80)]
    limit = 2 * found[1] - found[0]  # deviations go as 1/a
    factor = planar.path_factor(transverse=transverse)
    np.testing.assert_allclose(limit, factor, rtol=0.01)
    assert abs(limit - 1) > 0.3


def test_a_sharper_direction_opens_a_cheaper_path():
    """h_2 = 3 h_1: up the sharp direction first; the exponent of Eq. (15) no longer holds."""
    rates = [valley_ratio(1 / a, 3.0, 100) for a in (40, 80)]
    assert np.log(rates[1] / rates[0]) / 40 < -0.1
    straight = [valley_ratio(1 / a, 2.0, 100) for a in (40, 80)]
    assert abs(np.log(straight[1] / straight[0])) / 40 < 0.002


# --- bad input -------------------------------------------------------------------------------


def still(x, y):
    return 0.0, 0.0


def plane(diffusion=lambda x, y: (1.0, 1.0), drift=still, ex=PLANE[::8], ey=PLANE[::8], **kwargs):
    return operator_2d(drift, diffusion, ex, ey, **kwargs)


BAD = {
    "edges must increase": lambda: ou([0.0, 1.0, 1.0]),
    "edges must be at least 3": lambda: ou([0.0, 1.0]),
    "edges must be finite": lambda: ou([0.0, np.nan, 1.0]),
    "left must be one of": lambda: ou(left="open"),
    "must both be periodic": lambda: ou(left="periodic"),
    "diffusion must be at least 0": lambda: ou(d=-1.0),
    "drift must be finite": lambda: ou(k=np.nan),
    "drift must have shape": lambda: operator_1d(lambda x: np.ones(7), lambda x: 1.0, ONE),
    "absorbing must be bool of shape": lambda: ou(absorbing=np.zeros(3, dtype=bool)),
    "no active cell": lambda: stationary(ou(absorbing=np.ones(240, dtype=bool))),
    "generator must not absorb": lambda: stationary(ou(left="absorbing")),
    "reachable from every cell": lambda: mean_first_passage(ou()),
    "cells must hold at least one": lambda: absorb(ou(), np.zeros(240, dtype=bool)),
    "cells must be bool": lambda: absorb(ou(), np.zeros(240)),
    "anchors must lie in": lambda: stationary(ou(), anchors=[240]),
    "anchors must be active": lambda: prepare(absorb(ou(), ONE[1:] < -5), anchors=[0]),
    "diffusion must return": lambda: plane(lambda x, y: 1.0),
    "drift must return": lambda: plane(drift=lambda x, y: (1.0, 2.0, 3.0)),
    "must have a ratio dx/dy": lambda: plane(lambda x, y: (0.1, 1.0, 0.3)),
    "edges_x and edges_y must be uniform": lambda: plane(
        lambda x, y: (1.0, 1.0, 0.3), ex=PLANE[::8] ** 3
    ),
    "boundaries must not be periodic": lambda: plane(
        lambda x, y: (1.0, 1.0, 0.3), left="periodic", right="periodic"
    ),
    "tolerance must be positive": lambda: quasi_stationary(ou(left="absorbing"), tolerance=0.0),
    "probability must have shape": lambda: currents(ou(), np.ones(3)),
    "left must be less than right": lambda: quadrature.passage(still, still, 0, left=1, right=0),
    "start must lie in": lambda: quadrature.passage(still, still, 2, left=0, right=1),
    "left_kind or right_kind must be": lambda: quadrature.passage(
        still, still, 0, left=0, right=1, right_kind="reflecting"
    ),
    "diffusion must be positive": lambda: quadrature.passage(
        lambda x: -x, lambda x: x, 0, left=-1, right=1
    ),
    "breaks must lie in": lambda: quadrature.passage(still, still, 0, left=0, right=1, breaks=[2]),
    "loss_ratio must be above 1": lambda: planar.wall_slope(1.0, curvature_ratio=0.5, noise=0.1),
    "curvature_ratio must lie in": lambda: planar.effective_dimension(1.5),
    "noise must be positive": lambda: planar.tail_slope(curvature_ratio=0.5, noise=-1.0),
    "cells must be at least 8": lambda: planar.saddle_passage(noise=0.1, cells=(4, 4)),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_refuses_wells_that_do_not_talk():
    g = operator_1d(lambda x: np.sign(x) * 4e3, lambda x: 1.0, ONE)
    with pytest.raises(ArithmeticError, match="not unique"):
        stationary(g)


def test_refuses_complex():
    with pytest.raises(TypeError, match="drift must be real"):
        operator_1d(lambda x: 1j * x, lambda x: 1.0, ONE)
