"""The claims of chapter `underdamped_langevin` on the speed E |delta_k|^2; see `claims`."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.underdamped_langevin import estimates
from sgdescape.underdamped_langevin.theory.phase_space import effective_directions

KUNIN, OWN = "Kunin et al., reconstructed", "this book"


@claim
def constant_speed(ds) -> Claim:
    """C1."""
    count, first = ds.sizes["record"], ds.attrs["burn_in"]
    return check(
        "Once stationary, the speed |delta_k|^2 does not change with time (change over "
        f"{count} steps, in units of its mean).",
        source="Kunin et al., abstract",
        predicted=0.0,
        measured=estimates.ageing(ds),
        rivals={"ageing as 1 / k": -count / (first + count / 2)},
        expected="confirmed",
    )


@claim
def speed_law(ds) -> Claim:
    """C2 where the noise is weak, with measured Sigma."""
    beta = ds.attrs["momentum"]
    law = float(ds.speed_law[0])
    return check(
        "E |delta|^2 = eta^2 Tr Sigma / (S (1 - beta^2)) with measured Tr Sigma, in units of the "
        "right-hand side.",
        source="Kunin et al., published code",
        predicted=1.0,
        measured=mean_interval(ds.square_step.mean("record").values / law),
        rivals={
            "without momentum": 1 - beta**2,
            "free diffusion, 1 / (1 - beta)^2": (1 + beta) / (1 - beta),
        },
        tolerance=0.06,
        expected="confirmed",
    )


@claim
def speed_small_batch(ds) -> Claim:
    """C2 where the noise is strong."""
    j = _smallest(ds)
    law = float(ds.speed_law[j])
    return check(
        f"The same law at S = {int(ds.setting_batch_size[j])}.",
        source="Kunin et al., published code",
        predicted=1.0,
        measured=mean_interval(ds.speed.values[j] / law),
        rivals={"with noise that grows with the loss": float(ds.speed_real[j]) / law * 1.5},
        tolerance=0.06,
        expected="refuted",
    )


@claim
def real_noise(ds) -> Claim:
    """The closed second moments of real minibatches, at the same place."""
    j = _smallest(ds)
    law = float(ds.speed_law[j])
    return check(
        f"S = {int(ds.setting_batch_size[j])}: the speed is that of the closed second moments of "
        "real minibatches (in units of the constant-noise law).",
        source=OWN,
        predicted=float(ds.speed_real[j]) / law,
        measured=mean_interval(ds.speed.values[j] / law),
        rivals={
            "constant noise, continuous time": 1.0,
            "constant noise, discrete time": float(ds.speed_exact[j]) / law,
        },
        expected="confirmed",
    )


@claim
def image_speed(ds) -> Claim:
    """C2 on images."""
    beta, law = ds.attrs["momentum"], float(ds.image_speed_law)
    return check(
        "Regression on Fashion-MNIST around its minimum: E |delta|^2 = eta^2 Tr Sigma / "
        "(S (1 - beta^2)) with measured Tr Sigma, in units of the right-hand side.",
        source="Kunin et al., published code",
        predicted=1.0,
        measured=mean_interval(ds.image_square_step.values / law),
        rivals={"without momentum": 1 - beta**2, "1 / (1 - beta)^2": (1 + beta) / (1 - beta)},
        expected="confirmed",
    )


@claim
def free_speed(ds) -> Claim:
    """Point 1: the law holds without any loss."""
    ratios = ds.free_speed.values / ds.speed_law.values[:, None]
    return check(
        "With the gradient replaced by its noise alone (no loss, no Hessian) the speed is the "
        "same, mean over all settings, in units of the law.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(ratios.mean(axis=0)),
        rivals={
            "no curvature, no speed (equipartition taken literally)": 0.0,
            "without momentum": float(np.mean(1 - ds.setting_momentum.values**2)),
        },
        expected="confirmed",
    )


@claim
def single_step(ds) -> Claim:
    """Point 2: one step is one sample of a chi-square."""
    variances = ds.variance_exact.sel(coordinate="velocity").values
    return check(
        "The |delta_k|^2 of a single step scatters by sqrt(2 Tr Sigma^2) / Tr Sigma of its mean.",
        source=OWN,
        predicted=float(np.sqrt(2 / effective_directions(variances))),
        measured=estimates.scatter(ds),
        rivals={
            "all directions equal": float(np.sqrt(2 / variances.size)),
            "one direction": float(np.sqrt(2)),
        },
        expected="confirmed",
    )


def _smallest(ds):
    return int(np.argmin(ds.setting_batch_size.values))
