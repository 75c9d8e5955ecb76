"""The claims of chapter `momentum_escape`: each compares a measurement with its prediction.

Predictions come with the dataset (`predictions.predict`), so that a wrong formula there makes the
claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed
from sgdescape.momentum_escape import estimates

OWN, KUNIN = "this book", "Kunin et al."
FINITE = 0.15
"""Tolerance of slopes where steps are not small: what is left of the limit T -> 0."""


def _slope(ds, cell, words, **options) -> Claim:
    at = ds.isel(cell=cell)
    c, zeta = float(at.loss_ratio), float(at.damping)
    return check(
        f"SGD with momentum, normal inputs, damping {zeta:g}: the mean time to $L={c:g}L^*$ grows "
        f"with $1/T$ at the rate $w(c;\\zeta)$, {words}.",
        source=OWN,
        predicted=float(at.barrier),
        measured=estimates.cell_slope(ds, cell),
        expected="confirmed",
        **options,
    )


def _rivals(ds, cell):
    at = ds.isel(cell=cell)
    return {
        "Gibbs law of the modified loss, $c-1$": float(at.gibbs),
        "without momentum, decoupled noise, $\\log c$": float(np.log(at.loss_ratio)),
    }


@claim
def two_routes(ds) -> Claim:
    """The barrier at finite damping, by extremals and by the action of a path."""
    a = ds.attrs
    error = a["checked_error"]  # of the finer grid; twice what second order leaves
    return check(
        "The least action of a discretised path to $L=3L^*$ at damping 0.3 is the barrier that the "
        "extremals of the Hamiltonian give.",
        source=OWN,
        predicted=a["checked_extremals"],
        measured=computed(
            a["checked_paths"], a["checked_paths"] - error, a["checked_paths"] + error,
            "difference of two grids",
        ),
        rivals={"limit of weak friction": a["checked_weak"], "Gibbs law, $c-1$": 2.0},
        resolution=2e-3,
        expected="confirmed",
    )  # fmt: skip


@claim
def weak_friction(ds) -> Claim:
    """The limit of weak friction."""
    w = ds.attrs["weak_computed"]
    return check(
        "As the damping falls, the barrier to $L=3L^*$ tends to $2\\log\\frac{1+c}2$ (here at "
        "damping 0.01).",
        source=OWN,
        predicted=ds.attrs["weak_formula"],
        measured=computed(w, w - 1e-3, w + 1e-3, "step width and interpolation"),
        rivals={"decoupled noise, $4\\log\\frac{3+c}4$": 4 * np.log(1.5), "Gibbs law": 2.0},
        resolution=2e-3,
        expected="confirmed",
    )


@claim
def strong_friction(ds) -> Claim:
    """The limit of strong friction, large pushes included."""
    w = ds.attrs["strong_computed"]
    return check(
        "As the damping grows, the barrier to $L=3L^*$ tends to that of SGD without momentum, "
        "large pushes included (here at damping 8).",
        source=OWN,
        predicted=ds.attrs["strong_formula"],
        measured=computed(w, w - 1e-3, w + 1e-3, "step width and interpolation"),
        rivals={"a climb, $c-1$": 2.0, "decoupled noise, $\\log c$": np.log(3.0)},
        tolerance=0.01,
        expected="approximate",
    )


@claim
def weak_passages(ds) -> Claim:
    """Passage times at damping 0.1, where T is above the damping."""
    return _slope(ds, 0, "but for the turnover factor", rivals=_rivals(ds, 0))


@claim
def swinging_passages(ds) -> Claim:
    """Passage times at damping 0.3."""
    return _slope(ds, 1, "but for the turnover factor", rivals=_rivals(ds, 1))


@claim
def critical_passages(ds) -> Claim:
    """Passage times at damping 1."""
    return _slope(ds, 2, "but for the turnover factor", rivals=_rivals(ds, 2))


@claim
def creeping_passages(ds) -> Claim:
    """Passage times at damping 3."""
    at = ds.isel(cell=3)
    return check(
        f"SGD with momentum, normal inputs, damping {float(at.damping):g}: the mean time to "
        f"$L={float(at.loss_ratio):g}L^*$ grows with $1/T$ at the rate $w(c;\\zeta)$, close to "
        "$c-1$.",
        source=OWN,
        predicted=float(at.barrier),
        measured=estimates.cell_slope(ds, 3),
        rivals={"without momentum, decoupled noise, $\\log c$": np.log(1.4)},
        expected="consistent",
        resolution=0.04,
    )


@claim
def input_law(ds) -> Claim:
    """Rademacher inputs: no multiplicative noise, so Gibbs' law holds."""
    config = provenance.settings(ds)
    return check(
        "Inputs $\\pm1$: the barrier is $c-1$ with momentum too, here at damping "
        f"{config.law_damping:g} and $c={config.law_ratio:g}$.",
        source=KUNIN,
        predicted=float(ds.law_barrier.sel(inputs="rademacher")),
        measured=estimates.law_slope(ds, "rademacher"),
        rivals={"decoupled noise without momentum, $\\log c$": np.log(config.law_ratio)},
        tolerance=FINITE,
        expected="confirmed",
    )


@claim
def decoupled_noise(ds) -> Claim:
    """Mori et al.'s noise with momentum."""
    config = provenance.settings(ds)
    return check(
        "Decoupled noise $2Lh$ with momentum at damping "
        f"{config.law_damping:g}: the barrier to $c={config.law_ratio:g}$ is that of its "
        "own Hamiltonian.",
        source=OWN,
        predicted=float(ds.law_barrier.sel(inputs="decoupled")),
        measured=estimates.law_slope(ds, "decoupled"),
        rivals={"without momentum, $\\log c$": np.log(config.law_ratio)},
        resolution=0.025,
        expected="consistent",
    )


@claim
def energy_tail(ds) -> Claim:
    """The stationary tail at weak friction is a power law."""
    config = provenance.settings(ds)
    return check(
        "Weak friction: the share of time with $T\\kappa\\Psi>2$ is "
        f"$(1+e/2)^{{1-2/T}}$ at $T={config.tail_temperature:g}$.",
        source=OWN,
        predicted=float(ds.energy_tail.sel(energy=2.0)),
        measured=estimates.tail_share(ds, 2.0),
        rivals={"Gibbs law $e^{-\\kappa\\Psi}$": float(ds.gibbs_tail.sel(energy=2.0))},
        tolerance=0.15,
        resolution=0.5,
        expected="confirmed",
    )


@claim
def gibbs_tail(ds) -> Claim:
    """Kunin et al.'s stationary law, far out."""
    config = provenance.settings(ds)
    return check(
        "The stationary law is $e^{-\\kappa\\Psi}$ far out too: share of time with "
        f"$T\\kappa\\Psi>2$ at $T={config.tail_temperature:g}$, damping "
        f"{config.tail_damping:g}.",
        source=KUNIN,
        predicted=float(ds.gibbs_tail.sel(energy=2.0)),
        measured=estimates.tail_share(ds, 2.0),
        rivals={"twice of it": 2 * float(ds.gibbs_tail.sel(energy=2.0))},
        expected="refuted",
    )


@claim
def tail_index(ds) -> Claim:
    """The tail index between the limits of damping."""
    zeta, a = provenance.settings(ds).index_damping, ds.attrs
    return check(
        f"At damping {zeta:g} the tail index is $A(\\zeta)/T$ as $T\\to0$, $A$ the slope of $w$ in "
        "$\\log c$ far out (limit of $T$ times the exact index).",
        source=OWN,
        predicted=a["tail_slope"],
        measured=estimates.index_limit(ds),
        rivals={"weak friction, 2": a["tail_slope_weak"],
                "without momentum, Kesten's 0.898": a["tail_slope_strong"]},
        resolution=0.02,
        expected="confirmed",
    )  # fmt: skip
