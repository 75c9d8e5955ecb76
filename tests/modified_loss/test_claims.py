"""Claims of chapter `modified_loss`: their verdicts, and what makes them fail."""

import contract
import numpy as np
import pytest

import sgdescape.modified_loss as ml
from sgdescape.core.random import seeds
from sgdescape.modified_loss import predictions

STEM = "modified_loss"
SEEDS = range(6)


def scaled(name, factor):
    true = getattr(predictions, name)
    return name, lambda *args, **options: factor * true(*args, **options)


def reversed_current(parts, **options):
    return -ml.areal_rates(parts, **options)


def white(rho, noise, **at):
    """Noise that does not know the curvature: the level is not the same in every mode."""
    return ml.midpoint_variance(rho, np.ones_like(rho), **at)


def gibbs(rho, noise, **at):
    """A process whose stationary law is that of the loss: white noise of the same trace."""
    rho = np.asarray(rho)
    return ml.process(rho, np.eye(len(rho)) * rho.mean(), **at)


def maxwell(rho, noise, **at):
    law = ml.covariance(rho, noise, **at)
    return ml.Covariance(law.position, law.cross, np.eye(len(rho)))


def isotropic(rho, *, weight_decay):
    return np.ones_like(rho)


def one_size(step, spread, **at):
    """Steps of one size in every direction."""
    return np.geomspace(0.1, 2.0, 6)


def without_memory(rho, **at):
    return np.ones_like(rho)


def irreversible(*args, **at):
    return 0.863


def noiseless(x, residuals, **at):
    """Noise that stays what it is at the minimum."""
    many = {**at, "batch_size": 10**7}
    from sgdescape.underdamped_langevin import regression_covariance

    return regression_covariance(x, residuals, **many) * 10**7 / at["batch_size"]


WRONG = {
    "toy_current": [("areal_rates", reversed_current)],
    "toy_entropy": [scaled("entropy_rate", 2.0)],
    "isotropic_positions": [("midpoint_variance", white)],
    "elliptic_velocities": [("covariance", maxwell)],
    "weight_decay": [("decay_factor", isotropic)],
    "mahalanobis": [("process", gibbs)],
    "cloud_shape": [("process", gibbs)],
    "constant_noise": [scaled("midpoint_variance", 1.46)],  # would agree: not refuted
    "minibatch": [("regression_covariance", noiseless)],
    "equipartition": [scaled("equipartition_curvature", 0.95)],
    "curvature": [("equipartition_curvature", one_size)],
    "shuffled": [("shuffled_equipartition", without_memory)],
    "rotation": [scaled("areal_rate", 2 / 1.7), scaled("areal_rate", 1.9 / 1.7)],
    "excess_loss": [scaled("excess_loss", 2 / 1.9)],
    "midpoint": [scaled("midpoint_variance", 1.3)],
    "reversible": [("entropy_production", irreversible)],
    "irreversible": [scaled("entropy_production", 1.3)],
    "position_current": [scaled("circulation", -1.0)],
    "images": [scaled("entropy_production", 1.2)],
    "image_currents": [scaled("circulation", 1.2)],
    "flat_modes": [scaled("mode_covariance", 1.5)],
    "arrow": [scaled("time_asymmetry", -1.0), scaled("time_asymmetry", 0.7)],
}

OTHER_DATA = {
    "arrow_size": lambda ds: ds.assign(arrow=ds.arrow / ds.arrow_batch),
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
    contract.complete(STEM, WRONG, OTHER_DATA)


def test_page_shows_every_claim_and_number(small):
    contract.shown(STEM)
    contract.glued(STEM, ml.summary(small))


def test_streams_of_the_parts_are_their_own():
    uses = ["data", "quiet", "strong", "rotation", "edge", "entropy", "growth", "arrow", "toy"]
    found = {seeds.derive(s, STEM, use, i) for s in (0, 1) for use in uses for i in range(20)}
    assert len(found) == 2 * len(uses) * 20
