"""Formulas of chapter `modified_loss` against exact answers, and what they refuse."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

import sgdescape.modified_loss as ml
from sgdescape import underdamped_langevin as ul
from sgdescape.modified_loss.measure import data as experiments
from sgdescape.modified_loss.measure import paths, single_modes

AT = {"learning_rate": 0.05, "momentum": 0.8, "batch_size": 4.0, "weight_decay": 0.1}
RHO = np.array([0.3, 1.0, 2.0])
ROOT = np.random.default_rng(1).normal(size=(3, 3))
NOISE = ROOT @ ROOT.T


def companion(rho, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0):
    """The AR(2) sequence as a first-order one: x_k, x_(k-1)."""
    d, h = len(rho), np.asarray(rho) + weight_decay
    step = np.block(
        [[np.diag(1 + momentum - learning_rate * h), -momentum * np.eye(d)],
         [np.eye(d), np.zeros((d, d))]]
    )  # fmt: skip
    kick = np.zeros((2 * d, 2 * d))
    kick[:d, :d] = learning_rate**2 * np.asarray(noise) / batch_size
    return step, kick, linalg.solve_discrete_lyapunov(step, kick)


# the decomposition of any linear Langevin equation


@given(st.integers(1, 5), st.integers(0, 10_000))
def test_decomposition_of_any_process(size, seed):
    rng = np.random.default_rng(seed)
    drift = rng.normal(size=(size, size))
    drift += (1 - np.linalg.eigvals(drift).real.min()) * np.eye(size)
    root = rng.normal(size=(size, size))
    diffusion = root @ root.T + 0.1 * np.eye(size)
    parts = ml.decompose(drift, diffusion)
    scale = np.abs(diffusion).max()
    np.testing.assert_allclose(
        drift @ parts.shape + parts.shape @ drift.T, 2 * diffusion, atol=1e-9 * scale
    )
    np.testing.assert_allclose(parts.shape, ml.shape_by_kronecker(drift, diffusion), rtol=1e-6)
    np.testing.assert_array_equal(parts.circulation, -parts.circulation.T)
    again = (parts.diffusion + parts.circulation) @ parts.precision
    np.testing.assert_allclose(again, drift, atol=1e-6 * np.abs(drift).max())
    assert ml.entropy_rate(parts) >= -1e-9


def test_current_has_no_divergence_and_density_solves_the_equation():
    parts = ml.decompose([[1.0, 2.0], [-0.5, 0.7]], [[1.0, 0.3], [0.3, 2.0]])
    kappa, step = 3.0, 1e-4
    point = np.array([0.4, -0.3])

    def current(z):
        return ml.probability_velocity(z, parts) * np.exp(-kappa * ml.modified_loss(z, parts))

    def full(z):  # J of the Fokker-Planck equation by finite differences
        grad = [
            (np.exp(-kappa * ml.modified_loss(z + e, parts))
             - np.exp(-kappa * ml.modified_loss(z - e, parts))) / (2 * step)
            for e in step * np.eye(2)
        ]  # fmt: skip
        density = np.exp(-kappa * ml.modified_loss(z, parts))
        return -parts.drift @ z * density - parts.diffusion @ np.array(grad) / kappa

    np.testing.assert_allclose(current(point), full(point), rtol=1e-5)
    divergence = sum(
        (current(point + e)[i] - current(point - e)[i]) / (2 * step)
        for i, e in enumerate(step * np.eye(2))
    )
    assert abs(divergence) < 1e-6


def test_symmetric_drift_has_its_circulation_in_closed_form():
    parts = ml.decompose(single_modes.TOY_DRIFT, single_modes.TOY_DIFFUSION)
    np.testing.assert_allclose(
        parts.circulation, ml.eigenbasis_circulation(parts.drift, parts.diffusion), atol=1e-12
    )
    assert ml.areal_rates(parts)[0, 1] == pytest.approx(1.8)
    assert ml.areal_rates(parts, temperature=0.5)[0, 1] == pytest.approx(0.9)
    assert ml.entropy_rate(parts) == pytest.approx(1.0125)


def test_toy_entropy_by_the_spectra_of_a_path_and_its_reversal():
    drift, diffusion = single_modes.TOY_DRIFT, single_modes.TOY_DIFFUSION
    w = np.tan((np.arange(4000) + 0.5) / 4000 * np.pi - np.pi / 2) * 3
    weight = 3 * (1 + (w / 3) ** 2) * np.pi / 4000
    total = 0.0
    for one, size in zip(w, weight, strict=True):
        g = np.linalg.inv(1j * one * np.eye(2) + drift)
        s = g @ (2 * diffusion) @ g.conj().T
        total += size * np.trace(s @ np.linalg.inv(s.conj()) - np.eye(2)).real / (4 * np.pi)
    assert total == pytest.approx(1.0125, rel=1e-3)


def test_isotropic_noise_in_a_gradient_field_has_no_current():
    parts = ml.decompose(single_modes.TOY_DRIFT, 2 * np.eye(2))
    np.testing.assert_allclose(parts.circulation, 0, atol=1e-12)
    np.testing.assert_allclose(parts.precision, parts.drift / 2, atol=1e-12)


# phase space


def test_symbolic_residuals_vanish():
    for residuals in (ml.single_mode_identities(), ml.pair_identities()):
        for residual in residuals.values():
            values = residual if isinstance(residual, sp.MatrixBase) else [residual]
            assert all(value == 0 for value in values)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_pairs_are_the_lyapunov_solution(beta):
    at = AT | {"momentum": beta}
    drift, diffusion, kappa = ml.process(RHO, NOISE, **at)
    law = ml.covariance(RHO, NOISE, **at)
    blocks = np.block([[law.position, law.cross], [law.cross.T, law.velocity]])
    exact = ml.shape(drift, diffusion) / kappa
    np.testing.assert_allclose(blocks, exact, atol=1e-10 * np.abs(exact).max())
    np.testing.assert_allclose(law.cross, -law.cross.T, atol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_discrete_pairs_are_those_of_the_companion_matrix(beta):
    at = AT | {"momentum": beta}
    step, _, law = companion(RHO, NOISE, **at)
    found = ml.discrete_covariance(RHO, NOISE, **at)
    eta = at["learning_rate"]
    now, before = law[:3, :3], law[:3, 3:]
    np.testing.assert_allclose(found.position, now, rtol=1e-9)
    np.testing.assert_allclose(found.cross, (now - before) / eta, rtol=1e-6)
    speed = (2 * now - before - before.T) / eta**2
    np.testing.assert_allclose(found.velocity, speed, rtol=1e-6)
    later = (step @ law)[:3, :3]  # E[x(k+1) x(k)^T]
    turn = ml.circulation(RHO, NOISE, **at)
    np.testing.assert_allclose(turn, later.T - later, atol=1e-12)


def test_one_mode_is_the_oscillator_of_the_chapter_before():
    at = dict(AT)
    mine = ml.discrete_covariance(RHO, np.diag(NOISE.diagonal()), **at)
    theirs = ul.stationary_covariance(RHO, NOISE.diagonal(), **at)
    rows = np.stack([np.diag(mine.position), np.diag(mine.cross), np.diag(mine.velocity)], axis=1)
    np.testing.assert_allclose(
        rows, np.stack([theirs[:, 0, 0], theirs[:, 0, 1], theirs[:, 1, 1]], axis=1), rtol=1e-9
    )


def test_phase_loss_is_the_general_modified_loss():
    rng, sigma = np.random.default_rng(2), 1.7
    drift, diffusion, _ = ml.process(RHO, sigma**2 * np.diag(RHO), **AT)
    x, v = rng.normal(size=(2, 5, 3))
    general = ml.modified_loss(np.hstack([x, v]), ml.decompose(drift, diffusion))
    pace = {k: AT[k] for k in ("learning_rate", "momentum", "weight_decay")}
    np.testing.assert_allclose(
        ml.phase_loss(x, v, curvature=RHO, **pace) / sigma**2, general, rtol=1e-9
    )


@given(st.floats(0, 0.99), st.floats(0.01, 0.98))
def test_midpoints_are_the_continuous_law(beta, share):
    h = np.array([share * 2 * (1 + beta) / AT["learning_rate"], 0.7])
    at = AT | {"momentum": beta, "weight_decay": 0.0}
    half = ml.half_step(
        ml.discrete_covariance(h, np.diag([1.0, 2.0]), **at), learning_rate=AT["learning_rate"]
    )
    np.testing.assert_allclose(
        np.diag(half.position), ml.midpoint_variance(h, [1.0, 2.0], **at), rtol=1e-7
    )
    scale = np.sqrt(np.diag(half.position) * np.diag(half.velocity))
    np.testing.assert_allclose(np.diag(half.cross) / scale, 0, atol=1e-7)


@given(st.floats(0, 0.99), st.floats(0.01, 0.95))
def test_exact_relations_hold_for_the_companion_matrix(beta, share):
    eta = AT["learning_rate"]
    h = share * 2 * (1 + beta) / eta
    at = {"learning_rate": eta, "momentum": beta}
    step, _, law = companion([h], [[1.0]], batch_size=1, **at)
    var, r1 = law[0, 0], law[0, 1]
    r2 = (step @ step @ law)[0, 0]
    square = 2 * (var - r1)
    assert ml.equipartition_curvature(square, var, **at) == pytest.approx(h, rel=1e-6)
    area = -(var - r2)  # E[x_k x_(k+1) - x_k^2 - x_(k+1) x_k + x_(k+1) x_(k-1)]
    assert ml.areal_rate(square, curvature=h, **at) == pytest.approx(area, rel=1e-6)
    assert ml.excess_loss(square, **at) == pytest.approx(h * var / 2, rel=1e-6)


def test_decay_factor():
    np.testing.assert_allclose(ml.decay_factor([0.1, 0.4], weight_decay=0.1), [0.5, 0.8])


@pytest.mark.parametrize("beta", [0.0, 0.8])
def test_shuffled_equipartition_by_a_covariance_matrix(beta):
    eta, h, m, length = 0.1, 0.4, 5, 400
    at = {"learning_rate": eta, "momentum": beta}
    lag = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    noise = np.where(lag == 0, 1.0, np.where(lag < m, -(m - lag) / (m * (m - 1)), 0.0))
    drive = np.zeros((length, length))
    for k in range(length):  # x_k = drive[k] @ noise, by the update itself
        drive[k] = (1 + beta - eta * h) * drive[k - 1] if k else 0
        drive[k] -= beta * drive[k - 2] if k > 1 else 0
        drive[k, k] -= eta
    last, step = drive[-1], drive[-1] - drive[-2]
    ratio = (1 + beta) * (step @ noise @ step) / (2 * eta * h * (last @ noise @ last))
    found = ml.shuffled_equipartition([h], steps_per_epoch=m, **at)
    assert found[0] == pytest.approx(ratio, rel=1e-6) and found[0] > 1
    long = ml.shuffled_equipartition([h], steps_per_epoch=100_000, **at)
    assert long[0] == pytest.approx(1, abs=1e-2)


# real batches


def test_minibatch_moments_become_the_constant_noise_of_large_batches():
    config = replace(ml.QUICK, samples=2000, modes=3)
    data = experiments.regression_data(config)
    noise = experiments.sample_noise(data)
    at = {"learning_rate": 0.02, "momentum": 0.9, "batch_size": 10**6, "weight_decay": 0.2}
    found = ul.regression_covariance(data.rows[:, :-1], data.rows[:, -1], **at)
    plain = ml.discrete_covariance(data.curvatures, noise, **at)
    np.testing.assert_allclose(found[:3, :3], plain.position, rtol=1e-5, atol=1e-14)
    np.testing.assert_allclose(found[3:, 3:], plain.velocity, rtol=1e-5, atol=1e-11)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_minibatch_moments_keep_equipartition(decay):
    data = experiments.regression_data(replace(ml.QUICK, samples=2000, modes=3))
    pace = {"learning_rate": 0.02, "momentum": 0.9}
    law = ul.regression_covariance(
        data.rows[:, :-1], data.rows[:, -1], **pace, batch_size=2, weight_decay=decay
    )
    spread, step = np.diag(law)[:3], 0.02**2 * np.diag(law)[3:]
    found = ml.equipartition_curvature(step, spread, **pace)
    np.testing.assert_allclose(found, data.curvatures + decay, rtol=1e-8)
    constant = ml.midpoint_variance(data.curvatures, data.curvatures, **pace, batch_size=2)
    assert decay or np.all(spread > 1.1 * constant)


def test_data_are_what_they_are_said_to_be():
    config = replace(ml.QUICK, samples=2000)
    data = experiments.regression_data(config)
    np.testing.assert_allclose(data.hessian, np.diag(np.geomspace(0.1, 2.0, 6)), atol=1e-12)
    np.testing.assert_allclose(data.minimum, 0, atol=1e-12)
    assert data.minimum_loss == pytest.approx(0.5)
    twisted = experiments.swirl_data(config)
    np.testing.assert_allclose(twisted.minimum, 0, atol=1e-12)
    noise = experiments.sample_noise(twisted)
    assert noise[0, 1] / np.sqrt(noise[0, 0] * noise[1, 1]) == pytest.approx(0.5, abs=0.1)


def test_images_are_centred_components_in_order():
    data = experiments.image_data(replace(ml.QUICK, image_samples=500, image_modes=4))
    np.testing.assert_allclose(data.inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.hessian, np.diag(data.curvatures), atol=1e-10)
    assert set(np.round(data.targets - data.targets.min(), 9)) == {0.0, 2.0}


# entropy production


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_entropy_production_three_ways(beta, decay):
    at = AT | {"momentum": beta, "weight_decay": decay}
    exact = ml.entropy_production(RHO, NOISE, **at)
    assert exact == pytest.approx(ml.entropy_by_spectrum(RHO, NOISE, **at), rel=1e-7)
    continuous = ml.entropy_production(RHO, NOISE, discrete=False, **at)
    assert continuous == pytest.approx(ml.entropy_by_lyapunov(RHO, NOISE, **at), rel=1e-9)
    assert exact > 0


def test_entropy_production_by_the_companion_matrix():
    step, kick, law = companion(RHO, NOISE, **AT)
    noise = kick[:3, :3]
    r = [law[:3, :3], (step @ law)[:3, :3], (step @ step @ law)[:3, :3]]  # E[x(k+l) x(k)^T]
    a = np.diag(1 + 0.8 - 0.05 * (RHO + 0.1))

    def square(first, middle, last):  # E[w w^T], w = sum of coefficients times x(k-1), x(k), x(k+1)
        terms, total = (first, middle, last), np.zeros((3, 3))
        for i, one in enumerate(terms):
            for j, two in enumerate(terms):
                lag = r[abs(i - j)] if i >= j else r[abs(i - j)].T
                total += one @ lag @ two.T
        return total

    one, beta = np.eye(3), 0.8
    forward, backward = square(beta * one, -a, one), square(one, -a, beta * one)
    np.testing.assert_allclose(forward, noise, atol=1e-12)
    ratio = np.trace(np.linalg.solve(noise, backward - forward)) / 2
    assert ml.entropy_production(RHO, NOISE, **AT) == pytest.approx(ratio, rel=1e-8)


@given(st.floats(0, 0.95), st.floats(0, 1))
def test_commuting_noise_produces_nothing(beta, decay):
    at = AT | {"momentum": beta, "weight_decay": decay}
    diagonal = np.diag([3.0, 0.2, 1.0])
    assert abs(ml.entropy_production(RHO, diagonal, **at)) < 1e-12
    equal = np.array([1.0, 1.0, 2.0])  # a degenerate pair may be correlated
    block = np.array([[1.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 1.0]])
    assert abs(ml.entropy_production(equal, block, **at)) < 1e-12
    np.testing.assert_allclose(ml.covariance(equal, block, **at).cross, 0, atol=1e-12)


def test_entropy_production_does_not_depend_on_the_noise_size():
    other = AT | {"batch_size": 77.0}
    assert ml.entropy_production(RHO, NOISE, **AT) == pytest.approx(
        ml.entropy_production(RHO, 5 * NOISE, **other), rel=1e-9
    )


def test_current_strength_is_the_dissipation_of_the_whole_current():
    drift, diffusion, kappa = ml.process(RHO, np.diag(RHO), **AT)
    parts = ml.decompose(drift, diffusion)
    flow = (parts.circulation @ parts.precision)[3:]
    total = np.trace(flow.T @ np.linalg.inv(diffusion[3:, 3:] / kappa) @ flow @ parts.shape / kappa)
    pace = {k: AT[k] for k in ("learning_rate", "momentum", "weight_decay")}
    assert ml.current_strength(RHO, **pace) == pytest.approx(AT["learning_rate"] * total, rel=1e-9)


def test_log_ratio_of_a_scalar_path_is_its_ends():
    config = replace(ml.QUICK, mode_steps=300, chains=20)
    path = paths.gaussian_path(config, np.random.default_rng(0), [5.0], [[1.0]], 0.9, 20)
    found = paths.log_ratio(path, [5.0], [[1.0]], config)
    s = config.learning_rate**2 / config.batch_size
    keep = 1.9 - 0.1

    def ends(k):
        x, y = path[k, :, 0], path[k + 1, :, 0]
        return 0.1 / (2 * s) * (1.9 * (x**2 + y**2) - 2 * keep * x * y)

    np.testing.assert_allclose(found * 298, ends(0) - ends(298), rtol=1e-8, atol=1e-8)


# the arrow of time in one direction


def test_asymmetry_without_momentum_is_its_closed_form():
    for e, size in ((0.05, 2), (0.1, 1), (0.3, 8), (0.5, 32)):

        def mean(n, c, e=e, size=size):  # E[(1 - e K)^n K^c] with K = chi^2_S / S
            chi = [np.prod(1 + 2 * np.arange(k) / size) for k in range(n + c + 1)]
            return sum(comb(n, k) * (-e) ** k * chi[k + c] for k in range(n + 1))

        square = 1 / (1 - mean(2, 0))
        fourth = (6 * mean(2, 1) * square + 3 * (1 + 2 / size)) / (1 - mean(4, 0))
        exact = (mean(1, 0) - mean(3, 0)) * fourth - 3 * mean(1, 1) * square
        found = ml.time_asymmetry(1.0, learning_rate=e, momentum=0.0, batch_size=size)
        assert found == pytest.approx(exact / square**2, rel=1e-8) and found > 0
        other = ml.time_asymmetry(4.0, learning_rate=e / 4, momentum=0.0, batch_size=size)
        assert other == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_asymmetry_has_its_small_rate_limit(beta):
    leading = -12 * beta / ((1 + beta**2) * (1 + beta + beta**2))
    found = [
        ml.time_asymmetry(1.0, learning_rate=e, momentum=beta, batch_size=64) * 64 / e**2
        for e in (1e-3 * (1 - beta), 5e-4 * (1 - beta))
    ]
    assert 2 * found[1] - found[0] == pytest.approx(leading, rel=1e-3)
    e, size = 1e-3, 2
    plain = ml.time_asymmetry(1.0, learning_rate=e, momentum=0.0, batch_size=size)
    assert plain == pytest.approx(6 * e**3 * (1 + 2 / size) / size, rel=0.01)


def test_asymmetry_by_sampling_batches_one_after_the_other():
    rng, size, beta, e = np.random.default_rng(0), 3, 0.6, 0.25
    x, d = np.zeros(40_000), np.zeros(40_000)
    terms = []
    for k in range(240):
        inputs, labels = rng.normal(size=(2, size, x.size))
        now, d = x, beta * d - e * np.mean(inputs * (inputs * x - labels), axis=0)
        x = now + d
        if k >= 60:
            terms.append([now**3 * x - now * x**3, now**2])
    first, second = np.mean(terms, axis=(0, 2))
    exact = ml.time_asymmetry(1.0, learning_rate=e, momentum=beta, batch_size=size)
    assert first / second**2 == pytest.approx(exact, rel=0.12) and abs(exact) > 0.03


# the rivals


def test_share_of_gibbs_law_by_sampling():
    rho = np.array([0.1, 2.0])
    x = np.random.default_rng(4).normal(size=(200_000, 2)) * np.sqrt(rho.mean() / rho)
    inside = np.mean((x**2).sum(axis=1) < 2 * np.log(10))
    found = ml.gibbs_share(rho, np.log(10))
    assert found == pytest.approx(inside, abs=5 * 0.5 / np.sqrt(200_000))
    w = np.repeat(1 / rho, 2)
    x = np.random.default_rng(5).normal(size=(200_000, 4)) * np.sqrt(w)
    r = np.sum(x**2, axis=1)
    assert ml.gibbs_kurtosis(rho) == pytest.approx(np.mean(r**2) / np.mean(r) ** 2, rel=0.03)


# bad input

BAD = [
    (lambda: ml.shape([[1.0, 0.0]], [[1.0]]), "drift must be a square matrix"),
    (lambda: ml.shape([[-1.0]], [[1.0]]), "positive real part"),
    (lambda: ml.shape(np.eye(2), [[1.0, 1.0], [0.0, 1.0]]), "symmetric"),
    (lambda: ml.decompose(np.eye(2), np.diag([1.0, 0.0])), "noise must reach every direction"),
    (lambda: ml.eigenbasis_circulation([[1.0, 1.0], [0.0, 1.0]], np.eye(2)), "symmetric"),
    (
        lambda: ml.discrete_covariance(RHO, NOISE, **(AT | {"learning_rate": 2.0})),
        "learning_rate = 1.8",
    ),
    (lambda: ml.covariance([0.0], [[1.0]], **(AT | {"weight_decay": 0.0})), "no stationary law"),
    (lambda: ml.covariance(RHO, -NOISE, **AT), "covariance matrix"),
    (lambda: ml.covariance(RHO, NOISE[:2, :2], **AT), "shape (3, 3)"),
    (lambda: ml.covariance(RHO, NOISE, **(AT | {"momentum": 1.0})), "momentum must be in [0, 1)"),
    (
        lambda: ml.covariance(RHO, NOISE, **(AT | {"batch_size": 0})),
        "batch_size must be at least 1",
    ),
    (lambda: ml.covariance(RHO, NOISE, **(AT | {"batch_size": 1.5})), "batch_size must be a whole"),
    (lambda: ml.covariance(RHO, NOISE, **(AT | {"weight_decay": -1.0})), "weight_decay"),
    (lambda: ml.entropy_production(RHO, np.diag([1.0, 1.0, 0.0]), **AT), "full rank"),
    (
        lambda: ml.midpoint_variance(100.0, 1.0, **AT),
        "2 (1 + momentum) / learning_rate = 72",
    ),
    (lambda: ml.decay_factor(0.0, weight_decay=1.0), "curvature must be positive"),
    (
        lambda: ml.equipartition_curvature(1.0, 0.0, learning_rate=0.1, momentum=0.0),
        "variance must be positive",
    ),
    (lambda: ml.Config(edges=(4.0,)), "edges must lie in (0, 3.8)"),
    (lambda: ml.Config(correlation=1.0), "correlation must lie in (-1, 1)"),
    (lambda: ml.Config(flattest=3.0), "flattest must lie in"),
    (lambda: ml.gibbs_share([1.0], 1.0), "curvatures must be two"),
    (lambda: ml.gibbs_kurtosis([1.0, 0.0]), "curvatures must be positive"),
    (lambda: ml.current_strength([-1.0], learning_rate=0.1, momentum=0.5), "curvature must be"),
    (
        lambda: ml.time_asymmetry(1.0, learning_rate=1.0, momentum=0.0, batch_size=2),
        "moments of order 2 are infinite",
    ),
    (
        lambda: ml.time_asymmetry(1.0, learning_rate=0.7, momentum=0.0, batch_size=2),
        "moments of order 4 are infinite",
    ),
]


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)
