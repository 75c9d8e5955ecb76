"""Chapter `noise_strength`: formulas against exact answers, claims against wrong theories."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import sgdescape.noise_strength as ns
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.networks import gradients, models
from sgdescape.core.stats import intervals
from sgdescape.core.training import sgd
from sgdescape.noise_strength import claims, measure

TINY = ns.Config(
    images=40,
    hidden=(6, 5, 4),
    stacks=((2, 1), (3, 1)),
    batch_size=20,
    mlp_epochs=8,
    cnn_epochs=6,
    marks=5,
    replicas=2,
)


def small_network(outputs=3, *, loss="square"):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    labels = torch.arange(9) % outputs
    y = torch.nn.functional.one_hot(labels, outputs).double()
    if outputs == 1:
        y = torch.where(x[:, :1] > 0, 1.0, -1.0).double()
    model = models.mlp((5, 6, 4, outputs), seed=0, dtype=torch.float64)
    return model, x, y, sgd.LOSSES[loss]


# formulas


@pytest.mark.parametrize("loss", sgd.LOSSES)
def test_moments_equal_explicit_gradients(loss):
    model, x, y, per_sample = small_network(loss=loss)
    found = measure.moments(model, x, y, loss=per_sample, seed=3)
    g = gradients.batch_gradients(model, x, y, loss=per_sample).detach().numpy()
    jacobian = gradients.output_jacobian(model, x).detach().numpy()
    residual = gradients.output_gradients(model(x), y, per_sample).numpy()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3)).numpy()
    squares, norms = (residual**2).sum(1), (jacobian**2).sum((1, 2))
    losses = per_sample(model(x), y).detach().numpy()
    exchanged = np.einsum("nc,ncp->np", residual[order], jacobian)
    expected = {
        "loss": losses.mean(),
        "loss_square": (losses**2).mean(),
        "second_moment": (g**2).sum(1).mean(),
        "gradient_square": (g.mean(0) ** 2).sum(),
        "jacobian": norms.mean(),
        "residual": squares.mean(),
        "joint": (squares * norms).mean(),
        "shuffled": (exchanged**2).sum(1).mean(),
        "accuracy": (model(x).argmax(1) == y.argmax(1)).double().mean().item(),
    }
    assert set(found) == set(expected) == set(measure.MOMENTS)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, err_msg=name)
    gram = jacobian @ jacobian.transpose(0, 2, 1)
    np.testing.assert_allclose(ns.sample_norm(residual, gram), (g**2).sum(1), rtol=1e-10)


def test_moments_do_not_depend_on_the_chunk(monkeypatch):
    model, x, y, loss = small_network()
    whole = measure.moments(model, x, y, loss=loss)
    monkeypatch.setattr(measure, "_CHUNK", 4)
    parts = measure.moments(model, x, y, loss=loss)
    np.testing.assert_allclose(list(parts.values()), list(whole.values()), rtol=1e-12)


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
    ds = ns.predict(as_dataset(measure.moments(model, x, y, loss=per_sample), outputs))
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
    found = measure.moments(model, x, y, loss=loss)
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
        jacobian = gradients.output_jacobian(model, x).detach()
        weights = jacobian[..., weight_mask(model)]
        sizes.append(model(x).detach().abs().mean().item())
        norms.append(weights.square().sum((1, 2)).mean().item())
    slope = np.log(norms[1] / norms[0]) / np.log(sizes[1] / sizes[0])
    np.testing.assert_allclose(slope, ns.margin_exponent(layers), atol=1e-9)


def weight_mask(model):
    kinds = [torch.full((p.numel(),), p.ndim == 2) for p in model.parameters()]
    return torch.cat(kinds)


# measurement


@given(st.integers(3, 40), st.integers(0, 400))
def test_epoch_marks_are_distinct_and_end_at_the_last_epoch(marks, more):
    found = measure.epoch_marks(marks + more, marks)
    assert len(found) == marks and found[0] == 0 and found[-1] == marks + more
    assert (np.diff(found) >= 1).all()


@pytest.mark.parametrize("loss", sgd.LOSSES)
def test_training_in_the_span_of_the_inputs_is_the_same(loss):
    x = torch.rand(9, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    y = torch.nn.functional.one_hot(torch.arange(9) % 3, 3).double()
    plan = sgd.Config(0.1, 3, 40, seed=5)
    found = []
    for inside in (False, True):
        model, inputs = models.mlp((30, 6, 4, 3), seed=0, dtype=torch.float64), x
        if inside:
            model, inputs = measure.in_span(model, x)
            assert inputs.shape == (9, 9)
        result = sgd.train(model, inputs, y, plan, loss=sgd.LOSSES[loss])
        end = measure.moments(model, inputs, y, loss=sgd.LOSSES[loss])
        found.append([*result.batch_losses, *end.values()])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    assert abs(found[0][0] / found[0][-len(end)] - 1) > 0.05  # it has moved


def test_inputs_that_span_everything_stay():
    model, x, _, _ = small_network()
    assert measure.in_span(model, x) == (model, x)


def test_run_is_a_function_of_seed_and_replica():
    options = dict(seed=3, case="MLP, square", config=TINY, device="cpu")
    both = measure.measure(range(2), **options)
    second = measure.measure(range(1, 2), **options)
    other = measure.measure(range(1), **(options | {"seed": 4}))
    for name in measure.MOMENTS:
        assert both[name].shape == (2, TINY.marks)
        assert np.array_equal(both[name][1:], second[name])
    assert not np.array_equal(both["loss"][0], both["loss"][1])
    assert not np.array_equal(both["loss"][0], other["loss"][0])


def test_run_has_units_and_provenance_and_every_case():
    ds = ns.run(TINY)
    assert ds.sizes == {"case": 5, "replica": 2, "mark": 5}
    assert ds.noise.attrs["units"] == "(loss/parameter)^2"
    assert ds.attrs["seed"] == 0 and "torch" in ds.attrs
    assert (ds.noise > 0).all() and np.isfinite(ds.ratio).all()
    np.testing.assert_allclose(ds.residual_factor.sel(case="MLP, square"), 1, rtol=1e-4)


def test_divergence_is_reported():
    with pytest.raises(FloatingPointError, match="diverged at step .* learning_rate = 1000"):
        measure.measure(
            range(1),
            seed=0,
            case="MLP, square",
            config=replace(TINY, learning_rate=1000.0),
            device="cpu",
        )


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(batch_size=0), "batch_size"),
        (dict(marks=4), "marks must be at least 5: got 4"),
        (dict(replicas=1), "replicas must be at least 2: got 1"),
        (dict(learning_rate=-1.0), "learning_rate.*-1.0"),
        (dict(cnn_data="imagenet"), "cnn_data.*'imagenet'"),
    ],
)
def test_config_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        ns.Config(**change)


def test_slopes_of_exact_powers():
    ds = as_dataset({"loss": 1.0}, 1)
    x = ds.loss.expand_dims(mark=5).transpose(..., "mark")[0] * 2.0 ** np.arange(5)
    assert claims.slopes(x, 3 * x**2, x > 1.5).tolist() == pytest.approx([2.0])
    with pytest.raises(ValueError, match="at least 3 marks in its range: got 2"):
        claims.slopes(x, x, x > 7)


def test_interval_over_replicas():
    found = claims.over_replicas([1.0, 4.0, 2.0, 3.0])
    assert (found.value, found.low, found.high, found.level) == (2.5, 1, 4, 0.875)
    assert isinstance(found, intervals.Interval)


# claims


@pytest.fixture(scope="module")
def measured():
    return {seed: ns.run(replace(ns.QUICK, seed=seed)) for seed in range(5)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("claim", declared("noise_strength"), ids=lambda claim: claim.__name__)
def test_claims_hold_for_every_seed(claim, seed, measured):
    claim(measured[seed])


WRONG_THEORIES = [
    # claim, what is replaced in the chapter, by what (given the measured dataset)
    ("early_slope", "noise_strength", lambda ds: lambda second, gradient: 3 * ds.loss),
    ("late_prediction", "predicted_noise", lambda ds: lambda loss, j, outputs: loss**2 * j),
    ("late_slope", "noise_strength", lambda ds: lambda second, gradient: second**2),
    ("outputs", "predicted_noise", lambda ds: lambda loss, j, outputs: 2 * loss * j),
    ("outputs", "predicted_noise", lambda ds: lambda loss, j, outputs: loss * j / outputs),
    ("whole_training", "predicted_noise", lambda ds: lambda loss, j, outputs: ds.noise),
    ("direction", "joint", lambda ds: ds.second_moment * ds.outputs),
    ("factor", "predicted_noise", lambda ds: lambda loss, j, outputs: 2 * loss * j),
    ("factor", "noise_strength", lambda ds: lambda second, gradient: 0 * second + second.mean()),
    ("one_output", "predicted_noise", lambda ds: lambda loss, j, outputs: loss**2 * j),
    ("late_slope_one_output", "noise_strength", lambda ds: lambda second, gradient: second**2),
    ("entropy_early", "residual", lambda ds: ds.loss**2),
    ("entropy_residual", "residual", lambda ds: 2 * ds.loss),
    ("entropy_late", "noise_strength", lambda ds: lambda second, gradient: ds.prediction),
    ("margin_growth", "margin_exponent", lambda ds: lambda layers: 2 * layers - 2),
    ("entropy_prediction", "residual_noise", lambda ds: lambda r, j, outputs: r * j),
]


@pytest.mark.slow
@pytest.mark.parametrize("name, what, wrong", WRONG_THEORIES, ids=[w[0] for w in WRONG_THEORIES])
def test_a_wrong_theory_is_noticed(name, what, wrong, measured, monkeypatch):
    ds = measured[0]
    if what in ds:
        ds = ds.assign({what: wrong(ds)})
    else:
        monkeypatch.setattr(ns, what, wrong(ds))
    with pytest.raises(ClaimError):
        getattr(ns, f"claim_{name}")(ns.predict(ds))


def test_every_testable_claim_meets_a_wrong_theory():
    named = {f"claim_{name}" for name, *_ in WRONG_THEORIES} | {"paper_curves"}
    assert {claim.__name__ for claim in declared("noise_strength")} == named


def as_dataset(values, outputs):
    ds = xr.Dataset({k: (("case", "replica"), [[float(v)]]) for k, v in values.items()})
    return ds.assign_coords(outputs=("case", [outputs])).assign_attrs(layers=4)
