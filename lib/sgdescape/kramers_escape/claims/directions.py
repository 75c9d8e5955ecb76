"""Claims about several directions: what counts in n, where paths leave, and beyond n_c."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.kramers_escape import estimates
from sgdescape.kramers_escape.estimates import WIDTH_RATIO

THEOREM = "Mori et al., Theorem 4.7, Eq. (15)"
OWN = "this book"


@claim
def plane(ds) -> Claim:
    """Escape rate over a saddle in two dimensions, equal curvatures, over Eq. (15) with n = 2."""
    at = ds.sel(reading="loss", ratio=1.0)
    c = provenance.settings(ds).loss_ratio
    ratio, error = at.plane_rate / at.plane_theory, at.plane_error / at.plane_theory
    return check(
        "With two equal curvatures and a loss that separates, the escape rate over a saddle in the "
        "plane is that of Theorem 4.7 with $n=2$.",
        source=THEOREM,
        predicted=1.0,
        measured=estimates.weak_noise(ratio.values, error.values),
        rivals={"n = 1": c**-0.5, "n = 3": c**0.5, "n = 0": 1 / c},
        tolerance=0.005,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def outliers(ds) -> Claim:
    """The n of Eq. (15) with two unequal curvatures, against their number."""
    return check(
        "With curvatures 1 and 1/2 and a loss that separates (fixed eigenvectors of its Hessian), "
        "the $n$ of Theorem 4.7 is the number of outliers, 2.",
        source="Mori et al., Assumption 4.5 and Eq. (15)",
        predicted=2.0,
        measured=estimates.dimension(ds, "loss", 0.5),
        rivals={"the escape direction alone": 1.0},
        expected="refuted",
    )


@claim
def path_dimension(ds) -> Claim:
    """The same n against the one that the path's Riccati equation gives."""
    tail = float(ds.tail_theory.sel(ratio=0.5))
    return check(
        "With curvatures 1 and 1/2 and a saddle at loss ratio 4 the $n$ of the escape rate is the "
        "effective dimension of the path.",
        source=OWN,
        predicted=float(ds.dimension_theory.sel(ratio=0.5)),
        measured=estimates.dimension(ds, "loss", 0.5),
        rivals={"Tr H/h_e": 1.5, "parabolic bowl": tail, "one": 1.0, "number of outliers": 2.0},
        tolerance=0.01,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def stiff(ds) -> Claim:
    """The same with a transverse direction stiffer than the escape direction."""
    return check(
        "A transverse direction twice as stiff as the escape direction counts for more than one, "
        "over a saddle at loss ratio 4: $n$ exceeds the number of outliers, 2.",
        source=OWN,
        predicted=float(ds.dimension_theory.sel(ratio=2.0)),
        measured=estimates.dimension(ds, "loss", 2.0),
        rivals={"Tr H/h_e": 3.0, "number of outliers": 2.0},
        tolerance=0.01,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def detour(ds) -> Claim:
    """Exponent of the escape rate where a path off the axis is cheaper."""
    about = provenance.settings(ds)
    rho, c = about.hot_ratio, about.loss_ratio
    action = ds.attrs["action_theory"]
    return check(
        f"With a transverse direction {rho:g} times as stiff as the escape direction and a saddle "
        f"at loss ratio {c:g} the escape rate falls as $e^{{-{action:.3f}\\,B/\\eta h_e^*}}$, the "
        "action of a path that leaves the axis.",
        source=OWN,
        predicted=float(action),
        measured=estimates.hot_action(ds),
        rivals={"log c, along the axis (Theorem 4.7)": np.log(c), "(log c)/rho": np.log(c) / rho},
        tolerance=0.02,
        resolution=0.05,
        expected="confirmed",
    )


@claim
def space(ds) -> Claim:
    """The n of Eq. (15) with three directions, two of them softer."""
    one = float(ds.dimension_theory.sel(ratio=0.5)) - 1
    return check(
        "With curvatures 1, 1/2 and 1/2 both soft directions count alike: $n-1$ is twice that of "
        "curvatures 1 and 1/2.",
        source=OWN,
        predicted=1 + 2 * one,
        measured=estimates.space_dimension(ds),
        rivals={"Tr H/h_e": 2.0, "one soft direction": 1 + one, "number of outliers": 3.0},
        tolerance=0.01,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def separable(ds) -> Claim:
    """The n of Eq. (15) where the logarithm of the loss separates, equal curvatures."""
    return check(
        "If the logarithm of the loss separates, the transverse directions do not count: $n=1$ for "
        "two equal curvatures at the minimum.",
        source=OWN,
        predicted=1.0,
        measured=estimates.dimension(ds, "log loss", 1.0),
        rivals={"number of outliers": 2.0, "none": 0.0},
        tolerance=0.01,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def tail_dimension(ds) -> Claim:
    """The n of a parabolic bowl far from its minimum, from the exact growth exponent."""
    at = ds.sel(ratio=0.5)
    return check(
        "In a bowl of curvatures 1 and 1/2 the time to a high loss grows as the power "
        f"$B/(\\eta h)+1-n/2$ with $n={float(at.tail_theory):.2f}$.",
        source=OWN,
        predicted=float(at.tail_theory),
        measured=estimates.bowl_dimension(ds, 0.5),
        rivals={
            "one": 1.0,
            "over a saddle at c = 4": float(at.dimension_theory),
            "Tr H/h_e": 1.5,
            "number of outliers": 2.0,
        },
        tolerance=0.01,
        resolution=0.01,
        expected="confirmed",
    )


@claim
def instability(ds) -> Claim:
    """Increase of the mean passage time with log c above the critical dimension."""
    n, noise = 8, provenance.settings(ds).bowl_noise
    slope = estimates.far_slope(ds, n, logarithm=False)
    return check(
        f"In an isotropic bowl of {n} directions, more than $n_c={2 * (noise + 1):g}$, no barrier "
        "is left: the mean time to a level grows as the logarithm of $c$, at the rate "
        "$B/[\\eta h^2(n-n_c)]$.",
        source="Mori et al., Eq. (16)",
        predicted=float(1 / (2 * ds.growth_theory.sel(dimension=n))),
        measured=slope,
        rivals={
            "n_c = 2 B/(eta h) + 1": noise / (n - 2 * noise - 1),
            "n_c = 2 B/(eta h), finite mean loss": noise / (n - 2 * noise),
        },
        tolerance=0.001,
        resolution=0.01,
        expected="confirmed",
    )


@claim
def bowl_power(ds) -> Claim:
    """Growth exponent of the mean passage time below the critical dimension."""
    n, noise = 4, provenance.settings(ds).bowl_noise
    return check(
        f"In an isotropic bowl of {n} directions the mean time to a high level grows as $c$ to the "
        "power $B/(\\eta h)+1-n/2=(n_c-n)/2$.",
        source="Mori et al., Eqs. (15) and (16)",
        predicted=float(-ds.growth_theory.sel(dimension=n) * noise),
        measured=estimates.far_slope(ds, n, logarithm=True),
        rivals={"B/(eta h) - n/2": noise - n / 2, "B/(eta h)": noise, "no n/2": noise + 1},
        tolerance=0.001,
        resolution=0.01,
        expected="confirmed",
    )


@claim
def direction_count(ds) -> Claim:
    """How the rate grows with the number of directions, at one loss ratio and curvature."""
    at = ds.sel(reading="loss", ratio=1.0)
    one = np.exp(-ds.log_time.sel(event="beyond", noise=ds.plane_noise.values).values)
    c = provenance.settings(ds).loss_ratio
    theory = np.log(ds.plane_theory.values / ds.rate_theory.sel(noise=ds.plane_noise.values).values)
    measured = np.log(at.plane_rate.values / one) / np.log(c)
    error = (at.plane_error / at.plane_rate).values / np.log(c)
    return check(
        "A further stiff direction makes the escape rate larger at the same loss ratio $c$ and "
        "curvature: by the factor $c^{1/2}$ from one direction to two (power of $c$).",
        source=THEOREM,
        predicted=round(float(theory[-1] / np.log(c)), 9),
        measured=estimates.weak_noise(measured, error),
        rivals={"the number of directions does not count": 0.0, "a whole power": 1.0},
        tolerance=0.005,
        resolution=0.02,
        expected="confirmed",
    )


@claim
def isotropic_width(ds) -> Claim:
    """Variance of the slowest mode across the axis, unequal curvatures."""
    width, error = ds.width.sel(direction="across"), ds.width_error.sel(direction="across")
    return check(
        f"In the well SGD's diffusion has the variance $\\eta L^*/B$ in every direction: in one of "
        f"curvature {WIDTH_RATIO:g} $h_e^*$ as along the escape direction, noise and curvature "
        "being proportional (ratio).",
        source="Mori et al., Eq. (26)",
        predicted=1.0,
        measured=estimates.weak_noise(width.values, error.values),
        rivals={"Gibbs' law of the loss, isotropic noise": 1 / WIDTH_RATIO},
        resolution=0.02,
        expected="confirmed",
    )


@claim
def exit_points(ds) -> Claim:
    """Where the current crosses the line of the saddle, in units that shrink with the noise."""
    c = provenance.settings(ds).loss_ratio
    at = ds.sel(exit_ratio=1.0)
    return check(
        "For weak noise the diffusion leaves the valley at the saddle: mean square distance of the "
        "current from it, over $\\eta L(\\theta^s)/B$, equal curvatures.",
        source="Mori et al., Assumption 4.4 and Eq. (30)",
        predicted=round(float(ds.attrs["exit_theory"]), 9),
        measured=estimates.weak_noise(at.exit_square.values / c, at.exit_error.values / c),
        rivals={"as wide as in the minimum": 1 / c, "noise of the saddle twice": 2.0},
        resolution=0.02,
        expected="confirmed",
    )
