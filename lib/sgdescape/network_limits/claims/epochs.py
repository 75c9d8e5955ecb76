"""Claims of chapter `network_limits` on epochs: what sampling without replacement changes."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity
from sgdescape.core.runs.provenance import settings
from sgdescape.network_limits.claims.sources import EPOCHS, OWN, PAPER, RELATIONS
from sgdescape.network_limits.estimates.lines import pooled, pooled_slope
from sgdescape.network_limits.estimates.small_network import equipartition_of
from sgdescape.network_limits.predictions import crossover


@claim
def isotropic_epochs(ds) -> Claim:
    """By epochs the cloud is not round."""
    return check(
        r"With epochs without replacement: slope of $\ln\mathrm{Var}\,\theta_i$ against "
        r"$\ln\rho_i$ is 0.",
        source=PAPER,
        predicted=0.0,
        measured=pooled_slope(
            ds.curvature.values, ds.position_variance.sel(sampler="shuffle").values
        ),
        rivals={"Gibbs law of the loss": -1.0},
        tolerance=0.15,
        expected="refuted",
    )


@claim
def equipartition_epochs(ds) -> Claim:
    """Epochs break equipartition."""
    return check(
        "With epochs without replacement: kinetic over potential energy is 1.",
        source=PAPER,
        predicted=1.0,
        measured=equipartition_of(ds, "shuffle"),
        rivals={"no force": round(float(ds.energy_unforced), 2)},
        tolerance=0.1,
        expected="refuted",
    )


@claim
def epoch_factor(ds) -> Claim:
    """By the factor of the noises' sum over an epoch, below Eq. (network-crossover)."""
    low = ds.curvature.values < crossover(settings(ds))
    exact, iid = (ds.sel(sampler=s).variance_exact.values for s in ("shuffle", "iid"))
    found = (ds.position_variance.sel(sampler="shuffle").values / exact)[:, low]
    bridge = iid * ds.curvature.values / crossover(settings(ds))
    return check(
        r"Epochs, modes below the crossover curvature: $\mathrm{Var}\,\theta_i$ in units of the "
        "prediction for noises that sum to zero over an epoch.",
        source=EPOCHS,
        predicted=1.0,
        measured=pooled(found.mean(1)),
        rivals={
            "independent noises": round(float((iid / exact)[low].mean()), 2),
            "Brownian bridge alone": round(float((bridge / exact)[low].mean()), 2),
        },
        expected="confirmed",
    )


@claim
def excess(ds) -> Claim:
    """Early in a run most modes are not stationary: the moments of that time give the loss."""
    at = _early(ds).sel(sampler="iid")
    exact, rule = float(at.excess_exact.mean()), float(at.excess_rule.mean())
    first, last = int(at.snapshot_step[0]), int(at.snapshot_step[-1])
    return check(
        f"With replacement, {first} to {last} steps after the start at the minimum: mean excess of "
        "loss and weight decay over its minimum, in units of the theory of moments at these times.",
        source=OWN,
        predicted=1.0,
        measured=pooled(at.excess.mean("snapshot").values / exact),
        rivals={
            r"every mode stationary, $\frac{1+\beta}{4\eta}E\|\delta\|^2$": round(rule / exact, 2)
        },
        expected="confirmed",
    )


@claim
def excess_rule(ds) -> Claim:
    """Eq. (network-excess) later: a little too high, as flat modes are not stationary yet."""
    at, quiet = (_late(ds).sel(sampler=name) for name in ("iid", "shuffle"))
    share = float(at.excess_exact.mean() / at.excess_rule.mean())
    return check(
        r"With replacement, after the burn-in: mean excess loss is $\frac{1+\beta}{4\eta}"
        rf"E\|\delta\|^2$ (the moments at these times give {share:.2f} of it).",
        source=PAPER,
        predicted=1.0,
        measured=pooled((at.excess.mean("snapshot") / at.excess_rule).values),
        rivals={"epochs": round(float(quiet.excess_exact.mean() / quiet.excess_rule.mean()), 2)},
        tolerance=0.12,
        expected="approximate",
    )


@claim
def excess_epochs(ds) -> Claim:
    """Epochs make the excess loss several times smaller at the same speed."""
    at = _late(ds).sel(sampler="shuffle")
    exact, rule = float(at.excess_exact.mean()), float(at.excess_rule.mean())
    return check(
        "Epochs without replacement: the excess loss in units of the theory for noises that sum "
        "to zero over an epoch.",
        source=OWN,
        predicted=1.0,
        measured=pooled(at.excess.mean("snapshot").values / exact),
        rivals={r"$\frac{1+\beta}{4\eta}E\|\delta\|^2$": round(rule / exact, 2)},
        expected="confirmed",
    )


def _early(ds):
    return ds.isel(snapshot=slice(settings(ds).early_snapshots))


def _late(ds):
    return ds.isel(snapshot=slice(settings(ds).early_snapshots, None))


@claim
def force_identity(ds) -> Claim:
    """With the minibatch's own gradient Eq. (network-force) is an identity: it tests nothing."""
    at = ds.sel(sampler="shuffle")
    found = (at.virial / at.force_balance).values
    return identity(
        r"Epochs without replacement: $\theta\cdot G$ with the minibatch's own gradient, in units "
        r"of $\frac{1+\beta}{2\eta}E\|\delta\|^2$ less the terms of growth and of the path's ends.",
        source=OWN,
        predicted=1.0,
        measured=float(found[np.argmax(np.abs(found - 1))]),
        error=1e-6,
    )


@claim
def force(ds) -> Claim:
    """With the whole data's gradient it is a test, passed with replacement."""
    found = _force(ds, "iid")
    at = _late(ds).sel(sampler="shuffle")
    quiet = float(at.excess_exact.mean() / at.excess_rule.mean())
    return check(
        "With replacement: displacement times the whole data's gradient in the same units.",
        source=RELATIONS,
        predicted=1.0,
        measured=pooled(found),
        rivals={"epochs": round(quiet, 2), "no force": 0.0},
        expected="confirmed",
    )


@claim
def force_epochs(ds) -> Claim:
    """And failed by epochs."""
    return check(
        "Epochs without replacement: displacement times the whole data's gradient is 1 in the "
        "same units.",
        source=RELATIONS,
        predicted=1.0,
        measured=pooled(_force(ds, "shuffle")),
        rivals={"no force": 0.0},
        expected="refuted",
    )


def _force(ds, sampler):
    at = _late(ds).sel(sampler=sampler)
    return (at.force.mean("snapshot") / at.force_exact).values
