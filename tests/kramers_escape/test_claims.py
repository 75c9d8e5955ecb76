"""Claims of chapter `kramers_escape`: they hold, and fail under wrong theories and wrong data."""

import functools
import math
from dataclasses import replace

import contract
import numpy as np
import pytest

import sgdescape.kramers_escape as ke
from sgdescape.kramers_escape import predictions
from sgdescape.kramers_escape.estimates import bowl_dimension, dimension, weak_noise
from sgdescape.kramers_escape.estimates import log_odds as measured_odds
from sgdescape.kramers_escape.theory.choice import linear_log_odds, log_odds

STEM = "kramers_escape"


@contract.each(STEM)
def test_claims_hold(measured, name):
    contract.holds(STEM, name, measured)


RATE, GROWTH = ke.escape_rate, ke.growth_rate


def wrong_rate(*, power=0.0, factor=1.0, linear=False):
    def rate(c, *, learning_rate, batch_size, curvature_minimum, effective_dimension, **kw):
        right = RATE(
            c,
            learning_rate=learning_rate,
            batch_size=batch_size,
            curvature_minimum=curvature_minimum,
            effective_dimension=effective_dimension,
            **kw,
        )
        barrier = np.asarray(batch_size) / (np.asarray(learning_rate) * curvature_minimum)
        change = np.exp(barrier * (np.log(c) - (np.asarray(c) - 1))) if linear else 1.0
        return factor * right * np.asarray(c) ** power * change

    return rate


def no_bias(c, *, learning_rate, batch_size, curvature_minimum, **kw):
    return RATE(
        c, learning_rate=learning_rate, batch_size=batch_size, curvature_minimum=1.0, **kw
    ) * np.sqrt(curvature_minimum)


def one_direction(c, *, effective_dimension, **kw):
    return RATE(c, effective_dimension=1, **kw)


def wrong_detour(shape):
    """Return the path along the axis, as Theorem 4.7 has it."""
    return replace(ke.off_axis(shape, points=20), action=math.log(shape.loss_ratio))


@pytest.fixture(autouse=True)
def slow_ones_once(monkeypatch):
    """The limits of the axis do not change with a wrong theory of something else."""
    monkeypatch.setattr(predictions, "axis_threshold", lambda rho, **kw: 11.5)
    monkeypatch.setattr(predictions, "focusing_threshold", lambda rho, **kw: 18.9)
    for function in (ke.off_axis, ke.path_dimension):
        monkeypatch.setattr(predictions, function.__name__, functools.cache(function))


WRONG = {
    "prefactor": [
        ("escape_rate", wrong_rate(factor=math.sqrt(2))),
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(linear=True)),
    ],
    "exponent": [
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(power=0.5)),
    ],
    "half": [("escape_rate", wrong_rate(factor=2))],
    "operator": [("escape_rate", wrong_rate(factor=2))],
    "plane": [
        ("escape_rate", wrong_rate(power=-1)),
        ("escape_rate", wrong_rate(power=-0.5)),
        ("escape_rate", wrong_rate(factor=1.01)),
    ],
    "path_dimension": [
        ("path_dimension", lambda shape: float(shape.dimension)),
        ("path_dimension", lambda shape: 1 + sum(shape.transverse)),
    ],
    "stiff": [
        ("path_dimension", lambda shape: float(shape.dimension)),
        ("path_dimension", lambda shape: 1 + sum(shape.transverse)),
    ],
    "detour": [("off_axis", wrong_detour)],
    "space": [("path_dimension", lambda shape: float(shape.dimension))],
    "separable": [("escape_rate", wrong_rate(power=0.5))],
    "tail_dimension": [
        ("tail_dimension", lambda r: 1 + np.sum(r)),
        ("tail_dimension", lambda r: 1.0 + len(r)),
    ],
    "instability": [
        ("growth_rate", lambda n, **kw: GROWTH(np.asarray(n) + 2, **kw)),
    ],
    "bowl_power": [
        ("growth_rate", lambda n, **kw: GROWTH(np.asarray(n) + 2, **kw)),
    ],
    "direction_count": [("escape_rate", one_direction)],
    "exit_points": [("transverse_width", lambda **kw: 2 * ke.transverse_width(**kw))],
    "flat_chosen": [
        ("chain_log_odds", lambda c, **at: log_odds(c, noise=2.5, curvatures=(1.0, 0.6))),
        ("chain_log_odds", lambda c, **at: linear_log_odds(c, noise=2.5, curvatures=(1.0, 0.6))),
    ],
    "bias": [("escape_rate", no_bias), ("escape_rate", wrong_rate(linear=True))],
}
DATA = {
    "outliers": lambda ds: ds.assign(plane_rate=0 * ds.plane_rate + ds.plane_theory),
    "clock": lambda ds: ds.assign(log_time=ds.log_time + np.array([0, 0, np.log(2)])),
    "quasi_stationary": lambda ds: ds.assign(law_distance=0 * ds.law_distance + 0.02),
    "arrhenius": lambda ds: ds.assign(langevin_log_time=0.5 * ds.langevin_log_time),
    "log_equivalence": lambda ds: ds.assign(langevin_log_rate=0.5 * ds.langevin_log_rate),
    "isotropic_width": lambda ds: ds.assign(width=ds.width * [[1.0], [2.0]]),
    "few_chosen": lambda ds: ds.assign(
        odds_theory=("choice", [0.0, float(measured_odds(ds, "few").value)])
    ),
    "paths": lambda ds: ds.assign(path_time=ds.path_time * 1.5),
    "paths_saddle": lambda ds: ds.assign(path_time=ds.path_time * 1.5),
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


@pytest.mark.parametrize("name", DATA)
def test_claims_without_a_formula_reject_other_data(measured, name):
    contract.rejects_other_data(STEM, name, DATA[name](measured))


def test_every_claim_is_given_a_wrong_theory_and_shown():
    contract.complete(STEM, WRONG, DATA, exempt=["network", "capacity"])
    contract.shown(STEM)


def test_extrapolation_to_weak_noise():
    a = np.array([10.0, 20.0, 40.0, 80.0])
    found = weak_noise(2 + 3 / a - 5 / a**2)
    assert found.value == pytest.approx(2, abs=1e-12)
    assert found.low <= 2 <= found.high and found.high - found.low < 0.01


def test_effective_dimension_is_right_to_one_per_cent_at_every_ratio(measured):
    for ratio in measured.ratio.values:
        found = dimension(measured, "loss", float(ratio))
        assert found.value == pytest.approx(
            float(measured.dimension_theory.sel(ratio=ratio)), rel=0.01
        )
        if ratio <= 1:
            n, tail = bowl_dimension(measured, float(ratio)), measured.tail_theory.sel(ratio=ratio)
            assert n.value == pytest.approx(float(tail), rel=0.01)


def test_explorer_is_complete_without_scripts():
    html = ke.rate_explorer()
    assert html.count("<polyline") == 2 and 'type="range"' in html
    assert "B = 4: a minimum of curvature 2 is left" in html


def test_the_page_prints_the_summary(measured):
    contract.glued(STEM, ke.summary(measured))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = ke.run(replace(ke.QUICK, seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
