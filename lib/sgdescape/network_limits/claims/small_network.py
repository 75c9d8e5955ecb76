"""The claims of chapter `network_limits` on the small network; `residual_claims` has the ResNet's.

Predictions use the Hessian and the noise measured at the minimum, and nothing fitted. Where they
depend on the network, the ratio to them is measured and 1 predicted.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import bootstrap_interval, mean_interval, ratio_interval
from sgdescape.modified_loss import areal_rate
from sgdescape.network_limits import theory
from sgdescape.network_limits.estimates import (
    pooled,
    pooled_slope,
    prony,
    rates,
    scaled,
    settings,
    slopes,
)
from sgdescape.underdamped_langevin import autocorrelation as mode_autocorrelation

PAPER, OWN, NOTE = "Kunin et al. (2023)", "this book", "Kühn and Rosenow (2023)"


def law(ds, *, paper=False, **over):
    """Speed predicted by the measured noise; ``paper``: with Tr Sigma alone."""
    at = rates(ds) | over
    curvature = 0 * ds.all_curvature.values if paper else ds.all_curvature.values
    if paper:
        at["weight_decay"] = 0.0
    return theory.speed(ds.all_noise.values, curvature, **at)


def predicted(ds, *, shuffled):
    """Predicted Var theta and E delta^2 of the watched modes, averaged over an epoch's phases."""
    config = settings(ds)
    epoch = config["samples"] // config["batch_size"]
    last = config["steps"]
    steps = np.unique(np.linspace(last - epoch, last, 9)[:-1].astype(int))
    samples = config["samples"] if shuffled else None
    at = rates(ds) | {"steps": steps, "samples": samples}
    return [m.mean(0) for m in theory.moments(ds.curvature.values, ds.noise.values, **at)]


def equipartition_of(ds, sampler, modes=slice(None)):
    """Interval of the kinetic over the potential energy of some modes together."""
    config, at = settings(ds), ds.sel(sampler=sampler).isel(mode=modes)
    h = ds.curvature.values[modes] + config["weight_decay"]
    potential = (at.position_variance * h).sum("mode").values
    ratio = ratio_interval(at.step_variance.sum("mode").values, potential)
    unit = theory.equipartition(1.0, 1.0, 1.0, **_without(rates(ds, batch=False)))
    return scaled(ratio, 1 / unit)


def _without(at):
    return at | {"weight_decay": 0.0}


@claim
def constant_speed(ds) -> Claim:
    """C1: the length of a step does not change while the weights wander."""
    blocks = ds.speed_block.sel(sampler="iid").values
    time = np.arange(blocks.shape[1])
    rows = [np.polyfit(time, np.log(row), 1)[0] for row in blocks]
    config = settings(ds)
    ends = np.array([config["burn_in"], config["steps"]])
    far = theory.displacement(
        ds.all_curvature.values, ds.all_noise.values, start=0, lags=ends, **rates(ds)
    )
    grown = float(np.log(far[1] / far[0])) * 256 / (ends[1] - ends[0])
    return check(
        "Small network, with replacement: the growth of ln |delta|^2 in 256 steps (one epoch).",
        source=PAPER,
        predicted=0.0,
        measured=mean_interval(rows),
        rivals={"as the distance grows": grown},
        tolerance=0.02,
        expected="confirmed",
    )


@claim
def speed(ds) -> Claim:
    """C2 with the measured noise and no free constant."""
    found = ds.speed.sel(sampler="iid").values / law(ds)
    trace = ds.attrs["trace_hessian"] / ds.attrs["trace_noise"]
    return check(
        "Small network, r = 0.02, with replacement: E|delta|^2 in units of the law with the "
        "measured noise.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(found),
        rivals={"Tr H for Tr Sigma": trace, "no momentum": law(ds, momentum=0.0) / law(ds)},
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def speed_sweep(ds) -> Claim:
    """C2: how the speed depends on eta, S and beta."""
    at = ds.sweep_at.values
    x = at[:, 0] ** 2 / (at[:, 2] * (1 - at[:, 1] ** 2))
    return check(
        "The slope of ln E|delta|^2 against ln eta^2/(S (1 - beta^2)), hyper-parameters varied.",
        source=PAPER,
        predicted=1.0,
        measured=slopes(x, ds.sweep_speed.values.T),
        rivals={"square root": 0.5, "square": 2.0},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def frozen_speed(ds) -> Claim:
    """Control g = 0: the speed law holds for noise that no force acts on."""
    return check(
        "Control: gradients taken at the minimum whatever the weights do, so that no force acts. "
        "E|delta|^2 in units of the law.",
        source=OWN,
        predicted=1.0,
        measured=scaled(pooled(ds.frozen_speed.values), law(ds, paper=True)),
        rivals={"no momentum": 1 - settings(ds)["momentum"] ** 2},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def frozen_equipartition(ds) -> Claim:
    """The same control fails equipartition, as it should."""
    h = ds.curvature.values + settings(ds)["weight_decay"]
    found = theory.equipartition(
        ds.frozen_step.values.sum(1),
        (ds.frozen_variance.values * h).sum(1),
        1.0,
        **_without(rates(ds, batch=False)),
    )
    return check(
        "Control without force: kinetic over potential energy of the watched modes is 1.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={"half": 0.5},
        tolerance=0.0,
        expected="refuted",
    )


@claim
def noise_is_hessian(ds) -> Claim:
    """C3: Sigma = sigma^2 H along the leading eigenvectors."""
    top = settings(ds)["top"]
    h, noise = ds.all_curvature.values[:top], ds.all_noise.values[:top]
    return check(
        "The slope of ln Sigma_ii against ln rho_i over the 200 leading eigenvectors.",
        source=PAPER,
        predicted=1.0,
        measured=bootstrap_interval(np.log(np.stack([h, noise], 1)), _slope, resamples=500),
        rivals={"Sigma as H squared": 2.0, "as H to the 3/2": 1.5, "white noise": 0.0},
        tolerance=0.08,
        expected="confirmed",
    )


def _slope(rows):
    return np.polyfit(rows[:, 0], rows[:, 1], 1)[0]


@claim
def isotropic(ds) -> Claim:
    """C6: the cloud of positions is round."""
    variance, _ = predicted(ds, shuffled=True)
    x = ds.curvature.values
    shuffled = np.polyfit(np.log(x), np.log(variance), 1)[0]
    return check(
        "With replacement: the slope of ln Var theta_i against ln rho_i.",
        source=PAPER,
        predicted=0.0,
        measured=pooled_slope(x, ds.position_variance.sel(sampler="iid").values),
        rivals={"Gibbs law of the loss": -1.0, "epochs": round(float(shuffled), 2)},
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def velocities(ds) -> Claim:
    """C7: the cloud of velocities is an ellipse with the axes of the Hessian's root."""
    return check(
        "With replacement: the slope of ln Var v_i against ln rho_i.",
        source=PAPER,
        predicted=1.0,
        measured=pooled_slope(ds.curvature.values, ds.step_variance.sel(sampler="iid").values),
        rivals={"round": 0.0, "square": 2.0},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def equipartition(ds) -> Claim:
    """C8: the test that needs no hyper-parameter of the noise."""
    variance, square = predicted(ds, shuffled=True)
    h = ds.curvature.values + settings(ds)["weight_decay"]
    at = _without(rates(ds, batch=False))
    shuffled = theory.equipartition(square.sum(), (h * variance).sum(), 1.0, **at)
    return check(
        "With replacement: kinetic over potential energy of the watched modes.",
        source=PAPER,
        predicted=1.0,
        measured=equipartition_of(ds, "iid"),
        rivals={"epochs": round(float(shuffled), 2), "half": 0.5},
        tolerance=0.15,
        expected="confirmed",
    )


@claim
def midpoint(ds) -> Claim:
    """C9: no correlation at half steps, which is an identity."""
    at = ds.sel(sampler="iid")
    found = (at.midpoint_step / (at.step_variance / 2)).values
    return check(
        "Position at the middle of a step against the step, in units of E delta^2 / 2.",
        source=OWN,
        predicted=0.0,
        measured=pooled(found),
        rivals={"end of the step": 1.0, "start of the step": -1.0},
        tolerance=0.5,
        expected="confirmed",
    )


@claim
def rotation(ds) -> Claim:
    """C10: phase space turns, at the rate of the discrete process, Eq. (network-rotation)."""
    at = ds.sel(sampler="iid")
    discrete = areal_rate(1.0, curvature=ds.curvature.values, **rates(ds, batch=False))
    found = at.areal_rate.values.mean(1) / (at.step_variance.values * discrete).mean(1)
    continuum = -2.0 / discrete.mean()
    return check(
        "Area swept by (theta, delta) a step, in units of the discrete prediction.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={"no current": 0.0, "continuous time": float(continuum), "other sense": -1.0},
        tolerance=0.02,
        expected="confirmed",
    )


@claim
def negative_lobe(ds) -> Claim:
    """C11: modes above the critical curvature oscillate, Eq. (network-autocorrelation)."""
    config = settings(ds)
    at = swing_rates(ds)
    critical = theory.critical_curvature(learning_rate=at["learning_rate"], momentum=at["momentum"])
    chosen = ds.curvature.values > 3 * critical
    lags = np.arange(config["swing_lags"] + 1)
    curves = mode_autocorrelation(lags, ds.curvature.values[chosen, None], **at)
    lowest, depth = curves.argmin(1), curves.min(1).mean()
    rows = ds.autocorrelation.values[:, :, chosen]
    return check(
        "beta = 0.98, modes above three critical curvatures: autocorrelation after half a period, "
        "in units of the prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(rows[:, lowest, np.arange(len(lowest))] / depth),
        rivals={"no oscillation": 0.0},
        tolerance=0.7,
        expected="confirmed",
    )


def swing_rates(ds):
    """Return the hyper-parameters of the run in which many modes oscillate."""
    config = settings(ds)
    return rates(ds, batch=False) | {
        "learning_rate": config["swing_rate"],
        "momentum": config["swing_momentum"],
    }


@claim
def ring_period(ds) -> Claim:
    """C4: the period after a kick."""
    _, period = prony(ds.ring.values)
    _, predicted = _ring(ds)
    config = settings(ds)
    h = ds.curvature.values[: len(period)] + config["weight_decay"]
    eta, beta = config["ring_rate"], config["ring_momentum"]
    slow = 2 * np.pi * np.sqrt((1 + beta) / (2 * eta * h)) * 1.03
    return check(
        "Full batch, kicked along eight eigenvectors: the period in units of the prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(period / predicted),
        rivals={
            "continuous time, undamped": float(np.mean(slow / predicted)),
            "half": 0.5,
        },
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def ring_decay(ds) -> Claim:
    """C4: the decay after a kick does not depend on the curvature."""
    decay, _ = prony(ds.ring.values)
    predicted, _ = _ring(ds)
    config = settings(ds)
    h = ds.curvature.values[: len(decay)] + config["weight_decay"]
    slow = (1 - config["ring_momentum"]) / (config["ring_rate"] * h)
    return check(
        "Full batch, kicked along eight eigenvectors: the decay time in units of -2/ln beta.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(decay / predicted),
        rivals={"overdamped": float(np.mean(slow / predicted)), "twice": 2.0},
        tolerance=0.1,
        expected="confirmed",
    )


def _ring(ds):
    config = settings(ds)
    return theory.ring(
        ds.curvature.values[: ds.sizes["ring_mode"]],
        learning_rate=config["ring_rate"],
        momentum=config["ring_momentum"],
        weight_decay=config["weight_decay"],
    )


@claim
def covariance_growth(ds) -> Claim:
    """C5: the covariance grows as predicted from rest."""
    config = settings(ds)
    steps = ds.early.values[:4]
    variance, _ = theory.moments(ds.curvature.values, ds.noise.values, steps=steps, **rates(ds))
    found = ds.early_square.sel(sampler="iid").values[:4] / variance[:, None]
    overdamped = (
        config["learning_rate"]
        * ds.noise.values
        * steps[:, None]
        * config["learning_rate"]
        / (config["batch_size"] * (1 - config["momentum"]) ** 2)
    )
    return check(
        "From rest at the minimum: theta_i^2 after 5, 10, 20 and 40 steps in units of the "
        "prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(found.mean(0)),
        rivals={"free overdamped diffusion": float((overdamped / variance).mean()), "half": 0.5},
        tolerance=0.3,
        expected="confirmed",
    )
