"""The Triton kernels of momentum against the torch reference: interpreted, or on CUDA."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from sgdescape.core.ensembles import phase_space, regression
from sgdescape.core.ensembles.regression_data import INPUTS

pytest.importorskip("triton")
CUDA = torch.cuda.is_available()
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
runs = pytest.mark.skipif(not (CUDA or INTERPRETED), reason="run by test_by_the_interpreter")
MOMENTS = (
    "position", "square_position", "square_velocity", "midpoint_product", "areal_rate", "loss",
    "square_speed",
)  # fmt: skip
STATES = ("position", "velocity", "loss")


@pytest.mark.skipif(CUDA or INTERPRETED, reason="the tests below run by themselves")
@pytest.mark.parametrize("which", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_by_the_interpreter(which):
    """Triton decides at its import whether to compile or interpret: so in a new process."""
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
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "passed" in done.stdout


@pytest.fixture
def kernels(monkeypatch):
    """The module, with small blocks and launches so that all seams are crossed."""
    from sgdescape.core.ensembles.kernels import linear_triton, phase_triton

    for module in (linear_triton, phase_triton):
        monkeypatch.setattr(module, "BLOCK", 4)
        monkeypatch.setattr(module, "LAUNCH", 3)
    return linear_triton, phase_triton


def both(function, problem, **changes):
    arguments = {
        "learning_rate": 0.2,
        "momentum": 0.7,
        "weight_decay": 0.3,
        "batch_size": 3,
        "replicas": range(3, 9),
        "seed": 2**33 + 5,
        "start": np.linspace(-1, 1, problem.dimension),
        "start_velocity": np.linspace(0.5, 0.2, problem.dimension),
        "device": "cuda" if CUDA else "cpu",
    } | changes
    return (function(problem, engine=e, **arguments) for e in ("torch", "triton"))


def close(a, b, names, tolerance):
    for name in names:
        x, y = getattr(a, name), getattr(b, name)
        np.testing.assert_allclose(
            y, x, rtol=0, atol=tolerance * np.nanmax(np.abs(x)), err_msg=name
        )
    assert np.array_equal(a.diverged_at, b.diverged_at)


def problems():
    data = regression.gaussian_data(130, 2, seed=3)
    slow = pytest.mark.slow
    for precision in (("float64", 1e-12), ("float32", 2e-6)):
        for sampler in regression.SAMPLERS:
            marks = () if precision[0] == "float64" else slow
            yield pytest.param(data, sampler, *precision, marks=marks)
        for law in INPUTS:
            marks = () if precision[0] == "float32" and law == "gaussian" else slow
            yield pytest.param(regression.FreshData(2, law, 1.3), "iid", *precision, marks=marks)


@runs
@pytest.mark.parametrize("problem, sampler, dtype, tolerance", list(problems()))
def test_states_are_those_of_the_reference(kernels, problem, sampler, dtype, tolerance):
    shared = {"sampler": sampler, "dtype": dtype}
    for steps in ([0, 1, 3, 4, 7], [6]):
        a, b = both(phase_space.states, problem, record_steps=steps, **shared)
        close(a, b, STATES, tolerance)
    a, b = both(phase_space.averages, problem, steps=6, burn_in=1, record_every=2, **shared)
    close(a, b, MOMENTS, 3 * tolerance)


@runs
@pytest.mark.parametrize(
    "sampler", ["iid", *(pytest.param(s, marks=pytest.mark.slow) for s in regression.SAMPLERS[1:])]
)
def test_passages_are_those_of_the_reference(kernels, sampler):
    problem = regression.gaussian_data(130, 2, seed=3)
    still = {"start": None, "start_velocity": None, "sampler": sampler}
    a, b = both(
        regression.first_passage, problem, thresholds=[1.01, 1.05, 1.5], max_steps=8, **still
    )
    assert (a.steps == -1).any() and (a.steps > 1).any()
    for name in ("steps", "last_step", "diverged_at"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    np.testing.assert_allclose(b.theta, a.theta, rtol=0, atol=1e-12)
    a, b = both(
        regression.stationary, problem, steps=6, burn_in=1, keep_every=2, edges=[0.1, 0.3], **still
    )
    np.testing.assert_allclose(b.samples, a.samples, rtol=0, atol=1e-12)
    assert np.array_equal(b.counts, a.counts) and np.array_equal(b.outside, a.outside)


@runs
def test_without_momentum_the_path_is_the_plain_one_to_the_bit(kernels):
    problem = regression.gaussian_data(30, 2, seed=3)
    plain = {"momentum": 0.0, "weight_decay": 0.0, "start_velocity": None}
    _, a = both(regression.stationary, problem, steps=5, burn_in=0, keep_every=1, **plain)
    _, b = both(phase_space.states, problem, record_steps=[1, 2, 3, 4, 5], **plain)
    theta = problem.minimum + b.position.transpose(1, 0, 2) @ problem.basis.T
    assert np.array_equal(theta, a.samples)


@runs
def test_divergence_is_reported(kernels):
    problem = regression.gaussian_data(30, 2, seed=3)
    start = np.tile(problem.minimum, (6, 1))
    start[4] = 1e200
    a, b = both(phase_space.states, problem, record_steps=[0, 2, 4], start=start)
    assert a.diverged_at.tolist() == [-1, -1, -1, -1, 1, -1]
    close(a, b, STATES[:2], 1e-12)
    a, b = both(phase_space.averages, problem, steps=4, burn_in=0, start=start)
    close(a, b, MOMENTS, 1e-12)
    assert np.isnan(b.square_position[4]).all()


@pytest.mark.skipif(not CUDA, reason="needs CUDA")
def test_a_thousand_steps_on_cuda(kernels, monkeypatch):
    for module in kernels:
        monkeypatch.setattr(module, "BLOCK", 64)
        monkeypatch.setattr(module, "LAUNCH", 300)
    problem = regression.gaussian_data(10_000, 10, seed=3)
    for dtype, tolerance in (("float64", 1e-11), ("float32", 3e-5)):
        options = {"dtype": dtype, "learning_rate": 0.05, "batch_size": 10}
        replicas = {"replicas": range(500)}
        a, b = both(
            phase_space.states, problem, record_steps=range(0, 1001, 50), **options, **replicas
        )
        close(a, b, STATES, tolerance)
        a, b = both(phase_space.averages, problem, steps=1000, burn_in=0, **options, **replicas)
        close(a, b, MOMENTS, 5 * tolerance)
