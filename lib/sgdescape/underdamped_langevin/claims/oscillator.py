"""The claims of chapter `underdamped_langevin`: each compares a measurement with its prediction.

Predictions come with the dataset (`underdamped_langevin.predict`), so that a wrong formula there
makes the claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval
from sgdescape.underdamped_langevin import estimates

KUNIN, OWN = "Kunin et al., reconstructed", "this book"


@claim
def order(ds) -> Claim:
    """The mass, and the start half a step early, raise the order from one to two."""
    eta, error = ds.order_rate.values, ds.order_error.values
    slopes = np.diff(np.log(error), axis=0) / np.diff(np.log(eta))[:, None]
    flow, start, half = slopes.T
    return check(
        "The differential equation with mass, started at rest half a step early, follows the steps "
        "with an error of order eta^2.",
        source=OWN,
        predicted=2.0,
        measured=Interval(half[-1], half.min(), half.max(), LEVEL, "range of local slopes"),
        rivals={"without the mass": float(flow[-1]), "started at t = 0": float(start[-1])},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def common_factor(ds) -> Claim:
    """The discrete variance close to the stability edge."""
    beta, x = 0.9, float(ds.edge[-1])
    at = ds.sel(edge_momentum=beta, edge=x, coordinate="position")
    return check(
        f"At eta h / (2 (1 + beta)) = {x:g} the variance of theta exceeds that of the SDE by the "
        "common factor of discrete time (in units of the SDE's).",
        source=OWN,
        predicted=float(at.edge_exact / at.edge_sde),
        measured=mean_interval(at.edge_square.values / float(at.edge_sde)),
        rivals={"the SDE": 1.0, "eta h / (1 + beta) instead": 1 / abs(1 - 2 * x)},
        expected="confirmed",
    )


@claim
def noise(ds) -> Claim:
    """C3 on a well-specified regression."""
    return check(
        "In a well-specified regression the noise of a mode is proportional to its curvature: "
        "slope of ln Sigma_ii against ln rho_i.",
        source=KUNIN,
        predicted=1.0,
        measured=estimates.noise_slope(ds),
        rivals={"white noise": 0.0, "proportional to the square": 2.0},
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def image_noise(ds) -> Claim:
    """C3 on images: not exactly."""
    rho = ds.image_curvature.values
    return check(
        "Regression on Fashion-MNIST: Sigma_ii / rho_i is the same for the ten leading modes "
        "(largest over smallest).",
        source=KUNIN,
        predicted=1.0,
        measured=estimates.image_contrast(ds),
        rivals={"white noise": float(rho[0] / rho[9])},
        expected="refuted",
    )


@claim
def mean_path(ds) -> Claim:
    """C4: the mean of kicked chains."""
    at = ds.isel(mode=0)
    exact = at.kick_exact.sel(coordinate="position").values
    start = at.kick_sde.sel(coordinate="position").values
    k, eta, beta = ds.kick_step.values, ds.attrs["learning_rate"], ds.attrs["momentum"]
    slow = float(at.kick) * np.exp(-eta * float(at.curvature) * k / (1 - beta))
    return check(
        "Chains kicked along the stiffest mode swing back on average as the damped oscillator of "
        "discrete time (overlap with the predicted path).",
        source=KUNIN,
        predicted=estimates.shared(exact, exact),
        measured=estimates.overlap(at.kick_position.values, exact),
        rivals={
            "overdamped": estimates.shared(slow, exact),
            "oscillator started at t = 0": estimates.shared(start, exact),
        },
        expected="confirmed",
    )


@claim
def ring_down(ds) -> Claim:
    """C4 on images: the decay of the second spiral of Fig. 2."""
    beta = 0.99
    rate = float(ds.image_rate) * float(ds.image_curvature[0])
    return check(
        f"Fashion-MNIST, beta = {beta}: the swing along q_1 decays in (1 + beta) / (1 - beta) "
        "steps, whatever the curvature and the learning rate.",
        source=KUNIN,
        predicted=(1 + beta) / (1 - beta),
        measured=estimates.ring_down(ds, beta),
        rivals={"memory 1 / (1 - beta)": 1 / (1 - beta), "overdamped": (1 - beta) / rate},
        expected="confirmed",
    )


@claim
def spiral(ds) -> Claim:
    """C4 on images: the whole path at beta = 0.999."""
    beta = 0.999
    paths, exact = estimates.all_outputs(ds, beta)
    rate = float(ds.image_rate) * float(ds.image_curvature[0])
    k, start = ds.spiral_step.values[:, None], ds.spiral_start.values
    slow = (start * np.exp(-rate * k / (1 - beta))).ravel()
    fast = (start * np.cos(1.1 * np.sqrt(rate) * k)).ravel()
    return check(
        f"Fashion-MNIST, beta = {beta}: the mean of the chains along q_1 is the discrete "
        "oscillator (overlap with the predicted path of all outputs, no free parameter).",
        source=KUNIN,
        predicted=estimates.shared(exact, exact),
        measured=estimates.overlap(paths, exact),
        rivals={
            "overdamped": estimates.shared(slow, exact),
            "undamped and 10 % faster": estimates.shared(fast, exact),
        },
        expected="confirmed",
    )


@claim
def growth(ds) -> Claim:
    """C5: how the covariance grows from nothing."""
    at = ds.isel(mode=0).sel(coordinate="position")
    real = at.growth_real.values
    eta, beta = ds.attrs["learning_rate"], ds.attrs["momentum"]
    rho, k = float(at.curvature), ds.growth_step.values
    final = float(ds.variance_real.isel(mode=0).sel(coordinate="position"))
    slow = final * -np.expm1(-2 * eta * rho * k / (1 - beta))
    return check(
        "From the minimum the variance of the stiffest mode grows in steps, as C - M^k C (M^k)^T "
        "(overlap with the predicted curve).",
        source=KUNIN,
        predicted=1.0,
        measured=estimates.overlap(at.growth_square.values, real),
        rivals={"overdamped": estimates.shared(slow, real)},
        expected="confirmed",
    )


@claim
def midpoint(ds) -> Claim:
    """C9: position and velocity at the same time."""
    return check(
        "Half-way between two steps position and velocity are uncorrelated (in units of "
        "eta E v^2, stiffest mode).",
        source=KUNIN,
        predicted=0.0,
        measured=estimates.correlation(ds, "midpoint_product"),
        rivals={"as at a full step": 0.5, "as at the step before": -0.5},
        expected="confirmed",
    )


@claim
def full_step(ds) -> Claim:
    """Point 10: at a full step there is a correlation."""
    return check(
        "At a full step, with v_k = (theta_k - theta_{k-1}) / eta, position and velocity are "
        "uncorrelated (in units of eta E v^2, stiffest mode).",
        source=KUNIN,
        predicted=0.0,
        measured=estimates.correlation(ds, "full_product"),
        rivals={"a forward difference": -0.5},
        expected="refuted",
    )


@claim
def backward(ds) -> Claim:
    """Point 10: how large it is."""
    at = ds.isel(mode=0)
    return check(
        "At a full step the covariance of position and velocity is half of eta E v^2.",
        source=OWN,
        predicted=float(at.cross_exact / (ds.attrs["learning_rate"] * at.variance_exact[1])),
        measured=estimates.correlation(ds, "full_product"),
        rivals={"none": 0.0, "a forward difference": -0.5},
        expected="confirmed",
    )


@claim
def negative_lobe(ds) -> Claim:
    """C11: above the critical curvature the autocorrelation swings below zero."""
    at = ds.isel(mode=2)
    lag = int(np.argmin(at.acf_exact.values))
    return check(
        f"A mode of rho = {float(at.curvature / ds.critical):.1f} rho_c: the autocorrelation of "
        f"its position is negative after half a period ({lag} steps), as deep as predicted.",
        source=KUNIN,
        predicted=float(at.acf_exact[lag]),
        measured=mean_interval(at.acf.values[:, lag]),
        rivals={"overdamped": 0.0, "undamped": -1.0},
        expected="confirmed",
    )


@claim
def paper_first(ds) -> Claim:
    """Point 7: q_1 at the paper's default is barely underdamped."""
    return _paper(
        ds,
        0,
        "underdamped_langevin.paper_first",
        "At the paper's default setting q_1 of its ResNet-18 (rho = 52.8) is underdamped: the "
        "autocorrelation of its position is negative after 60 steps.",
        {"overdamped": 0.0, "q_30": float(ds.paper_acf_exact[1, 60])},
    )


@claim
def paper_last(ds) -> Claim:
    """Point 7: q_30 is overdamped."""
    return _paper(
        ds,
        1,
        "underdamped_langevin.paper_last",
        "At the same setting q_30 (rho = 8.73 < rho_c = 26.3) is overdamped: after 60 steps its "
        "autocorrelation is as positive as the theory of an overdamped mode has it.",
        {"as q_1": float(ds.paper_acf_exact[0, 60]), "none": 0.0},
    )


def _paper(ds, index, identifier, statement, rivals):
    return check(
        statement,
        source=OWN,
        predicted=float(ds.paper_acf_exact[index, 60]),
        measured=mean_interval(ds.paper_acf.values[:, index, 60]),
        rivals=rivals,
        expected="confirmed",
    )
