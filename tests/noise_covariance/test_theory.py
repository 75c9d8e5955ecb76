"""Formulas against exact answers: enumeration, autograd, quadrature, equations of motion."""

from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import solve_ivp

import sgdescape.noise_covariance as nc
from sgdescape.core.networks import models
from sgdescape.core.training import sgd

RNG = np.random.default_rng(0)
GRADIENTS = arrays(
    np.float64, st.tuples(st.integers(2, 7), st.integers(1, 4)), elements=st.floats(-10, 10)
)


# Eqs. (1)-(3) and (8)


def test_loss_has_the_half_of_the_papers():
    f, y = torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, -1.0])
    assert nc.mean_square_loss(f[:, 0], y) == sgd.square_loss(f, y).mean() == 4.25


def test_step_and_noise_are_the_same_move():
    gradients, theta = RNG.normal(size=(6, 3)), RNG.normal(size=3)
    batch = np.array([1, 4])
    moved = nc.sgd_step(theta, gradients[batch], learning_rate=0.1)
    drift = theta - 0.1 * gradients.mean(axis=0)
    np.testing.assert_allclose(moved, drift + 0.1 * nc.batch_noise(gradients, batch))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
def test_covariance_without_replacement_by_enumeration(batch_size):
    gradients = RNG.normal(size=(5, 3))
    batches = np.array(list(combinations(range(5), batch_size)))
    noise = nc.batch_noise(gradients, batches)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=1e-14)
    exact = noise.T @ noise / len(noise)
    np.testing.assert_allclose(
        nc.noise_covariance(gradients, batch_size=batch_size), exact, atol=1e-14
    )


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_covariance_with_replacement_by_enumeration(batch_size):
    gradients = RNG.normal(size=(4, 3))
    batches = np.array(list(product(range(4), repeat=batch_size)))
    noise = nc.batch_noise(gradients, batches)
    exact = noise.T @ noise / len(noise)
    np.testing.assert_allclose(
        nc.noise_covariance(gradients, batch_size=batch_size, sampler="iid"), exact, atol=1e-14
    )


@given(GRADIENTS, st.integers(0, 2**32 - 1))
def test_covariance_does_not_see_the_order_of_samples(gradients, seed):
    shuffled = np.random.default_rng(seed).permutation(gradients)
    sigma = nc.noise_covariance(gradients, batch_size=2)
    np.testing.assert_allclose(nc.noise_covariance(shuffled, batch_size=2), sigma, atol=1e-10)


@given(GRADIENTS)
def test_limits_of_the_batch_size(gradients):
    n = len(gradients)
    one = nc.noise_covariance(gradients, batch_size=1)
    assert np.all(nc.noise_covariance(gradients, batch_size=n) == 0)
    np.testing.assert_array_equal(one, nc.noise_covariance(gradients, batch_size=1, sampler="iid"))
    assert np.linalg.eigvalsh(one).min() >= -1e-9
    full = nc.noise_covariance(gradients, batch_size=n, sampler="iid")
    np.testing.assert_allclose(full, one / n, atol=1e-12)


@given(st.integers(2, 1000), st.data())
def test_batch_factor_is_below_one_over_b_and_falls(n, data):
    b = data.draw(st.integers(1, n - 1))
    here, after = nc.batch_factor(n, b), nc.batch_factor(n, b + 1)
    assert after < here <= 1 / b


# Eqs. (4) and (5)


def test_sgd_moments_by_enumeration_of_all_batches():
    g, r = RNG.normal(size=4), RNG.normal(size=4)
    r -= g * (g @ r) / (g @ g)  # orthogonal, so that z = 0 is the minimum
    eta, z = 0.3, np.array([0.7])
    for _ in range(3):  # B = 1: the 4 possible gradients, all equally likely
        z = (z[:, None] - eta * (z[:, None] * g**2 - r * g)).ravel()
    found = nc.sgd_moments(
        0.7,
        curvature=np.mean(g**2),
        noise=nc.line_noise(g, r),
        batch_size=1,
        learning_rate=eta,
        steps=3,
    )
    np.testing.assert_allclose(found, [z.mean(), np.mean(z**2)])


def test_sde_moments_solve_their_equations():
    h, (s0, s1, s2), eta, b = 1.3, (0.4, -0.2, 0.7), 0.2, 3

    def rates(t, m):
        return [-h * m[0], -2 * h * m[1] + eta * (s0 + s1 * m[0] + s2 * m[1]) / b]

    exact = solve_ivp(rates, (0, 2), [0.5, 0.25], rtol=1e-10, atol=1e-12).y[:, -1]
    found = nc.sde_moments(
        0.5, curvature=h, noise=(s0, s1, s2), batch_size=b, learning_rate=eta, duration=2.0
    )
    np.testing.assert_allclose(found, exact, rtol=1e-7)


def test_one_step_of_the_sde_has_the_mean_and_covariance_of_sgd():
    eta, noise = 1e-4, (0.4, -0.2, 0.7)
    common = dict(curvature=1.3, noise=noise, batch_size=2, learning_rate=eta)
    sgd_mean, sgd_square = nc.sgd_moments(0.5, steps=1, **common)
    sde_mean, sde_square = nc.sde_moments(0.5, duration=eta, **common)
    assert (sde_mean - 0.5) == pytest.approx(sgd_mean - 0.5, rel=2 * 1.3 * eta)
    assert sde_square - sde_mean**2 == pytest.approx(sgd_square - sgd_mean**2, rel=20 * eta)


def test_barrier_of_langevin_dynamics_is_linear():
    loss, eta, d = np.linspace(1, 3, 5), 0.1, 0.02
    sigma = np.full(5, 2 * d / eta)  # eta Sigma = 2 D
    assert nc.path_barrier(loss, sigma, learning_rate=eta) == pytest.approx(2 / d)
    assert nc.isotropic_diffusion(np.diag(sigma), learning_rate=eta) == pytest.approx(d)


# Eqs. (6), (7), (9)-(11)


def test_second_moment_is_covariance_and_mean():
    f, r = RNG.normal(size=(8, 3)), RNG.normal(size=8)
    gradients = r[:, None] * f
    mean = gradients.mean(axis=0)
    sigma = nc.noise_covariance(gradients, batch_size=2, sampler="iid")
    np.testing.assert_allclose(
        nc.second_moment(r, f, batch_size=2), sigma + np.outer(mean, mean) / 2
    )


def test_decoupling_is_exact_for_equal_losses():
    f, r = RNG.normal(size=(8, 3)), np.where(RNG.random(8) < 0.5, -0.7, 0.7)
    decoupled = nc.decoupled_moment(r**2 / 2, f)
    np.testing.assert_allclose(2 * decoupled / 4, nc.second_moment(r, f, batch_size=4))
    np.testing.assert_allclose(
        nc.covariance_near_minimum(np.mean(r**2) / 2, nc.gauss_newton(f), batch_size=4),
        2 * decoupled / 4,
    )


@pytest.fixture(scope="module")
def small():
    """A small ReLU network with its outputs' derivatives and the loss's Hessian, by autograd."""
    x, y = torch.as_tensor(RNG.normal(size=(9, 3))), torch.as_tensor(RNG.normal(size=9))
    model = models.mlp((3, 4, 1), seed=3, dtype=torch.float64)
    with torch.no_grad():
        model[0].bias.add_(torch.as_tensor(RNG.normal(size=4)))
    names = {k: p.numel() for k, p in model.named_parameters()}
    theta = torch.nn.utils.parameters_to_vector(model.parameters()).detach()

    def output(vector):
        pieces = zip(names, torch.split(vector, list(names.values())), strict=True)
        values = {k: v.view_as(model.get_parameter(k)) for k, v in pieces}
        return torch.func.functional_call(model, values, (x,))[:, 0]

    def loss(vector):
        return torch.mean((output(vector) - y) ** 2) / 2

    parts = (
        output(theta) - y,
        torch.func.jacrev(output)(theta),
        torch.func.hessian(output)(theta),
        torch.func.hessian(loss)(theta),
        torch.func.grad(loss)(theta),
    )
    return [part.detach().numpy() for part in parts] + [model]


def test_hessian_is_gauss_newton_and_residual_curvature(small):
    residuals, jacobian, curvatures, hessian, _, _ = small
    np.testing.assert_allclose(nc.hessian(residuals, jacobian, curvatures), hessian, atol=1e-12)
    assert not np.allclose(nc.gauss_newton(jacobian), hessian)


def test_residual_term_of_a_relu_layer_is_the_gradient_in_disguise(small):
    _, jacobian, _, hessian, gradient, model = small
    residual = hessian - nc.gauss_newton(jacobian)
    assert abs(np.trace(residual)) < 1e-12
    expected = np.zeros_like(residual)
    for unit in range(4):  # parameters: weights (4, 3), biases (4,), output weights (4,), bias
        where = [*range(3 * unit, 3 * unit + 3), 12 + unit]
        output_weight = float(model[2].weight[0, unit].detach())
        block = nc.residual_block(gradient[where], output_weight)
        expected[where, 16 + unit] = expected[16 + unit, where] = block
    np.testing.assert_allclose(residual, expected, atol=1e-12)


# The noise along a line


def test_line_noise_is_the_exact_covariance_of_a_linear_model():
    x, y = RNG.normal(size=(30, 3)), RNG.normal(size=30)
    theta = np.linalg.lstsq(x, y, rcond=None)[0]
    e = np.array([0.6, 0.0, 0.8])
    s0, s1, s2 = nc.line_noise(x @ e, y - x @ theta)
    for z in (-1.0, 0.0, 0.5):
        gradients = (x @ (theta + z * e) - y)[:, None] * x
        exact = e @ nc.noise_covariance(gradients, batch_size=7, sampler="iid") @ e
        assert (s0 + s1 * z + s2 * z**2) / 7 == pytest.approx(exact)


@pytest.mark.parametrize("kurtosis", [1.0, 1.8, 2.0, 3.0, 6.0])
def test_barrier_by_quadrature(kurtosis):
    eta, h, b, loss_min = 0.05, 1.7, 4, 0.3
    c = np.linspace(1, 5, 2001)
    sigma = 2 * h * loss_min / b * nc.kurtosis_noise(c, kurtosis=kurtosis)
    barrier = nc.path_barrier(loss_min * c, sigma, learning_rate=eta)
    closed = b / (eta * h) * nc.diffusion_barrier(5.0, kurtosis=kurtosis)
    assert barrier == pytest.approx(closed, rel=1e-9)


def test_barrier_special_cases():
    c = np.array([1.0, 1.5, 4.0])
    np.testing.assert_allclose(nc.diffusion_barrier(c, kurtosis=1.0), c - 1)
    np.testing.assert_allclose(nc.diffusion_barrier(c, kurtosis=1 + 1e-9), c - 1, rtol=1e-8)
    np.testing.assert_allclose(nc.diffusion_barrier(c, kurtosis=2.0), np.log(c))
    np.testing.assert_allclose(nc.diffusion_barrier(c, kurtosis=3.0), np.log(2 * c - 1) / 2)


@given(st.floats(1, 20), st.floats(1, 20), st.floats(1, 100))
def test_barrier_falls_with_kurtosis_and_starts_linearly(first, second, c):
    low, high = sorted((first, second))
    small, large = (float(nc.diffusion_barrier(c, kurtosis=k)) for k in (high, low))
    assert small <= large * (1 + 1e-9) + 1e-12
    assert large <= c - 1 + 1e-9
    near = float(nc.diffusion_barrier(1 + 1e-6, kurtosis=high))
    assert near == pytest.approx(1e-6, rel=1e-4)


def test_ratios_of_the_decoupling_approximation():
    assert nc.decoupling_ratio(1.0, kurtosis=3.0) == 1
    r2 = 2.0
    assert nc.decoupling_ratio(1 + r2, kurtosis=3.0) == pytest.approx((1 + 3 * r2) / (1 + r2))
    c, kappa = 3.0, 6.0  # one input: trace and escape direction are the same thing
    one = nc.trace_ratio(c, kurtosis=kappa, directions=1)
    assert one == pytest.approx(nc.kurtosis_noise(c, kurtosis=kappa) / c)
    # kept second moment minus dropped mean is the covariance
    kept = nc.decoupling_ratio(c, kurtosis=kappa) - nc.mean_share(c)
    assert kept == pytest.approx(one)


NAN, INF = float("nan"), float("inf")
LINE = {"curvature": 1.0, "noise": (0, 0, 0), "batch_size": 1, "learning_rate": 0.1}
REFUSED = [
    (lambda: nc.batch_factor(10, 11), r"batch_size must lie in \[1, 10\]: got 11"),
    (lambda: nc.batch_factor(10, 0), "got 0"),
    (lambda: nc.batch_factor(1, 1), "samples"),
    (lambda: nc.batch_factor(10, 5, sampler="shuffled"), "'shuffled'"),
    (lambda: nc.mean_square_loss([], []), "empty"),
    (lambda: nc.mean_square_loss([1.0, 2.0], [1.0]), "targets"),
    (lambda: nc.sgd_step(np.zeros(1), np.ones((1, 1)), learning_rate=-1), "got -1"),
    (lambda: nc.sgd_step(np.zeros(2), np.ones((1, 1)), learning_rate=1), "parameters"),
    (lambda: nc.sgd_step(np.zeros(1), [[NAN]], learning_rate=1), "gradients must be finite"),
    (lambda: nc.batch_noise(np.ones((2, 1)), np.array([[2]])), r"batches must lie in \[0, 1\]"),
    (lambda: nc.isotropic_diffusion(np.ones((2, 3)), learning_rate=1), "covariance must be"),
    (lambda: nc.isotropic_diffusion(-np.eye(2), learning_rate=1), "trace"),
    (lambda: nc.covariance_near_minimum(-0.5, np.eye(2), batch_size=2), "loss must be at least 0"),
    (lambda: nc.covariance_near_minimum(0.5, [NAN], batch_size=2), "hessian must be finite"),
    (lambda: nc.covariance_near_minimum(0.5, [1.0], batch_size=0), "batch_size"),
    (lambda: nc.decoupled_moment([-1.0], [[1.0]]), "losses must be at least 0"),
    (lambda: nc.decoupled_moment([1.0, 1.0], [[1.0]]), "losses must be"),
    (lambda: nc.second_moment([1.0, 2.0], [[1.0]], batch_size=1), "residuals must be"),
    (lambda: nc.hessian([1.0], [[1.0]], [[1.0]]), "output_hessians must be"),
    (lambda: nc.gauss_newton([1.0]), "output_gradients must be"),
    (lambda: nc.line_noise([1.0], [1.0, 2.0]), "residuals must be"),
    (lambda: nc.line_noise([1.0], [1.0], weights=[2.0]), "weights must sum to 1"),
    (lambda: nc.line_noise([1.0], [1.0], weights=[NAN]), "weights must be finite"),
    (lambda: nc.sgd_moments(NAN, steps=1, **LINE), "start must be finite"),
    (lambda: nc.sgd_moments(1.0, steps=1, **LINE | {"noise": (0, 0)}), "noise must be"),
    (lambda: nc.sgd_moments(1.0, steps=1, **LINE | {"noise": (0, 0, -1)}), "noise must be non-neg"),
    (lambda: nc.sde_moments(1.0, duration=-1.0, **LINE), "duration"),
    (lambda: nc.path_barrier([1, 2], [1, 0], learning_rate=0.1), "variances must be positive"),
    (lambda: nc.path_barrier([2, 1], [1, 1], learning_rate=0.1), "losses must increase"),
    (lambda: nc.path_barrier([1, 2], [1, 1, 1], learning_rate=0.1), "variances"),
    (lambda: nc.mean_share(INF), "loss_ratio must be finite"),
    (lambda: nc.kurtosis(np.zeros(3)), "slopes"),
    (lambda: nc.kurtosis([NAN, 1.0]), "slopes must be finite"),
    (lambda: nc.diffusion_barrier(0.9, kurtosis=2), "at least 1: got 0.9"),
    (lambda: nc.kurtosis_noise(2.0, kurtosis=0.5), "kurtosis must be at least 1"),
    (lambda: nc.trace_ratio(2.0, kurtosis=3.0, directions=1.5), "directions must be a whole"),
    (lambda: nc.trace_ratio(2.0, kurtosis=3.0, directions=0), "directions must be at least 1"),
    (lambda: nc.residual_block(np.zeros(2), 0.0), "output_weight"),
    (lambda: nc.residual_block([NAN], 1.0), "weight_gradient must be finite"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("bad", [1j, "1", True, None])
def test_what_is_no_real_number_is_refused(bad):
    calls = (
        lambda: nc.covariance_near_minimum(bad, [1.0], batch_size=1),
        lambda: nc.covariance_near_minimum(1.0, [1.0], batch_size=bad),
        lambda: nc.mean_share(bad),
        lambda: nc.diffusion_barrier(2.0, kurtosis=bad),
        lambda: nc.gauss_newton([[bad]]),
        lambda: nc.kurtosis([bad, bad]),
        lambda: nc.path_barrier([1, 2], [1, 1], learning_rate=bad),
    )
    for call in calls:
        with pytest.raises(TypeError):
            call()
