"""The minimum, the runs that leave it and the linearised network, against plain code."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import explicit

import sgdescape.neural_network as net
from neural_network.imitation import small
from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.training import sgd
from sgdescape.neural_network.measure import cells, checkpoints, escapes, linearised
from sgdescape.neural_network.measure import minimum as measurement


@given(st.integers(0, 2**31))
@settings(max_examples=20)
def test_rarer_looks_see_later(seed):
    losses = 1 + np.random.default_rng(seed).exponential(0.5, (4, 60)).cumsum(1) / 10
    losses *= np.random.default_rng(seed + 1).uniform(0.5, 1.5, losses.shape)
    found = escapes.looked_at(losses, [1.2, 2.0, 30.0], [1, 3, 9])
    assert (found[:, :, 2] == -1).all()
    never = np.where(found < 0, 10**9, found)
    assert (np.diff(never, axis=1) >= 0).all()  # 3 divides 9
    for row in range(4):
        above = np.flatnonzero(losses[row] >= 1.2)
        assert found[row, 0, 0] == (above[0] + 1 if above.size else -1)


@pytest.mark.parametrize("hidden", [(2,), (2, 2)])
def test_escapes_do_not_depend_on_chunks(tmp_path, monkeypatch, hidden):
    model, images = small(hidden)
    problem = ensembles.problem(model, images.inputs, images.targets)
    found = measurement.minimum(model, images, directions=2, seed=0)
    made = None, model, images, problem, found
    monkeypatch.setattr(escapes, "prepared", lambda recipe, directions: made)
    config = replace(net.QUICK, watch=40.0, hidden=hidden)
    how = dict(replicas=5, use=escapes.Use.RUNS, device="cpu", executor=None)
    grid = config, ["main"], (2.0, 4.0), (2, 5)
    whole = escapes.sweep(*grid, store=None, **how)
    monkeypatch.setattr(escapes, "CHUNK", 2)
    parts = escapes.sweep(*grid, store=tmp_path, **how)
    xr.testing.assert_identical(whole, parts)
    assert len(list(tmp_path.rglob("*.nc")) or list(tmp_path.rglob("*.npz"))) == 4 * 3
    rate = whole.learning_rate.sel(exponent=2.0, batch_size=5).values
    np.testing.assert_allclose(rate, 5 / 2.0 / found["curvature"][0])
    assert whole.looks.dims[-2:] == ("look", "threshold")
    np.testing.assert_array_equal(whole.looks.isel(look=0), whole.passage)


def test_minimum_equals_explicit_gradients():
    model, images = small()
    found = measurement.minimum(model, images, directions=4, seed=0)
    jacobian = explicit.output_jacobian(model, images.inputs)[:, 0].detach()
    n = len(jacobian)
    values, vectors = torch.linalg.eigh(jacobian.T @ jacobian / n)
    values, vectors = values.flip(0)[:4], vectors.flip(1)[:, :4]
    np.testing.assert_allclose(found["curvature"], values, rtol=1e-8)
    g = jacobian @ vectors
    with torch.no_grad():
        residual = model(images.inputs)[:, 0] - images.targets
    losses = 0.5 * residual**2
    ratio = (losses @ g**2) / n / losses.mean() / values
    np.testing.assert_allclose(found["noise_ratio"], ratio, rtol=1e-6)
    kurtosis = (g**2).T @ (g**2) / n / torch.outer(values, values)
    np.testing.assert_allclose(found["kurtosis"], kurtosis, rtol=1e-6)
    mean = (residual @ g) / n
    share = mean**2 / (2 * losses.mean() * values)
    np.testing.assert_allclose(found["gradient_share"], share, rtol=1e-5)
    np.testing.assert_allclose(found["trace"], (jacobian**2).sum() / n, rtol=1e-10)
    square = torch.linalg.matrix_norm(jacobian.T @ jacobian / n) ** 2
    np.testing.assert_allclose(found["square"], square, rtol=1e-10)
    lifted = measurement.parameter_directions(model, images, found["vectors"])
    np.testing.assert_allclose((lifted.T @ vectors).abs(), np.eye(4), atol=1e-6)


def looked_at(model, images, directions):
    """Loss, leading eigenvectors, the noise along the first, dead parameters: from the Jacobian."""
    jacobian = explicit.output_jacobian(model, images.inputs)[:, 0].detach()
    values, vectors = torch.linalg.eigh(jacobian.T @ jacobian / len(jacobian))
    with torch.no_grad():
        residual = model(images.inputs)[:, 0] - images.targets
    forces, loss = residual * (jacobian @ vectors[:, -1]), float((residual**2).mean() / 2)
    unit = 2 * loss * values[-1]
    dead = (jacobian == 0).all(dim=0)
    return loss, values.flip(0)[:directions], vectors.flip(1)[:, :directions], forces, unit, dead


def test_end_points_are_compared_with_the_minimum(monkeypatch):
    """Displaced by (3, 4) along the leading directions and 12 across them, in all 13."""
    model, images = small((2,))
    loss, curvature, lifted, _, _, dead = looked_at(model, images, 3)
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    across = torch.randn(len(start), generator=torch.Generator().manual_seed(0), dtype=start.dtype)
    across -= lifted @ (lifted.T @ across)
    moved = 0.01 * (lifted @ torch.tensor([3.0, 4.0, 0.0], dtype=start.dtype))
    moved += 0.12 * across / across.norm()
    there, _ = small((2,))
    torch.nn.utils.vector_to_parameters(start + moved, there.parameters())
    monkeypatch.setattr(checkpoints, "network", lambda recipe, theta: there)
    minimum = {"curvature": curvature.numpy(), "loss": loss}
    found = cells.end_points(
        [(start + moved).numpy()], model, images, net.QUICK, minimum, lifted,
        gram=images.inputs @ images.inputs.T + 1,
    )  # fmt: skip
    now, h, vectors, forces, unit, _ = looked_at(there, images, 3)
    energy = 0.5 * curvature * torch.tensor([0.03, 0.04, 0.0]) ** 2 / (now - loss)
    expected = {
        "overlap": abs(vectors[:, 0] @ lifted[:, 0]),
        "span_overlap": ((vectors.T @ lifted) ** 2).sum() / 3,
        "dead_motion": (moved[dead] ** 2).sum() / 1.69e-2,
        "curvature_ratio": h[0] / curvature[0],
        "displacement_share": 25 / 169,
        "energy_share": energy.sum(),
        "leading_energy": energy[0],
        "path_loss": now / loss,
        "path_coupling": (forces**2).mean() / unit,
        "path_noise": forces.var(unbiased=False) / unit,
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=1e-5), name


def test_motion_is_binned_by_the_curvature_of_single_parameters():
    """Parameters displaced by the root of their curvature, twice as far in the second run."""
    model, images = small((40,))
    theta = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    squares = 0
    for x in images.inputs:
        model.zero_grad()
        model(x[None]).sum().backward()
        gradient = torch.nn.utils.parameters_to_vector([p.grad for p in model.parameters()])
        squares = squares + gradient**2 / len(images.inputs)
    points = [(theta + step * squares.sqrt()).numpy() for step in (1.0, 2.0)]
    found = cells.motion(points, model, images)
    expected = measurement.by_curvature(squares.numpy(), squares.numpy())
    assert np.isfinite(expected).any() and found.shape == (2, 8)
    np.testing.assert_allclose(found, [expected, 4 * expected], rtol=1e-4)


@pytest.mark.parametrize("hidden", [(3,), (3, 3), (2, 2, 2)])
def test_minimum_is_the_same_from_the_gram_of_the_images(hidden):
    model, images = small(hidden)
    first = images.inputs @ images.inputs.T + 1
    found = measurement.minimum(model, images, directions=3, seed=0)
    from_gram = measurement.minimum(model, images, directions=3, seed=0, gram=first)
    single = measurement.minimum(model, images, directions=3, seed=0, gram=first.float())
    for name in ("gram", "curvature", "trace", "square", "noise_ratio", "kurtosis"):
        np.testing.assert_allclose(from_gram[name], found[name], rtol=1e-7)
        np.testing.assert_allclose(single[name], found[name], rtol=1e-3)
    assert single["gram"].dtype == torch.float32


def test_hessian_ratio_equals_the_dense_hessian():
    model, images = small()
    found = measurement.minimum(model, images, directions=2, seed=0)
    lifted = measurement.parameter_directions(model, images, found["vectors"])
    parameters = dict(model.named_parameters())
    sizes = [p.numel() for p in parameters.values()]

    def loss(vector):
        pieces = torch.split(vector, sizes)
        named = {k: v.view_as(p) for (k, p), v in zip(parameters.items(), pieces, strict=True)}
        outputs = torch.func.functional_call(model, named, (images.inputs,))
        return sgd.square_loss(outputs, images.targets[:, None]).mean()

    start = torch.cat([p.detach().flatten() for p in parameters.values()])
    for index in range(2):
        v = lifted[:, index]
        slope = torch.func.grad(loss)
        curved = torch.func.jvp(slope, (start,), (v,))[1] @ v
        ratio = measurement.hessian_ratio(model, images, lifted, found["curvature"])[index]
        np.testing.assert_allclose(ratio, curved / found["curvature"][index], rtol=1e-8)


def test_linearised_kernel_follows_the_reference_and_the_network():
    model, images = small((3,))
    found = measurement.minimum(model, images, directions=2, seed=0)
    residual, gram = found["residual"], found["gram"]
    rate, levels = 0.02 / found["curvature"][0], found["loss"] * np.array([0.9, 1.0003, 1.01])
    options = dict(learning_rate=rate, batch_size=3, steps=60, seed=5)
    losses = [linearised.reference(residual, gram, replica=r, **options) for r in (4, 5)]
    passages = linearised.first_passage(
        residual, gram, levels=levels, replicas=range(4, 6), **options
    )
    for row, steps in zip(losses, passages, strict=True):
        first = [np.flatnonzero(row >= c) for c in levels]
        assert steps.tolist() == [int(k[0]) + 1 if k.size else -1 for k in first]
    assert (passages > 0).any()
    problem = ensembles.problem(model, images.inputs, images.targets, dtype="float64")
    off = []
    for smaller in (1.0, 0.002):  # with the same batches, they part in the second order
        options["learning_rate"] = smaller * rate
        line = linearised.reference(residual, gram, replica=4, **options)
        made = ensembles.run(
            problem, learning_rate=smaller * rate, batch_size=3, max_steps=60, seed=5,
            replicas=range(4, 5), record_every=1,
        )  # fmt: skip
        off.append(np.abs(made.losses[0] - line).max() / np.abs(line - found["loss"]).max())
    assert off[1] < 1e-3 and off[0] < 0.5
