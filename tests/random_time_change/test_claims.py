"""Every claim holds on the measured data, and fails on a wrong theory or on other data."""

from dataclasses import replace
from functools import cache

import contract
import numpy as np
import pytest

import sgdescape.random_time_change as rtc

from .tiny import TINY

STEM = "random_time_change"


@cache
def measured(seed):
    return rtc.run(replace(rtc.QUICK, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@contract.each(STEM)
def test_claim_holds_for_every_seed(name, seed):
    contract.holds(STEM, name, measured(seed))


def lower(*a, index, **k):
    """The index of Stratonovich in place of Ito's."""
    return rtc.frozen_clock(*a, index=index - 0.5, **k)


def corrected(*a, point, **k):
    """Every reading gets the correction of Stratonovich on top."""
    return rtc.mean_loss_curve(*a, point=min(point + 0.5, 1), **k)


WRONG = {
    "unequal_curvatures": [("mean_loss_curve", corrected)],
    "passage": [("passage_means", lambda *a, **k: rtc.passage_means(*a, **k)[::-1])],
    "equal_barrier": [("passage_means", lambda *a, **k: (1.0, 1.0))],
    "gibbs": [("gibbs_density", lambda x, **k: rtc.gibbs_density(x, **k) / x)],
    "exponent": [
        ("convention_exponent", lambda a, **k: rtc.convention_exponent(a, **k) - 1),
        ("convention_exponent", lambda a, **k: rtc.convention_exponent(0.5, **k)),
    ],
    "stratonovich": [("convention_exponent", lambda a, **k: rtc.convention_exponent(0, **k))],
    "anti_ito": [("convention_exponent", lambda a, **k: rtc.convention_exponent(a / 2, **k))],
    "mean_loss": [("mean_loss_ratio", lambda n, clock, **k: rtc.mean_loss_ratio(n, **k, clock=0))],
    "wide_exponent": [("stationary_exponent", lambda **k: rtc.stationary_exponent(**k) - 1)],
    "clock_power": [("clock_power", lambda nu: 1 + 0 * nu)],
    "critical_dimension": [("growth_rate", lambda n, **k: rtc.growth_rate(n + 1, **k))],
    "frozen_clock": [("frozen_clock", lower)],
    "floor": [("stability_index", lambda n, **k: rtc.stability_index(n, **k) - 0.4)],
    "sgd_growth": [("sgd_growth_rate", lambda n, **k: rtc.sgd_growth_rate(n + 1, **k))],
}


def scheme(ds, take, give):
    """The dataset with the errors of one scheme replaced by those of another."""
    found = ds.copy(deep=True)
    for name in ("strong_error", "strong_step"):
        found[name].loc[{"scheme": give}] = ds[name].sel(scheme=take).values
    return found


def on_line(ds, crossing):
    """Growth rates of SGD that cross zero at a number of inputs."""
    noise = 1e-4 * np.random.default_rng(0).standard_normal(ds.sizes["group"])
    return ("sgd_dimension", "group"), 1e-3 * (ds.sgd_dimension.values[:, None] - crossing) + noise


OTHER_DATA = {
    "driver": lambda ds: ds.assign(driver_fixed_tau=ds.driver_fixed_t),
    "strong_order": lambda ds: scheme(ds, "not rescaled", "time-changed"),
    "driver_needed": lambda ds: scheme(ds, "time-changed", "not rescaled"),
    "euler_order": lambda ds: scheme(ds, "Milstein", "Euler"),
    "law": lambda ds: ds.assign(mapped=1.2 * ds.mapped),
    "harmless_constant": lambda ds: ds.assign(shifted_passage=ds.shifted_passage * [1.0, 1.3, 1.6]),
    "equal_barrier": lambda ds: ds.assign(equal_barrier=0 * ds.equal_barrier + 1),
    "sgd_critical_dimension": lambda ds: ds.assign(sgd_growth=on_line(ds, 22)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_claim_rejects_a_wrong_theory(name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured(0), WRONG[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_DATA)
def test_claim_rejects_other_data(name):
    contract.rejects_other_data(STEM, name, OTHER_DATA[name](measured(0)))


def test_every_claim_is_given_something_wrong():
    contract.complete(STEM, WRONG, OTHER_DATA)


def test_page_shows_all_claims_and_numbers():
    contract.shown(STEM)
    contract.glued(STEM, rtc.summary(rtc.run(TINY)))


def test_claims_without_sampling_hold_in_any_small_run():
    dataset = rtc.run(TINY)
    for name in ("floor", "harmless_constant", "equal_barrier"):
        contract.holds(STEM, name, dataset)
        assert np.isfinite(contract.claims(STEM)[name](dataset).measured.value)
