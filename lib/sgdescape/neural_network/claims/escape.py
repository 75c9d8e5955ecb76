"""Claims of the chapter `neural_network`.

Ratios of times are averaged as logarithms over the thresholds of `passages.window`, which the
prediction alone chooses; their intervals are the delta method's over replicas. What is measured at
the checkpoint is computed: there the bound is that of single precision.
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
    farthest,
    implied,
    implied_excess,
    isotropic_share,
    late_looks,
    lead_ratio,
    middle,
    range_of,
    slope_of,
    smallest_batch,
    stationary_share,
)

PRECISION = 1e-3
"""Relative, of what comes from the Gram matrix in single precision; a test compares with double."""

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
def decoupling(dataset):
    """Confirm decoupling direction by direction at the minimum."""
    curvature = dataset.curvature.values
    return check(
        "At the minimum the noise along each leading direction is $2Lh/B$, within 25 % (ratio "
        "along the direction that is farthest off).",
        source="Mori et al., Eq. (6)",
        predicted=1.0,
        measured=farthest(dataset.noise_ratio, error=PRECISION),
        rivals={"noise as the square of the curvature": float((curvature / curvature[0]).min())},
        tolerance=0.25,
        expected="approximate",
    )


@claim
def gauss_newton(dataset):
    """Confirm that the residual's part of the Hessian is small in the leading directions."""
    return check(
        "In the leading directions the Hessian is the Gauss-Newton matrix (ratio of curvatures "
        "along the direction that is farthest off).",
        source="Mori et al., Eq. (11)",
        predicted=1.0,
        measured=farthest(dataset.hessian_ratio, error=PRECISION),
        rivals={"twice it, as for a loss without its 1/2": 2.0},
        resolution=0.01,
        expected="confirmed",
    )


@claim
def kurtosis(dataset):
    """Refute that the gradient along the escape direction has the kurtosis of the log law."""
    value = float(dataset.kurtosis[0, 0])
    return check(
        "Along the leading direction the kurtosis of the gradients of $f$ is 2, at which the "
        "diffusion's barrier is $\\log c$.",
        source="chapter noise_covariance, for Mori et al., Eq. (15)",
        predicted=2.0,
        measured=farthest([value], error=PRECISION),
        rivals={"1: linear barrier": 1.0, "3: Gaussian": 3.0},
        expected="refuted",
    )


@claim
def path_decoupling(dataset):
    """Refute decoupling along the escape direction at the end of the path."""
    return check(
        "At a passage loss and gradient are still decoupled along the leading direction (second "
        "moment of the per-sample gradients over $2Lh$).",
        source="Mori et al., Eq. (7)",
        predicted=1.0,
        measured=range_of(dataset.path_coupling.values, "runs"),
        rivals={
            "a second moment that stays as at the minimum": float(
                1 / dataset.path_loss.values.mean()
            )
        },
        tolerance=0.1,
        expected="refuted",
    )


@claim
def displacement(dataset):
    """Refute that the runs stay in the outlier subspace."""
    return check(
        "Until its passage a run stays in the subspace of the leading directions (share of the "
        "squared displacement).",
        source="Mori et al., Assumption 4.6",
        predicted=1.0,
        measured=range_of(dataset.displacement_share.values, "runs"),
        rivals={"it moves alike in all directions": isotropic_share(dataset)},
        expected="refuted",
    )


@claim
def energy(dataset):
    """Confirm that the loss at a passage stands in the outlier subspace all the same."""
    return check(
        "At a passage the loss above the minimum stands in the leading directions, to 70 % at "
        "least (share).",
        source="Mori et al., Assumption 4.6, read for the loss",
        predicted=1.0,
        measured=range_of(dataset.energy_share.values, "runs"),
        rivals={"as in the stationary state": stationary_share(dataset)},
        tolerance=0.3,
        expected="confirmed",
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
