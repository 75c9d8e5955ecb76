"""Claims on linear regression: how its noise grows with the loss, and its barriers."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval, ratio_interval
from sgdescape.noise_covariance.estimates import barrier as barrier_of
from sgdescape.noise_covariance.estimates import group_slopes, predicted_slope

OWN = "this book"


@claim
def slope_rademacher(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 1, where it is the same draw by draw."""
    return identity(
        "In linear regression with inputs of one size (kurtosis 1) the noise along the "
        "displacement does not grow with the loss: slope of $B\\Sigma_{ee}/(2h_eL^*)$ against "
        "$L/L^*$ 0, draw by draw.",
        source=OWN,
        predicted=round(predicted_slope(ds, "rademacher"), 9),
        measured=float(group_slopes(ds, "rademacher").mean()),
        error=1e-9,
    )


@claim
def slope_uniform(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 1.8."""
    return _slope(ds, "uniform")


@claim
def slope_three_point(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 2: where Eq. (6) is exact."""
    return _slope(ds, "three-point")


@claim
def slope_gaussian(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 3."""
    return _slope(ds, "gaussian")


@claim
def slope_laplace(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 6."""
    return _slope(ds, "laplace")


@claim
def barrier(ds) -> Claim:
    """Diffusion barrier from the sampled noise, Gaussian inputs."""
    c = float(ds.loss_ratio[-1])
    return check(
        "In linear regression on a Gaussian input the barrier of the diffusion with SGD's own "
        f"covariance, from the minimum to c = L/L* = {c:g}, is $\\frac12\\log(2c-1)$.",
        source=OWN,
        predicted=float(ds.barrier_theory.sel(law="gaussian")[-1]),
        measured=_barrier(ds, "gaussian"),
        rivals={"log c, Eqs. (6) and (14)": np.log(c), "c - 1, constant noise": c - 1},
        resolution=0.05,
        unit="B / (eta h)",
        expected="confirmed",
    )


@claim
def log_barrier(ds) -> Claim:
    """The paper's barrier for its own test case, from the same sampled noise."""
    c = float(ds.loss_ratio[-1])
    return check(
        "In linear regression on a Gaussian input the barrier of the diffusion with SGD's own "
        f"covariance, from the minimum to c = L/L* = {c:g}, is $\\log c$.",
        source="Mori et al., Eqs. (6) and (14)",
        predicted=np.log(c),
        measured=_barrier(ds, "gaussian"),
        rivals={"c - 1, constant noise": c - 1},
        unit="B / (eta h)",
        expected="refuted",
    )


@claim
def decoupling_ratio(ds) -> Claim:
    """Failure of the decoupling approximation away from the minimum, one input."""
    at = ds.sel(law="gaussian", loss_ratio=3.0)
    return check(
        "In regression on one Gaussian input the mean of loss times squared slope is $(3c-2)/c$ "
        "of the product of their means, at $c=L/L^*=3$.",
        source=OWN,
        predicted=float(at.decoupling_theory),
        measured=ratio_interval(at.loss_slope, at.loss),
        rivals={"decoupled, Eq. (7)": 1.0},
        resolution=0.03,
        expected="confirmed",
    )


@claim
def trace(ds) -> Claim:
    """The same failure seen in the trace of a many-dimensional regression."""
    c, d = provenance.settings(ds).loss_ratio_d, 20
    at = ds.sel(directions=d)
    return check(
        f"With {d} Gaussian inputs at c = {c:g}, Eq. (6) misses the trace of the noise by "
        "(1 - 1/c)/d only.",
        source=OWN,
        predicted=float(at.trace_theory),
        measured=mean_interval(at.trace_part),
        rivals={
            "Eq. (6)": 1.0,
            "error as along the path": float(ds.trace_theory.sel(directions=1)),
        },
        resolution=0.03,
        expected="confirmed",
    )


def _slope(ds, law):
    kappa, theory = float(ds.kurtosis.sel(law=law)), round(predicted_slope(ds, law), 9)
    rivals = {"Eq. (6)": 1.0, "decoupled, mean kept": 0.0, "exact, mean dropped": kappa}
    rivals = {k: round(v, 9) for k, v in rivals.items() if abs(v - theory) > 1e-6}
    name = law.capitalize() if law in ("gaussian", "laplace") else law  # named after people
    return check(
        f"In linear regression with {name} inputs (kurtosis {kappa:.3g}) the noise along the "
        "displacement, $B\\Sigma_{ee}/(2h_eL^*)$, grows with $L/L^*$ at the rate "
        f"$\\kappa_e-1$ = {kappa - 1:.3g}.",
        source=OWN,
        predicted=theory,
        measured=mean_interval(group_slopes(ds, law)),
        rivals=rivals,
        resolution=0.1,
        expected="confirmed",
    )


def _barrier(ds, law):
    seed = seeds.derive(provenance.settings(ds).seed, "noise_covariance", "resampled barrier")
    return barrier_of(ds.loss_ratio.values, ds.variance.sel(law=law).values, seed=seed)
