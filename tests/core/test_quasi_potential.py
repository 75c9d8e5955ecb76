"""core/quasi_potential against closed forms, a known bifurcation, and one route against another."""

import numpy as np
import pytest

from sgdescape.core import quasi_potential as qp


def norm(v):
    return np.linalg.norm(v, axis=-1)


def maier_stein(alpha):
    """Drift of Maier and Stein's model: barrier 1/2 while the path is on the axis, alpha <= 4."""

    def drift(x):
        u, v = x[..., 0], x[..., 1]
        return np.stack([u - u**3 - alpha * u * v**2, -(1 + u**2) * v], axis=-1)

    return drift


def unit_noise_cost(drift):
    """Closed form of the cost of a step for noise of covariance eps: |b||v| - b.v."""
    return lambda x, v: norm(drift(x)) * norm(v) - np.sum(drift(x) * v, axis=-1)


def unit(x):
    return np.eye(x.shape[-1])


# --- the cost of a step


def test_step_cost_is_the_closed_form_of_a_diffusion():
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 50, 2))
    drift = maier_stein(3.0)
    cost, p, multiplier = qp.step_cost(qp.diffusion_hamiltonian(drift, unit), x, v)
    np.testing.assert_allclose(cost, unit_noise_cost(drift)(x, v), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(multiplier[:, None] * (drift(x) + p), v, rtol=1e-6, atol=1e-8)


def test_step_cost_with_a_covariance():
    rng = np.random.default_rng(1)
    x, v = rng.normal(size=(2, 20, 3))
    a = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 0.7]])
    inverse = np.linalg.inv(a)
    size = lambda u: np.sqrt(np.einsum("ni,ij,nj->n", u, inverse, u))  # noqa: E731
    cost, _, _ = qp.step_cost(qp.diffusion_hamiltonian(lambda x: -x, lambda x: a), x, v)
    expected = size(x) * size(v) + np.einsum("ni,ij,nj->n", x, inverse, v)
    np.testing.assert_allclose(cost, expected, rtol=1e-8)


def exponential_tails(x, p):
    """H of steps that are a difference of two exponential variables, mean -x: |p| bounded."""
    up = np.sqrt(1 + x**2 / 4) - x / 2  # scales with product 1: up - down = -x
    down = np.sqrt(1 + x**2 / 4) + x / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        value = -np.log1p(-p * up) - np.log1p(p * down)
    return np.sum(np.where(np.isnan(value), np.inf, value), axis=-1)


def test_step_cost_inside_a_bounded_domain():
    # (1 - p up)(1 + p down) = 1 + p x - p^2: H = 0 at p = x
    x = np.linspace(0.1, 6.0, 30)[:, None]
    cost, p, _ = qp.step_cost(exponential_tails, x, np.ones_like(x))
    np.testing.assert_allclose(p, x, rtol=1e-7)
    np.testing.assert_allclose(cost, x[:, 0], rtol=1e-7)


def test_step_cost_of_bounded_noise():
    # H = log cosh p - p x of labels +1 and -1: straight far out, p grows without bound at x -> 1
    h = lambda x, p: np.sum(np.logaddexp(p, -p) - np.log(2) - x * p, axis=-1)  # noqa: E731
    x = np.array([[0.1], [0.9], [0.99], [0.999]])
    cost, p, _ = qp.step_cost(h, x, np.ones_like(x))
    np.testing.assert_allclose(h(x, p), 0, atol=1e-9)
    assert cost[0] == pytest.approx(0.2, rel=0.01)
    assert cost[3] == pytest.approx(np.log(2) / 0.001, rel=1e-3)


def test_going_with_the_drift_is_free():
    x = np.array([[1.0, 0.0], [0.0, -2.0]])
    cost, p, _ = qp.step_cost(qp.diffusion_hamiltonian(lambda x: -x, unit), x, -x)
    np.testing.assert_allclose(cost, 0, atol=1e-12)
    np.testing.assert_allclose(p, 0, atol=1e-12)


# --- cheapest paths


def test_path_cost_converges_in_second_order():
    ou = qp.diffusion_hamiltonian(lambda x: -(x**3), unit)
    errors = [qp.path_cost(ou, np.linspace(0, 1, n)[:, None]) - 0.5 for n in (11, 21, 41)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


def test_minimum_action_of_a_rotating_linear_drift():
    # b = -A x with A = I + rotation: the law is isotropic, V = |x|^2; the path is a spiral
    turn = np.array([[1.0, 2.0], [-2.0, 1.0]])
    spiral = qp.diffusion_hamiltonian(lambda x: -x @ turn.T, unit)
    guess = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 0.0]])
    coarse, found = (qp.minimum_action(spiral, guess, points=n) for n in (21, 81))
    # the path winds without end about the centre, so that the error falls slowly
    assert abs(found.cost - 1) < 0.01 and abs(found.cost - 1) < 0.5 * abs(coarse.cost - 1)
    assert found.points[0].tolist() == [0, 0] and found.points[-1].tolist() == [1, 0]
    assert found.momenta.shape == (80, 2)
    straight = qp.path_cost(spiral, qp.action.spread(guess[[0, 2]], 81))
    assert straight > 1.2 * found.cost


def test_maier_stein_leaves_the_axis_above_four():
    guess = np.array([[-1.0, 0.0], [-0.5, 0.3], [0.0, 0.0]])
    costs = {}
    for alpha in (3.0, 5.0, 10.0):
        found = qp.minimum_action(qp.diffusion_hamiltonian(maier_stein(alpha), unit), guess)
        costs[alpha] = found.cost
        off = np.abs(found.points[:, 1]).max()
        assert (off > 0.2) if alpha > 4 else (off < 0.01)
    assert costs[3.0] == pytest.approx(0.5, abs=2e-4)
    assert costs[5.0] < 0.49 and costs[10.0] == pytest.approx(0.340, abs=1e-3)


def test_three_dimensions():
    well = qp.diffusion_hamiltonian(lambda x: -x, unit)
    guess = np.array([[0.0, 0, 0], [0.2, 0.8, -0.3], [1.0, 1.0, 1.0]])
    assert qp.minimum_action(well, guess, points=41).cost == pytest.approx(3.0, rel=1e-4)


# --- the plane


@pytest.mark.parametrize("alpha", [1.0, 10.0])
def test_plane_agrees_with_the_cheapest_path(alpha):
    drift = maier_stein(alpha)
    guess = np.array([[-1.0, 0.0], [-0.5, 0.3], [0.0, 0.0]])
    path = qp.minimum_action(qp.diffusion_hamiltonian(drift, unit), guess)
    found = []
    for n in (41, 81):
        x, y = np.linspace(-1.5, 0.5, n), np.linspace(-1, 1, n)
        centre, saddle = int(np.argmin(np.abs(x + 1))), int(np.argmin(np.abs(x)))
        v = qp.plane_potential(unit_noise_cost(drift), x, y, start=(centre, n // 2))
        found.append(v[saddle, n // 2])
        np.testing.assert_allclose(v, v[:, ::-1], atol=1e-12)  # the mirror symmetry of the model
    assert found[1] == pytest.approx(path.cost, rel=6e-3)
    assert abs(found[1] - path.cost) < abs(found[0] - path.cost)


def test_plane_with_jumps():
    # unit price for a straight jump of any length from anywhere, against a steep climb
    x = np.linspace(-2, 2, 17)
    climb = lambda x, v: 4 * (norm(x) * norm(v) + np.sum(x * v, axis=-1))  # noqa: E731  (4 |x|^2)
    v = qp.plane_potential(climb, x, x, start=(8, 8), jump=lambda x, d: norm(d))
    radius = np.hypot(*np.meshgrid(x, x))
    assert np.all(v <= np.minimum(radius, 4 * radius**2 + 0.2) + 1e-9)
    assert np.all(v[radius > 1] > radius[radius > 1] - 0.15)  # a climb first saves a little


# --- the line


def test_line_without_jumps_is_the_integral_of_the_rise():
    x = np.linspace(-1, 2, 301)
    height = (x**2 - 1) ** 2
    step = np.diff(height)
    found = qp.line_potential(
        x, rightward=np.maximum(step, 0), leftward=np.maximum(-step, 0), start=0
    )
    assert found.values[np.argmin(np.abs(x))] == pytest.approx(1.0)
    assert found.values[200] == pytest.approx(1.0)  # down to x = 1 for nothing
    assert found.path(100) == [("climb", pytest.approx(x[100]))]


def test_line_agrees_with_the_plane_on_an_axis():
    x = np.linspace(-2, 2, 17)
    right, left = np.maximum(np.diff(4 * x**2), 0), np.maximum(-np.diff(4 * x**2), 0)
    line = qp.line_potential(
        x, rightward=right, leftward=left, jump=np.abs(x - x[:, None]), start=8
    )
    assert line.values[-1] <= 2.0
    best = min(4 * s**2 + 2 - s for s in x[8:])
    assert line.values[-1] == pytest.approx(best)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"points": [0.0, 0.0, 1.0]}, "points must increase"),
        ({"rightward": [-1.0, 0.0]}, "rightward must lie in"),
        ({"leftward": [0.0]}, "one cost between neighbours"),
        ({"jump": np.zeros((2, 2))}, r"jump must be \(3, 3\)"),
        ({"start": 3}, "start must lie in"),
    ],
)
def test_line_refuses(change, words):
    good = {"points": [0.0, 1.0, 2.0], "rightward": [1.0, 1.0], "leftward": [0.0, 0.0], "start": 0}
    with pytest.raises(ValueError, match=words):
        points = (good | change).pop("points")
        options = {k: v for k, v in (good | change).items() if k != "points"}
        qp.line_potential(points, **options)
