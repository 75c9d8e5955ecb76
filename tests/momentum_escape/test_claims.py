"""Claims of chapter `momentum_escape`: their verdicts, and what makes them fail."""

import contract
import numpy as np
import pytest

from sgdescape.momentum_escape import predictions, summary

STEM = "momentum_escape"
SEEDS = range(5)


def scaled(name, factor):
    true = getattr(predictions, name)
    return name, lambda *args, **options: factor * np.asarray(true(*args, **options))


def gibbs(loss_ratio, **at):
    return np.asarray(loss_ratio) - 1.0


def logarithm(loss_ratio, **at):
    return np.log(loss_ratio)


WRONG = {
    "two_routes": [("barrier", gibbs), scaled("barrier", 1.01)],
    "weak_friction": [("weak_friction", lambda c, k: 4 * np.log((3 + c) / 4))],
    "strong_friction": [("barrier", lambda c, damping, **at: 1.37 if damping == 8 else c - 1)],
    "weak_passages": [("barrier", gibbs), ("barrier", logarithm)],
    "swinging_passages": [("barrier", gibbs), ("barrier", logarithm)],
    "critical_passages": [("barrier", gibbs), ("barrier", logarithm)],
    "creeping_passages": [scaled("barrier", 2.0)],
    "input_law": [("barrier", logarithm)],
    "decoupled_noise": [("diffusion_barrier", gibbs)],
    "energy_tail": [("energy_tail", lambda e, *, temperature: np.exp(-e / temperature))],
    "gibbs_tail": [
        ("gibbs_tail", lambda e, *, temperature: (1 + e / 2) ** (1 - 2 / temperature)),
    ],
    "tail_index": [scaled("tail_slope", 1.02), ("tail_slope", lambda damping: 2 / (1 + damping))],
}


@contract.each(STEM)
def test_claim_holds(name, quick):
    contract.holds(STEM, name, quick(0))


@contract.each(STEM)
def test_claim_fails_under_a_wrong_theory(name, quick, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, quick(0), WRONG[name], monkeypatch)


def test_no_claim_is_left_out():
    contract.complete(STEM, WRONG)


def test_the_page_shows_every_claim_and_number(quick):
    contract.shown(STEM)
    contract.glued(STEM, summary(quick(0)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@contract.each(STEM)
def test_claim_holds_for_other_seeds(name, seed, quick):
    contract.holds(STEM, name, quick(seed))
