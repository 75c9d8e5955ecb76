"""Claims on simulated first passages, Fig. 3b: times and slopes at fixed learning rates."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed
from sgdescape.linear_regression import estimates

PAPER_15, OWN = "Mori et al., Eq. (15)", "this book"
LOW, MIDDLE, STEEP = 1.1, 1.7, 1.4  # ends of windows of c


@claim
def exact_time(ds) -> Claim:
    """Simulated passages on fresh samples against the transition matrix, one input."""
    c, j = _threshold(ds, 1, -2)
    at = ds.sel(dimension=1).isel(threshold=j)
    return check(
        f"One input, $\\eta=0.1$, $B=1$, fresh samples: the mean first-passage time of SGD to "
        f"$c={c:.3f}$ is that of its transition matrix.",
        source=OWN,
        predicted=float(at.time_exact),
        measured=estimates.mean_time(ds, "fresh", j, dimension=1),
        rivals={
            "linear barrier": float(at.time_linear),
            "the paper's SDE": float(at.time_sde),
            "diffusion with exact covariance": float(at.time_covariance),
        },
        unit="units of t",
        expected="confirmed",
    )


@claim
def sde_time(ds) -> Claim:
    """The same passages against the SDE (12), with its exact prefactor."""
    c, j = _threshold(ds, 1, -2)
    at = ds.sel(dimension=1).isel(threshold=j)
    return check(
        f"One input, $\\eta=0.1$, $B=1$, fresh samples: the mean first-passage time of SGD to "
        f"$c={c:.3f}$ is that of the paper's SDE (12), solved exactly.",
        source="Mori et al., Eq. (12)",
        predicted=float(at.time_sde),
        measured=estimates.mean_time(ds, "fresh", j, dimension=1),
        rivals={"diffusion with exact covariance": float(at.time_covariance)},
        unit="units of t",
        expected="refuted",
    )


@claim
def exact_time_ten(ds) -> Claim:
    """Ten inputs: the chain of the distance from the minimum."""
    d = int(ds.dimension[-1])
    c, j = _threshold(ds, d, -3)
    at = ds.sel(dimension=d).isel(threshold=j)
    return check(
        f"{d} inputs, $\\eta=0.1$, $B=1$, fresh samples: the mean first-passage time of SGD to "
        f"$c={c:.3f}$ is that of the chain of the distance from the minimum.",
        source=OWN,
        predicted=float(at.time_exact),
        measured=estimates.mean_time(ds, "fresh", j, dimension=d),
        rivals={"the paper's SDE": float(at.time_sde), "linear barrier": float(at.time_linear)},
        unit="units of t",
        expected="confirmed",
    )


@claim
def smaller_rate(ds) -> Claim:
    """A smaller learning rate does not help the SDE at fixed c."""
    c = float(ds.slow_ratio.sel(slow_dimension=1)[-1])
    at = ds.sel(slow_dimension=1).isel(threshold=-1)
    return check(
        f"One input, $\\eta=0.05$, $B=1$, fresh samples: the mean first-passage time of SGD to "
        f"$c={c:g}$ is that of the paper's SDE (12), solved exactly.",
        source="Mori et al., Eq. (12)",
        predicted=float(at.slow_time_sde),
        measured=estimates.mean_time(ds, "slow", -1, slow_dimension=1),
        rivals={"diffusion with exact covariance": float(at.slow_time_covariance)},
        unit="units of t",
        expected="refuted",
    )


@claim
def slope_low(ds) -> Claim:
    """One input: near the minimum neither the paper's line nor a diffusion has SGD's slope."""
    low, high = LOW, MIDDLE
    slopes = _slopes(ds, 1, low, high)
    return check(
        f"One input, $\\eta=0.1$, $B=1$, $c$ from {low:g} to {high:g}: $\\log t_p$ of SGD grows "
        "with $\\log c$ at the slope that its transition matrix has there.",
        source=OWN,
        predicted=slopes["exact"],
        measured=estimates.window_slope(ds, "fresh", low, high, dimension=1),
        rivals={
            "the line of Fig. 3b, B/eta + 1 - d/2": float(ds.slope_paper.sel(dimension=1)),
            "linear barrier": slopes["linear"],
            "the paper's SDE": slopes["sde"],
        },
        resolution=0.05,
        expected="confirmed",
    )


@claim
def slope_high(ds) -> Claim:
    """The same runs, higher thresholds."""
    low, high = STEEP, float(ds.loss_ratio.sel(dimension=1)[-1])
    return check(
        f"One input, $\\eta=0.1$, $B=1$: already from $c={low:g}$ to {high:g}, where the paper "
        "does not say that it holds, $\\log t_p$ of SGD grows with $\\log c$ at the slope "
        "$B/\\eta+1-d/2$ that Eq. (15) has for large $c$ and small $\\eta$.",
        source=PAPER_15,
        predicted=float(ds.slope_paper.sel(dimension=1)),
        measured=estimates.window_slope(ds, "fresh", low, high, dimension=1),
        rivals={
            "Kesten": float(ds.slope_kesten.sel(dimension=1)),
            "the SDE's own slope here": _slopes(ds, 1, low, high)["sde"],
        },
        expected="refuted",
    )


@claim
def slope_ten(ds) -> Claim:
    """Ten inputs near the minimum: far below the asymptotic line."""
    d, low, high = int(ds.dimension[-1]), LOW, MIDDLE
    return check(
        f"{d} inputs, $\\eta=0.1$, $B=1$: already from $c={low:g}$ to {high:g}, where the paper "
        "does not say that it holds, $\\log t_p$ of SGD grows with $\\log c$ at the slope "
        "$B/\\eta+1-d/2$ that Eq. (15) has for large $c$ and small $\\eta$.",
        source=PAPER_15,
        predicted=float(ds.slope_paper.sel(dimension=d)),
        measured=estimates.window_slope(ds, "fresh", low, high, dimension=d),
        rivals={
            "without d/2": 1 / 0.1 + 1,
            "the SDE's own slope here": _slopes(ds, d, low, high)["sde"],
        },
        expected="refuted",
    )


@claim
def slope_dimension(ds) -> Claim:
    """How the slope changes with the number of inputs, in one window."""
    low, high, d = LOW, MIDDLE, int(ds.dimension[-1])
    change = {k: v - _slopes(ds, d, low, high)[k] for k, v in _slopes(ds, 1, low, high).items()}
    paper = ds.slope_paper.sel(dimension=1) - ds.slope_paper.sel(dimension=d)
    return check(
        f"$\\eta=0.1$, $B=1$, $c$ from {low:g} to {high:g}: from 1 to {d} inputs the slope of "
        "$\\log t_p$ of SGD against $\\log c$ falls by what its transition matrices say.",
        source=OWN,
        predicted=change["exact"],
        measured=estimates.slope_change(ds, low, high, first=1, last=d),
        rivals={
            "(d - 1)/2, the lines of Fig. 3b": float(paper),
            "the number of inputs does not count": 0.0,
        },
        resolution=0.1,
        expected="confirmed",
    )


@claim
def equal_barrier(ds) -> Claim:
    """SGD at two minima with the same barrier height and other losses, from runs and exactly."""
    low, high = (_threshold(ds, 1, i) for i in (3, 9))
    times = ds.sel(dimension=1).isel(threshold=[3, 9])
    return check(
        "Of two minima with the same curvature and barrier height $\\Delta L$, of loss "
        f"{1 / (high[0] - 1):.3g} $\\Delta L$ and {1 / (low[0] - 1):.3g} $\\Delta L$, SGD itself "
        "stays longer at the lower one: logarithm of the ratio of mean times, $\\eta=0.1$, $B=1$.",
        source="Mori et al., Section 1, paragraph 4",
        predicted=float(np.log(times.time_exact[1] / times.time_exact[0])),
        measured=estimates.longer(ds, 3, 9),
        rivals={
            "the height alone counts": 0.0,
            "the paper's SDE": float(np.log(times.time_sde[1] / times.time_sde[0])),
        },
        expected="confirmed",
    )


@claim
def zero_loss(ds) -> Claim:
    """SGD itself near a minimum of zero loss: it cannot leave."""
    about = provenance.settings(ds)
    return check(
        "From a minimum of zero loss SGD cannot escape: its chance ever to reach a given loss "
        "falls with the starting distance from the minimum as the power of Kesten's exponent, one "
        f"input, $\\eta={about.zero_rate:g}$, $B={about.zero_batch}$.",
        source="Mori et al., Section 4; the power: Kesten (1973)",
        predicted=round(float(ds.attrs["zero_kesten"]), 6),
        measured=estimates.start_power(ds),
        rivals={
            "exponential formula, a noise of its own": 0.0,
            "the paper's SDE, 1 + 2B/eta": round(float(ds.attrs["zero_sde"]), 9),
        },
        resolution=0.1,
        expected="confirmed",
    )


@claim
def kesten(ds) -> Claim:
    """Slope of the exact passage times far out, at a large learning rate."""
    about, slopes = provenance.settings(ds), ds.far_slope.values
    eta, b = about.tail_rate, about.tail_batch
    error = abs(slopes[-1] - slopes[-2]) + float(ds.far_error[-1])
    return check(
        f"One input, $\\eta={eta:g}$, $B={b}$, fresh samples: far out $\\log t_p$ of SGD grows "
        "with $\\log c$ at half of Kesten's exponent.",
        source="Kesten (1973); this book",
        predicted=float(ds.attrs["tail_kesten"]),
        measured=computed(
            slopes[-1], slopes[-1] - error, slopes[-1] + error, "change of slope, and grids"
        ),
        rivals={
            "from the variance, B/eta - B/2": b / eta - b / 2,
            "the paper's, B/eta + 1 - 1/2": b / eta + 0.5,
        },
        tolerance=0.02,
        resolution=0.05,
        expected="confirmed",
    )


@claim
def data_spread(ds) -> Claim:
    """Spread of log t_p between data sets of the paper's size, without runs."""
    about = provenance.settings(ds)
    return check(
        f"One input, $N={about.samples}$, $c={about.spread_ratio:g}$: data sets of the size of "
        f"Fig. 3b do not matter beside the error of {about.runs} runs: of their exact mean passage "
        "times as few lie more than a factor of 1.2 (two standard errors) from the middle one as "
        "of means of so many runs.",
        source=OWN,
        predicted=0.0455,
        measured=estimates.apart_share(ds, 1.2),
        rivals={"no spread": 0.0},
        unit="of all data sets",
        expected="refuted",
    )


def _threshold(ds, dimension, index):
    ratios = ds.loss_ratio.sel(dimension=dimension).values
    return float(ratios[index]), index % len(ratios)


def _slopes(ds, dimension, low, high):
    """Slopes that theories have themselves, in a window of thresholds."""
    ratios, inside = estimates.window(ds, "fresh", low, high, dimension=dimension)
    at = ds.sel(dimension=dimension)
    return {
        kind: estimates.curve_slope(ratios, at[f"time_{kind}"].values[inside])
        for kind in ("exact", "sde", "linear")
    }
