"""Claims of chapter `linear_regression`: they hold, and fail under wrong theories and data."""

import functools
from dataclasses import replace

import contract
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import integrate

import sgdescape.linear_regression as lr
from sgdescape.core.runs import provenance
from sgdescape.linear_regression import estimates, predictions

STEM = "linear_regression"


@contract.each(STEM)
def test_claims_hold(measured, name):
    contract.holds(STEM, name, measured)


def scaled(name, factor):
    true = getattr(predictions, name)
    return name, lambda *args, **options: factor * true(*args, **options)


def wrong_chain(factor):
    def times(ratios, **options):
        found = CHAIN(ratios, **options)
        return replace(found, times=found.times ** (1 + factor))

    return "first_passage", times


def remembered(function):
    known = {}

    @functools.wraps(function)
    def cached(*args, **options):
        key = repr((args, sorted(options.items())))
        if key not in known:
            known[key] = function(*args, **options)
        return known[key]

    return cached


CHAIN, DATA_CHAIN, FITS = (
    remembered(f) for f in (lr.first_passage, lr.data_passage, lr.fitted_laws)
)
WRONG = {
    # 1 + B/(2 eta) and the like: a wrong temperature
    "paper_exponent": [scaled("stationary_exponent", 0.5)],
    "discrete_exponent": [("discrete_exponent", lambda **at: 1 + at["batch_size"] / 1.0)],
    "gaussian": [("fitted_laws", lambda **at: (FITS(**at)[0], 0.001))],
    "power_law": [("fitted_laws", lambda **at: (FITS(**at)[0], 0.0))],
    "exact_time": [wrong_chain(0.05)],
    "sde_time": [("mean_first_passage_time", lambda c, **at: CHAIN(c, **at).times)],
    "exact_time_ten": [wrong_chain(0.1)],
    "smaller_rate": [("mean_first_passage_time", lambda c, **at: CHAIN(c, **at).times)],
    "slope_low": [wrong_chain(0.1)],
    "slope_high": [("paper_slope", lambda **at: 12.85 + 0 * at["dimension"])],
    "slope_ten": [("paper_slope", lambda **at: 3.4 + 0 * at["dimension"])],
    "linear_barrier": [("quasi_potential", np.log)],
    "kurtosis": [("quasi_potential", lambda c: 0.5 * np.log(2 * c - 1))],
    "laplace": [("quasi_potential", lambda c: 0.29 + 0 * np.asarray(c))],
    "jump": [
        ("quasi_potential", lambda c: np.sqrt(np.asarray(c) - 1)),
        ("quasi_potential", np.log),
    ],
    "jump_far": [("quasi_potential", np.log)],
    "kesten": [scaled("kesten_exponent", 1.1)],
    "one_run": [scaled("stationary_exponent", 0.5)],
    "slope_dimension": [wrong_chain(0.3)],
    "equal_barrier": [wrong_chain(0.1)],
    "zero_loss": [scaled("kesten_exponent", 1.3)],
}


DATA = {
    "log_barrier": lambda ds: ds.assign(barrier=0 * ds.barrier + np.log(1.6)),
    "data_spread": lambda ds: ds.assign(spread_time=ds.spread_time**0.01),
}


@pytest.fixture
def fast(monkeypatch):
    """Exact chains are computed once for all wrong theories."""
    for name, function in (("first_passage", CHAIN), ("data_passage", DATA_CHAIN)):
        monkeypatch.setattr(predictions, name, function)
    monkeypatch.setattr(predictions, "fitted_laws", FITS)


@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch, fast):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


AGREEING = {"large_rate": "stationary_exponent"}  # refuted: fails where the prediction would agree


@pytest.mark.parametrize("name", AGREEING)
def test_refuted_claims_fail_under_a_theory_that_agrees(measured, name, monkeypatch, fast):
    found = contract.claims(STEM)[name](measured)
    change = scaled(AGREEING[name], found.measured.value / found.predicted)
    contract.rejects_wrong_theory(STEM, name, measured, [change], monkeypatch)


@pytest.mark.parametrize("name", DATA)
def test_claims_without_a_formula_reject_other_data(measured, name):
    contract.rejects_other_data(STEM, name, DATA[name](measured))


def test_every_claim_is_given_a_wrong_theory_and_shown():
    contract.complete(STEM, WRONG, DATA, AGREEING)
    contract.shown(STEM)


def test_figures_show_the_data(measured):
    _, ax = plt.subplots()
    lr.figures.passages(measured, ax, dimension=5)
    shown = [line.get_ydata() for line in ax.lines]
    assert any(np.array_equal(y, measured.time_exact.sel(dimension=5)) for y in shown)
    assert any(np.array_equal(y, measured.time_sde.sel(dimension=5)) for y in shown)
    fresh = estimates.mean_times(measured, "fresh", level=0.95, dimension=5)[0]
    assert any(np.array_equal(bars.lines[0].get_ydata(), fresh) for bars in ax.containers)
    for plot in (lr.figures.exponents, lr.figures.laws, lr.figures.barriers, lr.figures.data_sets):
        assert plot(measured, plt.subplots()[1]).get_xlabel()
    plt.close("all")


def test_drawn_times_are_those_of_runs(measured):
    for law in measured.law.values:
        _, low, high = estimates.mean_times(measured, "law", level=0.9999, law=law)
        exact = measured.law_exact.sel(law=law)
        assert np.all((low < exact) & (exact < high))
    _, low, high = estimates.mean_times(measured, "data", level=0.9999, dimension=1)
    own = measured.set_time[0]
    seen = np.isfinite(low)
    assert seen.sum() > 3 and np.all(((low < own) & (own < high))[seen])
    fresh = measured.time_exact.sel(dimension=1)
    assert np.ptp(measured.set_time.values[:, -1]) > 0.01 * float(fresh[-1])  # the sets differ


def test_drawn_diffusion_has_the_noise_of_its_law(measured):
    about = provenance.settings(measured)
    scale = about.learning_rate / about.batch_size / 2
    c = float(measured.law_ratio[-1])
    kurtoses = {"rademacher": 1.0, "uniform": 1.8, "gaussian": 3.0, "laplace": 6.0}
    for law, kurtosis in kurtoses.items():
        y = np.linspace(0, np.sqrt(c - 1), 200_001)
        noise = scale * (1 + (kurtosis - 1) * y**2)
        hill = integrate.cumulative_simpson(y / noise, x=y, initial=0)
        inner = integrate.cumulative_simpson(np.exp(-hill) / noise, x=y, initial=0)
        time = integrate.simpson(np.exp(hill) * inner, x=y)
        assert float(measured.law_sde.sel(law=law)[-1]) == pytest.approx(time, rel=1e-4)


def test_the_page_prints_the_summary(measured):
    contract.glued(STEM, lr.summary(measured))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = lr.run(replace(lr.QUICK, seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
