"""Claims of the chapter `neural_network`.

Ratios of times are averaged as logarithms over the thresholds of `passages.window`, which the
prediction alone chooses; their intervals are the delta method's over replicas.
"""

import numpy as np

from sgdescape.core.claims import check, claim, not_testable
from sgdescape.core.stats import intervals
from sgdescape.neural_network.estimates import passages as estimates
from sgdescape.neural_network.estimates.comparisons import (
    against,
    between,
    bowl_slope,
    cells,
    chosen,
    cut,
    implied,
    implied_excess,
    late_looks,
    lead_ratio,
    middle,
    slope_of,
    smallest_batch,
)

RESOLVED = 2.0
"""Difference of two implied n that a confirmation must have been able to see."""


@claim
def mean_loss(dataset):
    """Confirm the loss to which the new noise raises the network, before any escape."""
    ds = dataset.sel(exponent=middle(dataset))
    predicted = float(ds.mean_loss)
    one = ds.isel(batch_size=0).late_loss.values
    found = intervals.mean_interval(one[np.isfinite(one)] / predicted)
    return check(
        "Under the new learning rate and batch size the loss fluctuates about "
        "$L^*/(1-\\eta\\,{\\rm Tr}H/(2B))$ (ratio of measured to predicted mean, smallest batch, "
        "middle exponent).",
        source="this chapter, from Mori et al., Eq. (12)",
        predicted=1.0,
        measured=found,
        rivals={
            "about L(theta*)": 1 / predicted,
            "raised by the leading direction alone": lead_ratio(ds),
        },
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def bowl(dataset):
    """Confirm the times of Eqs. (3) and (6) with the measured spectrum, nothing fitted."""
    small = cells(dataset, batches=slice(1))
    return check(
        "Mean passage times are those of SGD with Gaussian noise $2LH/B$ in a quadratic bowl "
        "with the measured spectrum, within a factor of 2, nothing fitted (smallest batch).",
        source="Mori et al., Eqs. (3) and (6)",
        predicted=0.0,
        measured=against(dataset, "decoupled", small),
        rivals={
            "constant noise (Arrhenius), at least": between(
                dataset, "constant", "decoupled", small
            ),
            "equal curvatures, as many as (45)": between(dataset, "equal", "decoupled", small),
        },
        tolerance=1.0,
        unit="octaves",
        expected="confirmed",
    )


@claim
def arrhenius(dataset):
    """Refute constant noise, at the largest exponent, where its times are not all censored."""
    top = cells(dataset, exponents=slice(-1, None), batches=slice(2))
    return check(
        "Mean passage times are those of a noise that stays as it is at the minimum, within a "
        "factor of 1.4 (largest exponent, two smallest batches).",
        source="Mori et al., Eq. (5) and Section 1: Arrhenius' law",
        predicted=0.0,
        measured=against(dataset, "constant", top),
        rivals={
            "equal curvatures, as many as (45)": between(dataset, "equal", "constant", top),
        },
        tolerance=0.5,
        unit="octaves",
        expected="refuted",
    )


@claim
def ratio_alone(dataset):
    """Refute that the times depend on eta and B through eta / B alone, up to eta h* near 1."""
    ds = dataset
    pairs = []
    for exponent in ds.exponent.values:
        w = chosen(ds, exponent)
        few, many = (
            cut(estimates.times_of(ds, exponent=exponent, batch_size=b), w)
            for b in ds.batch_size.values[[0, -1]]
        )
        pairs.append((few, many))
    steps = -np.log2(ds.batch_size.values[-1] / ds.batch_size.values[0])
    return check(
        "Passage times $t=\\eta k$ are the same for equal $\\eta/B$, smallest and largest batch "
        "($\\eta h^*$ up to 1.3), within a factor of 1.2.",
        source="Mori et al., Eqs. (12) and (15)",
        predicted=0.0,
        measured=estimates.log_ratio(pairs),
        rivals={"equal numbers of steps": steps},
        tolerance=0.25,
        unit="octaves",
        expected="refuted",
    )


@claim
def continuous_time(dataset):
    """Refute the SDE's times even at the smallest step: it may cross between two looks."""
    small = cells(dataset, batches=slice(1))
    return check(
        "At the smallest batch, $\\eta h^*$ at most 1/3, passage times are those of the SDE in "
        "continuous time.",
        source="Mori et al., Eq. (12)",
        predicted=0.0,
        measured=against(dataset, "continuous", small),
        rivals={
            "constant noise (Arrhenius), at least": between(
                dataset, "constant", "continuous", small
            )
        },
        unit="octaves",
        expected="refuted",
    )


@claim
def measured_noise(dataset):
    """Confirm the bowl with measured noise, over all learning rates and batch sizes."""
    return check(
        "With the noise measured in each leading direction, the bowl predicts the times at all "
        "learning rates and batch sizes, within a factor of 1.5.",
        source="this chapter",
        predicted=0.0,
        measured=against(dataset, "measured", cells(dataset)),
        rivals={
            "constant noise (Arrhenius), at least": between(
                dataset, "constant", "measured", cells(dataset)
            )
        },
        tolerance=float(np.log2(1.5)),
        unit="octaves",
        expected="confirmed",
    )


@claim
def participation(dataset):
    """Refute the slope with n counted by Eq. (45)."""
    ds = dataset.sel(exponent=middle(dataset))
    lines = ds.line_slope
    return check(
        "The slope of $\\log t_p$ against $\\log c$ is $B/(\\eta h^*)+1-n/2$ with $n$ the "
        "participation ratio of the spectrum (middle exponent, smallest batch).",
        source="Mori et al., Eq. (15) with (45)",
        predicted=float(lines.sel(dimension="participation")),
        measured=slope_of(dataset, middle(dataset), smallest_batch(dataset)),
        rivals={"n by the entropy": float(lines.sel(dimension="entropy"))},
        expected="refuted",
    )


@claim
def implied_dimension(dataset):
    """Confirm that the n implied by the slopes is the bowl's own, at finite c.

    With few runs this is no more than consistent: the nearest rival is four away.
    """
    found, bowl = implied_excess(dataset), implied(dataset, bowl_slope).value
    counted = ("outlier_dimension", "participation", "entropy")
    words = ("outliers, at large c", "participation ratio", "entropy")
    rivals = {w: dataset.attrs[c] - bowl for w, c in zip(words, counted, strict=True)}
    sharp = max(abs(found.low), abs(found.high)) <= RESOLVED
    return check(
        "The $n$ that the measured slopes imply through $B/(\\eta h^*)+1-n/2$ is that of the "
        "bowl's curve in the same window (difference, mean over exponents, two smallest batches).",
        source="this chapter",
        predicted=0.0,
        measured=found,
        rivals=rivals,
        resolution=RESOLVED,
        expected="confirmed" if sharp else "consistent",
    )


@claim
def looks(dataset):
    """Refute that it does not matter how often the loss is looked at."""
    found, waited = late_looks(dataset)
    return check(
        "Passage times do not depend, within a factor of 1.4, on whether the loss is looked at in "
        "every step or in every hundredth.",
        source="left open by Mori et al., Section 5.3.2",
        predicted=0.0,
        measured=found,
        rivals={"half an interval between looks later": waited},
        tolerance=0.5,
        unit="octaves",
        expected="refuted",
    )


@claim
def paper_numbers(dataset):
    """State that the paper's own curve cannot be repeated."""
    return not_testable(
        "The passage times of Fig. 3c and the eigenvalues of Fig. 6.",
        source="Mori et al., Section 5.3.2 and Appendix E",
        reason="learning rates, batch sizes, length of the pre-training, h*, the range of n and "
        "the n of the dashed lines are not available to us",
    )
