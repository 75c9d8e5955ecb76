"""Networks and runs of chapter `network_limits` against autograd, torch's SGD and each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import linalg

from sgdescape.network_limits import QUICK
from sgdescape.network_limits.measure import (
    chains,
    minimum,
    network,
    resnet,
    resnet_checkpoint,
    strong_noise,
)

SMALL = network.make_task(samples=160, seed=3)


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
    trace = strong_noise.trace_noise(theta, SMALL)
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
    monkeypatch.setattr(resnet_checkpoint, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="corrupt"):
        resnet_checkpoint.load(resnet_checkpoint.Recipe())


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


def test_replicas_that_diverge_are_named_and_left_out(monkeypatch):
    true = network.gradients

    def wild(theta, inputs, labels):
        found = true(theta, inputs, labels)
        if len(found) == 3 and float(theta[1].abs().sum()) > 0:
            found[1] = np.nan
        return found

    monkeypatch.setattr(network, "gradients", wild)
    with pytest.warns(RuntimeWarning, match="left out: replica 1 at step 1"):
        _, path = chain(chains.Step(0.05, 0.5, 8), snapshots=(3,), references=(0, 2))
    assert path.diverged.tolist() == [-1, 1, -1]
    (left,) = chains.alive(path)
    assert left.speed.shape == (2, 40) and left.distance.shape == (2, 2, 41)
    assert np.isfinite(left.position).all() and np.isfinite(left.kept).all()
    monkeypatch.setattr(network, "gradients", lambda *a: true(*a) * np.nan)
    words = r"learning_rate = 0.05 is too large .* 0 of 3 .* replica 0 at step 1, replica 1"
    with pytest.raises(FloatingPointError, match=words):
        chain(chains.Step(0.05, 0.5, 8))


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


def test_soft_targets_are_the_frequencies_of_drawn_labels():
    images = resnet_checkpoint.Images(torch.zeros(3, 1, 2, 2), torch.tensor([1, 5, 9]), 0.4)
    generator = torch.Generator().manual_seed(0)
    index = torch.arange(3).repeat(20_000)
    labels = images.draw(index, generator).view(-1, 3)
    shares = torch.stack([(labels == c).double().mean(0) for c in range(10)], 1)
    assert float((shares - images.soft()).abs().max()) < 5 * 0.5 / np.sqrt(20_000)


def test_convolutions_have_no_radial_gradient():
    recipe = resnet_checkpoint.Recipe(images=64)
    images, model = resnet_checkpoint.images_of(recipe), resnet_checkpoint.network(recipe)
    resnet_checkpoint.put(
        model, torch.from_numpy(resnet_checkpoint.load(resnet_checkpoint.Recipe()))
    )
    generator = torch.Generator().manual_seed(0)
    resnet_checkpoint.gradient(model, images, torch.arange(32), generator)
    for name, p in model.named_parameters():
        radial = float((p.detach() * p.grad).sum() / (p.detach().norm() * p.grad.norm()))
        if p.dim() == 4:
            assert abs(radial) < 1e-3, name


@pytest.mark.slow
def test_bundled_minimum_is_made_again():
    recipe = minimum.Recipe()
    made, kept = minimum.pretrain(recipe), minimum.bundled()[recipe]
    np.testing.assert_allclose(made, kept, atol=1e-5)


@pytest.mark.slow
def test_bundled_resnet_is_made_again():
    recipe = resnet_checkpoint.Recipe()
    images = resnet_checkpoint.images_of(recipe)
    losses = []
    for theta in (resnet_checkpoint.load(recipe), resnet_checkpoint.pretrain(recipe)):
        model = resnet_checkpoint.network(recipe)
        resnet_checkpoint.put(model, torch.from_numpy(theta))
        with torch.no_grad():
            logits = model.train()(images.inputs)
        losses.append(float(-(images.soft() * torch.log_softmax(logits, 1)).sum(1).mean()))
    assert losses[0] == pytest.approx(losses[1], rel=0.02)  # rounding differs between processors


FEW = replace(
    QUICK,
    residual_images=128,
    residual_width=1,
    residual_schedule=((0.05, 1),),
    residual_hessian_images=32,
    residual_modes=2,
    residual_iterations=3,
    residual_batches=2,
    residual_runs=((0.002, 0.5, 32, 4), (0.002, 0.9, 32, 3)),
    residual_ring=(0.005, 0.9, 2, 0.02),
)


def test_the_resnet_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    """Stopped in its second run, it trains nothing again and ends with the same bits."""
    whole, run, made = resnet.measure(FEW), resnet._run, []

    def stopped(*arguments):
        made.append(arguments[-1])
        if arguments[-1] == 1:
            raise KeyboardInterrupt
        return run(*arguments)

    monkeypatch.setattr(resnet, "_run", stopped)
    with pytest.raises(KeyboardInterrupt):
        resnet.measure(FEW, store=tmp_path)
    monkeypatch.setattr(
        resnet, "_run", lambda *arguments: made.append(arguments[-1]) or run(*arguments)
    )
    monkeypatch.setattr(resnet_checkpoint, "pretrain", None)
    monkeypatch.setattr(resnet, "_spectrum", None)
    again = resnet.measure(FEW, store=tmp_path)
    assert made == [0, 1, 1]
    assert again.identical(whole.drop_attrs())
    with pytest.raises(TypeError):  # other sizes are another run: there is nothing to call
        resnet.measure(replace(FEW, residual_modes=1), store=tmp_path)
