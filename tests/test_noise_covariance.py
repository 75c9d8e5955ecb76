"""Chapter `noise_covariance`: its formulas against exact answers, its claims against wrong ones."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import solve_ivp

import sgdescape.noise_covariance as nc
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.networks import models
from sgdescape.core.training import sgd
from sgdescape.noise_covariance.measure import batches as experiments
from sgdescape.noise_covariance.measure import network

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


def test_real_sampler_gives_full_batches():
    gradients = RNG.normal(size=(6, 2))
    means = experiments.batch_means(
        gradients, batch_size=6, sampler="without_replacement", batches=3, seed=1
    )
    np.testing.assert_allclose(means, np.tile(gradients.mean(axis=0), (3, 1)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nc.batch_factor(10, 11), r"batch_size must lie in \[1, 10\]: got 11"),
        (lambda: nc.batch_factor(10, 0), "got 0"),
        (lambda: nc.batch_factor(1, 1), "samples"),
        (lambda: nc.batch_factor(10, 5, sampler="shuffled"), "'shuffled'"),
        (lambda: nc.mean_square_loss([], []), "empty"),
        (lambda: nc.sgd_step(np.zeros(1), np.ones((1, 1)), learning_rate=-1), "got -1"),
        (lambda: nc.path_barrier([1, 2], [1, 0], learning_rate=0.1), "positive"),
        (lambda: nc.diffusion_barrier(0.9, kurtosis=2), "at least 1: got 0.9"),
        (lambda: nc.kurtosis_noise(2.0, kurtosis=0.5), "Cauchy-Schwarz"),
        (lambda: nc.residual_block(np.zeros(2), 0.0), "output_weight"),
        (lambda: nc.Config(batch_sizes=(5, 11)), "got 11"),
        (lambda: nc.Config(tested=3), "tested"),
        (lambda: nc.Config(paths=50), "paths"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()


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

    loss = lambda vector: torch.mean((output(vector) - y) ** 2) / 2  # noqa: E731
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


@pytest.mark.parametrize(
    ("law", "value"),
    [("rademacher", 1), ("uniform", 1.8), ("three-point", 2), ("gaussian", 3), ("laplace", 6)],
)
def test_kurtosis_and_noise_of_each_law_by_quadrature(law, value):
    g, w = experiments.nodes(law)
    assert w @ g == pytest.approx(0, abs=1e-12)
    assert w @ g**2 == pytest.approx(1)
    assert nc.kurtosis(g, weights=w) == pytest.approx(value)
    r, v = experiments.nodes("gaussian")
    slopes, residuals = (a.ravel() for a in np.meshgrid(g, r, indexing="ij"))
    s0, s1, s2 = nc.line_noise(slopes, residuals, weights=np.outer(w, v).ravel())
    assert s1 == pytest.approx(0, abs=1e-12)
    for c in (1.0, 1.5, 4.0):  # 2 h L* = 1
        assert s0 + s2 * (c - 1) == pytest.approx(nc.kurtosis_noise(c, kurtosis=value))


@pytest.mark.parametrize("law", list(experiments.LAWS))
def test_sampled_laws_have_the_moments_of_their_nodes(law):
    rng = np.random.Generator(np.random.Philox(key=[5, 5]))
    draws = experiments.LAWS[law](rng, 200_000)
    g, w = experiments.nodes(law)
    for power in (1, 2, 4):
        error = np.sqrt((w @ g ** (2 * power) - (w @ g**power) ** 2) / draws.size)
        assert abs(np.mean(draws**power) - w @ g**power) <= 5 * error + 1e-12


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


# The real network


def test_outputs_along_a_direction_against_finite_differences():
    model = models.mlp((5, 3, 1), seed=0, dtype=torch.float64)
    x = torch.as_tensor(RNG.normal(size=(6, 5)))
    size = sum(p.numel() for p in model.parameters())
    e = torch.nn.functional.normalize(torch.as_tensor(RNG.normal(size=size)), dim=0)
    value, slope = network.outputs_along(model, x, e, 0.2)
    up, _ = network.outputs_along(model, x, e, 0.2 + 1e-6)
    np.testing.assert_allclose((up - value) / 1e-6, slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(
        network.outputs_along(model, x, e, 0.0)[0], model(x)[:, 0].detach()
    )


def test_noise_slopes_are_kurtosis_minus_one_for_any_linear_data():
    n, z = 40, np.array([0.3, 0.8])
    g = RNG.normal(size=(n, 2))
    r = RNG.normal(size=n)
    r -= g @ np.linalg.lstsq(g, r, rcond=None)[0]  # stationary, but not independent
    moved = -r[:, None, None, None] + g[:, :, None, None] * (np.array([[-1], [1]]) * z)
    same = np.broadcast_to(g[:, :, None, None], moved.shape)
    h = np.mean(g**2, axis=0)
    slopes, _, _ = network.noise_slopes(-r, g, moved, same, h)
    np.testing.assert_allclose(slopes, nc.kurtosis(g) - 1)


def test_divergence_of_the_training_is_reported():
    config = replace(nc.QUICK, images=60, eigenvectors=5, paths=2, learning_rate=10.0, steps=500)
    with pytest.raises(FloatingPointError, match="diverged at step"):
        network.trained(replace(config, batch_size=20))


# The claims


@pytest.fixture(scope="module")
def measured():
    return nc.run(nc.QUICK)


@pytest.mark.parametrize("claim", declared("noise_covariance"), ids=lambda c: c.__name__)
def test_claims_hold(measured, claim):
    assert claim(measured).verdict.startswith(("confirmed", "refuted"))


SDE_MOMENTS = nc.sde_moments  # kept: the test replaces it


def unscaled(z, *, noise, learning_rate, **kw):  # Sigma instead of eta Sigma
    return SDE_MOMENTS(z, noise=noise / learning_rate, learning_rate=learning_rate, **kw)


WRONG = {
    "batch_factor": ("batch_factor", lambda n, b, sampler: 1 / b),
    "iid_factor": ("batch_factor", lambda n, b, sampler: 1.0),
    "matrix": (
        "noise_covariance",
        lambda g, batch_size: g.T @ g / len(g) * (10 - batch_size) / 9 / batch_size,
    ),
    "weak_order": ("sde_moments", unscaled),
    "slope_rademacher": ("kurtosis_noise", lambda c, kurtosis: c),
    "slope_uniform": ("kurtosis_noise", lambda c, kurtosis: c),
    "slope_three_point": ("kurtosis_noise", lambda c, kurtosis: 1 + kurtosis * (c - 1)),
    "slope_gaussian": ("kurtosis_noise", lambda c, kurtosis: c),
    "slope_laplace": ("kurtosis_noise", lambda c, kurtosis: c),
    "barrier": ("diffusion_barrier", lambda c, kurtosis: np.log(c)),
    "decoupling_ratio": ("decoupling_ratio", lambda c, kurtosis: 1 + 0 * c),
    "trace": ("trace_ratio", lambda c, kurtosis, directions: 1 + 0.0 * directions),
    "prefactor": ("covariance_near_minimum", lambda loss, h, batch_size: loss * h),
    "trace_alignment": ("covariance_near_minimum", lambda loss, h, batch_size: loss * h),
    "alignment": ("covariance_near_minimum", lambda loss, h, batch_size: 2 * loss * h**2),
    "network_kurtosis": (
        "kurtosis_noise",
        lambda c, kurtosis: 1 + (kurtosis - 1) ** 2 * (c - 1),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    function, wrong = WRONG[name]
    monkeypatch.setattr(nc, function, wrong)
    with pytest.raises(ClaimError):
        getattr(nc, name)(nc.predict(measured))


def test_claims_without_a_formula_reject_other_data(measured):
    spread = 1 + 0.01 * RNG.normal(size=measured.sizes["group"])  # else the interval has no width
    paper = measured.assign(
        variance=(0 * measured.variance + measured.loss_ratio).transpose(*measured.variance.dims)
        * spread
    )
    with pytest.raises(ClaimError, match="verdict 'confirmed'"):
        nc.claims.log_barrier(paper)
    without_half = measured.assign(curvature=2 * measured.curvature)
    with pytest.raises(ClaimError):
        nc.claims.gauss_newton(without_half)


def test_every_claim_is_given_a_wrong_theory():
    tested = {*WRONG, "log_barrier", "gauss_newton"}
    assert tested == {claim.__name__ for claim in declared("noise_covariance")}


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(measured, tmp_path):
    sizes = dict(images=80, eigenvectors=6, paths=2, steps=50, polish=5, draws=400, batches=20)
    small = replace(nc.QUICK, batch_size=20, line_images=50, **sizes)
    first, second = nc.run(small), nc.run(small)
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = nc.run(replace(small, seed=1))
    assert not np.array_equal(first["trace"], other["trace"])
    first.to_netcdf(tmp_path / "result.nc")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = nc.run(replace(nc.QUICK, seed=seed))
    for claim in declared("noise_covariance"):
        claim(dataset)


settings.register_profile("noise_covariance", deadline=None)
settings.load_profile("noise_covariance")
