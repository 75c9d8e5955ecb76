"""Claims of chapter `network_limits` on rotation in phase space, ringing, and the start at rest."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity
from sgdescape.core.runs.provenance import settings
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import pooled, prony, range_of
from sgdescape.underdamped_langevin import oscillating_band


@claim
def midpoint(ds) -> Claim:
    """At half steps position and step are uncorrelated on any path that stays somewhere."""
    at = ds.sel(sampler="iid")
    rest = (at.midpoint_step - at.midpoint_ends) / (at.step_variance / 2)
    return identity(
        "Position at the middle of a step times the step, mean over a path less what it "
        r"telescopes to at the two ends, in units of $E\delta_i^2/2$.",
        source=OWN,
        predicted=0.0,
        measured=float(np.abs(rest).max()),
        error=1e-6,
    )


@claim
def rotation(ds) -> Claim:
    """Phase space turns, at the rate of the discrete process, Eq. (network-rotation)."""
    at, beta = ds.sel(sampler="iid"), settings(ds).momentum
    exact = (at.step_variance * ds.areal_exact).mean("mode").values
    without = float(-(1 + beta) / ds.areal_exact.mean())
    return check(
        r"Area swept by $(\theta,\delta)$ in a step, in units of the discrete prediction (without "
        f"forces it would be {without:.3f}: no test of them).",
        source=OWN,
        predicted=1.0,
        measured=pooled(at.areal_rate.values.mean(1) / exact),
        rivals={
            "no current": 0.0,
            "continuous time": round(float(-2.0 / ds.areal_exact.mean()), 3),
            "the other sense": -1.0,
        },
        resolution=0.02,
        expected="confirmed",
    )


@claim
def negative_lobe(ds) -> Claim:
    """Modes of the oscillating band swing back, Eq. (network-autocorrelation)."""
    config = settings(ds)
    low, _ = oscillating_band(learning_rate=config.swing_rate, momentum=config.swing_momentum)
    chosen = ds.curvature.values > 3 * low
    curves = ds.autocorrelation_exact.values[:, chosen].T
    lowest, depth = curves.argmin(1), curves.min(1).mean()
    rows = ds.autocorrelation.values[:, :, chosen]
    return check(
        rf"$\beta={config.swing_momentum:g}$, modes above three critical curvatures: "
        "autocorrelation after half a period, in units of the prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(rows[:, lowest, np.arange(len(lowest))] / depth),
        rivals={"no oscillation": 0.0},
        tolerance=0.5,
        expected="confirmed",
    )


@claim
def ring_period(ds) -> Claim:
    """The period after a kick."""
    _, period = prony(ds.ring.values)
    exact, config = ds.ring_period_exact.values, settings(ds)
    h = ds.curvature.values[: len(period)] + config.weight_decay
    eta, beta = config.ring_rate, config.ring_momentum
    slow = 2 * np.pi * np.sqrt(eta * (1 + beta) / (2 * h)) / eta
    return check(
        "Full batch, kicked along eight eigenvectors: the period in units of the prediction.",
        source=PAPER,
        predicted=1.0,
        measured=range_of(period / exact, "eight modes"),
        rivals={
            "undamped, in continuous time": round(float(np.mean(slow / exact)), 3),
            r"a mass of $\eta$ for $\eta(1+\beta)/2$": round(
                float(np.mean(slow / exact) * np.sqrt(2 / (1 + beta))), 3
            ),
        },
        resolution=0.01,
        expected="confirmed",
    )


@claim
def ring_decay(ds) -> Claim:
    """The decay after a kick does not depend on the curvature."""
    decay, _ = prony(ds.ring.values)
    exact, config = ds.ring_decay_exact.values, settings(ds)
    h = ds.curvature.values[: len(decay)] + config.weight_decay
    slow = (1 - config.ring_momentum) / (config.ring_rate * h)
    return check(
        r"Full batch, kicked along eight eigenvectors: the decay time in units of $-2/\ln\beta$.",
        source=PAPER,
        predicted=1.0,
        measured=range_of(decay / exact, "eight modes"),
        rivals={
            "that of the energy": 0.5,
            "overdamped": round(float(np.mean(slow / exact)), 3),
        },
        expected="confirmed",
    )


@claim
def covariance_growth(ds) -> Claim:
    """The covariance grows as predicted from rest."""
    config, few = settings(ds), ds.isel(early=slice(4))
    steps = few.early.values
    variance = few.early_exact.values
    found = few.early_square.sel(sampler="iid").transpose("early", "replica", "mode").values
    slow = config.learning_rate**2 / (1 - config.momentum) ** 2 / config.batch_size
    free = slow * ds.noise.values * steps[:, None]
    return check(
        r"From rest at the minimum: $\theta_i^2$ after 5, 10, 20 and 40 steps in units of the "
        "prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled((found / variance[:, None]).mean(0)),
        rivals={
            "free overdamped diffusion": round(float((free / variance).mean()), 2),
            "the stationary value at once": round(
                float((ds.sel(sampler="iid").variance_exact.values / variance).mean()), 2
            ),
        },
        expected="confirmed",
    )
