"""Measurements of chapter `momentum_escape`: the compiled runs against plain ones."""

import numpy as np
import pytest

import sgdescape.momentum_escape as me
from sgdescape.core.ensembles import regression_data
from sgdescape.core.random import philox
from sgdescape.momentum_escape import estimates, experiment
from sgdescape.momentum_escape.measure import passages


@pytest.mark.parametrize("inputs", passages.LAWS)
def test_passages_are_those_of_the_plain_recursion(inputs):
    step, beta, size, edge = 0.15, 0.6, 2, 1.0
    found = passages.first_passages(
        2.0, step=step, momentum=beta, batch_size=size, inputs=inputs, replicas=2, seed=5
    )
    for replica in range(2):
        theta = delta = 0.0
        for k in range(int(found[replica])):
            assert theta**2 < edge
            delta = beta * delta - step * gradient(theta, inputs, size, k, replica)
            theta += delta
        assert theta**2 >= edge
    assert (found > 1).any()


def gradient(theta, inputs, size, k, replica):
    counter = {"draw": 0, "replica": replica}
    if inputs == "decoupled":
        words = philox.words(5, step=k // 4, stream=philox.Stream.NOISE, **counter)
        return theta + np.sqrt((1 + theta**2) / size) * philox.normals(words)[k % 4]
    words, noise = (philox.words(5, step=k, stream=s, **counter)
                    for s in (philox.Stream.INPUT, philox.Stream.TARGET))  # fmt: skip
    x = regression_data.input_values(words, inputs)[:size]
    return np.mean(x * (x * theta - philox.normals(noise)[:size]))


def test_pushes_in_blocks_are_those_of_each_replica_alone(monkeypatch):
    options = {"step": 0.15, "momentum": 0.6, "inputs": "decoupled", "seed": 3}
    many = passages.first_passages(3.0, replicas=20, **options)
    monkeypatch.setattr(passages, "_BLOCK", 8)
    assert np.array_equal(passages.first_passages(3.0, replicas=20, **options), many)
    cut = passages.first_passages(3.0, replicas=20, most=int(np.median(many)), **options)
    assert np.array_equal(cut, np.where(many <= np.median(many), many, -1))


def test_a_run_that_does_not_pass_is_given_up():
    found = passages.first_passages(50.0, step=0.01, momentum=0.0, replicas=3, most=10, seed=0)
    assert found.tolist() == [-1, -1, -1]


def test_second_moment_of_the_stationary_law():
    """Mean of T kappa Psi from its tail, against the closed second moments."""
    step, beta = 0.02, 0.9
    t = float(me.temperature(learning_rate=step, momentum=beta, batch_size=1, curvature=1.0))
    energies = np.linspace(0, 4, 161)
    shares = passages.tail_shares(
        energies, step=step, momentum=beta, chains=16, steps=100_000, burn_in=1000, seed=1,
        inputs="rademacher",
    )  # fmt: skip
    mean = np.trapezoid(shares, energies, axis=1)
    # constant noise: both halves of the energy hold T/2, but for steps that are not small
    assert mean.mean() == pytest.approx(t, rel=0.05)


def test_slope_of_an_exponential_law():
    rng = np.random.default_rng(0)
    times = np.stack([rng.exponential(np.exp(1.5 * x), 4000) for x in (4.0, 6.0)])
    found = estimates.slope(times, np.ones(2), np.array([4.0, 6.0]))
    assert found.low < 1.5 < found.high and found.high - found.low < 0.15


@pytest.mark.parametrize("shape", [0.25, 1.0, 4.0])
def test_slopes_cover_whatever_the_law_of_passage_times(shape):
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(400):
        scale = np.exp(1.5 * np.array([4.0, 6.0]))[:, None] / shape
        times = scale * rng.gamma(shape, size=(2, 200))
        found = estimates.slope(times, np.ones(2), np.array([4.0, 6.0]), level=0.9)
        covered.append(found.low < 1.5 < found.high)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    "options", [{"step": 0.0}, {"momentum": 1.0}, {"inputs": "laplace"}, {"replicas": 0}]
)
def test_passages_refuse(options):
    at = {"step": 0.1, "momentum": 0.5, "replicas": 2, "seed": 0} | options
    with pytest.raises((ValueError, TypeError), match=next(iter(options))):
        passages.first_passages(2.0, **at)


def test_the_experiment_is_that_of_its_seed(config, small):
    again = experiment.measurements(config)
    for name in again.data_vars:
        assert np.array_equal(again[name], small[name]), name
