"""Claims of chapter `network_limits` on the narrow ResNet-18 followed over tens of epochs.

Of a run that is kept in ``results/``; where it is not at hand they say so.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.stats.intervals import ratio_interval
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import fitted_slope, range_of
from sgdescape.network_limits.estimates.narrow import (
    end_noise,
    narrow_energy,
    narrow_error_change,
    narrow_growth,
    narrow_mode_slope,
    narrow_noise_slope,
    narrow_over_noise,
    narrow_power,
    narrow_speed_slope,
    narrow_trend,
)
from sgdescape.network_limits.estimates.small_network import valley

FEW_RUNS_LEVEL = 0.99
"""Of intervals between few runs."""

NOT_HERE = (
    "takes the run that is kept in the repository: `network_limits.run(kept=kept_result.load())`"
)


def _kept(statement, source, judged, ds) -> Claim:
    if "narrow_speed" not in ds:
        return not_testable(statement, source=source, reason=NOT_HERE)
    return check(statement, source=source, **judged(ds))


@claim
def narrow_accuracy(ds) -> Claim:
    """Accuracy of a convolutional network over tens of epochs."""

    def judged(ds):
        return {
            "predicted": 0.0,
            "measured": narrow_error_change(ds, level=FEW_RUNS_LEVEL),
            "rivals": {"as the distance between the first epoch and the last": narrow_growth(ds)},
            "tolerance": 0.25,
            "expected": "approximate",
        }

    return _kept(
        "Narrow ResNet-18, 25 epochs at the main setting: the logarithm of the error on images "
        "that it has not seen changes by 0, as it goes on.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_constant(ds) -> Claim:
    """The squared steps of a convolutional network over its epochs."""

    def judged(ds):
        epochs = ds.sizes["narrow_step"] / 32
        return {
            "predicted": 0.0,
            "measured": narrow_trend(ds, level=FEW_RUNS_LEVEL),
            "rivals": {"as the distance": narrow_growth(ds) / epochs},
            "tolerance": 0.03,
            "expected": "approximate",
        }

    return _kept(
        r"Narrow ResNet-18, from the third epoch on: $\ln\|\delta_k\|^2$ grows by 0 an epoch.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_exponent(ds) -> Claim:
    """The exponent of its distance over a decade: neither ballistic nor bounded."""

    def judged(ds):
        return {
            "predicted": 1.0,
            "measured": narrow_power(ds, level=FEW_RUNS_LEVEL),
            "rivals": {"a drift": 2.0, "bounded": 0.0},
            "tolerance": 0.3,
            "expected": "approximate",
        }

    return _kept(
        r"Narrow ResNet-18, from one epoch to 25: $\|\Delta_k\|^2$ grows about as free diffusion, "
        "c near 1.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_noise(ds) -> Claim:
    """Its noise along the leading eigenvectors."""

    def judged(ds):
        return {
            "predicted": 1.0,
            "measured": narrow_noise_slope(ds, level=FEW_RUNS_LEVEL),
            "rivals": {r"$\Sigma\propto1$, white noise": 0.0, r"$\Sigma\propto H^2$": 2.0},
            "expected": "consistent",
        }

    return _kept(
        r"Narrow ResNet-18, batches of 32 at the checkpoint: slope of $\ln\Sigma_{ii}$ against "
        r"$\ln\rho_i$ over the sixteen leading eigenvectors.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_velocities(ds) -> Claim:
    """The ellipse of its velocities."""

    def judged(ds):
        return {
            "predicted": 1.0,
            "measured": narrow_mode_slope(ds, "narrow_move", level=FEW_RUNS_LEVEL),
            "rivals": {"round": 0.0, r"$\Sigma\propto H^2$": 2.0},
            "expected": "consistent",
        }

    return _kept(
        r"Narrow ResNet-18: slope of $\ln{\rm Var}\,\delta_i$ against $\ln\rho_i$ over the sixteen "
        "leading eigenvectors, an elliptical cloud of velocities.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_positions(ds) -> Claim:
    """The shape of its cloud of positions."""

    def judged(ds):
        return {
            "predicted": 0.0,
            "measured": narrow_mode_slope(ds, "narrow_position", level=FEW_RUNS_LEVEL),
            "rivals": {"Gibbs law of the loss": -1.0},
            "expected": "consistent",
        }

    return _kept(
        r"Narrow ResNet-18: slope of $\ln{\rm Var}\,\theta_i$ against $\ln\rho_i$ over the sixteen "
        "leading eigenvectors, a round cloud.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_equipartition(ds) -> Claim:
    """Equipartition tells which Hessian the steps feel."""

    def judged(ds):
        at = dict(zip(ds.norm_mode.values, ds.residual_mode_curvature.values, strict=True))
        return {
            "predicted": 1.0,
            "measured": narrow_energy(ds, level=FEW_RUNS_LEVEL),
            "rivals": {
                "the curvature of evaluation mode": at["eval"] / at["train, batches"],
                "that of all images together": at["train, all"] / at["train, batches"],
            },
            "expected": "confirmed",
        }

    return _kept(
        "Narrow ResNet-18: kinetic over potential energy of the sixteen leading eigenvectors, with "
        "the curvatures of BatchNorm in batches of 32, as in the run.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_valley(ds) -> Claim:
    """The loss of images that it has not seen in the same plane."""

    def judged(ds):
        grid = ds.along_one.values
        train, test = (valley(ds[f"narrow_{n}_plane"].values, grid) for n in ("train", "test"))
        return {
            "predicted": 1.0,
            "measured": range_of(test / train.mean(), "parallel lines of the grid"),
            "rivals": {"round, as the cloud is": 1 / train.mean()},
            "tolerance": 0.2,
            "expected": "approximate",
        }

    return _kept(
        "Narrow ResNet-18, plane of $q_1$ and $q_{16}$: the loss of images that it has not seen is "
        "as elongated as that of the training images (axes of contours, in units of the latter's).",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_sweep(ds) -> Claim:
    """Its speed against eta and beta, with the noise of the checkpoint."""

    def judged(ds):
        rates, momenta, sizes, *_ = ds.narrow_at.values.T
        rows = np.flatnonzero(sizes == 32)
        x = (rates**2 / (1 - momenta**2))[rows]
        other = (rates**2 / (1 - momenta) ** 2)[rows]
        pairs = np.log(np.stack([x, other], 1))
        return {
            "predicted": 1.0,
            "measured": narrow_speed_slope(ds, rows, x, level=FEW_RUNS_LEVEL),
            "rivals": {r"$\eta^2/(1-\beta)^2$": fitted_slope(pairs), "no slope": 0.0},
            "tolerance": 0.1,
            "expected": "approximate",
        }

    return _kept(
        r"Narrow ResNet-18, five settings of $\eta$ and $\beta$ at $S=32$: slope of "
        r"$\ln\|\delta\|^2$ against $\ln[\eta^2/(1-\beta^2)]$.",
        PAPER,
        judged,
        ds,
    )


@claim
def narrow_small_batch(ds) -> Claim:
    """Batches of 4 under BatchNorm are not noisier than batches of 32 at the same weights."""

    def judged(ds):
        at = ds.narrow_noise
        few, many = (at.sel(narrow_batch=size).values for size in (4, 32))
        index = _setting(ds, 4)
        grown = end_noise(ds, index).mean() / many.mean()
        return {
            "predicted": 1.0,
            "measured": ratio_interval(few, many, level=FEW_RUNS_LEVEL),
            "rivals": {
                "as where the runs at $S=4$ end": grown,
                "the tenfold point of the paper's CIFAR-10 runs": 10.0,
            },
            "expected": "confirmed",
        }

    return _kept(
        r"Narrow ResNet-18 with BatchNorm: $S$ times the variance of the minibatch gradient at the "
        "checkpoint, batches of 4 images over batches of 32.",
        OWN,
        judged,
        ds,
    )


@claim
def narrow_small_speed(ds) -> Claim:
    """Their steps are longer than the law with that noise says."""

    def judged(ds):
        index = _setting(ds, 4)
        noise = ds.narrow_noise.sel(narrow_batch=4).values.mean() / end_noise(ds, index).mean()
        return {
            "predicted": 1.0,
            "measured": narrow_over_noise(ds, index, level=FEW_RUNS_LEVEL),
            "rivals": {"with the noise at the checkpoint": noise},
            "expected": "confirmed",
        }

    return _kept(
        r"Narrow ResNet-18, $S=4$: $\|\delta\|^2$ in units of the law with the noise where the "
        "runs end.",
        OWN,
        judged,
        ds,
    )


def _setting(ds, size):
    """Number of the first setting with a batch size."""
    return int(np.flatnonzero(ds.narrow_at.values[:, 2] == size)[0])
