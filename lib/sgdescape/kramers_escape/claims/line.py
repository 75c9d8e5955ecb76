"""Claims about one direction, where every time is known exactly."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed
from sgdescape.kramers_escape import estimates
from sgdescape.kramers_escape.estimates import LAW_NOISE

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

    def slope(v):
        return (v.sel(loss_ratio=high) - v.sel(loss_ratio=low)).values / span

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
def quasi_stationary(ds) -> Claim:
    """Distance of the slowest mode from the stationary law, both in the valley."""
    coarse, fine = ds.law_distance.sel(law="t").values
    others = ds.law_distance.isel(grid=-1)
    return check(
        "Before it escapes the diffusion has, in the valley, the stationary law of Eq. (12) "
        "restricted to it: distance in total variation 0, one dimension, "
        f"$B/(\\eta h)={LAW_NOISE:g}$.",
        source="Mori et al., Assumption 4.3",
        predicted=0.0,
        measured=computed(fine, 0.0, fine + abs(fine - coarse), "two grids"),
        rivals={
            "law on the clock tau": round(float(others.sel(law="tau")), 6),
            "additive noise, Gibbs' law": round(float(others.sel(law="additive")), 6),
        },
        unit="of probability",
        expected="confirmed",
    )


@claim
def arrhenius(ds) -> Claim:
    """Exponent of the escape time of Langevin dynamics, Eq. (5), from exact times."""
    about = provenance.settings(ds)
    low, c = about.minimum_loss, about.loss_ratio
    times = ds.langevin_log_time.sel(langevin_event="beyond").values
    slopes = np.diff(times) / np.diff(ds.noise.values / low)
    return check(
        "With isotropic noise the escape rate falls as $e^{-\\Delta L/D}$: growth of the logarithm "
        f"of the mean time with $1/D$, over $\\Delta L={(c - 1) * low:g}$, in one dimension.",
        source="Mori et al., Eq. (5) and Section 1: Arrhenius' law",
        predicted=1.0,
        measured=estimates.weak_noise(slopes / ds.attrs["height_theory"]),
        rivals={"L* log(L_s/L*), as for SGD's noise": np.log(c) / (c - 1), "half": 0.5},
        resolution=0.001,
        expected="confirmed",
    )


@claim
def log_equivalence(ds) -> Claim:
    """Logarithms of the mean time to the saddle and of the rate, Langevin dynamics."""
    times = ds.langevin_log_time.sel(langevin_event="saddle")
    ratio = -ds.langevin_log_rate / times
    error = ds.langevin_error / times
    c = provenance.settings(ds).loss_ratio
    return check(
        "With isotropic noise the logarithm of the mean first-passage time to the saddle is minus "
        "that of the escape rate for weak noise: ratio 1.",
        source="Mori et al., Section 4",
        predicted=1.0,
        measured=estimates.weak_noise(ratio.values, error.values),
        rivals={"time with SGD's barrier": np.log(c) / (c - 1), "time of half the barrier": 2.0},
        resolution=0.01,
        expected="confirmed",
    )
