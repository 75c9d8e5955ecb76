"""Each claim has its verdict, and fails under a wrong theory or with other data."""

from dataclasses import replace

import contract
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sgdescape.large_deviations as ld
from sgdescape.large_deviations.estimates.exponents import (
    exponent,
    exponent_between,
    limit,
    mean_passage,
)
from sgdescape.large_deviations.measure.camel_runs import camel_runs
from sgdescape.large_deviations.measure.last_steps import passing_paths

STEM = "large_deviations"
SMALL = replace(
    ld.QUICK,
    ratios=(1.3, 1.5, 3.0),
    far_ratios=(100.0, 10_000.0),
    dimensions=(2,),
    dimension_ratios=(1.5, 3.0),
    laws=("uniform", "laplace"),
    law_ratios=(1.3, 1.5, 4.0),
    batch_ratios=(1.5,),
    variances=(0.5, 4.0),
    circle_rates=((0.1, 0.05, 0.025), (0.1, 0.05, 0.025)),
    paths=60,
)
NETWORK = {"network_batch", "network_bend"}


@pytest.fixture(scope="module")
def dataset():
    return ld.run(SMALL)


@pytest.fixture(scope="module")
def network():
    return ld.run_network()


@contract.each(STEM)
def test_claim_holds(name, dataset, network):
    contract.holds(STEM, name, network if name in NETWORK else dataset)


def log_only(c):
    """Barriers of somebody who believes log c of everything."""
    c = np.asarray(c, float)
    names = ("barrier", "barrier_covariance", "barrier_single", "barrier_climb", "barrier_paper")
    return {name: np.log(c) for name in names}


def one_jump_at_most(c):
    """The earlier belief: the lesser of c - 1 and its root."""
    c = np.asarray(c, float)
    return ld.barriers(c) | {"barrier": np.minimum(c - 1, np.sqrt(c - 1))}


def gaussian_only(noise, *, well):
    """The barrier of somebody who knows the covariance only."""
    return float(ld.camel_gaussian_barrier(np.var(noise)))


def mirrored(noise, *, well):
    """Large gradients that point the wrong way."""
    return ld.camel_barrier(noise, well={"left": "right", "right": "left"}[well])


def exponent_alone(*, learning_rate, barrier):
    """Steps that grow as the exponent says, without the prefactor's 1/eta."""
    return learning_rate * np.exp(barrier / learning_rate)


WRONG_THEORY = {
    "climb": [("barriers", log_only)],
    "climb_and_jump": [("barriers", log_only), ("barriers", one_jump_at_most)],
    "two_jumps": [("barriers", log_only), ("barriers", one_jump_at_most)],
    "many_jumps": [("barriers", log_only), ("barriers", one_jump_at_most)],
    "batches": [("barriers", log_only)],
    "bounded_inputs": [("barriers", log_only)],
    "two_inputs": [("barriers", log_only)],
    "circle_direction": [("log_dimension_factor", lambda variance: 0.25)],
    "camel_helped": [("camel_barrier", gaussian_only), ("camel_barrier", mirrored)],
    "camel_hindered": [("camel_barrier", gaussian_only), ("camel_barrier", mirrored)],
    "camel_normal": [("camel_time", exponent_alone)],
}


@pytest.mark.parametrize("name", WRONG_THEORY)
def test_claim_fails_under_a_wrong_theory(name, dataset, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, dataset, WRONG_THEORY[name], monkeypatch)


def changed(variable, factor):
    """Return a change of the dataset: one variable times a factor, or shifted in its exponent."""
    return lambda ds: ds.assign({variable: factor(ds[variable])})


WRONG_DATA = {
    "climb_time": changed("time_predicted", lambda t: 0.7 * t),
    "jump_time": changed("time_predicted", lambda t: 0.95 * t),
    "tail": changed("tail_slope", lambda t: t / ld.tail_slope()),
    "circle_climb": changed("circle_barrier", lambda v: np.log1p(4 / v.variance)),
    "circle_jump": changed("circle_barrier", lambda v: 0 * v + ld.circle_climb(0.5)),
    "circle_time": changed("run_time", lambda t: t / 2),
    "circle_time_batch": changed("run_time", lambda t: t / 2),
    "circle_splitting": changed("rare_estimates", lambda p: 4 * p),
    "circle_directions": changed("plane_steps", lambda steps: steps * 1.2),
    "network_batch": changed("log_time", lambda t: t + 0.3 * t.exponent),
    "network_bend": changed("log_time", lambda t: t - 0.3 * t.exponent),
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_claim_fails_on_other_data(name, dataset, network):
    measured = network if name in NETWORK else dataset
    contract.rejects_other_data(STEM, name, WRONG_DATA[name](measured))


def test_every_claim_can_fail_and_is_on_the_page(dataset, network):
    contract.complete(STEM, WRONG_THEORY, WRONG_DATA)
    contract.shown(STEM)
    contract.glued(STEM, ld.summary(dataset) | ld.network_summary(network))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_sampled_claims_hold_for_other_seeds(seed, dataset):
    from sgdescape.large_deviations.measure.circle_runs import circle_runs

    other = dataset.assign(steps=circle_runs(replace(SMALL, seed=seed)).steps)
    for name in ("circle_time", "circle_time_batch"):
        contract.holds(STEM, name, other)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_camel_claims_hold_for_other_seeds(seed, dataset):
    other = dataset.assign(camel_runs(replace(SMALL, seed=seed)))
    for name in ("camel_normal", "camel_helped", "camel_hindered"):
        contract.holds(STEM, name, other)


def test_figures_draw(dataset):
    figures = ld.figures
    for draw, options in (
        (figures.last_steps, {"index": 0}),
        (figures.last_steps, {"index": 1}),
        (figures.barrier, {}),
        (figures.barrier, {"largest": 4.0}),
        (figures.other_inputs, {}),
        (figures.prefactors, {}),
        (figures.circle_barriers, {}),
        (figures.directions, {}),
        (figures.camel_normal, {}),
        (figures.camel_skewed, {}),
    ):
        fig, ax = plt.subplots()
        assert draw(dataset, ax, **options) is ax and ax.lines
        plt.close(fig)
    for draw in (figures.modulation, figures.circle_paths):
        fig, ax = plt.subplots()
        assert draw(ax) is ax and ax.lines
        plt.close(fig)


def test_figures_of_the_network_draw(network):
    fig, axes = plt.subplots(2)
    assert ld.figures.network_exponents(network, axes[0]) is axes[0] and axes[0].lines
    assert ld.figures.network_times(network, axes[1], batch_size=2) is axes[1] and axes[1].lines
    plt.close(fig)


# --- estimates


def test_exponent_knows_its_own_limit():
    eta = np.array([0.1, 0.05, 0.025])
    times = np.sqrt(eta) * np.exp(1.5 / eta + 3 + 2 * eta)
    found = exponent(times, 0 * eta, eta, power=0.5)
    assert found.value == pytest.approx(1.5, abs=1e-12) and found.low < 1.5 < found.high
    wide = exponent(times, 0 * eta + 0.1, eta, power=0.5)
    assert wide.high - wide.low == pytest.approx(found.high - found.low + 2 * 0.2 / 20)
    both = exponent_between(times, 0 * eta, eta, powers=(0.0, 1.0))
    assert both.low < exponent(times, 0 * eta, eta, power=0.0, extrapolated=False).value
    assert both.high > 1.5 and both.level is None
    assert limit([2.0, 1.5, 1.25]).value == 1.0


def test_mean_passage_refuses_censored_runs(dataset):
    with pytest.raises(ValueError, match="max_steps must be larger"):
        mean_passage(dataset.assign(steps=dataset.steps.where(dataset.run != 3, -1)), 1)


def test_paths_end_at_the_passage_and_depend_on_the_seed_alone():
    at = {"loss_ratio": 2.0, "learning_rate": 0.3, "runs": 30, "kept": 5, "max_steps": 10**5}
    paths = passing_paths(**at, seed=1)
    assert paths.shape == (30, 5) and np.all(paths[:, -1] >= 1)
    assert np.nanmax(np.abs(paths[:, :-1])) < 1
    assert np.array_equal(paths, passing_paths(**at, seed=1), equal_nan=True)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"ratios": (3.0, 2.0)}, "ratios must increase"),
        ({"ratios": (1.0, 2.0)}, "ratios must lie in"),
        ({"rates": (0.1, 0.05)}, "each half of the last"),
        ({"rates": (0.1, 0.06, 0.03)}, "each half of the last"),
        ({"circle_rates": ()}, "circle_rates must have one entry"),
        ({"variances": (-1.0,) * 6}, "variances must lie in"),
        ({"runs": 3}, "runs must be at least 50"),
        ({"run_rate": 0.0}, "run_rate must be positive"),
        ({"camel_rates": (0.06, 0.03, 0.02)}, "falling from below 0.05"),
        ({"camel_rates": (0.02, 0.02, 0.01)}, "falling from below 0.05"),
        ({"skewed_rates": ((0.03, 0.02, 0.01), (0.03, 0.02))}, "three or more"),
        ({"skewed_rates": ((0.03, 0.02, 0.01), (0.04, 0.03, 0.02, 0.01))}, "on both sides"),
        ({"camel_odds": 6}, "camel_odds must be a power of two"),
    ],
)
def test_config_refuses(change, words):
    with pytest.raises(ValueError, match=words):
        replace(ld.QUICK, **change)
