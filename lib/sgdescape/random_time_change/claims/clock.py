"""Claims about the time change itself: Eq. (12) against Eq. (14), along paths and in law."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.random_time_change import estimates

OWN = "this book"
PAPER_14 = "Mori et al., Eqs. (13) and (14)"


@claim
def driver(ds) -> Claim:
    """The fourth moment of the integral of sqrt(L) . dW up to a fixed tau, in units of a normal's.

    Eq. (driver) gives it for a fixed t instead.
    """
    return check(
        "The integral of sqrt(L) dW, stopped when the clock shows tau, is normal: its fourth "
        "moment is 3 tau^2.",
        source="Mori et al., Eq. (13)",
        predicted=1.0,
        measured=mean_interval(ds.driver_fixed_tau.values**4 / (3 * _sizes(ds).driver_time ** 2)),
        rivals={"stopped at a fixed t": round(float(ds.kurtosis_theory), 6)},
        resolution=0.15,
        expected="confirmed",
    )


@claim
def strong_order(ds) -> Claim:
    """Order at which Eq. (14) on its own grid meets the path of Eq. (12) behind it."""
    return check(
        "Driven by the Brownian motion of Eq. (13), Eq. (14) gives the path of Eq. (12): the "
        "distance falls as the first power of the step of tau.",
        source=PAPER_14,
        predicted=1.0,
        measured=_order(ds, "time-changed"),
        rivals={"other paths": 0.0, "multiplicative noise": 0.5},
        tolerance=0.2,
        resolution=0.15,
        expected="confirmed",
    )


@claim
def driver_needed(ds) -> Claim:
    """The same with the old Brownian motion: the paths stay apart."""
    return check(
        "Driven by W itself instead of the integral of sqrt(L) dW, Eq. (14) gives another path, "
        "however fine the grid: order 0.",
        source=OWN,
        predicted=0.0,
        measured=_order(ds, "not rescaled"),
        rivals={"same path": 1.0, "same path, multiplicative noise": 0.5},
        tolerance=0.1,
        unit="of the power",
        expected="approximate",
    )


@claim
def euler_order(ds) -> Claim:
    """Order of Euler's scheme for Eq. (12) against the same fine paths."""
    return check(
        "The same scheme applied to Eq. (12) converges at order 1/2 only, because its noise is "
        "multiplicative.",
        source="Kloeden and Platen (1992), Theorem 10.2.2",
        predicted=0.5,
        measured=_order(ds, "Euler"),
        rivals={"additive noise": 1.0, "other paths": 0.0},
        tolerance=0.3,
        resolution=0.3,
        expected="confirmed",
    )


@claim
def law(ds) -> Claim:
    """Largest distance of the distribution functions of |theta| at a fixed time t.

    The interval follows from the inequality of Dvoretzky, Kiefer and Wolfowitz for each sample.
    """
    distances = zip(ds.rival.values, ds.rival_distance.values, strict=True)
    return check(
        "At a fixed time t, Eq. (12) and Eq. (14) read where its clock shows t have the same law: "
        "the largest difference of their distribution functions is 0.",
        source=PAPER_14,
        predicted=0.0,
        measured=estimates.distance_interval(ds.direct.values, ds.mapped.values),
        rivals={str(name): round(float(value), 3) for name, value in distances},
        resolution=0.06,
        unit="of probability",
        expected="confirmed",
    )


@claim
def unequal_curvatures(ds) -> Claim:
    """Mean loss at a fixed t from Eq. (14) in a valley with unequal curvatures, Eq. (moments)."""
    ito, *others = (round(float(v), 9) for v in ds.bowl_loss_theory.values)
    return check(
        "The time change needs no isotropy: with two unequal curvatures Eq. (14), mapped back, has "
        "the mean loss of the Ito equation (12).",
        source=PAPER_14,
        predicted=ito,
        measured=mean_interval(ds.bowl_loss.values),
        rivals=dict(zip(("Stratonovich", "anti-Ito"), others, strict=True)),
        resolution=0.15,
        expected="confirmed",
    )


@claim
def passage(ds) -> Claim:
    """Mean first passage in t measured by Eq. (14), against the quadrature of Eq. (passage)."""
    t, tau = (round(float(ds.passage_theory.sel(clock=c)), 9) for c in ("t", "tau"))
    return check(
        f"The mean time to reach {_sizes(ds).loss_ratio:g} L*, run in tau and read on the clock "
        "t, is that of Eq. (12).",
        source=PAPER_14,
        predicted=t,
        measured=mean_interval(ds.passage.sel(equation="Eq. (14)", clock="t").values),
        rivals={"tau itself": tau, "tau / L*": round(tau / _sizes(ds).minimum_loss, 9)},
        tolerance=0.05,
        resolution=0.05,
        expected="confirmed",
    )


@claim
def equal_barrier(ds) -> Claim:
    """Two minima with the same barrier height and curvature, and other losses."""
    low, high = _sizes(ds).minimum_losses
    coarse, fine = (ds.equal_barrier.values[:, 0] / ds.equal_barrier.values[:, 1]).tolist()
    theory = ds.equal_barrier_theory.values
    rise = _sizes(ds).barrier_height
    return check(
        f"Of two minima with equal curvature and barrier height {rise:g} the one with the smaller "
        f"loss, {low:g} against {high:g}, is the more stable under Eq. (12): ratio of the mean "
        "times to reach the height.",
        source="Mori et al., Section 1, paragraph 4",
        predicted=round(float(theory[0] / theory[1]), 9),
        measured=estimates.on_grids(coarse, fine),
        rivals={"the barrier height alone decides": 1.0},
        resolution=0.02,
        tolerance=0.01,
        expected="confirmed",
    )


def _order(ds, scheme):
    at, seed = ds.sel(scheme=scheme), _sizes(ds).seed
    return estimates.strong_order(
        at.strong_step.values,
        at.strong_error.values,
        seed=seeds.derive(seed, "random_time_change", f"resampled errors {scheme}"),
    )


def _sizes(ds):
    return provenance.settings(ds)
