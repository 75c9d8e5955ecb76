"""Claims on the grid of runs, the chapter's own and the paper's, and on the paper's networks."""

import numpy as np

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.collapse import free_powers
from sgdescape.anomalous_diffusion.estimates.exponents import (
    contrast,
    fitted_exponent,
    grid_intervals,
    jackknife,
)
from sgdescape.anomalous_diffusion.theory.displacement import drift_share
from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.stats.intervals import computed, weighted_sum

FIGURE = "Kunin et al., Fig. 1, read off the authors' stored figure"


@claim
def grid_theory(ds) -> Claim:
    """Fitted exponents of 27 runs against those of the exact displacement."""
    exact, found = fitted_exponent(ds.epoch.values, ds.grid_exact.values), grid_intervals(ds)
    # each run weighs by its own error; the line is a sum of independent normals
    weight = np.array([(i.high - i.low) ** -2.0 for i in found])
    centred = exact - np.sum(weight * exact) / weight.sum()
    parts = weight * centred / np.sum(weight * centred**2)
    return check(
        "27 settings of eta, S and beta, second of two epochs: measured exponent against that of "
        "drift and noise, slope of the line.",
        source="this book",
        predicted=1.0,
        measured=weighted_sum(found, parts),
        rivals={"no dependence": 0.0},
        expected="confirmed",
    )


@claim
def grid_batch(ds) -> Claim:
    """Own grid, by epochs: c rises with S at fixed eta and beta, as with 1/tau of an epoch."""
    curve = fitted_exponent(ds.epoch.values, ds.grid_overdamped.values)
    return _contrast(
        ds.grid_size.values,
        grid_intervals(ds),
        curve,
        "27 runs, second of two epochs: mean c at the largest $S$ less at the smallest is what c "
        r"as a function of $\eta N/[S(1-\beta)]$ says.",
        {r"$\eta/(1-\beta)$ or $\gamma$, blind to $S$": 0.0},
        tolerance=0.5,
    )


@claim
def grid_batch_steps(ds) -> Claim:
    """The same runs at the same steps: with drift c rises with S there, too."""
    first, last = (int(ds.fixed_step[i]) for i in (0, -1))
    sizes, steps = ds.grid_size.values, ds.fixed_step.values
    by_epoch = fitted_exponent(ds.epoch.values, ds.grid_exact.values)
    return _contrast(
        sizes,
        grid_intervals(ds, name="grid_fixed", steps=steps),
        fitted_exponent(steps, ds.fixed_exact.values),
        f"The same 27 runs, all between steps {first} and {last}: mean c at the largest $S$ less "
        "at the smallest is what drift and noise from the fixed start say.",
        {
            "windows in epochs alone": 0.0,
            "as by epochs": round(float(contrast(sizes) @ by_epoch), 3),
        },
        resolution=0.4,
    )


@claim
def grid_momentum(ds) -> Claim:
    """Own grid: c rises with 1 - beta at fixed eta and S."""
    curve = fitted_exponent(ds.epoch.values, ds.grid_overdamped.values)
    return _contrast(
        1 - ds.grid_momentum.values,
        grid_intervals(ds),
        curve,
        r"27 runs, second of two epochs: mean c at the largest $1-\beta$ less at the smallest is "
        r"what c as a function of $\eta N/[S(1-\beta)]$ says.",
        {r"$\eta/S$, blind to $\beta$": 0.0},
        tolerance=0.5,
    )


@claim
def number_temperature(ds) -> Claim:
    """One temperature, other N: c changes, so the temperature alone does not make it."""
    return _number(ds, "temperature", r"$\eta/[S(1-\beta)]$", "the temperature alone")


@claim
def number_epoch_time(ds) -> Claim:
    """One tau of an epoch, other N: c changes, so tau alone does not make it either."""
    return _number(ds, "epoch time", r"$\eta N/[S(1-\beta)]$", "the time of an epoch alone")


def _number(ds, kept, symbol, alone):
    """Mean c at the largest N less at the smallest."""
    epochs, at = ds.time.values, ds.sel(kept=kept)
    small, large = (int(ds.samples[i]) for i in (0, -1))
    found = [
        jackknife(at.number_displacement.values[i], lambda y: fitted_exponent(epochs, y))
        for i in (0, -1)
    ]
    exact = fitted_exponent(epochs, at.number_exact.values)
    return check(
        f"From one start, {symbol} the same: c from a quarter of an epoch to two at $N={large}$ "
        f"less that at $N={small}$.",
        source="this book",
        predicted=round(float(exact[-1] - exact[0]), 3),
        measured=weighted_sum(found, [-1, 1]),
        rivals={alone: 0.0},
        tolerance=0.5,
        expected="confirmed",
    )


@claim
def collapse_batch(ds) -> Claim:
    """The paper's grid: the power of S in the variable behind c."""
    data = published.published_exponents()
    return _power(data, 0)


@claim
def collapse_momentum(ds) -> Claim:
    """The paper's grid: the power of 1 - beta."""
    data = published.published_exponents()
    return _power(data, 1)


@claim
def same_steps_network(ds) -> Claim:
    """What the paper's figure would need to separate S from the window."""
    return not_testable(
        "ResNet-18 on ImageNet: at the same steps c rises with the batch size, as the share of the "
        "drift does.",
        source="this book",
        reason="the published exponents are fitted over an epoch, which is N/S steps; it takes the "
        "recorded paths, or new runs at full size",
    )


@claim
def vgg_drift(ds) -> Claim:
    """Pretrained VGG nets move farther than their noise allows."""
    return _diffusion_only("VGG16", "ResNet-18")


@claim
def resnet_drift(ds) -> Claim:
    """The ResNet-18, too, but not by much."""
    return _diffusion_only("ResNet-18", "VGG16")


def _contrast(values, found, curve, statement, rivals, **strictness):
    """Mean c at the largest minus at the smallest of one setting, the others alike."""
    return check(
        statement,
        source="this book",
        predicted=round(float(contrast(values) @ curve), 3),
        measured=weighted_sum(found, contrast(values)),
        rivals=rivals,
        expected="confirmed",
        **strictness,
    )


def _power(data, which):
    found = free_powers(data, resamples=1000)[which]
    symbol = ("S^-p", "(1 - beta)^-q")[which]
    letter = "pq"[which]
    return check(
        "The paper's 27 exponents of ResNet-18 on ImageNet: if c is a function of one product of "
        "powers of eta, S and 1 - beta, its factor "
        f"{symbol} has {letter} = 1.",
        source="this book",
        predicted=1.0,
        measured=found,
        rivals={
            ("eta/(1 - beta) or gamma, without S", "eta/S, without beta")[which]: 0.0,
            "the other way": -1.0,
        },
        expected="consistent",
    )


def _diffusion_only(name, other):
    ratio = _ratio(name)
    error = published.READING
    ends = np.array([(1 - error) / (1 + error), (1 + error) / (1 - error)])
    return check(
        f"Pretrained {name}: |Delta|^2 after 50,000 steps over the free diffusion that its "
        "|delta|^2 gives with independent noise; 1 without drift.",
        source=FIGURE,
        predicted=1.0,
        measured=computed(ratio, *(ratio * ends), "3 % of reading on both numbers"),
        rivals={other: round(_ratio(other), 2)},
        expected="refuted",
    )


def _ratio(name):
    (run,) = (r for r in published.RUNS if r.name == name)
    share = drift_share(
        run.step, run.distance, steps=published.RUN_STEPS, momentum=published.RUN_MOMENTUM
    )
    return 1 / (1 - share)
