"""Claims of chapter `template_trial`: they hold, and fail under wrong theories."""

from dataclasses import replace

import contract
import pytest

import sgdescape.template_trial as chapter

STEM = "template_trial"
WRONG = {"variance": [("stationary_variance", lambda eta: eta / 2)]}


@pytest.fixture(scope="module")
def measured():
    return chapter.run(chapter.QUICK)


@contract.each(STEM)
def test_claim_holds(measured, name):
    contract.holds(STEM, name, measured)


@pytest.mark.parametrize("name", WRONG)
def test_claim_rejects_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


def test_every_claim_is_given_a_wrong_theory():
    contract.complete(STEM, WRONG)


def test_page_shows_every_claim_and_number(measured):
    contract.shown(STEM)
    contract.glued(STEM, chapter.summary(measured))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = chapter.run(replace(chapter.QUICK, seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
