"""The Triton kernels against the torch reference: by the interpreter, and on CUDA where it is."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from sgdescape.core.ensembles import regression
from sgdescape.core.ensembles.regression_data import INPUTS
from sgdescape.core.random import philox

pytest.importorskip("triton")
CUDA = torch.cuda.is_available()
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
runs = pytest.mark.skipif(not (CUDA or INTERPRETED), reason="run by test_by_the_interpreter")


@pytest.mark.skipif(CUDA or INTERPRETED, reason="the tests below run by themselves")
@pytest.mark.parametrize("which", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_by_the_interpreter(which):
    """Triton decides at its import whether to compile or interpret: so in a new process."""
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        which,
        __file__,
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "passed" in done.stdout


@pytest.fixture
def kernels(monkeypatch):
    """The module, with small blocks and launches so that all seams are crossed."""
    from sgdescape.core.ensembles.kernels import linear_triton

    monkeypatch.setattr(linear_triton, "BLOCK", 4)
    monkeypatch.setattr(linear_triton, "LAUNCH", 3)
    return linear_triton


def both(function, problem, **changes):
    arguments = {
        "learning_rate": 0.3,
        "batch_size": 3,
        "replicas": range(3, 9),
        "seed": 2**33 + 5,
        "device": "cuda" if CUDA else "cpu",
    } | changes
    return (function(problem, engine=e, **arguments) for e in ("torch", "triton"))


def problems():
    data = regression.gaussian_data(130, 2, seed=3)
    few = regression.gaussian_data(7, 2, seed=3)
    slow = pytest.mark.slow
    for precision in (("float64", 1e-12), ("float32", 2e-6)):
        for sampler in regression.SAMPLERS:
            marks = () if precision[0] == "float64" else slow
            yield pytest.param(data, sampler, *precision, marks=marks)
        for law in INPUTS:
            marks = () if precision[0] == "float32" and law in ("gaussian", "rademacher") else slow
            yield pytest.param(regression.FreshData(2, law, 1.3), "iid", *precision, marks=marks)
    yield pytest.param(few, "shuffle", "float64", 1e-12, marks=slow)


@runs
@pytest.mark.parametrize("problem, sampler, dtype, tolerance", [*problems()])
def test_states_are_those_of_the_reference(kernels, problem, sampler, dtype, tolerance):
    a, b = both(
        regression.stationary, problem, sampler=sampler, dtype=dtype, steps=4, burn_in=1,
        record_every=2, keep_every=2, edges=[0.05, 0.1, 0.2, 0.5],
    )  # fmt: skip
    np.testing.assert_allclose(b.samples, a.samples, rtol=0, atol=tolerance)
    np.testing.assert_allclose(b.theta, a.theta, rtol=0, atol=tolerance)
    np.testing.assert_allclose(b.loss, a.loss, rtol=tolerance)
    np.testing.assert_allclose(b.square_loss, a.square_loss, rtol=tolerance)
    assert np.array_equal(b.counts, a.counts) and np.array_equal(b.outside, a.outside)


@runs
@pytest.mark.parametrize(
    "sampler", ["iid", *(pytest.param(s, marks=pytest.mark.slow) for s in regression.SAMPLERS[1:])]
)
def test_passages_are_those_of_the_reference(kernels, sampler):
    problem = regression.gaussian_data(130, 2, seed=3)
    a, b = both(
        regression.first_passage, problem, sampler=sampler, thresholds=[1.01, 1.05, 1.5],
        max_steps=6,
    )  # fmt: skip
    assert (a.steps == -1).any() and (a.steps > 0).any()
    for name in ("steps", "last_step", "diverged_at"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    np.testing.assert_allclose(b.theta, a.theta, rtol=0, atol=1e-12)


@runs
def test_divergence_is_flagged(kernels):
    problem = regression.gaussian_data(30, 2, seed=3)
    start = np.tile(problem.minimum, (6, 1))
    start[4] = 1e200
    a, b = both(
        regression.first_passage, problem, thresholds=[1.01, 3.0], max_steps=3, start=start
    )  # fmt: skip
    assert a.diverged_at[4] == 1 and np.array_equal(a.diverged_at, b.diverged_at)
    assert np.array_equal(a.steps, b.steps)


@pytest.mark.skipif(not CUDA, reason="needs CUDA")
def test_a_thousand_steps_on_cuda(kernels, monkeypatch):
    monkeypatch.setattr(kernels, "BLOCK", 64)
    monkeypatch.setattr(kernels, "LAUNCH", 300)
    problem = regression.gaussian_data(10_000, 10, seed=3)
    for dtype, tolerance in (("float64", 1e-11), ("float32", 3e-5)):
        a, b = both(
            regression.stationary, problem, dtype=dtype, steps=1000, burn_in=0, keep_every=50,
            learning_rate=0.05, batch_size=10, replicas=range(500),
        )  # fmt: skip
        np.testing.assert_allclose(b.samples, a.samples, rtol=0, atol=tolerance)


def test_seed_beyond_32_bits_has_two_key_words():
    assert philox.key(2**33 + 5) == (5, 2)
