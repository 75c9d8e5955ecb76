"""Claims of chapter `underdamped_langevin`: their verdicts, and what makes them fail."""

import contract
import numpy as np
import pytest

import sgdescape.underdamped_langevin as ul
from sgdescape.core.claims import ClaimError
from sgdescape.core.random import seeds
from sgdescape.underdamped_langevin import predictions

STEM = "underdamped_langevin"
SEEDS = range(5)


def changed(name, factor=1.0, **fixed):
    """A function of `predictions` with other arguments, or another result."""
    true = getattr(predictions, name)
    return name, lambda *a, **k: true(*a, **(k | fixed)) * factor


def square_root(*arguments, **options):
    return ul.path_errors(*arguments, **options) ** 0.5


def lawful(law, shape):
    """Speeds of chains that obey the law but for a percent."""
    return law[:, None] * (1 + 0.01 * np.random.default_rng(0).normal(size=shape))


WRONG = {
    "order": [("path_errors", square_root)],
    "common_factor": [changed("stationary_covariance", discrete=False)],
    "mean_path": [changed("mean", discrete=False)],
    "spiral": [changed("mean", 0.9)],
    "growth": [changed("regression_covariance", 1.3)],
    "speed_law": [changed("square_step", 1.9), changed("square_step", 0.9)],
    "speed_small_batch": [changed("square_step", 1.58)],  # would agree: not refuted
    "real_noise": [changed("regression_covariance", 0.7)],
    "image_speed": [changed("square_step", 1.9), changed("square_step", 1.2)],
    "free_speed": [changed("square_step", 1.9), changed("square_step", 1.1)],
    "full_step": [changed("stationary_covariance", discrete=False)],
    "negative_lobe": [changed("autocorrelation", 0.5)],
    "paper_first": [changed("autocorrelation", 0.5)],
    "paper_last": [changed("autocorrelation", 0.8)],
    "mean_frequency": [("mean_frequency", lambda r: np.sqrt([52.8, 8.73]))],
    "single_step": [("effective_directions", len)],
}

OTHER_DATA = {
    "noise": lambda ds: ds.assign(gradients=ds.gradients * ds.inputs),
    "image_noise": lambda ds: ds.assign(image_errors=ds.image_errors * 0 + 1.0),
    "constant_speed": lambda ds: ds.assign(
        square_step=ds.square_step / (1 + np.arange(ds.sizes["record"])[:, None] / 1000)
    ),
    "midpoint": lambda ds: ds.assign(full_product=ds.full_product * 1.01),
    "ring_down": lambda ds: ds.assign(
        spiral_position=ds.spiral_position * np.exp(-ds.spiral_step / 300)
    ),
    "speed_small_batch": lambda ds: ds.assign(
        speed=(ds.speed.dims, lawful(ds.speed_law.values, ds.speed.shape))
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@contract.each(STEM)
def test_claims_hold(name, seed, quick):
    contract.holds(STEM, name, quick(seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(name, quick, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, quick(0), WRONG[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_DATA)
def test_claims_reject_other_data(name, quick):
    contract.rejects_other_data(STEM, name, OTHER_DATA[name](quick(0)))


def test_every_claim_can_fail():
    contract.complete(STEM, WRONG, OTHER_DATA, exempt={"cifar_spiral"})


def test_page_shows_every_claim_and_number(small):
    contract.shown(STEM)
    contract.glued(STEM, ul.summary(small))


def near(small, law, factor):
    """Chains of which the mean square step is a multiple of the law, but for a percent."""
    rng = np.random.default_rng(0)
    return factor * float(law) * (1 + 0.01 * rng.normal(size=32))


def test_image_speed_is_in_units_of_the_law_and_names_its_rivals(small):
    law = small.image_speed_law
    at = small.drop_vars(["image_square_step", "image_free_step"]).drop_dims("chain")
    found = ul.claims.image_speed(at.assign(image_square_step=("chain", near(small, law, 1.0))))
    assert found.verdict == "confirmed" and found.measured.value == pytest.approx(1, abs=0.01)
    assert found.rivals == pytest.approx({"without momentum": 0.19, "1 / (1 - beta)^2": 19})
    for wrong in (0.19, 0.8, 1.2, 19.0):
        with pytest.raises(ClaimError):
            ul.claims.image_speed(at.assign(image_square_step=("chain", near(small, law, wrong))))


def test_identities_hold_at_any_size(small):
    assert ul.claims.midpoint(small).verdict == "identity"
    assert ul.claims.full_step(small).verdict == "identity"


def test_streams_of_the_parts_are_their_own():
    uses = ["data", "main", "kick", "growth", "edge", "paper 0", "spirals", "speed"]
    found = {seeds.derive(s, STEM, use, i) for s in (0, 1) for use in uses for i in range(20)}
    assert len(found) == 2 * len(uses) * 20
