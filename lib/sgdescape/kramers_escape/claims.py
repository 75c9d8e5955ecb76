"""The claims of chapter `kramers_escape`: each compares a measurement with its prediction.

Predictions come with the dataset (`predictions.predict`), so that a wrong formula there makes the
claim here fail. What is deterministic is extrapolated to weak noise by `estimates.weak_noise`.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.runs import provenance
from sgdescape.kramers_escape import estimates

THEOREM = "Mori et al., Theorem 4.7, Eq. (15)"
OWN = "this book"


@claim
def prefactor(ds) -> Claim:
    """Mean time to beyond the saddle times Eq. (15), one dimension, exact quadrature."""
    about = provenance.settings(ds)
    down = np.sqrt(-about.curvature_saddle)
    times = np.exp(ds.log_time.sel(event="beyond")) * ds.rate_theory
    return check(
        "In one dimension the mean time until SGD's diffusion is beyond the saddle, times the rate "
        "of Theorem 4.7 with our prefactor $\\sqrt{h_e^*|h_e^s|}/2\\pi$, tends to 1 for weak "
        "noise.",
        source=THEOREM,
        predicted=1.0,
        measured=estimates.weak_noise(times.values),
        rivals={
            "prefactor |h_s|/2 pi": down,
            "prefactor h*/2 pi": 1 / down,
            "no n/2 in the exponent": about.loss_ratio**-0.5,
            "time to the saddle": 0.5,
            "no 1/2 pi": 2 * np.pi,
        },
        tolerance=0.001,
        resolution=0.001,
        expected="confirmed",
    )


@claim
def exponent(ds) -> Claim:
    """Power of the loss ratio in one dimension, from exact mean times at two saddles."""
    low, high = 3.0, 6.0
    span = np.log(high / low)
    slope = lambda v: (v.sel(loss_ratio=high) - v.sel(loss_ratio=low)).values / span  # noqa: E731
    offset = slope(ds.log_power) - ds.noise.values
    theory = slope(-np.log(ds.power_theory)) - ds.noise.values
    return check(
        "In one dimension the mean escape time grows as the power $B/(\\eta h)+1-n/2$ of the loss "
        "ratio: the power minus $B/(\\eta h)$ is 1/2.",
        source=THEOREM,
        predicted=round(float(theory[-1]), 9),
        measured=estimates.weak_noise(offset),
        rivals={"n = 2, or the barrier alone": 0.0, "no n/2": 1.0, "n = 3": -0.5},
        tolerance=0.01,
        resolution=0.01,
        expected="confirmed",
    )


@claim
def half(ds) -> Claim:
    """Mean time until the saddle is first reached, times Eq. (15)."""
    times = np.exp(ds.log_time.sel(event="saddle")) * ds.rate_theory
    return check(
        "In a symmetric double well the mean time until SGD's diffusion first reaches the saddle "
        "is $1/(2\\kappa)$, half of that to the other side.",
        source=OWN,
        predicted=0.5,
        measured=estimates.weak_noise(times.values),
        rivals={"1/kappa": 1.0, "1/(4 kappa)": 0.25},
        tolerance=0.001,
        resolution=0.001,
        expected="confirmed",
    )


@claim
def clock(ds) -> Claim:
    """Mean time in tau over that in t, to the same place."""
    ratio = np.exp(ds.log_time.sel(event="beyond, in tau") - ds.log_time.sel(event="beyond"))
    about = provenance.settings(ds)
    low, c = about.minimum_loss, about.loss_ratio
    return check(
        "A path that escapes has spent its time at the bottom: mean escape times obey "
        f"$\\tau=L^*t$, here with $L^*={low:g}$.",
        source="Mori et al., Eq. (24)",
        predicted=low,
        measured=estimates.weak_noise(ratio.values),
        rivals={"loss halfway, sqrt(L* L_s)": np.sqrt(c) * low, "loss at the saddle": c * low},
        tolerance=0.001,
        resolution=0.001,
        expected="confirmed",
    )


@claim
def operator(ds) -> Claim:
    """Slowest mode of the Fokker-Planck operator over Eq. (15)."""
    scale = 1 / np.exp(ds.log_time.sel(event="beyond")) / ds.rate_theory
    return check(
        "In one dimension the probability to be still in the valley decays at the rate of Theorem "
        "4.7: slowest mode of the Fokker-Planck operator over $\\kappa$.",
        source=THEOREM,
        predicted=1.0,
        measured=estimates.weak_noise(
            (ds.line_rate * scale).values, (ds.line_rate_error * scale).values
        ),
        rivals={"kappa/2": 0.5, "2 kappa (both wells)": 2.0},
        tolerance=0.001,
        resolution=0.001,
        expected="confirmed",
    )


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
def paths(ds) -> Claim:
    """Mean escape time of simulated paths in the plane, censored ones counted."""
    about = provenance.settings(ds)
    exact = float(ds.path_time.sel(place="beyond"))
    return check(
        "Simulated paths of the diffusion over a saddle in the plane need the mean time of the "
        "Fokker-Planck operator to be beyond it, at strong noise, "
        f"$B/(\\eta h)={about.batch_size / about.learning_rate:g}$.",
        source=OWN,
        predicted=exact,
        measured=estimates.mean_time(ds, "beyond"),
        rivals={
            "time to the saddle": float(ds.path_time.sel(place="saddle")),
            "one direction": float(ds.line_time),
            "linear barrier": float(ds.linear_time),
        },
        unit="units of t",
        expected="confirmed",
    )


@claim
def paths_saddle(ds) -> Claim:
    """Mean time of the same paths to the saddle."""
    return check(
        "The same paths first reach the saddle in the operator's mean time, about half as long.",
        source=OWN,
        predicted=float(ds.path_time.sel(place="saddle")),
        measured=estimates.mean_time(ds, "saddle"),
        rivals={"time to beyond the saddle": float(ds.path_time.sel(place="beyond"))},
        unit="units of t",
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
def bias(ds) -> Claim:
    """Logarithmic derivative of the escape rate by the curvature of the minimum."""
    about, h = provenance.settings(ds), ds.curvature.values
    theory = np.log(ds.bias_theory.values)
    middle = len(h) // 2
    slope = (theory[middle + 1] - theory[middle - 1]) / np.log(h[middle + 1] / h[middle - 1])
    linear = about.bias_noise / h[middle] * (about.loss_ratio - 1)
    return check(
        "A sharper minimum of the same loss is left sooner: "
        "$d\\log\\kappa/d\\log h=\\frac12+\\frac{B}{\\eta h}\\log c$, one dimension, "
        f"$B/(\\eta h)={about.bias_noise / h[middle]:.3g}$.",
        source=THEOREM,
        predicted=round(float(slope), 4),
        measured=estimates.curvature_slope(ds),
        rivals={"linear barrier, noise of the minimum": 0.5 + linear, "isotropic noise": 0.5},
        tolerance=0.01,
        resolution=0.01,
        expected="confirmed",
    )


@claim
def network(ds) -> Claim:
    """What would be needed to test the theorem on a network."""
    return not_testable(
        "SGD on a network leaves a minimum over a saddle at the rate of Theorem 4.7.",
        source=THEOREM,
        reason="needs minimum, saddle and most probable path of one network; the paper's own test "
        "times the first passage to a level of the loss, where no saddle need be",
    )
