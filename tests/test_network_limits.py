"""Chapter `network_limits`: closed forms against autograd and dense algebra, claims against wrong
ones."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import xarray as xr
from scipy import linalg

import sgdescape.network_limits as nl
from sgdescape.anomalous_diffusion import crossover_curvature
from sgdescape.core.claims import ClaimError, declared
from sgdescape.modified_loss import areal_rate
from sgdescape.network_limits import estimates, theory
from sgdescape.network_limits.claims import resnet as residual_claims
from sgdescape.network_limits.claims import small_network
from sgdescape.network_limits.measure import chains, minimum, network, resnet
from sgdescape.network_limits.measure import small_network as experiments
from sgdescape.underdamped_langevin import autocorrelation

RATES = {"learning_rate": 0.05, "momentum": 0.8}
SMALL = network.make_task(samples=160, seed=3)


# The small network


def test_derivatives_are_those_of_autograd():
    theta = network.initial(1) + 0.1
    loss = lambda t: network.loss(t[None], SMALL)[0]  # noqa: E731
    found = network.local(theta, SMALL)
    np.testing.assert_allclose(found.loss, float(loss(theta)), rtol=1e-13)
    np.testing.assert_allclose(found.gradient, torch.func.grad(loss)(theta), atol=1e-14)
    np.testing.assert_allclose(found.hessian, torch.func.hessian(loss)(theta), atol=1e-13)
    np.testing.assert_allclose(found.hessian, found.hessian.T, atol=1e-15)
    value, gradient = network.loss_gradient(theta, SMALL)
    np.testing.assert_allclose(value, found.loss, rtol=1e-13)
    np.testing.assert_allclose(gradient, found.gradient, atol=1e-14)


def test_covariance_is_that_of_single_gradients():
    theta = network.initial(1) + 0.1
    x, labels = SMALL.inputs[:, None], SMALL.labels[:, None]
    every = network.gradients(theta.expand(len(x), -1), x, labels).numpy()
    found = network.local(theta, SMALL)
    np.testing.assert_allclose(found.gradient, every.mean(0), atol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(every.T, bias=True), atol=1e-13)
    trace = experiments.trace_noise(theta, SMALL)
    assert trace == pytest.approx(np.trace(found.covariance), rel=1e-12)


def test_noise_is_the_hessian_where_labels_come_from_the_model():
    # labels drawn from the network's own probabilities: Fisher information = Hessian
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(np.hstack([rng.normal(size=(20_000, 32)), np.ones((20_000, 1))]))
    theta = network.initial(2)
    first, second = network.layers(theta[None])
    logits = torch.tanh(inputs @ first[0].T) @ second[0, :, :-1].T + second[0, :, -1]
    share = torch.softmax(logits, 1).numpy().cumsum(1)
    labels = torch.from_numpy((rng.random((20_000, 1)) > share).sum(1).clip(max=9))
    found = network.local(theta, network.Task(inputs, labels, 0.0))
    values, vectors = linalg.eigh(found.hessian)
    noise = np.einsum("ik,ij,jk->k", vectors, found.covariance, vectors, optimize=True)
    np.testing.assert_allclose(noise[-20:] / values[-20:], 1, atol=0.08)


def test_task_is_a_function_of_its_seed_with_the_stated_noise():
    one, two = network.make_task(samples=5000, seed=1), network.make_task(samples=5000, seed=1)
    assert torch.equal(one.inputs, two.inputs) and torch.equal(one.labels, two.labels)
    clean = network.make_task(samples=5000, noise=0.0, seed=1)
    changed = float((clean.labels != one.labels).double().mean())
    assert abs(changed - 0.2 * 0.9) < 5 * np.sqrt(0.18 * 0.82 / 5000)
    assert torch.equal(clean.inputs, one.inputs)


def test_bundled_minima_are_minima():
    kept = minimum.bundled()
    assert {r.weight_decay for r in kept} == {0.001, 0.01}
    recipe = minimum.Recipe()
    task, theta = network.make_task(), torch.from_numpy(kept[recipe])
    _, gradient = network.loss_gradient(theta, task)
    assert float((gradient + recipe.weight_decay * theta).norm()) < recipe.gradient


def test_corrupt_checkpoints_are_refused(monkeypatch):
    monkeypatch.setattr(minimum, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="corrupt"):
        minimum.bundled()
    monkeypatch.setattr(resnet, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="corrupt"):
        resnet.load(resnet.Recipe())


# Chains


def chain(step, steps=40, replicas=range(3), **options):
    basis = torch.eye(network.PARAMETERS, dtype=torch.float64)[:, :5]
    origin = network.initial(0)
    return origin, chains.run(
        SMALL, origin, step, steps=steps, replicas=replicas, seed=4, basis=basis, **options
    )


def test_chain_is_torch_sgd():
    step = chains.Step(0.1, 0.7, 16, 0.01, "shuffle")
    origin, path = chain(step, replicas=range(1), snapshots=(40,), references=(0, 10))
    theta = origin.clone().requires_grad_(True)
    optimiser = torch.optim.SGD([theta], lr=0.1, momentum=0.7, weight_decay=0.01)
    before, length = origin.clone(), []
    for index in chains._batches(SMALL.size, step, 40, range(1), 4):
        optimiser.zero_grad()
        batch = network.Task(SMALL.inputs[index[0]], SMALL.labels[index[0]], 0.0)
        network.loss(theta[None], batch)[0].backward()
        optimiser.step()
        length.append(float((theta.detach() - before).square().sum()))
        before = theta.detach().clone()
    np.testing.assert_allclose(path.kept[0, 0], before - origin, atol=1e-12)
    np.testing.assert_allclose(path.speed[0], length, rtol=1e-9)
    np.testing.assert_allclose(
        path.distance[0, 0, -1], float((before - origin).square().sum()), rtol=1e-9
    )
    assert np.isnan(path.distance[1, 0, :10]).all() and path.distance[1, 0, 10] == 0


def test_a_replica_is_a_function_of_its_index():
    step = chains.Step(0.05, 0.5, 8)
    _, three = chain(step)
    _, last = chain(step, replicas=range(2, 3))
    np.testing.assert_allclose(three.position[2], last.position[0], atol=1e-13)
    assert not np.allclose(three.position[0], three.position[1])


def test_an_epoch_uses_every_sample_once():
    step = chains.Step(0.05, 0.5, 16, 0.0, "shuffle")
    batches = torch.stack(list(chains._batches(160, step, 20, range(2), 0)))
    for epoch in (batches[:10, 1], batches[10:, 1]):
        assert sorted(epoch.flatten().tolist()) == list(range(160))
    assert not torch.equal(batches[:10, 1], batches[10:, 1])


def test_frozen_chain_is_linear_in_its_noise():
    step = chains.Step(0.1, 0.6, 8, 0.0, "shuffle")
    _, path = chain(step, steps=21, response=0.0, snapshots=(20,))
    # one epoch of frozen gradients sums to the mean gradient: theta_20 knows it and the memory
    weights = 0.1 * (1 - 0.6 ** np.arange(20, 0, -1)) / 0.4
    total = np.zeros((3, network.PARAMETERS))
    for k, index in enumerate(chains._batches(160, step, 20, range(3), 4)):
        theta = network.initial(0).expand(3, -1)
        total -= (
            weights[k] * network.gradients(theta, SMALL.inputs[index], SMALL.labels[index]).numpy()
        )
    np.testing.assert_allclose(path.kept[:, 0], total, atol=1e-12)


def test_force_identity_holds_on_any_path():
    eta, beta = 0.1, 0.6
    _, path = chain(chains.Step(eta, beta, 4, 0.0), steps=4000, replicas=range(1))
    growth = path.distance[0, 0, -1] / 4000
    right = (1 + beta) / (2 * eta) * path.speed.mean() - (1 - beta) / (2 * eta) * growth
    # what is left are the two ends of the path
    assert path.virial.mean() == pytest.approx(right, rel=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"learning_rate": -1.0}, "learning_rate must be positive"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"sampler": "sorted"}, "sampler must be one of"),
        ({"weight_decay": -0.1}, "weight_decay must be non-negative"),
    ],
)
def test_bad_hyper_parameters_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        chains.Step(**options)


# Theory


def test_stationary_moments_solve_the_lyapunov_equation():
    eta, beta, h, noise, size = 0.3, 0.7, 1.3, 2.0, 8
    a = np.array([[1 + beta - eta * h, -beta], [1.0, 0.0]])
    cov = linalg.solve_discrete_lyapunov(a, np.diag([eta**2 * noise / size, 0.0]))
    at = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    variance, square = nl.moments([h], [noise], steps=[600], **at)
    assert variance[0, 0] == pytest.approx(cov[0, 0])
    assert square[0, 0] == pytest.approx(2 * (cov[0, 0] - cov[0, 1]))
    assert nl.speed([noise], [h], **at) == pytest.approx(square[0, 0])
    both = {"learning_rate": eta, "momentum": beta}
    assert nl.equipartition(square[0, 0], variance[0, 0], h, **both) == pytest.approx(1)
    curve = autocorrelation(np.arange(4), h, **both)
    assert curve[1] == pytest.approx(cov[0, 1] / cov[0, 0])
    lag = a @ a @ cov
    assert curve[2] == pytest.approx(lag[0, 0] / cov[0, 0])
    area = 2 * (cov[0, 1] - lag[0, 0]) - (cov[0, 0] - lag[0, 0])
    direct = (cov[0, 1] - cov[0, 0]) * 0 + cov[0, 1] * 2 - cov[0, 0] - lag[0, 0]
    assert area == pytest.approx(direct)
    # x_k d_{k+1} - x_{k+1} d_k = x_{k+1} x_{k-1} - x_k^2
    assert areal_rate(square[0, 0], curvature=h, **both) == pytest.approx(lag[0, 0] - cov[0, 0])


def test_filtered_variance_is_that_of_sampled_epochs():
    rng = np.random.default_rng(1)
    samples, size, steps = 24, 4, 15
    values = rng.normal(size=samples)
    values -= values.mean()
    weights = rng.normal(size=(1, steps))
    totals = np.zeros(20_000)
    for k in range(len(totals)):
        noise = np.concatenate(
            [rng.permutation(values).reshape(-1, size).mean(1) for _ in range(3)]
        )
        totals[k] = weights[0] @ noise[:steps]
    found = nl.filtered_variance(weights, [values.var()], batch_size=size, samples=samples)[0]
    assert abs(totals.var() / found - 1) < 5 * np.sqrt(2 / len(totals))
    iid = nl.filtered_variance(weights, [values.var()], batch_size=size)[0]
    assert iid == pytest.approx(values.var() / size * (weights**2).sum())


def test_displacement_from_rest_is_the_variance_and_free_directions_diffuse():
    at = {"learning_rate": 0.1, "momentum": 0.5, "batch_size": 2}
    lags = np.array([1, 5, 40])
    for samples in (None, 32):
        found = nl.displacement([0.4], [3.0], start=0, lags=lags, samples=samples, **at)
        variance, _ = nl.moments([0.4], [3.0], steps=lags, samples=samples, **at)
        np.testing.assert_allclose(found, variance[:, 0])
    far = nl.displacement([0.0], [3.0], start=500, lags=[1000, 2000], **at)
    assert np.diff(far)[0] == pytest.approx(1000 * 0.01 * 3.0 / (2 * 0.25), rel=1e-6)
    stationary = nl.displacement([0.4], [3.0], start=500, lags=lags, **at)
    limit, _ = nl.moments([0.4], [3.0], steps=[800], **at)
    curve = autocorrelation(np.arange(41), 0.4, learning_rate=0.1, momentum=0.5)
    np.testing.assert_allclose(stationary, 2 * limit[0, 0] * (1 - curve[lags]), rtol=1e-9)


def test_crossover_is_where_epochs_halve_the_variance():
    at = {"learning_rate": 0.001, "momentum": 0.5, "batch_size": 16}
    h = [crossover_curvature(learning_rate=0.001, momentum=0.5, steps_per_epoch=256)]
    steps = np.arange(2560, 2816, 8)
    epochs, _ = nl.moments(h, [1.0], steps=steps, samples=16 * 256, **at)
    white, _ = nl.moments(h, [1.0], steps=steps, **at)
    assert epochs.mean() / white.mean() == pytest.approx(0.54, abs=0.02)


def test_ring_is_the_recursion():
    eta, beta, h = 0.05, 0.97, 0.5
    x = [1.0, 1 - eta * h]
    for _ in range(200):
        x.append((1 + beta - eta * h) * x[-1] - beta * x[-2])
    decay, period = estimates.prony(np.array(x)[:, None])
    predicted = nl.ring([h], learning_rate=eta, momentum=beta)
    np.testing.assert_allclose([decay[0], period[0]], np.ravel(predicted), rtol=1e-8)
    critical = nl.critical_curvature(learning_rate=eta, momentum=beta)
    with pytest.raises(ValueError, match="where modes oscillate"):
        nl.ring([0.99 * critical], learning_rate=eta, momentum=beta)
    _, slow = nl.ring([1.01 * critical], learning_rate=eta, momentum=beta)
    assert slow[0] > 1000


# The ResNet


def test_quarter_period_is_that_of_the_recursion():
    eta, beta, h, decay = 0.1, 0.9, 1.8, 1e-3
    x = [1.0, 1 - eta * (h + decay)]
    while x[-1] > 0:
        x.append((1 + beta - eta * (h + decay)) * x[-1] - beta * x[-2])
    config = {"residual_ring": [eta, beta, 6, 0.02], "weight_decay": decay}
    ds = xr.Dataset(attrs={"config": json.dumps(config)})
    expected = len(x) - 1 - x[-1] / (x[-1] - x[-2])
    assert residual_claims.quarter_period(ds, h) == pytest.approx(expected)
    with pytest.raises(ValueError, match="must pass zero: got a least value of 0.4"):
        residual_claims.ring_crossing([1.0, 0.4])


def test_equipartition_of_a_run_finds_the_curvature():
    rng, eta, beta, h, steps = np.random.default_rng(3), 0.05, 0.8, np.array([0.5, 2.0]), 40_000
    x, v, track = np.zeros(2), np.zeros(2), np.zeros((steps + 1, 2))
    for k in range(1, steps + 1):
        v = beta * v - eta * (h * x + rng.normal(size=2))
        x = x + v
        track[k] = x
    dims = ("residual_run", "residual_step", "residual_mode")
    config = {"residual_runs": [[eta, beta, 1, steps]], "weight_decay": 0.0}
    ds = xr.Dataset(
        {
            "residual_position": (dims, track[None, 1:]),
            "residual_move": (dims, np.diff(track, axis=0)[None]),
            "residual_curvature": ("residual_mode", h),
        },
        attrs={"config": json.dumps(config)},
    )
    np.testing.assert_allclose(nl.resnet_equipartition(ds, 0, burn=500), 1, atol=0.1)
    ds["residual_curvature"] = 2 * ds.residual_curvature
    assert (nl.resnet_equipartition(ds, 0, burn=500) < 0.6).all()


def test_soft_targets_are_the_frequencies_of_drawn_labels():
    images = resnet.Images(torch.zeros(3, 1, 2, 2), torch.tensor([1, 5, 9]), 0.4)
    generator = torch.Generator().manual_seed(0)
    index = torch.arange(3).repeat(20_000)
    labels = images.draw(index, generator).view(-1, 3)
    shares = torch.stack([(labels == c).double().mean(0) for c in range(10)], 1)
    assert float((shares - images.soft()).abs().max()) < 5 * 0.5 / np.sqrt(20_000)


def test_convolutions_have_no_radial_gradient():
    recipe = resnet.Recipe(images=64)
    images, model = resnet.images_of(recipe), resnet.network(recipe)
    resnet._put(model, torch.from_numpy(resnet.load(resnet.Recipe())))
    generator = torch.Generator().manual_seed(0)
    resnet._gradient(model, images, torch.arange(32), generator)
    for name, p in model.named_parameters():
        radial = float((p.detach() * p.grad).sum() / (p.detach().norm() * p.grad.norm()))
        if p.dim() == 4:
            assert abs(radial) < 1e-3, name


# Claims


@pytest.fixture(scope="module")
def measured():
    return nl.run(nl.QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("claim", declared("network_limits"), ids=lambda c: c.__name__)
def test_claims_hold(measured, claim):
    assert claim(measured).verdict


def scaled_law(name, factor):
    original = getattr(theory, name)

    def wrong(*args, **options):
        found = original(*args, **options)
        return tuple(factor * x for x in found) if isinstance(found, tuple) else factor * found

    return wrong


WRONG = {
    "speed": ("speed", 1.2),
    "frozen_speed": ("speed", 1.5),
    "equipartition": ("equipartition", 1.4),
    "modified_loss": ("moments", 0.7),
    "epoch_factor": ("moments", 0.6),
    "rotation": ("areal_rate", 1.1),
    "ring_period": ("ring", 1.05),
    "ring_decay": ("ring", 1.3),
    "covariance_growth": ("moments", 2.0),
    "excess": ("excess_loss", 1.5),
    "excess_epochs": ("moments", 2.0),
    "weight_decay": ("moments", 1.8),
    "negative_lobe": ("autocorrelation", 0.2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    function, factor = WRONG[name]
    monkeypatch.setattr(theory, function, scaled_law(function, factor))
    with pytest.raises(ClaimError):
        getattr(nl, name)(measured)


@pytest.mark.slow
def test_claims_without_a_formula_reject_other_data(measured):
    swapped = measured.sel(sampler=["shuffle", "iid"]).assign_coords(sampler=["iid", "shuffle"])
    for name in ("isotropic", "not_isotropic", "equipartition_epochs", "force", "force_epochs"):
        with pytest.raises(ClaimError):
            getattr(nl, f"claim_{name}")(swapped)
    for name in ("exponent", "exponent_later", "exponent_epochs"):
        with pytest.raises((ClaimError, ValueError)):
            getattr(nl, f"claim_{name}")(swapped)
    measured = measured.assign_coords(block=np.arange(measured.sizes["block"]))
    other = measured.assign(
        speed_block=measured.speed_block * (1 + 0.1 * measured.block),
        residual_speed=3 * measured.residual_speed,
        residual_norm=0 * measured.residual_norm + 300.0,
        residual_mode_curvature=0 * measured.residual_mode_curvature + 1.0,
        residual_batch_loss=0 * measured.residual_batch_loss + 1.0,
        residual_ring=0 * measured.residual_ring + 1 - measured.residual_ring_step / 4.6,
        all_noise=measured.all_noise**2,
        step_variance=measured.step_variance**0.5,
        virial=1.05 * measured.virial,
        strong_speed=1.5 * measured.strong_speed,
        strong_variance=0.6 * measured.strong_variance,
        position_kurtosis=measured.position_kurtosis + 1,
        step_kurtosis=measured.step_kurtosis + 1,
        sweep_speed=measured.sweep_speed**2,
        sweep_distance=measured.sweep_distance**3,
        frozen_variance=0.13 * measured.frozen_variance,
    )
    for name in (
        "noise_is_hessian velocities force_identity strong_speed path_noise mean_point "
        "gaussian step_kurtosis speed_sweep exponent_sweep constant_speed frozen_equipartition "
        "strong_equipartition resnet_speed resnet_norm resnet_mode resnet_batch"
    ).split():
        with pytest.raises(ClaimError):
            getattr(nl, f"claim_{name}")(other)
    with pytest.raises(ClaimError):  # alone: another curvature is wrong data already
        nl.claims.resnet_ring(measured.assign(residual_ring=other.residual_ring))
    powers = xr.DataArray([1.0, 1.5, *4 * [1.0]], dims="point")  # c moves with S, as over epochs
    with pytest.raises(ClaimError):
        nl.claims.exponent_batch(measured.assign(sweep_distance=measured.sweep_distance**powers))
    with pytest.raises(ClaimError):
        nl.claims.midpoint(measured.assign(midpoint_step=measured.position_step))


@pytest.mark.slow
def test_figures_show_the_data(measured):
    for name in dir(nl):
        if name.startswith("plot_"):
            options = {"what": "step"} if name == "variances" else {}
            ax = getattr(nl, name)(measured, plt.subplots()[1], **options)
            assert ax.get_xlabel() and ax.get_ylabel()
    plt.close("all")


@pytest.mark.slow
def test_summary_names_are_glued_in_the_chapter(measured):
    numbers = nl.summary(measured)
    assert all(name.startswith("limits-") for name in numbers)
    assert all(format(value, fmt) for value, fmt in numbers.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_claims_hold_for_other_seeds(seed):
    dataset = nl.run(replace(nl.QUICK, seed=seed))
    for claim in declared("network_limits"):
        claim(dataset)


@pytest.mark.slow
def test_bundled_minimum_is_made_again():
    recipe = minimum.Recipe()
    made, kept = minimum.pretrain(recipe), minimum.bundled()[recipe]
    np.testing.assert_allclose(made, kept, atol=1e-5)


@pytest.mark.slow
def test_another_network_obeys_the_same_laws():
    config = replace(nl.QUICK, network_seed=1)
    setting = experiments.prepare(config)
    dataset = xr.merge(
        [experiments.spectrum(config, setting), experiments.stationary(config, setting)],
        combine_attrs="override",
    )
    dataset.attrs |= experiments.spectrum(config, setting).attrs
    dataset.attrs["config"] = nl.provenance.to_json(nl.provenance.asdict(config))
    for claim in (
        small_network.claims.speed,
        small_network.claims.equipartition,
        nl.claims.epoch_factor,
    ):
        claim(dataset)


@pytest.mark.slow
def test_bundled_resnet_is_made_again():
    recipe = resnet.Recipe()
    images = resnet.images_of(recipe)
    losses = []
    for theta in (resnet.load(recipe), resnet.pretrain(recipe)):
        model = resnet.network(recipe)
        resnet._put(model, torch.from_numpy(theta))
        with torch.no_grad():
            logits = model.train()(images.inputs)
        losses.append(float(-(images.soft() * torch.log_softmax(logits, 1)).sum(1).mean()))
    assert losses[0] == pytest.approx(losses[1], rel=0.02)  # rounding differs between processors
