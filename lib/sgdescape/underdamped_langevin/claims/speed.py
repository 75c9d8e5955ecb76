"""Claims on the speed E |delta_k|^2: the law, where it fails, and what it does not test."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.underdamped_langevin import estimates

CODE, OWN = "Kunin et al., published code", "this book"
LAW = r"$\mathbb{E}|\delta|^2=\eta^2\,\mathrm{Tr}\,\Sigma/S(1-\beta^2)$"


@claim
def constant_speed(ds) -> Claim:
    """Once stationary the speed is constant in time."""
    count, first = ds.sizes["record"], provenance.settings(ds).burn_in
    return check(
        r"Once stationary, the speed $|\delta_k|^2$ does not change with time (change over "
        f"{count} steps, in units of its mean).",
        source="Kunin et al., abstract",
        predicted=0.0,
        measured=estimates.ageing(ds),
        rivals={"ageing as 1 / k": -count / (first + count / 2)},
        expected="confirmed",
    )


@claim
def speed_law(ds) -> Claim:
    """The law where the noise is weak, with measured Sigma."""
    config, law = provenance.settings(ds), float(ds.speed_law[0])
    beta = config.momentum
    return check(
        rf"{LAW} with measured $\mathrm{{Tr}}\,\Sigma$, at $S={config.batch_size}$, in units of "
        "the right-hand side.",
        source=CODE,
        predicted=1.0,
        measured=mean_interval(ds.square_step.mean("record").values / law),
        rivals={
            "without momentum": 1 - beta**2,
            "free diffusion, 1 / (1 - beta)^2": (1 + beta) / (1 - beta),
        },
        tolerance=0.08,
        expected="approximate",
    )


@claim
def speed_small_batch(ds) -> Claim:
    """The law where the noise is strong."""
    j = _smallest(ds)
    law = float(ds.speed_law[j])
    return check(
        rf"{LAW} at $S={int(ds.setting_batch_size[j])}$, in units of the right-hand side.",
        source=CODE,
        predicted=1.0,
        measured=mean_interval(estimates.settled(ds.speed.values[j]) / law),
        rivals={"constant noise, discrete time": float(ds.speed_exact[j]) / law},
        tolerance=0.06,
        expected="refuted",
    )


@claim
def real_noise(ds) -> Claim:
    """The closed second moments of real minibatches, at the same place."""
    j = _smallest(ds)
    law = float(ds.speed_law[j])
    return check(
        rf"At $S={int(ds.setting_batch_size[j])}$ the speed is that of the closed second moments "
        "of real minibatches (in units of the law with constant noise).",
        source=OWN,
        predicted=float(ds.speed_real[j]) / law,
        measured=mean_interval(estimates.settled(ds.speed.values[j]) / law),
        rivals={
            "constant noise, continuous time": 1.0,
            "constant noise, discrete time": float(ds.speed_exact[j]) / law,
        },
        expected="confirmed",
    )


@claim
def image_speed(ds) -> Claim:
    """The law on images."""
    beta, law = provenance.settings(ds).momentum, float(ds.image_speed_law)
    return check(
        f"Regression on Fashion-MNIST around its minimum: {LAW} with measured "
        r"$\mathrm{Tr}\,\Sigma$, in units of the right-hand side.",
        source=CODE,
        predicted=1.0,
        measured=mean_interval(ds.image_square_step.values / law),
        rivals={"without momentum": 1 - beta**2, "1 / (1 - beta)^2": (1 + beta) / (1 - beta)},
        expected="confirmed",
    )


@claim
def free_speed(ds) -> Claim:
    """The law holds without any loss."""
    ratios = ds.free_speed.values / ds.speed_law.values[:, None]
    return check(
        "With the gradient replaced by its noise alone (no loss, no Hessian) the speed is the "
        "same, mean over all settings, in units of the law.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(ratios.mean(axis=0)),
        rivals={
            "without momentum": float(np.mean(1 - ds.setting_momentum.values**2)),
            "no curvature, no speed (equipartition taken literally)": 0.0,
        },
        expected="confirmed",
    )


@claim
def single_step(ds) -> Claim:
    """One step is one sample of a chi-square."""
    return check(
        r"The $|\delta_k|^2$ of a single step scatters by $\sqrt{2/n_\delta}$ of its mean, with "
        r"$n_\delta=(\sum_is_i)^2/\sum_is_i^2$ from the variances $s_i$ of its eight components.",
        source=OWN,
        predicted=float(ds.single_step),
        measured=estimates.scatter(ds),
        rivals={
            "all directions equal": float(np.sqrt(2 / ds.sizes["mode"])),
            "one direction": float(np.sqrt(2)),
        },
        tolerance=0.05,
        expected="approximate",
    )


def _smallest(ds):
    return int(np.argmin(ds.setting_batch_size.values))
