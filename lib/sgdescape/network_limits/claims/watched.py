"""Claims of chapter `network_limits` on what the paper's pictures show, for the small network."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import computed, scaled
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import (
    axis_ratio,
    bend,
    fitted_slope,
    pooled,
    range_of,
)
from sgdescape.network_limits.estimates.small_network import error_exponent, valley

DECADE = (100, 316, 1000)
"""Ends and middle of the decade in which the distance might be a power of time."""

AXES = 0.99
"""Level of the ratio of two single modes between twenty replicas."""


@claim
def accuracy(ds) -> Claim:
    """Accuracy stands still while the weights move."""
    at = ds.sel(sampler="iid")
    steps = at.snapshot_step.values
    grown = np.interp(np.log(steps), np.log(ds.lag.values), np.log(at.start_exact.values))
    distance = fitted_slope(np.stack([np.log(steps), grown], 1))
    return check(
        f"Small network, with replacement, {steps[0]} to {steps[-1]:,} steps: the error on fresh "
        "samples grows as a power of time with exponent 0, while the distance has "
        f"c = {distance:.2f}.",
        source=PAPER,
        predicted=0.0,
        measured=error_exponent(ds),
        rivals={"as the distance": distance},
        tolerance=0.03,
        unit="in the exponent",
        expected="approximate",
    )


@claim
def power_law(ds) -> Claim:
    """One exponent over a decade, as a power law has it: refuted."""
    lags, rows = ds.lag.values, ds.from_start.sel(sampler="iid").values
    exact, epochs = (
        bend(lags, ds.start_exact.sel(sampler=s).values, *DECADE) for s in ("iid", "shuffle")
    )
    return check(
        "Small network, with replacement, from the minimum: the distance is a power of time from "
        f"100 to 1000 steps, so that c in the second half of this decade less c in the first is 0 "
        f"(the measured spectrum gives {exact:.2f}).",
        source=PAPER,
        predicted=0.0,
        measured=pooled([bend(lags, row, *DECADE) for row in rows]),
        rivals={"epochs": epochs},
        expected="refuted",
    )


@claim
def transient(ds) -> Claim:
    """From rest the speed needs half a memory to reach its level."""
    config = settings(ds)
    beta = config.sweep[0][1]
    count = round(1 / (1 - beta))
    early, exact = (ds[name][0].values for name in ("sweep_early", "sweep_early_exact"))
    level, mean = float(ds.sweep_speed_exact[0]), exact[:count].mean()
    powers = 1 - beta ** np.arange(1, count + 1)
    return check(
        rf"Small network, from rest, $\beta={beta:g}$: $\|\delta_k\|^2$ over the first {count} "
        r"steps, in units of the theory, whose level is approached as $1-\beta^{2k}$.",
        source=PAPER,
        predicted=1.0,
        measured=scaled(pooled(early[:, :count].mean(1)), mean),
        rivals={
            r"as $1-\beta^k$": level * powers.mean() / mean,
            "at its level at once": level / mean,
        },
        expected="confirmed",
    )


@claim
def velocity_axes(ds) -> Claim:
    """The ellipse of velocities in the plane of two eigenvectors."""
    return _axes(ds, "step_variance", "velocities", "round", -0.5)


@claim
def position_axes(ds) -> Claim:
    """The round cloud of positions in the same plane."""
    return _axes(ds, "position_variance", "positions", "contours of the loss", -0.5)


def _axes(ds, name, words, other, power):
    """Axes of a cloud along the first and the last watched eigenvector."""
    rho = ds.curvature.values[[0, -1]]
    ratio = float(np.sqrt(rho[0] / rho[1]))
    unit = ratio if name == "step_variance" else 1.0
    pairs = ds[name].sel(sampler="iid").values[:, [0, -1]]
    text = r"$\sqrt{\rho_1/\rho_{200}}$" if name == "step_variance" else "1, a round cloud"
    return check(
        f"With replacement: ratio of the axes of the cloud of {words} along $q_1$ and $q_{{200}}$ "
        f"is {text} (in units of it).",
        source=PAPER,
        predicted=1.0,
        measured=scaled(axis_ratio(pairs, level=AXES), unit),
        rivals={other: ratio ** (2 * power)},
        expected="confirmed",
    )


@claim
def unseen_valley(ds) -> Claim:
    """The loss of data that the network has not seen has the same valley."""
    axis = ds.along_first.values
    train, test = (valley(ds[name].values, axis) for name in ("plane_loss", "plane_test"))
    ratio = float(np.sqrt(ds.curvature[-1] / ds.curvature[0]))
    return check(
        "In the plane of $q_1$ and $q_{200}$ the loss of fresh samples is as elongated as that of "
        "the training data (ratio of the axes of its contours, in units of the latter's).",
        source=PAPER,
        predicted=1.0,
        measured=range_of(test / train.mean(), "parallel lines of the grid"),
        rivals={"round, as the cloud is": ratio},
        tolerance=0.2,
        expected="approximate",
    )


@claim
def power_iteration(ds) -> Claim:
    """Ten block power iterations, as the authors' Hessian had."""
    worst, other = (float(ds[f"{name}_residual"].max()) for name in ("power", "lanczos"))
    config = settings(ds)
    return check(
        f"{config.power_iterations} block power iterations give the {config.power_vectors} leading "
        r"eigenpairs of the small network's Hessian: the largest residual $\|Hq-\rho q\|/\rho$ "
        "is 0.",
        source=PAPER,
        predicted=0.0,
        measured=computed(worst, worst * (1 - 1e-9), worst * (1 + 1e-9), "float64"),
        rivals={"Lanczos with as many products": other},
        tolerance=0.01,
        expected="refuted",
    )


@claim
def memory_law(ds) -> Claim:
    """A memory of a thousand steps, independent batches: the law."""
    return _memory(ds, "iid", "independent batches")


@claim
def memory_epochs(ds) -> Claim:
    """The same by epochs, whose noise is taken back within the memory."""
    return _memory(ds, "epochs", "epochs without replacement")


def _memory(ds, order, words):
    eta, beta, size, _ = settings(ds).memory
    exact, level = ds.memory_exact.sel(order=order), float(ds.memory_law)
    other = float(ds.memory_exact.sel(order="epochs" if order == "iid" else "iid"))
    rival = "epochs" if order == "iid" else r"the law, $\propto1/(1-\beta^2)$"
    return check(
        rf"Small network at $\beta={beta:g}$, an epoch {settings(ds).samples // size:,} steps, "
        rf"{words}: $E\|\delta\|^2$ beyond the transient, in units of the theory, which is "
        f"{float(exact) / level:.2f} of the law.",
        source=PAPER if order == "iid" else OWN,
        predicted=1.0,
        measured=scaled(pooled(ds.memory_speed.sel(order=order).values), float(exact)),
        rivals={rival: other / float(exact)},
        expected="confirmed",
    )
