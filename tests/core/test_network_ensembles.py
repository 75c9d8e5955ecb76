"""Ensembles of networks: both tiers against plain autograd SGD, exact paths, samplers, refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sgdescape.core.data import image_sets as data
from sgdescape.core.ensembles import network as ne
from sgdescape.core.ensembles.network_reference import draw_batches
from sgdescape.core.networks import models
from sgdescape.core.training import sgd

N = 220


@pytest.fixture(scope="module")
def images():
    return data.load("mnist", n=N, dtype=torch.float64)


def problem(images, widths=(784, 5, 1), *, dtype="float64", seed=0):
    model = models.mlp(widths, seed=seed, dtype=torch.float64)
    return model, ne.problem(model, images.inputs, images.targets, dtype=dtype)


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()


def plain_sgd(model, images, *, learning_rate, batch_size, steps, replica, seed, sampler):
    """Loss of every step and last parameters by torch.optim.SGD, one run, same batches."""
    optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses, code = [], ne.SAMPLERS.index(sampler)
    for step in range(steps):
        (batch,) = draw_batches(N, batch_size, code, seed, step, [replica])
        optimiser.zero_grad()
        sgd.square_loss(model(images.inputs[batch]), images.targets[batch]).mean().backward()
        optimiser.step()
        with torch.no_grad():
            losses.append(sgd.square_loss(model(images.inputs), images.targets).mean().item())
    return np.array(losses), flat(model)


@pytest.mark.parametrize("sampler", ne.SAMPLERS)
@pytest.mark.parametrize("widths", [(784, 5, 1), (784, 6, 6, 1), (784, 4, 4, 4, 1)])
@pytest.mark.parametrize("engine", ["numba", "torch", "reference"])
def test_every_step_is_that_of_plain_autograd_sgd(images, widths, sampler, engine):
    model, start = problem(images, widths)
    options = {"learning_rate": 0.05, "batch_size": 7, "seed": 11, "sampler": sampler}
    found = ne.run(
        start, max_steps=100, replicas=range(2, 4), record_every=1, engine=engine, **options
    )
    losses, theta = plain_sgd(model, images, steps=100, replica=3, **options)
    assert np.ptp(losses) > 0.005  # it trains: nothing is compared with a constant
    np.testing.assert_allclose(found.losses[1], losses, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.theta[1], theta, rtol=0, atol=1e-10)
    assert np.abs(found.theta[0] - theta).max() > 1e-4  # another replica goes elsewhere


def test_single_precision_stays_near_double(images):
    options = dict(learning_rate=0.05, batch_size=10, max_steps=300, replicas=range(3), seed=0)
    double = ne.run(problem(images)[1], record_every=1, **options)
    single = ne.run(problem(images, dtype="float32")[1], record_every=1, **options)
    torch_single = ne.run(
        problem(images, dtype="float32")[1], record_every=1, engine="torch", **options
    )
    np.testing.assert_allclose(single.losses, double.losses, rtol=2e-4)
    np.testing.assert_allclose(torch_single.losses, double.losses, rtol=2e-4)


@pytest.mark.slow
def test_single_precision_is_the_same_ensemble_after_many_steps(images):
    # chaotic: paths part, so their law is compared; 160 runs of 10,000 steps from one point
    start = problem(images)[1]
    start = replace(start, targets=start.targets + 0.3 * torch.sin(torch.arange(N).double()))
    model_single = replace(start, gram=start.gram.float())
    options = dict(learning_rate=0.02, batch_size=2, max_steps=10_000, record_every=10)
    double = ne.run(start, replicas=range(160), seed=1, **options)
    single = ne.run(model_single, replicas=range(160), seed=2, **options)
    plain = ne.run(model_single, replicas=range(12), seed=3, engine="torch", **options)
    for quantity in (
        lambda r: r.losses[:, 500:].mean(1),
        lambda r: r.losses[:, 500:].max(1),
        lambda r: np.linalg.norm(r.theta, axis=1),
    ):
        p = stats.ks_2samp(quantity(double), quantity(single)).pvalue
        assert p > 1e-5
        assert stats.ks_2samp(quantity(plain), quantity(single)).pvalue > 1e-5
    other = ne.run(model_single, replicas=range(160), seed=2, **options | {"learning_rate": 0.03})
    assert stats.ks_2samp(double.losses[:, 500:].mean(1), other.losses[:, 500:].mean(1))[1] < 1e-5


@pytest.mark.parametrize("engine", ["numba", "torch", "reference"])
def test_passages_are_read_off_the_losses(images, engine):
    _, start = problem(images)
    ratios = np.array([0.9, 0.95, 1.05, 1.2, 5000.0])
    options = dict(learning_rate=0.3, batch_size=2, max_steps=90, replicas=range(6), seed=3)
    found = ne.run(start, thresholds=ratios, engine=engine, record_every=1, **options)
    watched = ne.run(start, engine="numba", record_every=1, **options)
    for row, steps, last in zip(watched.losses, found.steps, found.last_step, strict=True):
        reached = [np.flatnonzero(row >= c * start.loss) for c in ratios]
        assert steps.tolist() == [int(k[0]) + 1 if k.size else -1 for k in reached]
        assert last == 90 and steps[-1] == -1  # the last threshold is never reached: censored
    np.testing.assert_allclose(found.losses, watched.losses, atol=1e-12)
    # with thresholds that are all reached a run stops at its last passage
    stopped = ne.run(start, thresholds=ratios[:3], engine=engine, record_every=1, **options)
    assert (stopped.steps > 0).all()
    np.testing.assert_array_equal(stopped.last_step, stopped.steps.max(1))
    kept = np.isfinite(stopped.losses).sum(1)
    np.testing.assert_array_equal(kept, stopped.last_step)
    for row, last in enumerate(stopped.last_step):
        again = ne.run(start, **options | {"max_steps": int(last), "replicas": range(row, row + 1)})
        np.testing.assert_allclose(stopped.theta[row], again.theta[0], atol=1e-10)


@given(start=st.integers(0, 5), cut=st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_a_path_does_not_depend_on_the_chunk(start, cut):
    images = data.load("mnist", n=40, dtype=torch.float64)
    _, here = problem(images, (784, 2, 1))
    options = dict(learning_rate=0.1, batch_size=3, max_steps=20, seed=9, record_every=2)
    whole = ne.run(here, replicas=range(start, start + 5), **options)
    parts = [
        ne.run(here, replicas=r, **options)
        for r in (range(start, start + cut), range(start + cut, start + 5))
    ]
    for name in ("losses", "theta", "last_step"):
        joined = np.concatenate([getattr(p, name) for p in parts])
        np.testing.assert_array_equal(getattr(whole, name), joined)


@pytest.mark.parametrize("sampler", ne.SAMPLERS)
def test_a_run_continued_is_the_run(images, sampler):
    model, start = problem(images)
    options = dict(
        learning_rate=0.05, batch_size=30, replicas=range(1), seed=4, record_every=1,
        sampler=sampler,
    )  # fmt: skip
    whole = ne.run(start, max_steps=40, **options)
    half = ne.run(start, max_steps=17, **options)
    torch.nn.utils.vector_to_parameters(torch.from_numpy(half.theta[0]), model.parameters())
    middle = ne.problem(model, images.inputs, images.targets, dtype="float64", gram=start.gram)
    rest = ne.run(middle, max_steps=23, first_step=17, **options)
    joined = np.concatenate([half.losses, rest.losses], axis=1)
    np.testing.assert_allclose(joined, whole.losses, atol=1e-12)
    assert rest.last_step[0] == 23


@pytest.mark.parametrize("engine", ["numba", "torch", "reference"])
def test_divergence_is_flagged_and_the_others_go_on(images, engine):
    _, start = problem(images, (784, 4, 4, 1))
    options = dict(learning_rate=4.5, batch_size=1, max_steps=150, seed=0, engine=engine)
    found = ne.run(start, replicas=range(12), record_every=1, **options)
    hit = found.diverged_at > 0
    assert 0 < hit.sum() < 12  # all grow, one or more beyond 1e308
    np.testing.assert_array_equal(found.last_step[hit], found.diverged_at[hit])
    assert (found.last_step[~hit] == 150).all() and (found.diverged_at[~hit] == -1).all()
    assert np.isfinite(found.losses[~hit]).all()
    other = ne.run(
        start, replicas=range(12), record_every=1,
        **options | {"engine": "reference" if engine == "numba" else "numba"},
    )  # fmt: skip
    np.testing.assert_array_equal(found.diverged_at, other.diverged_at)


# the batched engine


def test_batched_engine_drops_replicas_that_are_done(images, monkeypatch):
    from sgdescape.core.ensembles.kernels import dual_torch

    monkeypatch.setattr(dual_torch, "BLOCK", 4)
    _, start = problem(images)
    for sampler in ne.SAMPLERS:
        options = dict(
            learning_rate=0.3, batch_size=2, max_steps=60, replicas=range(3, 12), seed=3,
            thresholds=(0.95, 1.05, 1.2), record_every=3, sampler=sampler, first_step=2,
        )  # fmt: skip
        found = ne.run(start, engine="torch", **options)
        wanted = ne.run(start, engine="numba", **options)
        assert len(set(wanted.last_step)) > 4  # they end at different times
        for name in ("steps", "last_step", "diverged_at"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        np.testing.assert_allclose(found.losses, wanted.losses, atol=1e-12)
        np.testing.assert_allclose(found.theta, wanted.theta, atol=1e-10)


@pytest.mark.parametrize("widths, most", [((784, 3, 1), 51), ((784, 3, 3, 1), 62)])
def test_launches_of_a_step_do_not_grow_with_replicas(images, widths, most):
    from torch.utils._python_dispatch import TorchDispatchMode

    from sgdescape.core.ensembles.kernels import dual_torch

    views = {"expand", "select", "slice", "t", "transpose", "unsqueeze", "view", "_unsafe_view"}

    class Launches(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += function.overloadpacket.__name__ not in views
            return function(*args, **(kwargs or {}))

    _, start = problem(images, widths)
    for replicas in (2, 9):
        z, above = ne._in_sample_space(start)
        state = dual_torch._start(z, above, 3, np.arange(replicas), "cpu")
        data = {"gram": start.gram, "targets": start.targets, "rate": 0.1}
        data["levels"] = torch.tensor([1.0, 2.0, 3.0])
        step = dual_torch._captured(data, state, 4, 0, graph=True)
        with Launches() as launches:
            step()
        assert launches.count <= most


# batches


@pytest.mark.parametrize("sampler", range(3))
def test_kernel_draws_the_batches_of_the_reference(sampler):
    from sgdescape.core.ensembles.kernels import dual_numba, dual_torch

    for n, size in ((23, 5), (8, 8), (50, 1)):
        batch, order = np.empty(size, np.int64), np.full(n, -1)
        for step in range(30):
            dual_numba.draw_batch(batch, order, sampler, step, 7, 5, 1)
            (wanted,) = draw_batches(n, size, sampler, 5 + (1 << 32), step, [7])
            assert batch.tolist() == wanted.tolist()
        block = dual_torch.draw_block(n, size, sampler, (5, 1), range(30), torch.tensor([2, 7]), {})
        assert block.shape == (30, 2, size) and block[-1, 1].tolist() == wanted.tolist()


def test_samplers_keep_their_promises():
    n, size, steps = 20, 6, 60
    drawn = {
        name: np.stack([draw_batches(n, size, code, 0, k, range(50)) for k in range(steps)])
        for code, name in enumerate(ne.SAMPLERS)
    }
    distinct = {
        name: np.mean([len(set(b)) for b in d.reshape(-1, size)]) for name, d in drawn.items()
    }
    assert distinct["without_replacement"] == distinct["shuffle"] == size
    expected = n * (1 - (1 - 1 / n) ** size)
    assert abs(distinct["iid"] - expected) < 0.1
    for d in drawn.values():  # every sample is as likely; chi-square at level 1e-5
        counts = np.bincount(d.ravel(), minlength=n)
        assert stats.chisquare(counts).pvalue > 1e-5
    epochs = drawn["shuffle"][: 3 * (steps // 3)].reshape(-1, 3, 50, size)
    assert all(len(set(e[:, r].ravel())) == 18 for e in epochs for r in range(50))
    pairs = drawn["without_replacement"]  # two given samples together: size (size-1) / (n (n-1))
    both = (np.any(pairs == 3, -1) & np.any(pairs == 17, -1)).sum()
    assert stats.binomtest(int(both), pairs[..., 0].size, 30 / 380).pvalue > 1e-5


# refusals


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"learning_rate": -0.1}, ValueError, "learning_rate must be positive.*-0.1"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate must be positive"),
        ({"batch_size": 0}, ValueError, "batch_size must lie in .1, 220.: got 0"),
        ({"batch_size": N + 1}, ValueError, "batch_size must lie in .1, 220.: got 221"),
        ({"max_steps": 0}, ValueError, "max_steps must be at least 1: got 0"),
        ({"max_steps": 1.5}, TypeError, "max_steps must be an integer"),
        ({"replicas": range(0)}, ValueError, "replicas must be a range.*not empty"),
        ({"replicas": range(-1, 2)}, ValueError, "replicas must be a range"),
        ({"replicas": 5}, TypeError, "replicas must be a range: got int"),
        ({"replicas": range(2**32, 2**32 + 2)}, ValueError, r"range within \[0, 2\^32\)"),
        ({"thresholds": (2.0, 1.5)}, ValueError, "thresholds must be positive and ascending"),
        ({"thresholds": (0.0,)}, ValueError, "thresholds must be positive"),
        ({"thresholds": (float("inf"),)}, ValueError, "thresholds must be positive"),
        ({"reference_loss": 0.0}, ValueError, "reference_loss must be positive"),
        ({"sampler": "random"}, ValueError, "sampler must be one of 'iid'"),
        ({"engine": "jax"}, ValueError, "engine must be one of 'auto'"),
        ({"device": "gpu"}, ValueError, "device must be 'auto' or"),
        ({"seed": -1}, ValueError, "seed must lie in"),
        ({"record_every": -1}, ValueError, "record_every must be at least 0"),
        ({"first_step": 2**32}, ValueError, "first_step must lie in"),
    ],
)
def test_run_refuses(images, change, error, message):
    options = dict(learning_rate=0.1, batch_size=2, max_steps=3, replicas=range(2), seed=0)
    with pytest.raises(error, match=message):
        ne.run(problem(images)[1], **options | change)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"model": torch.nn.Linear(784, 1)}, TypeError, "model must be Linear, ReLU"),
        ({"model": models.mlp((784, 1), seed=0)}, TypeError, "with a hidden layer"),
        ({"model": models.mlp((784, 4, 2), seed=0)}, ValueError, "one output: got 2"),
        ({"model": models.mlp((784, 4, 3, 1), seed=0)}, ValueError, r"one width: got \[4, 3\]"),
        ({"model": models.mlp((6, 4, 1), seed=0)}, ValueError, r"shape \(n, 6\).*784"),
        ({"inputs": torch.full((N, 784), float("nan"))}, ValueError, "inputs must be finite"),
        ({"inputs": np.zeros((N, 784))}, TypeError, "inputs must be a torch.Tensor: got ndarray"),
        ({"targets": torch.ones(3)}, ValueError, "targets must hold 220 values: got 3"),
        ({"targets": torch.arange(N)}, TypeError, "targets must be a floating-point tensor"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of"),
        ({"gram": torch.eye(3)}, ValueError, r"gram must be float32 of shape \(220, 220\)"),
    ],
)
def test_problem_refuses(images, change, error, message):
    arguments = {
        "model": models.mlp((784, 4, 1), seed=0),
        "inputs": images.inputs,
        "targets": images.targets,
    }
    with pytest.raises(error, match=message):
        ne.problem(**arguments | change)


def test_gram_is_that_of_inputs_and_bias(images):
    _, start = problem(images)
    ones = torch.ones(N, 1, dtype=torch.float64)
    both = torch.cat([images.inputs, ones], 1)
    torch.testing.assert_close(start.gram, both @ both.T)


@pytest.mark.parametrize("engine", ["numba", "torch", "reference"])
def test_a_loss_that_is_no_number_is_no_passage(images, engine):
    """The same convention as that of linear regression and SDEs."""
    options = dict(batch_size=2, max_steps=3, replicas=range(2), seed=0, thresholds=(1.1,))
    found = ne.run(problem(images)[1], learning_rate=1e300, engine=engine, device="cpu", **options)
    assert (found.steps == -1).all() and (found.diverged_at == 1).all()


def test_steps_that_single_precision_swallows_are_refused(images):
    options = dict(batch_size=2, max_steps=3, replicas=range(2), seed=0)
    single = problem(images, dtype="float32")[1]
    with pytest.raises(ValueError, match="learning_rate must be at least 1e-06 in float32.*1e-08"):
        ne.run(single, learning_rate=1e-8, **options)
