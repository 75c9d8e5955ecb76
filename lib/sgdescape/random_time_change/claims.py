"""The claims of chapter `random_time_change`: each takes the dataset of `run`."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import Interval, mean_interval
from sgdescape.core.stats.tails import power_law_exponent
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
def gibbs(ds) -> Claim:
    """Exponent of the stationary law of Eq. (14) in tau, Eq. (41)."""
    return check(
        "In tau the stationary law is Gibbs' law of the log loss, L^(-B / eta h).",
        source="Mori et al., Eq. (41)",
        predicted=round(float(ds.gibbs_theory), 9),
        measured=_exponent(ds, ds.gibbs.values),
        rivals={"law in t": round(float(ds.phi_theory.sel(convention="Ito")), 9)},
        tolerance=0.1,
        resolution=0.06,
        expected="confirmed",
    )


@claim
def exponent(ds) -> Claim:
    """Exponent of the stationary law of Eq. (12) in t, in the sense of Ito, Eq. (17)."""
    return _convention(
        ds,
        "Ito",
        "In t the stationary law of Eq. (12) read in the sense of Ito (noise taken at the start of "
        "the step) is $L^{-\\phi}$ with $\\phi=1+B/(\\eta h)$.",
        "Mori et al., Eq. (17)",
    )


@claim
def stratonovich(ds) -> Claim:
    """The same with the noise taken in the middle of the step, Eq. (conventions)."""
    return _convention(
        ds,
        "Stratonovich",
        "In t the stationary law of Eq. (12) read in the sense of Stratonovich (noise taken in the "
        "middle of the step) is $L^{-\\phi}$ with $\\phi=\\frac12+B/(\\eta h)$.",
        OWN,
    )


@claim
def anti_ito(ds) -> Claim:
    """The same with the noise taken at the end of the step, Eq. (conventions)."""
    return _convention(
        ds,
        "anti-Ito",
        "In t the stationary law of Eq. (12) read in the sense of anti-Ito (noise taken at the end "
        "of the step) is $L^{-\\phi}$ with $\\phi=B/(\\eta h)$.",
        OWN,
    )


@claim
def mean_loss(ds) -> Claim:
    """The constant of Eq. (43), measured in tau: the harmonic mean of the loss there."""
    scale = 2 * _sizes(ds).minimum_loss / _sizes(ds).curvature
    inverse = mean_interval((1 / (1 + ds.gibbs**2 / scale)).mean("kept").values)
    in_tau, in_t = (round(float(v), 9) for v in ds.mean_loss_theory.values)
    return check(
        "The mean loss in t is the harmonic mean of the loss in tau, and is "
        "L* / (1 - n eta h / 2B).",
        source="Mori et al., Eq. (43)",
        predicted=in_t,
        measured=Interval(
            1 / inverse.value, 1 / inverse.high, 1 / inverse.low, inverse.level, inverse.method
        ),
        rivals={"plain mean in tau": in_tau, "loss at the minimum": 1.0},
        tolerance=0.03,
        resolution=0.03,
        expected="confirmed",
    )


@claim
def wide_exponent(ds) -> Claim:
    """Eq. (17) where the mean loss of Eq. (43) is infinite."""
    phi, n = float(ds.phi_wide_theory), _sizes(ds).wide
    return check(
        f"In n = {n} directions the mean loss is infinite and the step tau = (mean loss) t of "
        "Appendix C fails, but Eq. (17) still holds.",
        source=OWN,
        predicted=phi,
        measured=power_law_exponent(
            np.sqrt(np.maximum(ds.long_ratio.values - 1, 0)), scale=1.0, dimension=n
        ),
        rivals={"Stratonovich": phi - 0.5, "anti-Ito, or no factor 1/L": phi - 1},
        tolerance=0.08,
        resolution=0.06,
        expected="confirmed",
    )


@claim
def clock_power(ds) -> Claim:
    """How tau grows with t where the mean loss is infinite, Eq. (clock-power)."""
    log_t, log_tau = np.log(ds.mark.values), np.log(ds.long_tau.values)
    return check(
        f"In n = {_sizes(ds).wide} directions tau grows like the power 1/nu of t, not in "
        "proportion to it.",
        source=OWN,
        predicted=round(float(ds.clock_power_theory), 9),
        measured=mean_interval(np.polyfit(log_t, log_tau, 1)[0]),
        rivals={"Appendix C: (mean loss) t": 1.0},
        tolerance=0.1,
        resolution=0.15,
        expected="confirmed",
    )


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
    """Ratio of mean passages from a positive minimum with two small constants added to the loss."""
    large, small = _sizes(ds).shifts
    coarse, fine = (ds.shifted_passage.values[:, 1] / ds.shifted_passage.values[:, 0]).tolist()
    return check(
        f"A small constant added to the loss, {large:g} or {small:g} of L*, leaves the mean time "
        f"from a minimum of positive loss L* to {_sizes(ds).loss_ratio:g} L* as it is: ratio of "
        "the two times 1.",
        source="Mori et al., Section 3.2",
        predicted=1.0,
        measured=estimates.on_grids(coarse, fine),
        rivals={"as from a global minimum": (small / large) ** float(ds.floor_theory)},
        tolerance=0.01,
        expected="approximate",
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


@claim
def sgd_growth(ds) -> Claim:
    """Where the growth rate of SGD's own steps changes sign, against the exact rate."""
    n = ds.sgd_dimension.values
    return check(
        f"{_sgd(ds)} of them, where the exact mean of log|z'|/|z| changes sign.",
        source=OWN,
        predicted=round(estimates.zero(n, ds.sgd_growth_theory.values), 6),
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


def _order(ds, scheme):
    at, seed = ds.sel(scheme=scheme), _sizes(ds).seed
    return estimates.strong_order(
        at.strong_step.values,
        at.strong_error.values,
        seed=seeds.derive(seed, "random_time_change", f"resampled errors {scheme}"),
    )


def _exponent(ds, samples):
    scale = np.sqrt(2 * _sizes(ds).minimum_loss / _sizes(ds).curvature)
    return power_law_exponent(samples, scale=scale)


def _convention(ds, name, statement, source):
    theory = {
        str(c): round(float(ds.phi_theory.sel(convention=c)), 9) for c in ds.convention.values
    }
    return check(
        statement,
        source=source,
        predicted=theory.pop(name),
        measured=_exponent(ds, ds.stationary.sel(convention=name).values),
        rivals=theory,
        tolerance=0.08,
        resolution=0.08,
        expected="confirmed",
    )


def _sizes(ds):
    return provenance.settings(ds)
