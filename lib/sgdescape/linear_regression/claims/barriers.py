"""Claims on exponents for small learning rates, from exact times of discrete SGD."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.linear_regression.estimates import weak_slope

PAPER_15, OWN = "Mori et al., Eq. (15)", "this book"


@claim
def linear_barrier(ds) -> Claim:
    """Exponent of the exact passage times of discrete SGD, Gaussian inputs."""
    rivals = {"log c": _logarithm(ds), "exact covariance": _diffusion(ds, "gaussian")}
    return _barrier(ds, "gaussian", OWN, float(ds.barrier_linear), rivals, "confirmed")


@claim
def log_barrier(ds) -> Claim:
    """The paper's exponent against the same times."""
    rivals = {"exact covariance": _diffusion(ds, "gaussian")}
    return _barrier(ds, "gaussian", PAPER_15, _logarithm(ds), rivals, "refuted")


@claim
def kurtosis(ds) -> Claim:
    """The linear barrier does not depend on the kurtosis, as the diffusion's does."""
    rivals = {"diffusion of kurtosis 1.8": _diffusion(ds, "uniform"), "log c": _logarithm(ds)}
    return _barrier(ds, "uniform", OWN, float(ds.barrier_linear), rivals, "confirmed")


@claim
def laplace(ds) -> Claim:
    """Inputs with exponential tails: no barrier is proportional to 1/eta."""
    rivals = {"log c": _logarithm(ds)}
    return _barrier(ds, "laplace", OWN, float(ds.barrier_linear), rivals, "refuted")


@claim
def jump(ds) -> Claim:
    """Beyond c = 2: climb a little and jump across the minimum."""
    return _jump(ds, 3.0)


@claim
def jump_far(ds) -> Claim:
    """The same farther out, where the exponent comes close to the paper's logarithm."""
    return _jump(ds, 10.0)


def _jump(ds, c):
    at = ds.sel(jump_ratio=c)
    value = float(at.jump_theory)
    return check(
        f"One Gaussian input, $c={c:g}$: for small $\\eta$, $\\log t_p$ of SGD grows as "
        f"${value:.4g}\\,B/\\eta$, the cost of a climb to one side and a jump of one sample "
        "across the minimum.",
        source=OWN,
        predicted=value,
        measured=weak_slope(at.jump_slope.values, at.jump_error.values),
        rivals={
            "log c, the paper": np.log(c),
            "one jump from the minimum": np.sqrt(c - 1),
            "climb alone": c - 1,
        },
        resolution=0.01,
        expected="confirmed",
    )


def _barrier(ds, law, source, predicted, rivals, expected):
    at, c = ds.sel(law=law), provenance.settings(ds).barrier_ratio
    return check(
        f"One {law} input, $c={c:g}$: for small $\\eta$, $\\log t_p$ of SGD grows as "
        f"${predicted:.3g}\\,B/\\eta$.",
        source=source,
        predicted=round(predicted, 9),
        measured=weak_slope(at.barrier.values, at.barrier_error.values),
        rivals=rivals,
        tolerance=0.02,
        resolution=0.05,
        expected=expected,
    )


def _logarithm(ds):
    return float(np.log(provenance.settings(ds).barrier_ratio))


def _diffusion(ds, law):
    return round(float(ds.barrier_diffusion.sel(law=law)), 9)
