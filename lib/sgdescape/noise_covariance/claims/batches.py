"""Claims on the noise of batches: its factors, its matrix, and the SDE that has its covariance."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.noise_covariance.estimates import order

PAPER_8, OWN = "Mori et al., Eq. (8)", "this book"


@claim
def batch_factor(ds) -> Claim:
    """Trace of the noise without replacement against the factor of Eq. (8)."""
    n, b = ds.sizes["image"], provenance.settings(ds).tested
    return check(
        f"Without replacement the noise is (N - B)/(B (N - 1)) times the sample covariance, "
        f"N = {n}, B = {b}.",
        source=PAPER_8,
        predicted=_factor(ds, "without_replacement"),
        measured=_trace(ds, "without_replacement"),
        rivals={"1/B": 1 / b, "(N - B)/(N B)": (n - b) / n / b, "no 1/B": (n - b) / (n - 1)},
        resolution=0.06,
        expected="confirmed",
    )


@claim
def iid_factor(ds) -> Claim:
    """Trace of the noise of batches drawn with replacement against 1/B."""
    n, b = ds.sizes["image"], provenance.settings(ds).tested
    return check(
        f"With replacement the noise is 1/B times the sample covariance, B = {b}.",
        source=OWN,
        predicted=_factor(ds, "iid"),
        measured=_trace(ds, "iid"),
        rivals={"without replacement": (n - b) / (n - 1) / b, "no 1/B": 1.0},
        resolution=0.1,
        expected="confirmed",
    )


@claim
def matrix(ds) -> Claim:
    """Squared distance between the measured matrix and Eq. (8), without its sampling bias."""
    theory, n, b = ds.covariance_theory.values, ds.sizes["image"], provenance.settings(ds).tested
    excess = ds.covariance.values - theory
    norm = np.sum(theory**2)
    # Two independent groups: their errors are uncorrelated, so the mean product has no bias.
    products = np.sum(excess[0::2] * excess[1::2], axis=(1, 2)) / norm
    mean = ds.gradient.values.mean(axis=0)
    scale = np.trace(theory) / ds.gradient.values.var(axis=0).sum()
    isotropic = np.eye(len(theory)) * np.trace(theory) / len(theory)

    def distance(rival):
        return float(np.sum((rival - theory) ** 2) / norm)

    return check(
        "Every entry of the noise covariance is that of Eq. (8): squared relative distance 0.",
        source=PAPER_8,
        predicted=0.0,
        measured=mean_interval(products),
        rivals={
            "1/B": ((n - 1) / (n - b) - 1) ** 2,
            "mean gradient not subtracted": distance(theory + scale * np.outer(mean, mean)),
            "uncorrelated parameters": distance(np.diag(np.diag(theory))),
            "isotropic": distance(isotropic),
        },
        expected="confirmed",
    )


@claim
def weak_order(ds) -> Claim:
    """Order in eta of the SDE's error in E[z^2] at fixed time, no sampling."""
    keep = ds.learning_rate.values < 0.04
    error = np.abs(ds.sgd_moment - ds.sde_moment).values[keep]
    return check(
        "Over a fixed time the Ito SDE (4) has the second moment of SGD up to an error of order "
        "$\\eta$: power 1 of the learning rate.",
        source="Mori et al., Eq. (4)",
        predicted=1.0,
        measured=order(ds.learning_rate.values[keep], error),
        rivals={"another limit": 0.0, "second order": 2.0},
        resolution=0.05,
        expected="confirmed",
    )


def _factor(ds, sampler):
    return float(ds.factor_theory.sel(sampler=sampler, batch_size=provenance.settings(ds).tested))


def _trace(ds, sampler):
    total = ds.gradient.values.var(axis=0).sum()
    at = ds.trace.sel(sampler=sampler, batch_size=provenance.settings(ds).tested)
    return mean_interval(at.values / total)
