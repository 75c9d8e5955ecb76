"""Formulas of chapter `noise_strength` against exact answers; what they refuse."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import explicit

import sgdescape.noise_strength as ns
from noise_strength.small import as_dataset, small_network
from sgdescape.core.networks import gradients, models
from sgdescape.core.training import sgd
from sgdescape.noise_strength.measure import moments


@pytest.mark.parametrize("batch_size", [1, 3, 9])
def test_noise_strength_is_the_trace_of_the_batch_noise(batch_size):
    model, x, y, loss = small_network()
    g = gradients.batch_gradients(model, x, y, loss=loss).detach().numpy()
    strength = ns.noise_strength((g**2).sum(1).mean(), (g.mean(0) ** 2).sum())
    batches = np.array(list(combinations(range(9), batch_size)))
    exact = ((g[batches].mean(1) - g.mean(0)) ** 2).sum(1).mean()
    factor = (9 - batch_size) / 8 / batch_size
    np.testing.assert_allclose(exact, factor * strength, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("outputs, loss", [(1, "square"), (3, "square"), (3, "cross_entropy")])
def test_factors_multiply_to_the_ratio(outputs, loss):
    model, x, y, per_sample = small_network(outputs, loss=loss)
    ds = ns.predict(as_dataset(moments(model, x, y, loss=per_sample), outputs))
    names = ("gradient_factor", "direction_factor", "size_factor", "residual_factor")
    factors = np.array([ds[name].item() for name in names])
    np.testing.assert_allclose(ns.noise_factors(factors), ds.ratio.item(), rtol=1e-12)
    if outputs == 1:
        np.testing.assert_allclose(factors[1], 1, rtol=1e-12)
    if loss == "square":
        np.testing.assert_allclose(factors[3], 1, rtol=1e-12)
        np.testing.assert_allclose(ds.prediction, ds.residual_prediction, rtol=1e-12)


def test_prediction_is_exact_when_its_assumptions_hold():
    # all samples share one gradient size, residuals are +-sqrt(2 l) along the axes, mean gradient 0
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((6, 3)))[0].T * 2.0  # J, (3, 6), K = 4 * 1
    residuals = np.concatenate([np.eye(3), -np.eye(3)])
    g = residuals @ directions
    strength = ns.noise_strength((g**2).sum(1).mean(), (g.mean(0) ** 2).sum())
    loss = 0.5 * (residuals**2).sum(1).mean()
    predicted = ns.predicted_noise(loss, (directions**2).sum(), outputs=3)
    np.testing.assert_allclose(strength, predicted, rtol=1e-12)


def test_last_layer_has_no_preferred_direction():
    _, x, y, loss = small_network()
    model = models.mlp((5, 3), seed=0, dtype=torch.float64)
    found = moments(model, x, y, loss=loss)
    np.testing.assert_allclose(3 * found["second_moment"] / found["joint"], 1, rtol=1e-12)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=12), st.data())
@settings(max_examples=200, deadline=None)
def test_residual_bounds_hold_for_any_logits(logits, data):
    right = data.draw(st.integers(0, len(logits) - 1))
    f = torch.tensor([logits], dtype=torch.float64)
    y = torch.zeros_like(f)
    y[0, right] = 1
    r2 = gradients.output_gradients(f, y, sgd.cross_entropy).square().sum().item()
    low, high = ns.residual_bounds(sgd.cross_entropy(f, y).item(), outputs=len(logits))
    assert low * (1 - 1e-6) - 1e-14 <= r2 <= high * (1 + 1e-6) + 1e-14


def test_residual_bounds_are_reached():
    equal = torch.zeros(1, 10, dtype=torch.float64)
    equal[0, 0] = 1.3  # the other nine share the rest
    one = torch.full((1, 10), -80.0, dtype=torch.float64)
    one[0, :2] = torch.tensor([0.4, 0.0])  # one other has it all
    y = torch.nn.functional.one_hot(torch.tensor([0]), 10).double()
    for f, k in ((equal, 0), (one, 1)):
        r2 = gradients.output_gradients(f, y, sgd.cross_entropy).square().sum().item()
        bound = ns.residual_bounds(sgd.cross_entropy(f, y).item(), outputs=10)[k]
        np.testing.assert_allclose(r2, bound, rtol=1e-10)


def test_wrong_share_is_linear_in_the_loss():
    n, wrong, loss_wrong, g = 50, 7, 2.3, 1.1
    loss = wrong / n * loss_wrong
    found = ns.wrong_share_residual(loss, loss_wrong=loss_wrong, residual_wrong=g)
    np.testing.assert_allclose(found, wrong / n * g)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_margin_exponent_of_a_scaled_network(layers):
    # scale all weights of a bias-free network: |J|^2 against the outputs, as log(1/L) ~ outputs
    widths = (5, *(6,) * (layers - 1), 1)
    x = torch.rand(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sizes, norms = [], []
    for scale in (1.0, 3.0):
        model = models.mlp(widths, seed=2, dtype=torch.float64)
        with torch.no_grad():
            for layer in model[::2]:
                layer.weight.mul_(scale)
        jacobian = explicit.output_jacobian(model, x).detach()
        weights = jacobian[..., weight_mask(model)]
        sizes.append(model(x).detach().abs().mean().item())
        norms.append(weights.square().sum((1, 2)).mean().item())
    slope = np.log(norms[1] / norms[0]) / np.log(sizes[1] / sizes[0])
    np.testing.assert_allclose(slope, ns.margin_exponent(layers), atol=1e-9)


def weight_mask(model):
    kinds = [torch.full((p.numel(),), p.ndim == 2) for p in model.parameters()]
    return torch.cat(kinds)


NAN = float("nan")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: ns.noise_strength(-1.0, 0.0), ValueError, "second_moment must be at least 0"),
        (lambda: ns.noise_strength(1.0, NAN), ValueError, "gradient_square must be finite"),
        (lambda: ns.noise_strength(1.0, 1.1), ValueError, "gradient_square must be at most"),
        (lambda: ns.noise_strength(1j, 0.0), TypeError, "second_moment must hold real numbers"),
        (lambda: ns.predicted_noise(-1.0, 1.0, outputs=1), ValueError, "loss must be at least 0"),
        (lambda: ns.predicted_noise(1.0, "2", outputs=1), TypeError, "jacobian must hold real"),
        (lambda: ns.predicted_noise(1.0, 2.0, outputs=0), ValueError, "outputs must be at least 1"),
        (lambda: ns.predicted_noise(1.0, 2.0, outputs=2.5), ValueError, "outputs must be a whole"),
        (lambda: ns.residual_noise(NAN, 2.0, outputs=2), ValueError, "residual must be finite"),
        (lambda: ns.residual_noise(1.0, 2.0, outputs=True), TypeError, "outputs must hold real"),
        (lambda: ns.sample_norm(np.ones(2), np.eye(3)), ValueError, "gram must be"),
        (lambda: ns.sample_norm(np.ones(2), NAN * np.eye(2)), ValueError, "gram must be finite"),
        (lambda: ns.noise_factors([1.0, 2.0, 3.0]), ValueError, r"factors must have shape \(4"),
        (lambda: ns.noise_factors([1.0, 2.0, 3.0, -1.0]), ValueError, "factors must be at least"),
        (lambda: ns.residual_bounds(-0.1, outputs=2), ValueError, "loss must be at least 0"),
        (lambda: ns.residual_bounds(0.1, outputs=1), ValueError, "outputs must be at least 2"),
        (
            lambda: ns.wrong_share_residual(0.1, loss_wrong=0.0, residual_wrong=1.0),
            ValueError,
            "loss_wrong must be positive",
        ),
        (lambda: ns.margin_exponent(0), ValueError, "layers must be at least 1"),
        (lambda: ns.margin_exponent(2.0), TypeError, "layers must be an integer"),
    ],
)
def test_formulas_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()
