"""Claims of the chapter `neural_network` about the minimum, and what is left of it at a passage.

What is measured at the checkpoint is computed: there the bound is that of single precision.
"""

from sgdescape.core.claims import check, claim
from sgdescape.core.stats.intervals import computed
from sgdescape.neural_network.estimates.comparisons import (
    even_spacing,
    farthest,
    flat_power,
    isotropic_share,
    largest_gap,
    motion_power,
    range_of,
    small_share,
    stationary_share,
)

PRECISION = 1e-3
"""Relative, of what comes from the Gram matrix in single precision; a test compares with double."""


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
def flat_noise(dataset):
    """Confirm that the noise dies out with the curvature."""
    value = flat_power(dataset)
    return check(
        "Where the curvature of a parameter is small, below a hundredth of the largest, the noise "
        "on it is proportional to it: power 1, none at zero curvature.",
        source="Mori et al., Section 3.1",
        predicted=1.0,
        measured=computed(value, value - PRECISION, value + PRECISION, "single precision"),
        rivals={"isotropic noise": 0.0, "square of the curvature": 2.0},
        tolerance=0.2,
        expected="approximate",
    )


@claim
def spectral_gap(dataset):
    """Refute that a gap separates outliers from the rest of the spectrum."""
    found = largest_gap(dataset)
    return check(
        "The spectrum of (44) falls into outliers and a bulk: somewhere among its eigenvalues "
        "above $10^{-5}$ of the largest two neighbours are a decade apart (largest "
        "ratio of neighbours).",
        source="Mori et al., Assumption 4.5",
        predicted=10.0,
        measured=farthest([found], error=PRECISION),
        rivals={"none: even spacing": even_spacing(dataset)},
        expected="refuted",
    )


@claim
def bulk(dataset):
    """Confirm that nearly all eigenvalues are small against the largest."""
    share = small_share(dataset)
    return check(
        "Nearly all eigenvalues of (44) lie in a bulk near zero, below a thousandth of the largest "
        "(share of all, as many as parameters).",
        source="Mori et al., Fig. 6a",
        predicted=1.0,
        measured=computed(share, share - 1e-3, min(share + 1e-3, 1.0), "single precision"),
        rivals={"evenly spread up to the largest": 1e-3},
        tolerance=0.05,
        expected="approximate",
    )


@claim
def rotation(dataset):
    """Confirm that the leading eigenvectors do not turn along an escape."""
    span = 3
    return check(
        f"Along an escape the span of the {span} leading eigenvectors does not turn: mean squared "
        "cosine between its directions at the passage and at the minimum 1.",
        source="Mori et al., Assumption 4.6",
        predicted=1.0,
        measured=range_of(dataset.span_overlap.values, "runs"),
        rivals={"turned at random": isotropic_share(dataset) * span / dataset.sizes["direction"]},
        tolerance=0.15,
        expected="approximate",
    )


@claim
def lead_energy(dataset):
    """Refute that the path runs along one eigenvector alone."""
    return check(
        "The escape runs along one eigenvector of the Hessian: at a passage the loss above the "
        "minimum stands in the leading direction alone (share).",
        source="Mori et al., Appendix B",
        predicted=1.0,
        measured=range_of(dataset.leading_energy.values, "runs"),
        rivals={"as in the stationary state": float(dataset.curvature[0]) / dataset.attrs["trace"]},
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
def frozen(dataset):
    """Confirm that parameters of vanishing curvature do not move."""
    return check(
        "Until a passage SGD moves a parameter of small curvature the less, the smaller it is: its "
        "squared displacement is proportional to the curvature (power 1).",
        source="Mori et al., Section 3.1",
        predicted=1.0,
        measured=motion_power(dataset, level=0.99),
        rivals={"all move alike": 0.0, "square of the curvature": 2.0},
        tolerance=0.4,
        expected="approximate",
    )
