"""Every claim holds on the measured data, and fails on a wrong theory or on other data."""

from dataclasses import replace

import contract
import numpy as np
import pytest

import sgdescape.noise_covariance as nc

STEM = "noise_covariance"
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def measured():
    return nc.run(nc.QUICK)


@contract.each(STEM)
def test_claim_holds(measured, name):
    contract.holds(STEM, name, measured)


def unscaled(z, *, noise, learning_rate, **kw):  # Sigma instead of eta Sigma
    return nc.sde_moments(z, noise=noise / learning_rate, learning_rate=learning_rate, **kw)


WRONG = {
    "batch_factor": [("batch_factor", lambda n, b, sampler: 1 / b)],
    "iid_factor": [("batch_factor", lambda n, b, sampler: 1.0)],
    "matrix": [
        (
            "noise_covariance",
            lambda g, batch_size: g.T @ g / len(g) * (10 - batch_size) / 9 / batch_size,
        )
    ],
    "weak_order": [("sde_moments", unscaled)],
    "slope_rademacher": [("kurtosis_noise", lambda c, kurtosis: c)],
    "slope_uniform": [("kurtosis_noise", lambda c, kurtosis: c)],
    "slope_three_point": [("kurtosis_noise", lambda c, kurtosis: 1 + kurtosis * (c - 1))],
    "slope_gaussian": [("kurtosis_noise", lambda c, kurtosis: c)],
    "slope_laplace": [("kurtosis_noise", lambda c, kurtosis: c)],
    "barrier": [("diffusion_barrier", lambda c, kurtosis: np.log(c))],
    "decoupling_ratio": [("decoupling_ratio", lambda c, kurtosis: 1 + 0 * c)],
    "trace": [("trace_ratio", lambda c, kurtosis, directions: 1 + 0.0 * directions)],
    "prefactor": [("covariance_near_minimum", lambda loss, h, batch_size: loss * h)],
    "trace_alignment": [("covariance_near_minimum", lambda loss, h, batch_size: loss * h)],
    "alignment": [("covariance_near_minimum", lambda loss, h, batch_size: 2 * loss * h**2)],
    "network_kurtosis": [
        ("kurtosis_noise", lambda c, kurtosis: 1 + (kurtosis - 1) ** 2 * (c - 1)),
    ],
    "network_rate": [("kurtosis_noise", lambda c, kurtosis: 1 + kurtosis * (c - 1))],
}


@pytest.mark.parametrize("name", WRONG)
def test_claim_rejects_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


def papers_noise(ds):  # proportional to the loss, Eq. (6)
    spread = 1 + 0.01 * RNG.normal(size=ds.sizes["group"])  # else the interval has no width
    noise = (0 * ds.variance + ds.loss_ratio).transpose(*ds.variance.dims)
    return ds.assign(variance=noise * spread)


OTHER_DATA = {
    "log_barrier": papers_noise,
    "barrier": papers_noise,
    "gauss_newton": lambda ds: ds.assign(curvature=2 * ds.curvature),  # a loss without its 1/2
    "network_rate": lambda ds: ds.assign(path_slope=0.5 * ds.path_slope),
}


@pytest.mark.parametrize("name", OTHER_DATA)
def test_claim_rejects_other_data(measured, name):
    contract.rejects_other_data(STEM, name, OTHER_DATA[name](measured))


def test_every_claim_is_given_something_wrong():
    contract.complete(STEM, WRONG, OTHER_DATA)


def test_page_shows_all_claims_and_numbers(measured):
    contract.shown(STEM)
    contract.glued(STEM, nc.summary(measured))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = nc.run(replace(nc.QUICK, seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
