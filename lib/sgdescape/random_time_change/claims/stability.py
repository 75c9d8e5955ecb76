"""Claims about when a minimum holds: the critical dimension, and minima of zero loss."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.random_time_change import estimates

OWN = "this book"


@claim
def critical_dimension(ds) -> Claim:
    """Number of directions at which the growth rate of Eq. (growth) changes sign, Eq. (16)."""
    n = ds.dimension.values
    ito, *others = (
        round(float(estimates.zero(n, ds.growth_theory.sel(convention=c).values)), 9)
        for c in ("Ito", "Stratonovich", "anti-Ito")
    )
    return check(
        "Far from the minimum the log distance shrinks on average if and only if "
        "n < 2 (B / (eta h) + 1).",
        source="Mori et al., Eq. (16)",
        predicted=ito,
        measured=mean_interval([estimates.zero(n, g) for g in ds.growth.values.T]),
        rivals={"Stratonovich": others[0], "anti-Ito, or finite mean loss": others[1]},
        tolerance=0.03,
        resolution=0.03,
        expected="confirmed",
    )


@claim
def sgd_growth(ds) -> Claim:
    """Where the growth rate of SGD's own steps changes sign, against the exact rate."""
    exact = round(estimates.zero(ds.sgd_dimension.values, ds.sgd_growth_theory.values), 6)
    return check(
        f"{_sgd(ds)} {exact:.3g} of them, where the exact mean of log|z'|/|z| changes sign.",
        source=OWN,
        predicted=exact,
        measured=_sgd_zero(ds),
        rivals={
            "finite mean loss": round(float(ds.sgd_critical_theory), 9),
            "2 (B / (eta h) + 1), Eq. (16)": round(float(ds.sgd_paper_theory), 9),
        },
        resolution=0.01,
        expected="confirmed",
    )


@claim
def sgd_critical_dimension(ds) -> Claim:
    """The critical dimension of Eq. (16) against SGD's own steps."""
    return check(
        f"{_sgd(ds)} $n_c=2(B/(\\eta h)+1)$ of them.",
        source="Mori et al., Eq. (16)",
        predicted=round(float(ds.sgd_paper_theory), 9),
        measured=_sgd_zero(ds),
        rivals={"finite mean loss of SGD": round(float(ds.sgd_critical_theory), 9)},
        expected="refuted",
    )


@claim
def frozen_clock(ds) -> Claim:
    """Where the clock stops at a global minimum: mean of 1/tau(infinity), Eq. (frozen-clock)."""
    return check(
        "At L* = 0 the clock tau stops at an inverse-gamma time: the mean of 1/tau is "
        "4 T nu / |z|^2.",
        source=OWN,
        predicted=round(float(ds.frozen_theory), 9),
        measured=mean_interval(1 / ds.frozen_tau.values),
        rivals={"no noise, or Stratonovich": 4.0},
        tolerance=0.05,
        resolution=0.06,
        expected="confirmed",
    )


@claim
def floor(ds) -> Claim:
    """How the mean passage from a global minimum depends on the epsilon added to the loss."""
    return check(
        "From a global minimum made positive by $\\epsilon$, the mean passage time to a fixed loss "
        "grows as $\\epsilon^{-\\nu}$: power of the constant.",
        source=OWN,
        predicted=round(float(ds.floor_theory), 9),
        measured=estimates.limiting_slope(ds.floor.values, *ds.floor_passage.values),
        rivals={
            "epsilon does not matter": 0.0,
            "Stratonovich": round(float(ds.floor_theory), 9) + 0.5,
        },
        resolution=0.05,
        expected="confirmed",
    )


@claim
def harmless_constant(ds) -> Claim:
    """Ratio of mean passages from a positive minimum with and without a constant in the loss."""
    large, small = _sizes(ds).shifts
    coarse, fine = (ds.shifted_passage.values[:, 1] / ds.shifted_passage.values[:, 0]).tolist()
    return check(
        f"A small constant added to the loss, {large:g} of $L^*$, leaves the mean time from a "
        f"minimum of positive loss $L^*$ to {_sizes(ds).loss_ratio:g} $L^*$ as it is: time with it "
        "over time without it 1.",
        source="Mori et al., Section 3.2",
        predicted=1.0,
        measured=estimates.on_grids(coarse, fine),
        rivals={
            "as at a global minimum, from a tenth of it": (large / small) ** float(ds.floor_theory)
        },
        tolerance=0.01,
        expected="approximate",
    )


def _sgd(ds):
    eta, h, batch = (
        getattr(_sizes(ds), k) for k in ("sgd_learning_rate", "curvature", "sgd_batch_size")
    )
    return (
        f"SGD itself on independent Gaussian inputs ($\\eta h$ = {eta * h:g}, B = {batch}) runs "
        "away, once far from its minimum, if and only if there are more than"
    )


def _sgd_zero(ds):
    n = ds.sgd_dimension.values
    return mean_interval([estimates.zero(n, g) for g in ds.sgd_growth.values.T])


def _sizes(ds):
    return provenance.settings(ds)
