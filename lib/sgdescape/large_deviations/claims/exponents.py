"""The claims of chapter `large_deviations`: exact times and real SGD against what theory says.

Predictions come with the dataset (`large_deviations.predict`), so that a wrong formula there makes
the claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.large_deviations.estimates.exponents import (
    exponent,
    exponent_between,
    extrapolated_ratio,
    limit,
    mean_chance,
    mean_passage,
    ratio,
)

OWN = "this book"
_LOG, _COVARIANCE = "Mori et al.'s log c", "SDE with the exact covariance"


@claim
def climb(ds) -> Claim:
    """Below c = 2 the exponent is c - 1."""
    return _gaussian(
        ds,
        1.5,
        "One Gaussian input: the escape exponent of discrete SGD at $c=1.5$ is the linear barrier "
        "$c-1$, up which many small steps climb.",
        {_LOG: "barrier_paper", _COVARIANCE: "barrier_covariance", "one jump": "barrier_single"},
        resolution=0.03,
    )


@claim
def climb_and_jump(ds) -> Claim:
    """Above c = 2 SGD climbs to one side and jumps across."""
    return _gaussian(
        ds,
        3.0,
        "One Gaussian input: the escape exponent of discrete SGD at $c=3$ is that of a climb to "
        "one side and a jump across the minimum.",
        {
            "one jump from the minimum": "barrier_single",
            _LOG: "barrier_paper",
            _COVARIANCE: "barrier_covariance",
            "the climb alone": "barrier_climb",
        },
        resolution=0.01,
    )


@claim
def two_jumps(ds) -> Claim:
    """Far out the cheapest way is a sequence of jumps, near log c by accident."""
    at = ds.sel(far_ratio=100.0)
    return check(
        "One Gaussian input: the escape exponent of discrete SGD at $c=100$ is that of a climb "
        "and two jumps.",
        source=OWN,
        predicted=float(at.far_barrier),
        measured=exponent(at.far_time, at.far_time_error, ds.far_rate, power=0.5),
        rivals={
            _LOG: float(at.far_barrier_paper),
            _COVARIANCE: float(at.far_barrier_covariance),
            "one jump from the minimum": float(at.far_barrier_single),
        },
        resolution=0.02,
        expected="confirmed",
    )


@claim
def many_jumps(ds) -> Claim:
    """Further out the logarithm is left behind: each jump costs the same."""
    at = ds.sel(far_ratio=10_000.0)
    return check(
        "One Gaussian input: the escape exponent of discrete SGD at $c=10^4$ is that of a climb "
        "and the jumps that follow it.",
        source=OWN,
        predicted=float(at.far_barrier),
        measured=exponent(at.far_time, at.far_time_error, ds.far_rate, power=0.5),
        rivals={
            r"the tail alone, $\frac14z_*\log c$": ds.attrs["tail_slope"] * float(np.log(1e4)),
            _LOG: float(at.far_barrier_paper),
            _COVARIANCE: float(at.far_barrier_covariance),
        },
        resolution=0.01,
        expected="confirmed",
    )


@claim
def batches(ds) -> Claim:
    """The batch size enters through eta / B alone."""
    batch = int(ds.batch_size[-1])
    at = ds.sel(batch_size=batch, batch_ratio=1.5)
    return check(
        f"One Gaussian input, batches of {batch}: the escape exponent of discrete SGD at $c=1.5$, "
        r"in units of $B/\eta$, is that of single samples.",
        source=OWN,
        predicted=float(at.batch_barrier),
        measured=exponent(at.batch_time, at.batch_time_error, ds.rate, power=0.5),
        rivals={
            "one jump from the minimum": float(at.batch_barrier_single),
            _LOG: float(at.batch_barrier_paper),
            _COVARIANCE: float(at.batch_barrier_covariance),
        },
        resolution=0.05,
        expected="confirmed",
    )


@claim
def bounded_inputs(ds) -> Claim:
    """Bounded inputs cannot jump: the linear barrier at every c."""
    at = ds.sel(law="uniform", law_ratio=4.0)
    return check(
        "One uniform input: the escape exponent of discrete SGD at $c=4$ is still the linear "
        "barrier $c-1$, for bounded inputs cannot jump.",
        source=OWN,
        predicted=float(at.law_barrier_climb),
        measured=exponent(at.law_time, at.law_time_error, ds.rate, power=0.5),
        rivals={
            "Gaussian inputs": float(at.law_barrier),
            _LOG: float(at.law_barrier_paper),
            "one jump": float(at.law_barrier_single),
        },
        resolution=0.02,
        expected="confirmed",
    )


@claim
def two_inputs(ds) -> Claim:
    """The same exponent in two dimensions."""
    at = ds.sel(dimension=2, dimension_ratio=3.0)
    return check(
        "Two Gaussian inputs: the escape exponent of discrete SGD at $c=3$ is that of one input.",
        source=OWN,
        predicted=float(at.dimension_barrier),
        measured=exponent(at.dimension_time, at.dimension_time_error, ds.dimension_rate, power=1.0),
        rivals={
            _LOG: float(at.dimension_barrier_paper),
            _COVARIANCE: float(at.dimension_barrier_covariance),
            "the climb alone": float(at.dimension_barrier_climb),
        },
        resolution=0.06,
        expected="confirmed",
    )


@claim
def climb_time(ds) -> Claim:
    """The prefactor of the linear barrier, overshoot included."""
    at = ds.sel(ratio=1.3)
    return check(
        "One Gaussian input, $c=1.3$: the exact passage time of discrete SGD, in units of the "
        "formula for the climb with its overshoot, tends to one.",
        source=OWN,
        predicted=1.0,
        measured=extrapolated_ratio(at.time, at.time_error, at.time_predicted),
        rivals={
            "a diffusion with the same barrier": float((at.time_diffusion / at.time_predicted)[-1]),
        },
        resolution=0.2,
        expected="confirmed",
    )


@claim
def jump_time(ds) -> Claim:
    """The time of climb and jump, with its prefactor and no free parameter."""
    at, rates = ds.sel(ratio=3.0), ds.rate.values
    return check(
        f"One Gaussian input, $c=3$, $\\eta={rates[-1]:g}$: the exact passage time of discrete "
        "SGD is that of the formula for a climb and a jump, with its prefactor.",
        source=OWN,
        predicted=1.0,
        measured=ratio(at.time[-1], at.time_error[-1], at.time_predicted[-1]),
        rivals={
            "one jump from the minimum": float(at.single_factor[-1]),
        },
        resolution=0.02,
        tolerance=0.02,
        expected="approximate",
    )


@claim
def tail(ds) -> Claim:
    """Kesten's exponent at small eta is the slope of the jumps."""
    return check(
        "One Gaussian input, far out: Kesten's exponent of $c$, times $\\eta/B$, tends to "
        "$z_*/4$ with $z_*\\log z_*=z_*+1$.",
        source=OWN,
        predicted=float(ds.attrs["tail_slope"]),
        measured=limit(ds.tail_slope.values),
        rivals={
            "Mori et al.": 1.0,
            _COVARIANCE: 0.5,
        },
        resolution=0.02,
        expected="confirmed",
    )


@claim
def circle_climb(ds) -> Claim:
    """Strong noise: the barrier of the circle is the climb."""
    return _circle(
        ds,
        4.0,
        "The circle model, $\\sigma^2=4$: the escape exponent of discrete SGD is the climb "
        "$(2/\\sigma)\\arctan(2/\\sigma)$.",
        {
            _LOG: "circle_paper",
            _COVARIANCE: "circle_covariance",
            "Arrhenius": "circle_arrhenius",
        },
        powers=(0.0, 0.0),
        resolution=0.03,
    )


@claim
def circle_jump(ds) -> Claim:
    """Weak noise: climb, jump across the valley, climb."""
    return _circle(
        ds,
        0.5,
        "The circle model, $\\sigma^2=0.5$: the escape exponent of discrete SGD is that of a "
        "climb, a jump across the valley and a second climb.",
        {
            "the climb alone": "circle_climb",
            _LOG: "circle_paper",
            _COVARIANCE: "circle_covariance",
            "Arrhenius": "circle_arrhenius",
        },
        powers=(0.0, 0.5),
        resolution=0.03,
    )


@claim
def circle_time(ds) -> Claim:
    """Real SGD on the circle takes the time of the exact chain."""
    return _runs(ds, int(ds.run_batch[0]), "one sample a step", 0.25)


@claim
def circle_time_batch(ds) -> Claim:
    """The same with batches."""
    return _runs(ds, int(ds.run_batch[-1]), f"batches of {int(ds.run_batch[-1])}", 0.25)


@claim
def circle_splitting(ds) -> Claim:
    """Real SGD, by splitting, has the rare passages of the exact chain."""
    config = settings(ds)
    return check(
        f"The circle model, $\\sigma^2={config.rare_variance:g}$, $\\eta={config.rare_rate:g}$, "
        f"batches of {config.rare_batch}: the chance of real SGD to be over the saddle within "
        f"{config.rare_steps} steps is that of the exact chain.",
        source=OWN,
        predicted=float(ds.rare_chance),
        measured=mean_chance(ds),
        rivals={"normal steps of the same mean and variance": float(ds.rare_normal)},
        resolution=1.0,
        expected="confirmed",
    )


def _gaussian(ds, ratio, statement, rivals, *, resolution):
    """Exponent at one c, one Gaussian input, B = 1: prefactor proportional to the root of eta."""
    at = ds.sel(ratio=ratio)
    return check(
        statement,
        source=OWN,
        predicted=float(at.barrier),
        measured=exponent(at.time, at.time_error, ds.rate, power=0.5),
        rivals={name: float(at[key]) for name, key in rivals.items()},
        resolution=resolution,
        expected="confirmed",
    )


def _circle(ds, variance, statement, rivals, *, powers, resolution):
    at = ds.sel(variance=variance)
    arguments = (at.circle_time, at.circle_error, at.circle_rate)
    return check(
        statement,
        source=OWN,
        predicted=float(at.circle_barrier),
        measured=exponent_between(*arguments, powers=powers),
        rivals={name: float(at[key]) for name, key in rivals.items()},
        resolution=resolution,
        expected="confirmed",
    )


def _runs(ds, batch, words, resolution):
    at, config = ds.sel(run_batch=batch), settings(ds)
    return check(
        f"The circle model, $\\sigma^2={config.run_variance:g}$, "
        f"$\\eta={config.run_rate * batch:g}$, {words}: real SGD takes the mean time of the "
        "exact chain.",
        source=OWN,
        predicted=float(at.run_time),
        measured=mean_passage(ds, batch),
        rivals={
            "Mori et al.'s SDE": float(at.run_paper),
            "SDE with the noise of the minimum": float(at.run_arrhenius),
            _COVARIANCE: float(at.run_covariance),
        },
        resolution=resolution,
        expected="confirmed",
    )
