"""Ensembles of SGD on linear regression: exact moments, engines against each other, samplers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sgdescape.core.ensembles import regression
from sgdescape.core.ensembles.kernels import batches_numba, batches_torch
from sgdescape.core.ensembles.regression import (
    FiniteData,
    FreshData,
    first_passage,
    gaussian_data,
    stationary,
)
from sgdescape.core.ensembles.regression_data import INPUTS, input_values, words_per_block
from sgdescape.core.random import philox
from sgdescape.core.random.philox import Stream

KURTOSIS = {"gaussian": 3.0, "rademacher": 1.0, "uniform": 1.8, "laplace": 6.0}
SAMPLERS = regression.SAMPLERS


def passages(problem, *, engine="torch", **changes):
    arguments = {
        "thresholds": [1.05, 1.2, 1.5, 40.0],
        "learning_rate": 0.3,
        "batch_size": 7,
        "max_steps": 200,
        "replicas": range(3, 23),
        "seed": 5,
        "device": "cpu",
    } | changes
    return first_passage(problem, engine=engine, **arguments)


def averages(problem, *, engine="numba", **changes):
    arguments = {
        "learning_rate": 0.3,
        "batch_size": 7,
        "steps": 30,
        "burn_in": 0,
        "replicas": range(10),
        "seed": 5,
        "device": "cpu",
    } | changes
    return stationary(problem, engine=engine, **arguments)


def small(samples=40, dimension=2, **options):
    return gaussian_data(samples, dimension, seed=3, **options)


def same(a, b, tolerance=1e-12):
    """The same passages, and parameters within rounding."""
    for name in ("steps", "last_step", "diverged_at"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    np.testing.assert_allclose(a.theta, b.theta, rtol=tolerance, atol=tolerance)


# --- exact answers


def moments(problem, start, *, learning_rate, batch_size, finite_factor, steps):
    """Mean and second moment of z after each step, by their exact recursions."""
    x, r = problem.rows[:, :-1], problem.rows[:, -1]
    h, m, second = np.diag(problem.curvatures), start.copy(), np.outer(start, start)
    out = []
    for _ in range(steps):
        squares = np.einsum("ni,ij,nj->n", x, second, x) - 2 * r * (x @ m) + r**2
        per_sample = (x * squares[:, None]).T @ x / len(x)
        mean_gradient = h @ second @ h
        kick = mean_gradient + finite_factor / batch_size * (per_sample - mean_gradient)
        second = second - learning_rate * (h @ second + second @ h) + learning_rate**2 * kick
        m = m - learning_rate * h @ m
        out.append((m, second))
    return out


@pytest.mark.parametrize("sampler", ["iid", "without_replacement"])
def test_moments_follow_their_exact_recursion(sampler):
    problem, batch, eta, replicas = small(12), 4, 0.4, 20_000
    n = len(problem.inputs)
    start = np.array([1.5, -0.7])
    made = averages(
        problem,
        sampler=sampler,
        batch_size=batch,
        learning_rate=eta,
        steps=6,
        keep_every=1,
        replicas=range(replicas),
        start=problem.minimum + problem.basis @ start,
    )
    z = (made.samples - problem.minimum) @ problem.basis
    factor = 1.0 if sampler == "iid" else (n - batch) / (n - 1)
    exact = moments(
        problem, start, learning_rate=eta, batch_size=batch, finite_factor=factor, steps=6
    )
    for k, (mean, second) in enumerate(exact):
        for i in range(2):
            score(z[:, k, i], mean[i])
            for j in range(2):
                score(z[:, k, i] * z[:, k, j], second[i, j])
    other = 8 / 11 if sampler == "iid" else 1.0
    rival = moments(
        problem, start, learning_rate=eta, batch_size=batch, finite_factor=other, steps=6
    )
    products = z[:, 5, 0] ** 2
    assert abs(products.mean() - rival[5][1][0, 0]) > 5 * products.std() / math.sqrt(replicas)


def score(values, exact):
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - exact) < 5 * error + 1e-12


@pytest.mark.parametrize("law", INPUTS)
def test_stationary_variance_of_one_parameter(law):
    """E z^2 = eta s^2 / (2 B - eta (B - 1 + kurtosis)): in discrete time."""
    eta, batch, noise = 0.3, 2, 1.5
    made = averages(
        FreshData(1, law, noise),
        learning_rate=eta,
        batch_size=batch,
        steps=400,
        burn_in=100,
        replicas=range(400),
    )
    exact = eta * noise**2 / (2 * batch - eta * (batch - 1 + KURTOSIS[law]))
    score(made.square_displacement[:, 0], exact)
    score(made.loss, 0.5 * noise**2 + 0.5 * exact)
    score(made.displacement[:, 0], 0.0)
    error = made.square_displacement.std() / 20
    sde = eta * noise**2 / (2 * batch - eta)  # Eq. (12) in one dimension: no kurtosis in it
    if law != "rademacher":
        assert abs(made.square_displacement.mean() - sde) > 5 * error


@pytest.mark.parametrize("sampler", ["without_replacement", "shuffle"])
@pytest.mark.parametrize("engine", ["torch", "numba"])
def test_a_batch_of_all_samples_is_gradient_descent(sampler, engine):
    problem, eta = small(9), 0.5
    start = np.array([2.0, -1.0])
    made = averages(
        problem, engine=engine, sampler=sampler, batch_size=9, learning_rate=eta, steps=8,
        keep_every=1, start=start,
    )  # fmt: skip
    theta = start
    for k in range(8):
        theta = theta - eta * problem.hessian @ (theta - problem.minimum)
        np.testing.assert_allclose(
            made.samples[:, k], np.tile(theta, (10, 1)), rtol=0, atol=1e-13
        )  # fmt: skip


def test_one_step_by_autograd():
    """The update is theta - eta times autograd's gradient of the batch's loss, with the 1/2."""
    problem, batch = small(30), 5
    start = np.array([0.3, 0.8])
    made = averages(problem, batch_size=batch, steps=1, keep_every=1, start=start, seed=8)
    chosen = batches_torch.batch_indices(
        30, batch, sampler="iid", seed=8, step=0, replica=torch.arange(10)
    )
    for replica in range(10):
        theta = torch.tensor(start, requires_grad=True)
        x, y = (torch.tensor(a)[chosen[replica]] for a in (problem.inputs, problem.targets))
        (0.5 * (x @ theta - y).square().mean()).backward()
        np.testing.assert_allclose(
            made.theta[replica], start - 0.3 * theta.grad.numpy(), rtol=0, atol=1e-13
        )


def test_passage_is_the_first_step_at_or_above_the_level():
    problem = small()
    levels = [1.05, 1.2, 1.5]
    found = passages(problem, engine="numba", thresholds=levels, max_steps=60)
    path = averages(problem, steps=60, keep_every=1, replicas=range(3, 23)).samples
    residual = path @ problem.inputs.T - problem.targets
    ratio = 0.5 * (residual**2).mean(-1) / problem.minimum_loss
    for m, c in enumerate(levels):
        reached = ratio >= c
        first = np.where(reached.any(1), reached.argmax(1) + 1, -1)
        assert np.array_equal(found.steps[:, m], first)
    assert (found.steps == -1).any() and (found.steps > 0).any()


def test_recorded_sums_and_histogram_are_those_of_the_path():
    problem, edges = small(), np.array([0.05, 0.1, 0.2, 0.5])
    for observable in ("distance", "loss"):
        settings_ = {"steps": 60, "burn_in": 7, "record_every": 4, "observable": observable}
        bins = edges if observable == "distance" else problem.minimum_loss + edges**2
        made = averages(problem, edges=bins, keep_every=4, **settings_)
        z = (made.samples - problem.minimum) @ problem.basis
        loss = problem.minimum_loss + 0.5 * (z**2 @ problem.curvatures)
        value = np.linalg.norm(z, axis=2) if observable == "distance" else loss
        assert made.records == 15 and made.samples.shape == (10, 15, 2)
        np.testing.assert_allclose(made.displacement, z.mean(1), atol=1e-14)
        np.testing.assert_allclose(made.square_displacement, (z**2).mean(1), atol=1e-14)
        np.testing.assert_allclose(made.loss, loss.mean(1), rtol=1e-13)
        np.testing.assert_allclose(made.square_loss, (loss**2).mean(1), rtol=1e-13)
        below, beyond = (value < bins[0]).sum(), (value >= bins[-1]).sum()
        assert made.outside.tolist() == [below, beyond]
        assert np.array_equal(made.counts, np.histogram(value[value < bins[-1]], bins)[0])
        reference = averages(problem, engine="torch", edges=bins, keep_every=4, **settings_)
        assert np.array_equal(made.counts, reference.counts)
        np.testing.assert_allclose(made.samples, reference.samples, rtol=0, atol=1e-13)
        np.testing.assert_allclose(made.square_loss, reference.square_loss, rtol=1e-12)


# --- engines


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_engines_agree_replica_by_replica(sampler):
    problem = small(41)
    same(
        passages(problem, sampler=sampler),
        passages(problem, engine="numba", sampler=sampler),
    )


@pytest.mark.parametrize("law", INPUTS)
def test_engines_agree_on_fresh_samples(law):
    problem, often = FreshData(3, law, 1.3), {"steps": 40, "keep_every": 1, "batch_size": 3}
    a, b = (averages(problem, engine=engine, **often) for engine in ("torch", "numba"))
    np.testing.assert_allclose(a.samples, b.samples, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-11), ("float32", 3e-5)])
@pytest.mark.parametrize("dimension", [1, 5, 11, 20, 70])
def test_engines_agree_for_a_thousand_steps(dimension, dtype, tolerance):
    finite, eta = small(300, dimension), 0.3 / dimension
    for problem in (finite, *(FreshData(dimension, law) for law in INPUTS)):
        for sampler in SAMPLERS if problem is finite else ("iid",):
            a, b = (
                averages(
                    problem, engine=engine, sampler=sampler, dtype=dtype, learning_rate=eta,
                    steps=1000, keep_every=50, batch_size=6,
                )
                for engine in ("torch", "numba")
            )  # fmt: skip
            np.testing.assert_allclose(a.samples, b.samples, rtol=0, atol=tolerance)


def test_path_depends_on_seed_and_replica_alone():
    problem = small()
    whole = passages(problem, engine="numba", threads=1)
    for threads in (2, 3):
        same(passages(problem, engine="numba", threads=threads), whole, 0)
    for part in (range(3, 4), range(9, 23), range(3, 23, 3)):
        one = passages(problem, engine="numba", replicas=part)
        where = [i - 3 for i in part]
        assert np.array_equal(one.steps, whole.steps[where])
        assert np.array_equal(one.theta, whole.theta[where])
    other = passages(problem, engine="numba", seed=6)
    assert (other.steps != whole.steps).any()


def test_torch_compaction_changes_nothing(monkeypatch):
    from sgdescape.core.ensembles.kernels import linear_torch

    problem = small()
    often = passages(problem)
    monkeypatch.setattr(linear_torch, "COMPACT_EVERY", 3)
    same(passages(problem), often, 0)


def test_threads_of_torch_are_left_alone():
    before = torch.get_num_threads()
    averages(small(), threads=2)
    assert torch.get_num_threads() == before


# --- samplers and inputs


def draw(n, size, sampler, *, step=0, replicas=1000, seed=2):
    return batches_torch.batch_indices(
        n, size, sampler=sampler, seed=seed, step=step, replica=torch.arange(replicas)
    ).numpy()


@pytest.mark.parametrize("n, size", [(1, 1), (2, 1), (3, 2), (7, 7), (50, 9), (129, 4), (1000, 10)])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_compiled_batches_are_the_reference(n, size, sampler):
    padded = -(-size // 4) * 4
    for replica in (0, 3):
        out = np.zeros((padded, 70), np.int32)
        code = batches_numba.CODES[sampler]
        key = philox.key(2)
        batches_numba.fill_indices(out, n, 5, 70, size, code, replica, *key)
        reference = [draw(n, size, sampler, step=5 + j, replicas=4)[replica] for j in range(70)]
        assert np.array_equal(out[:size].T, reference)


@pytest.mark.parametrize("n, size", [(10, 3), (128, 128), (200, 7), (1000, 100)])
def test_an_epoch_visits_each_sample_once(n, size):
    a_round = n // size
    for epoch in (0, 1):
        steps = range(epoch * a_round, (epoch + 1) * a_round)
        seen = np.concatenate([draw(n, size, "shuffle", step=k, replicas=20) for k in steps], 1)
        assert all(len(set(row)) == a_round * size for row in seen.tolist())
        assert seen.min() >= 0 and seen.max() < n


def test_epochs_and_replicas_have_different_permutations():
    whole = [draw(30, 30, "shuffle", step=k, replicas=50) for k in range(2)]
    assert len(np.unique(np.concatenate(whole), axis=0)) == 100


@pytest.mark.parametrize("sampler", ["without_replacement", "shuffle"])
def test_batches_hold_distinct_samples(sampler):
    drawn = np.sort(draw(20, 8, sampler), 1)
    assert (np.diff(drawn) > 0).all()


@pytest.mark.parametrize("sampler", ["without_replacement", "shuffle"])
def test_every_set_is_equally_likely(sampler):
    code = (2 ** draw(6, 3, sampler, replicas=20_000)).sum(1)
    counts = np.unique(code, return_counts=True)[1]
    assert len(counts) == math.comb(6, 3)
    assert stats.chisquare(counts).pvalue > 1e-5


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_permutation_is_equally_likely(n):
    code = draw(n, n, "shuffle", replicas=40_000) @ n ** np.arange(n)
    counts = np.unique(code, return_counts=True)[1]
    assert len(counts) == math.factorial(n)
    assert stats.chisquare(counts).pvalue > 1e-5


def test_large_permutations_are_uniform_in_pairs():
    places = torch.tensor([0, 1, 31, 500])
    counter = {"seed": 2, "epoch": 0, "replica": torch.arange(10_000)}
    image = batches_torch.permuted(1000, places, **counter).numpy()
    for k in range(4):
        apart = (image[:, k] - image[:, 0]) % 1000 if k else image[:, 0] + 1
        assert stats.chisquare(np.bincount(apart, minlength=1001)[1:1000]).pvalue > 1e-5
    fixed = (draw(1000, 1000, "shuffle", replicas=300) == np.arange(1000)).sum(1)
    assert abs(fixed.mean() - 1) < 5 / math.sqrt(300)


@pytest.mark.parametrize("law", INPUTS)
def test_inputs_have_their_moments(law):
    blocks = 400_000 // words_per_block(law)
    words = philox.words(4, step=0, draw=np.arange(blocks), replica=0, stream=Stream.INPUT)
    x = input_values(words, law).ravel()
    score(x, 0.0)
    score(x**2, 1.0)
    score(x**4, KURTOSIS[law])
    single = input_values(torch.from_numpy(words.astype(np.int64)), law, dtype="float32")
    np.testing.assert_allclose(single.numpy().ravel(), x, rtol=0, atol=5e-3)


# --- data, censoring, divergence


def test_finite_data():
    problem = small(30, 3)
    shifted = problem.minimum + np.array([0.1, 0.0, -0.2])
    loss = 0.5 * np.mean((problem.inputs @ shifted - problem.targets) ** 2)
    z = (shifted - problem.minimum) @ problem.basis
    assert loss == pytest.approx(problem.minimum_loss + 0.5 * z**2 @ problem.curvatures, rel=1e-12)
    np.testing.assert_allclose(
        problem.basis * problem.curvatures @ problem.basis.T, problem.hessian, atol=1e-13
    )
    np.testing.assert_allclose(problem.rows[:, :-1].T @ problem.rows[:, -1], 0, atol=1e-12)
    more = gaussian_data(50, 3, seed=3)
    assert np.array_equal(more.inputs[:30], problem.inputs)


@pytest.mark.parametrize("engine", ["torch", "numba"])
def test_what_never_happens_is_censored(engine):
    made = passages(small(), engine=engine, thresholds=[1e6], max_steps=20)
    assert (made.steps == -1).all() and (made.last_step == 20).all()
    assert (made.diverged_at == -1).all() and np.isfinite(made.theta).all()


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
def test_divergence_is_flagged_and_the_others_go_on(dtype):
    a, b = (
        averages(
            small(), engine=engine, learning_rate=6.0, steps=900, burn_in=5, dtype=dtype,
            replicas=range(6), edges=[0.0, 1.0, 1e150], start=np.zeros((6, 2)),
        )
        for engine in ("torch", "numba")
    )  # fmt: skip
    assert np.array_equal(a.diverged_at, b.diverged_at) and (a.diverged_at > 5).all()
    assert np.isnan(a.loss).all() and np.isnan(b.loss).all() and np.isnan(b.theta).all()
    found = [
        passages(
            small(), engine=engine, learning_rate=6.0, max_steps=900, dtype=dtype,
            thresholds=[2, 9e9],
        )
        for engine in ("torch", "numba")
    ]  # fmt: skip
    same(found[0], found[1], 1e-12 if dtype == "float64" else 3e-5)
    assert (found[0].steps[:, 0] < found[0].steps[:, 1]).all()


@given(angle=st.floats(0, 6.28), factor=st.floats(0.1, 10), flip=st.booleans())
@settings(max_examples=10, deadline=None)
def test_rotating_theta_and_scaling_targets_change_no_passage(angle, factor, flip):
    problem = small()
    c, s = math.cos(angle), math.sin(angle)
    rotation = np.array([[c, -s], [s, c]]) @ np.diag([1.0, -1.0 if flip else 1.0])
    turned = FiniteData(problem.inputs @ rotation, factor * problem.targets)
    a, b = (passages(p, engine="numba", max_steps=50) for p in (problem, turned))
    assert np.array_equal(a.steps, b.steps)
    np.testing.assert_allclose(b.theta @ rotation.T, factor * a.theta, atol=1e-11 * factor)


@given(cut=st.integers(4, 22))
@settings(max_examples=5, deadline=None)
def test_passages_are_ordered_and_join(cut):
    problem = small()
    whole = passages(problem, engine="numba")
    parts = [passages(problem, engine="numba", replicas=r) for r in (range(3, cut), range(cut, 23))]
    assert np.array_equal(np.concatenate([p.steps for p in parts]), whole.steps)
    seen = np.where(whole.steps < 0, 10**9, whole.steps)
    assert (np.diff(seen) >= 0).all() and (whole.steps[:, 0] != 0).all()


# --- bad input

GOOD = np.arange(6.0).reshape(3, 2) ** 2
REFUSED = (
    (lambda: passages(None), TypeError, "problem must be FiniteData or FreshData: got NoneType"),
    (lambda: passages(small(), learning_rate=0), ValueError, "learning_rate must be positive"),
    (lambda: passages(small(), learning_rate="1"), TypeError, "learning_rate must be a real"),
    (lambda: passages(small(), batch_size=0), ValueError, "batch_size must lie in"),
    (
        lambda: passages(small(), batch_size=41, sampler="shuffle"),
        ValueError,
        r"batch_size must lie in \[1, 40\]: got 41",
    ),
    (lambda: passages(small(), batch_size=1.5), TypeError, "batch_size must be an integer"),
    (lambda: passages(small(), max_steps=0), ValueError, "max_steps must lie in"),
    (lambda: passages(small(), max_steps=2**32), ValueError, "max_steps must lie in"),
    (lambda: passages(small(), thresholds=[1.0, 2.0]), ValueError, "thresholds must be loss ratio"),
    (lambda: passages(small(), thresholds=[3.0, 2.0]), ValueError, "thresholds must be loss ratio"),
    (lambda: passages(small(), thresholds=2.0), ValueError, "thresholds must be loss ratios"),
    (lambda: passages(small(), thresholds=[]), ValueError, "thresholds must not be empty"),
    (lambda: passages(small(), thresholds=[math.nan]), ValueError, "thresholds must be finite"),
    (lambda: passages(small(), replicas=[0, 1]), TypeError, "replicas must be a range: got list"),
    (lambda: passages(small(), replicas=range(0)), ValueError, "replicas must be a non-empty"),
    (lambda: passages(small(), replicas=range(-1, 3)), ValueError, "replicas must be a non-empty"),
    (lambda: passages(small(), replicas=range(2**32 + 1)), ValueError, "replicas must be"),
    (lambda: passages(small(), seed=-1), ValueError, "seed must lie in"),
    (lambda: passages(small(), seed=None), TypeError, "seed must be an integer"),
    (lambda: passages(small(), sampler="epoch"), ValueError, "sampler must be one of 'iid'"),
    (lambda: passages(FreshData(2), sampler="shuffle"), ValueError, "sampler must be 'iid' for"),
    (lambda: passages(small(), engine="jax"), ValueError, "engine must be one of 'auto'"),
    (lambda: passages(small(), dtype="float16"), ValueError, "dtype must be one of 'float64'"),
    (lambda: passages(small(), device="tpu"), ValueError, "device must be 'auto' or one"),
    (lambda: passages(small(), engine="numba", device="meta"), ValueError, "device must be 'cpu'"),
    (lambda: passages(small(), start=np.zeros(3)), ValueError, r"start must have shape \(2,\) or"),
    (lambda: passages(small(), start=[0, math.inf]), ValueError, "start must be finite"),
    (lambda: passages(small(), threads=0), ValueError, "threads must lie in"),
    (lambda: averages(small(), steps=0), ValueError, "steps must lie in"),
    (lambda: averages(small(), burn_in=-1), ValueError, "burn_in must lie in"),
    (lambda: averages(small(), burn_in=2**32 - 5), ValueError, "steps must lie in"),
    (lambda: averages(small(), record_every=31), ValueError, r"record_every must lie in \[1, 30\]"),
    (lambda: averages(small(), keep_every=0), ValueError, "keep_every must lie in"),
    (lambda: averages(small(), edges=[1.0]), ValueError, "edges must be at least two numbers"),
    (lambda: averages(small(), edges=[1.0, 1.0]), ValueError, "edges must be at least two numbers"),
    (lambda: averages(small(), observable="angle"), ValueError, "observable must be one of"),
    (lambda: FiniteData(GOOD[0], GOOD[0]), ValueError, r"inputs must have shape \(N, d\)"),
    (lambda: FiniteData(GOOD, np.zeros(2)), ValueError, r"targets must have shape \(3,\)"),
    (lambda: FiniteData(GOOD * math.nan, np.zeros(3)), ValueError, "inputs must be finite"),
    (lambda: FiniteData(np.ones((3, 2)), np.zeros(3)), ValueError, "inputs must have full column"),
    (lambda: passages(FiniteData(GOOD, GOOD[:, 0])), ValueError, "problem must have a minimum"),
    (lambda: FreshData(0), ValueError, "dimension must lie in"),
    (lambda: FreshData(2, "cauchy"), ValueError, "inputs must be one of 'gaussian'"),
    (lambda: FreshData(2, noise_std=0.0), ValueError, "noise_std must be positive"),
    (lambda: gaussian_data(2, 2, seed=0), ValueError, "samples must lie in"),
    (lambda: gaussian_data(10, 2, seed=-1), ValueError, "seed must lie in"),
)  # fmt: skip


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_triton_without_cuda_says_what_to_do(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(RuntimeError, match="engine 'triton' needs"):
        passages(small(), engine="triton")


@pytest.mark.parametrize("engine", ["torch", "numba"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_that_is_no_number_is_no_passage(engine, dtype):
    """The same convention as that of networks and SDEs; what was passed before stays."""
    options = {"engine": engine, "dtype": dtype, "max_steps": 50}
    gone = passages(small(), learning_rate=1e200, thresholds=[1.5, 1e9], **options)
    assert (gone.steps == -1).all() and (gone.diverged_at == 1).all()
    assert (gone.last_step == 1).all() and np.isnan(gone.theta).all()
    large = 1e30 if dtype == "float32" else 1e200
    found = passages(small(), learning_rate=60.0, thresholds=[1.5, large, 1e300], **options)
    lost = found.diverged_at > 0
    assert (found.steps[:, 0] > 0).all()
    if dtype == "float32":  # its largest number is 3e38
        assert lost.any() and (found.steps[lost, 2] == -1).all()
    passed = (found.steps > 0) & lost[:, None]
    assert (found.steps < found.diverged_at[:, None])[passed].all()
