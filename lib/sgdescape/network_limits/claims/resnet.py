"""Claims of chapter `network_limits` on the narrow ResNet-18, and what is not tested of it."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity, not_testable
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import computed, ratio_interval
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import first_crossing, pooled, range_of
from sgdescape.network_limits.estimates.resnet import (
    mode_equipartition,
    norm_growth,
    run_slope,
    speed_over_noise,
)
from sgdescape.underdamped_langevin import square_step

LONG, FEWEST = (4000, 12), 6
"""Fewest steps and modes of a run that can test what is stationary, and of such runs."""

NOT_RUN = (
    "re-analysed, not reproduced: no GPU where this page was made; `sgdescape run network_limits "
    "--scale paper --device cuda` measures it"
)


@claim
def resnet_speed(ds) -> Claim:
    """The speed law with the measured noise of the minibatch gradient."""
    run = len(settings(ds).residual_runs) - 1
    eta, beta, size, _ = settings(ds).residual_runs[run]
    at = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    unit = float(square_step([0.0], [1.0], **at, discrete=False))
    return check(
        rf"Narrow ResNet-18, $\beta={beta:g}$: $E\|\delta\|^2$ in units of the law with the "
        "variance of the minibatch gradient at the checkpoint.",
        source=PAPER,
        predicted=1.0,
        measured=speed_over_noise(ds, run, unit),
        rivals={
            r"$1/(1-\beta)^2$ for $1/(1-\beta^2)$": round((1 + beta) / (1 - beta), 3),
        },
        expected="consistent",
    )


@claim
def resnet_norm(ds) -> Claim:
    """BatchNorm makes the loss independent of a convolution's length: it only decays and grows."""
    runs = range(ds.sizes["residual_run"])
    found = [measured / balanced for measured, balanced in (norm_growth(ds, run) for run in runs)]
    return identity(
        r"Narrow ResNet-18: growth of $\|\theta\|^2$ of the convolutions, in units of what steps "
        "at right angles and weight decay give between the two ends of a path.",
        source=OWN,
        predicted=1.0,
        measured=float(found[int(np.argmax(np.abs(np.array(found) - 1)))]),
        error=0.02,
    )


@claim
def resnet_mode(ds) -> Claim:
    """The Hessian depends on BatchNorm's mode."""
    values = dict(zip(ds.norm_mode.values, ds.residual_mode_curvature.values, strict=True))
    ratio = float(values["eval"] / values["train, batches"])
    error = float(ds.residual_residual[0] / ds.residual_curvature[0]) * ratio + 1e-3
    return check(
        "Narrow ResNet-18: the curvature along the first eigenvector is the same in BatchNorm's "
        "evaluation mode as in training mode.",
        source=OWN,
        predicted=1.0,
        measured=computed(ratio, ratio - error, ratio + error, "Lanczos residual, float32"),
        rivals={
            "as with statistics of all images": round(
                float(values["train, all"] / values["train, batches"]), 3
            )
        },
        tolerance=0.1,
        expected="refuted",
    )


@claim
def resnet_ring(ds) -> Claim:
    """Kicked along the first eigenvector, a quarter of a period."""
    quarter = dict(zip(ds.norm_mode.values, ds.residual_quarter.values, strict=True))
    expected = quarter["train, batches"]
    sides = np.array([first_crossing(track) for track in ds.residual_ring.values]) / expected
    return check(
        "Narrow ResNet-18, full batch, kicked along the first eigenvector: a quarter of a period, "
        "in units of the prediction with the curvature of BatchNorm's training mode.",
        source=PAPER,
        predicted=1.0,
        measured=range_of(sides, "a kick to either side"),
        rivals={
            "batch of all 128 images": round(quarter["train, all"] / expected, 3),
            "curvature over all images": round(quarter["all images"] / expected, 3),
            "evaluation mode": round(quarter["eval"] / expected, 3),
        },
        tolerance=0.06,
        expected="confirmed",
    )


@claim
def resnet_batch(ds) -> Claim:
    """The loss function itself depends on the batch size."""
    groups = ds.residual_group_loss
    few, some, many = (groups.sel(norm_batch=size).values for size in (4, 8, 32))
    return check(
        "Narrow ResNet-18: the loss by batches of 4 is that by batches of 32, at the same weights "
        "and images.",
        source=PAPER,
        predicted=1.0,
        measured=ratio_interval(few, many),
        rivals={"as by batches of 8": round(float(some.mean() / many.mean()), 3)},
        tolerance=0.02,
        expected="refuted",
    )


def _long(ds):
    """Runs that are long enough to test what is stationary, with enough modes."""
    if ds.sizes["residual_mode"] < LONG[1]:
        return []
    return [k for k, run in enumerate(settings(ds).residual_runs) if run[3] >= LONG[0]]


def _stationary(ds, statement, values, predicted, rivals):
    """Check a number a run where runs are long enough; say so where they are not."""
    runs = _long(ds)
    if len(runs) < FEWEST:
        return not_testable(statement, source=PAPER, reason=NOT_RUN)
    return check(
        statement,
        source=PAPER,
        predicted=predicted,
        measured=pooled([values(run) for run in runs], level=0.99),
        rivals=rivals,
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def resnet_isotropic(ds) -> Claim:
    """Round positions of the ResNet."""
    return _stationary(
        ds,
        r"ResNet-18, leading eigenvectors: slope of $\ln\mathrm{Var}\,\theta_i$ against "
        r"$\ln\rho_i$, over runs of several $\eta$, $S$ and $\beta$.",
        lambda run: run_slope(ds, run, "residual_position"),
        0.0,
        {"Gibbs law of the loss": -1.0},
    )


@claim
def resnet_velocities(ds) -> Claim:
    """Elliptic velocities of the ResNet."""
    return _stationary(
        ds,
        r"ResNet-18, leading eigenvectors: slope of $\ln\mathrm{Var}\,v_i$ against $\ln\rho_i$.",
        lambda run: run_slope(ds, run, "residual_move"),
        1.0,
        {"round, as of white noise": 0.0},
    )


@claim
def resnet_equipartition(ds) -> Claim:
    """Equipartition of the ResNet, as an estimator of its curvatures."""
    return _stationary(
        ds,
        "ResNet-18, leading eigenvectors: kinetic over potential energy.",
        lambda run: mode_equipartition(ds, run).mean(),
        1.0,
        {"no force": 0.0},
    )


@claim
def resnet_exponent(ds) -> Claim:
    """The ResNet's exponents against the hyper-parameters: the paper's Fig. 7."""
    return not_testable(
        r"ResNet-18 of full width: $c$ against $\eta$, $S$ and $\beta$, at fixed steps and by "
        "epochs.",
        source=PAPER,
        reason=NOT_RUN,
    )


@claim
def imagenet(ds) -> Claim:
    """The paper's data."""
    return not_testable(
        r"Pre-trained ResNet-18 on ImageNet: $\|\Delta_k\|^2$ grows as $k^c$ with c near 1.07 "
        r"while $\|\delta_k\|^2$ stays constant.",
        source=PAPER,
        reason="needs ImageNet and a cluster; the reader and the training command are in the "
        "package, a result is not made up; the authors' numbers are re-analysed, not reproduced, "
        "in Anomalous diffusion",
    )
