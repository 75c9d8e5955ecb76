"""Training runs and what is measured along them: exact where small, a function of the seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.core import explicit

import sgdescape.noise_strength as ns
import sgdescape.noise_strength.measure as rooms
from noise_strength.small import TINY, small_network
from sgdescape.core.networks import gradients, models
from sgdescape.core.training import sgd
from sgdescape.noise_strength.experiment import origins
from sgdescape.noise_strength.measure import (
    MOMENTS,
    epoch_marks,
    in_span,
    measure,
    moments,
    seeds_of,
)


@pytest.mark.parametrize("loss", sgd.LOSSES)
def test_moments_equal_explicit_gradients(loss):
    model, x, y, per_sample = small_network(loss=loss)
    found = moments(model, x, y, loss=per_sample, seed=3)
    g = gradients.batch_gradients(model, x, y, loss=per_sample).detach().numpy()
    jacobian = explicit.output_jacobian(model, x).detach().numpy()
    residual = gradients.output_gradients(model(x), y, per_sample).numpy()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3)).numpy()
    squares, norms = (residual**2).sum(1), (jacobian**2).sum((1, 2))
    losses = per_sample(model(x), y).detach().numpy()
    exchanged = np.einsum("nc,ncp->np", residual[order], jacobian)
    expected = {
        "loss": losses.mean(),
        "second_moment": (g**2).sum(1).mean(),
        "gradient_square": (g.mean(0) ** 2).sum(),
        "jacobian": norms.mean(),
        "residual": squares.mean(),
        "joint": (squares * norms).mean(),
        "shuffled": (exchanged**2).sum(1).mean(),
        "accuracy": (model(x).argmax(1) == y.argmax(1)).double().mean().item(),
    }
    assert set(found) == set(expected) == set(MOMENTS)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, err_msg=name)
    gram = jacobian @ jacobian.transpose(0, 2, 1)
    np.testing.assert_allclose(ns.sample_norm(residual, gram), (g**2).sum(1), rtol=1e-10)


def test_moments_do_not_depend_on_the_chunk(monkeypatch):
    model, x, y, loss = small_network()
    whole = moments(model, x, y, loss=loss)
    monkeypatch.setattr("sgdescape.noise_strength.measure._CHUNK", 4)
    parts = moments(model, x, y, loss=loss)
    np.testing.assert_allclose(list(parts.values()), list(whole.values()), rtol=1e-12)


@given(st.integers(3, 40), st.integers(0, 400))
def test_epoch_marks_are_distinct_and_end_at_the_last_epoch(marks, more):
    found = epoch_marks(marks + more, marks)
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
            model, inputs = in_span(model, x)
            assert inputs.shape == (9, 9)
        result = sgd.train(model, inputs, y, plan, loss=sgd.LOSSES[loss])
        end = moments(model, inputs, y, loss=sgd.LOSSES[loss])
        found.append([*result.batch_losses, *end.values()])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    assert abs(found[0][0] / found[0][-len(end)] - 1) > 0.05  # it has moved


def test_inputs_that_span_everything_stay():
    model, x, _, _ = small_network()
    assert in_span(model, x) == (model, x)


def test_run_is_a_function_of_seed_and_replica():
    options = dict(seed=3, case="MLP, square", config=TINY, device="cpu")
    both = measure(range(2), **options)
    second = measure(range(1, 2), **options)
    other = measure(range(1), **(options | {"seed": 4}))
    for name in MOMENTS:
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


def test_the_same_runs_with_more_of_them_and_a_stop():
    whole = measure(range(2), seed=3, case="MLP, square", config=TINY, device="cpu")
    short = replace(TINY, replicas=3, stop=4)
    part = measure(range(1), seed=3, case="MLP, square", config=short, device="cpu")
    kept = part["epoch"].shape[1]
    assert kept == 4 < TINY.marks
    for name in MOMENTS:
        assert np.array_equal(part[name], whole[name][:1, :kept])


def test_seeds_of_a_replica_are_all_different():
    found = [s for r in range(20) for s in seeds_of(0, r).values()]
    found += [s for r in range(20) for s in seeds_of(1, r).values()]
    assert len(set(found)) == len(found) == 160


@pytest.fixture
def diverging(monkeypatch):
    """Make the training of some replicas of one case diverge at its second mark."""

    def choose(*bad):
        def train(model, data, case, config, marks, own):
            row, step = right(model, data, case, config, marks, own)
            if case.loss == "cross_entropy" and own["weights"] in {
                seeds_of(config.seed, r)["weights"] for r in bad
            }:
                nothing = dict.fromkeys(MOMENTS, np.nan)
                return row[:1] + [nothing] * (len(marks) - 1), 7
            return row, step

        right = rooms._train
        monkeypatch.setattr(rooms, "_train", train)

    return choose


def test_a_diverged_run_says_where():
    hot = replace(TINY, learning_rate=1000.0)
    found = measure(range(1), seed=0, case="MLP, square", config=hot, device="cpu")
    assert found["diverged_at"][0] >= 0 and np.isfinite(found["loss"][0, 0])
    assert np.isnan(found["loss"][0, -1])


def test_diverged_replicas_are_named_and_left_out(diverging):
    diverging(1)
    config = replace(TINY, replicas=3, cnn_replicas=3)
    with pytest.warns(RuntimeWarning, match="left out: MLP, cross-entropy, replica 1 at step 7"):
        ds = ns.run(config)
    assert ds.replica.values.tolist() == [0, 2] and np.isfinite(ds.ratio).all()
    assert "replica 1 at step 7" in ds.attrs["diverged"]


def test_too_many_diverged_replicas_are_an_error(diverging):
    diverging(0, 1)
    with pytest.raises(FloatingPointError, match="0 of 2 replicas did not diverge, 2 are needed"):
        ns.run(TINY)


def test_the_cnn_may_have_fewer_replicas():
    ds = ns.run(replace(TINY, replicas=3))
    assert np.isnan(ds.loss.sel(case="CNN, square").isel(replica=2)).all()
    assert np.isfinite(ds.loss.sel(case="MLP, square")).all()


def test_other_images_on_a_worker_are_refused():
    data = {"fashion_mnist": {"sha256": {"other.npz": "0"}}}
    with pytest.raises(ValueError, match="fashion_mnist must be the files .*on every worker"):
        measure(range(1), seed=0, case="MLP, square", config=TINY, device="cpu", data=data)


def test_paper_scale_does_not_shrink_silently(monkeypatch, tmp_path):
    monkeypatch.setenv("SGDESCAPE_DATA", str(tmp_path / "mistyped"))
    monkeypatch.setattr("sgdescape.core.data.sources.SYSTEM_FOLDERS", ())
    with pytest.raises(FileNotFoundError, match="cifar10 is not bundled and not on this machine"):
        ns.run(ns.PAPER)
    looked = r"full set of 60000 .*mistyped \(SGDESCAPE_DATA, no such folder"
    with pytest.raises(FileNotFoundError, match=looked):
        ns.run(replace(ns.PAPER, cnn_data="fashion_mnist"))
    less = replace(ns.PAPER, cnn_data="fashion_mnist", accept_subset=True)
    found = origins(less)["fashion_mnist"]
    assert (found["source"], found["n"], found["total"]) == ("bundled", 5000, 5000)
