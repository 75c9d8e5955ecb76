"""Claims of chapter `network_limits` on epochs: what sampling without replacement changes."""

import numpy as np

from sgdescape.anomalous_diffusion import crossover_curvature
from sgdescape.core.claims import Claim, check, claim
from sgdescape.modified_loss import excess_loss
from sgdescape.network_limits import theory
from sgdescape.network_limits.claims.small_network import (
    NOTE,
    OWN,
    PAPER,
    equipartition_of,
    predicted,
)
from sgdescape.network_limits.estimates import pooled, pooled_slope, rates, scaled, settings


@claim
def isotropic_epochs(ds) -> Claim:
    """C6 and C18: by epochs the cloud is not round."""
    return check(
        "With epochs without replacement: the slope of ln Var theta_i against ln rho_i is 0.",
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
    """C8 and C18: epochs break it."""
    return check(
        "With epochs without replacement: kinetic over potential energy is 1.",
        source=PAPER,
        predicted=1.0,
        measured=equipartition_of(ds, "shuffle"),
        rivals={"half": 0.5},
        tolerance=0.1,
        expected="refuted",
    )


@claim
def epoch_factor(ds) -> Claim:
    """C18: by the factor of the noises' sum over an epoch, below Eq. (network-crossover)."""
    config = settings(ds)
    low = ds.curvature.values < crossover_curvature(
        learning_rate=config["learning_rate"],
        momentum=config["momentum"],
        steps_per_epoch=config["samples"] // config["batch_size"],
    )
    variance, _ = predicted(ds, shuffled=True)
    iid, _ = predicted(ds, shuffled=False)
    found = (ds.position_variance.sel(sampler="shuffle").values / variance)[:, low]
    return check(
        "Epochs, modes below the crossover curvature: Var theta_i in units of the prediction for "
        "noises that sum to zero over an epoch.",
        source=NOTE,
        predicted=1.0,
        measured=pooled(found.mean(1)),
        rivals={"independent noises": float((iid / variance)[low].mean()), "half": 0.5},
        tolerance=0.15,
        expected="confirmed",
    )


@claim
def excess(ds) -> Claim:
    """C12: excess loss from speed, Eq. (network-excess)."""
    return check(
        "With replacement: mean excess of loss and weight decay over its minimum, in units of "
        "(1 + beta)/(4 eta) E|delta|^2.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(_excess(ds, "iid")),
        rivals={"twice": 2.0, "half": 0.5},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def excess_epochs(ds) -> Claim:
    """C12 and C18: epochs make the excess loss several times smaller at the same speed."""
    config = settings(ds)
    last = config["steps"]
    steps = np.linspace(config["burn_in"], last, config["snapshots"]).astype(int)
    h = ds.all_curvature.values + config["weight_decay"]
    variance, _ = theory.moments(
        ds.all_curvature.values,
        ds.all_noise.values,
        steps=steps,
        samples=config["samples"],
        **rates(ds),
    )
    loss = (h * variance).sum(1).mean() / 2
    measured = ds.excess.sel(sampler="shuffle").values.mean(1)
    rule = excess_loss(
        float(ds.speed.sel(sampler="shuffle").mean()),
        learning_rate=config["learning_rate"],
        momentum=config["momentum"],
    )
    return check(
        "Epochs without replacement: the excess loss in units of the prediction for noises that "
        "sum to zero over an epoch.",
        source=OWN,
        predicted=1.0,
        measured=scaled(pooled(measured), loss),
        rivals={"(1 + beta)/(4 eta) E|delta|^2": rule / loss},
        tolerance=0.3,
        expected="confirmed",
    )


def _excess(ds, sampler):
    config = settings(ds)
    rule = excess_loss(
        ds.speed.sel(sampler=sampler).values,
        learning_rate=config["learning_rate"],
        momentum=config["momentum"],
    )
    return ds.excess.sel(sampler=sampler).values.mean(1) / rule


@claim
def force_identity(ds) -> Claim:
    """With the minibatch's own gradient the relation is an identity: it tests nothing."""
    found = _virial(ds, "shuffle", ds.virial.sel(sampler="shuffle").values)
    return check(
        "Epochs without replacement: displacement times the minibatch's own gradient, in units of "
        "(1 + beta)/(2 eta) E|delta|^2 less the term of the growth of |theta|^2.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={"half": 0.5, "1.05": 1.05},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def force(ds) -> Claim:
    """With the whole data's gradient it is a test, passed with replacement."""
    found = _virial(ds, "iid", ds.force.sel(sampler="iid").values.mean(1))
    return check(
        "With replacement: displacement times the whole data's gradient in the same units.",
        source="Yaida (2019)",
        predicted=1.0,
        measured=pooled(found),
        rivals={"half": 0.5},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def force_epochs(ds) -> Claim:
    """And failed by epochs."""
    found = _virial(ds, "shuffle", ds.force.sel(sampler="shuffle").values.mean(1))
    return check(
        "Epochs without replacement: displacement times the whole data's gradient is 1 in the "
        "same units.",
        source="Yaida (2019)",
        predicted=1.0,
        measured=pooled(found),
        rivals={"no force": 0.0},
        tolerance=0.05,
        expected="refuted",
    )


def _virial(ds, sampler, force):
    """Return force times displacement in units of the right side of Eq. (network-force)."""
    config, at = settings(ds), ds.sel(sampler=sampler)
    eta, beta = config["learning_rate"], config["momentum"]
    balance = (1 + beta) / (2 * eta) * at.speed - (1 - beta) / (2 * eta) * at.growth
    return force / balance.values
