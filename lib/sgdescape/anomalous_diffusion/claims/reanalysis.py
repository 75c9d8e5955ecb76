"""Claims on the grid of runs, the chapter's own and the paper's, and on the paper's networks."""

import numpy as np

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.collapse import free_powers
from sgdescape.anomalous_diffusion.estimates.exponents import (
    combined,
    fitted_exponent,
    grid_intervals,
)
from sgdescape.anomalous_diffusion.theory.displacement import drift_share
from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.stats.intervals import LEVEL, Interval

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
        measured=combined(found, parts),
        rivals={"no dependence": 0.0, "half of it": 0.5},
        expected="confirmed",
    )


@claim
def grid_batch(ds) -> Claim:
    """Own grid: c rises with S at fixed eta and beta, as it does with 1/tau of an epoch."""
    return _contrast(ds, ds.grid_size.values, "S", "eta/(1 - beta) or gamma")


@claim
def grid_momentum(ds) -> Claim:
    """Own grid: c rises with 1 - beta at fixed eta and S."""
    return _contrast(ds, 1 - ds.grid_momentum.values, "1 - beta", "eta/S")


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
        "ResNet-18 on ImageNet: at the same steps c does not depend on the batch size.",
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


def _contrast(ds, values, symbol, blind):
    """Mean c at the largest minus at the smallest of one setting, the others alike."""
    high, low = np.isclose(values, values.max()), np.isclose(values, values.min())
    parts = (high * 1.0 - low * 1.0) / high.sum()
    curve = fitted_exponent(ds.epoch.values, ds.grid_overdamped.values)
    return check(
        f"27 runs, second of two epochs: mean c at the largest {symbol} minus at the smallest is "
        "what c as a function of eta N/(S (1 - beta)) says.",
        source="this book",
        predicted=round(float(parts @ curve), 3),
        measured=combined(grid_intervals(ds), parts),
        rivals={f"{blind}, blind to {symbol}": 0.0},
        tolerance=0.5,
        expected="confirmed",
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
        measured=Interval(ratio, *(ratio * ends), LEVEL, "3 % of reading on both numbers"),
        rivals={other: round(_ratio(other), 2)},
        expected="refuted",
    )


def _ratio(name):
    (run,) = (r for r in published.RUNS if r.name == name)
    share = drift_share(
        run.step, run.distance, steps=published.RUN_STEPS, momentum=published.RUN_MOMENTUM
    )
    return 1 / (1 - share)
