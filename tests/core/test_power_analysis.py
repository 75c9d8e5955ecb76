"""False alarms, misses and the smallest deviation seen, where all three are known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from sgdescape.core.claims import check, identity, not_testable
from sgdescape.core.power import analysis
from sgdescape.core.power.analysis import Outcome, outcome, summary
from sgdescape.core.stats.intervals import Interval, computed, mean_interval

RUNS, SAMPLES, SPREAD = 60, 200, 0.2
ERROR = SPREAD / np.sqrt(SAMPLES)
HALF = stats.t.ppf(1 - 0.5e-5, SAMPLES - 1) * ERROR
"""Half the width of an interval around a mean of 1."""


def judged(measured, *, predicted=1.0, rivals=None, **options):
    """Outcomes of one claim on many measurements."""

    def claim(ds):
        return check(
            "A number.",
            source="this book",
            predicted=predicted,
            measured=ds,
            rivals=rivals or {"two": 2.0, "a fifth more": 1.2},
            expected=options.get("expected", "confirmed"),
            tolerance=options.get("tolerance", 0.0),
        )

    return [outcome(claim, interval) for interval in measured]


def means(truth=1.0, *, level=1 - 1e-5, runs=RUNS, seed=0):
    rng = np.random.default_rng(seed)
    samples = truth + SPREAD * rng.standard_normal((runs, SAMPLES))
    return [mean_interval(s, level=level) for s in samples]


def test_a_check_with_its_level_raises_no_alarm_and_rejects_what_is_far():
    found = summary(judged(means()))
    assert (found["seeds"], found["false_alarms"], found["evidence"]) == (RUNS, 0, "sampled")
    assert [(r["name"], r["rejected"]) for r in found["rivals"]] == [
        ("a fifth more", RUNS),
        ("two", RUNS),
    ]


def test_the_smallest_deviation_seen_is_that_of_the_normal_law():
    low = 1 - HALF - stats.norm.ppf(0.9) * ERROR  # lower end of an interval, of nine in ten
    exact = 1 / low - 1  # the measurement is multiplied until that end is the prediction
    assert analysis.seen(judged(means(runs=300))) == pytest.approx(exact, rel=0.06)


def test_intervals_that_are_too_narrow_raise_alarms():
    found = summary(judged(means(level=0.5, seed=1)))
    assert 0.3 * RUNS < found["false_alarms"] < 0.7 * RUNS
    assert "verdict" in found["alarms"][0] and found["seen"] is None


def test_samples_that_no_seed_changes_have_no_law():
    found = summary(judged(means(runs=1) * 5))
    assert found == {"seeds": 5, "evidence": "given"}


def test_a_near_rival_is_missed():
    near = {"near": 1 / (1 - HALF)}  # where one run in two sees it
    outcomes = judged(means(), rivals=near)
    assert 0.3 * RUNS < analysis.rejected(outcomes, "near") < 0.7 * RUNS
    assert analysis.false_alarms(outcomes) > 0.15 * RUNS  # and many lack the power


def test_a_tolerance_hides_what_lies_inside_it():
    outcomes = judged(means(), tolerance=0.4)
    assert analysis.rejected(outcomes, "a fifth more") == 0
    assert analysis.rejected(outcomes, "two") == RUNS


def test_the_wrong_theory_of_a_refuted_claim_is_the_statement():
    outcomes = judged(means(1.5), expected="refuted")
    assert analysis.wrong_theories(outcomes) == {analysis.ITSELF: 1.0}
    assert analysis.rejected(outcomes, analysis.ITSELF) == RUNS
    assert analysis.seen(outcomes) is None


def test_a_prediction_of_zero_is_moved_by_a_difference():
    shifted = [Interval(i.value - 1, i.low - 1, i.high - 1) for i in means()]
    outcomes = judged(shifted, predicted=0.0, rivals={"one": 1.0})
    exact = HALF + stats.norm.ppf(0.9) * ERROR
    assert analysis.seen(outcomes) == pytest.approx(exact, rel=0.15)
    assert analysis.moved(outcomes, [3.0] * RUNS)[0].measured.value == pytest.approx(
        3 + shifted[0].value, abs=3 * ERROR
    )


def test_what_a_run_lacks_does_not_count_and_what_it_refuses_does():
    ds = xr.Dataset({"x": 1.0})

    def absent(ds):
        return ds.not_there

    def refused(ds):
        raise ValueError("18 runs are needed")

    assert outcome(absent, ds) == Outcome(None)
    assert outcome(refused, ds).alarm == "ValueError: 18 runs are needed"
    found = summary([outcome(absent, ds), outcome(refused, ds)])
    assert found["seeds"] == 1 and found["evidence"] == "none"
    found = summary([*judged(means(runs=3)), outcome(refused, ds), outcome(absent, ds)])
    assert (found["seeds"], found["false_alarms"]) == (4, 1)


def test_without_samples_there_is_no_law():
    exact = [computed(1.0, 0.99, 1.01, "two grids")] * 3
    found = summary(judged(exact))
    assert found["evidence"] == "computed" and found["false_alarms"] == 0
    assert "rivals" not in found and "seen" not in found
    same = identity("A sum.", source="this book", predicted=1.0, measured=1.0, error=1e-9)
    assert summary([Outcome(same)]) == {"seeds": 1, "evidence": "identity"}
    never = not_testable("A size.", source="this book", reason="no data")
    assert summary([Outcome(never)]) == {"seeds": 1, "evidence": "none"}
