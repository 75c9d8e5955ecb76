"""The claims of chapter `kramers_escape`: each compares a measurement with its prediction.

Predictions come with the dataset (`kramers_escape.predict`), so that a wrong formula there makes
the claim here fail. What is deterministic is extrapolated to weak noise, and its interval is the
distance between two orders of extrapolation.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.stats.intervals import LEVEL, Interval
from sgdescape.kramers_escape.measure.paths import mean_time

THEOREM = "Mori et al., Theorem 4.7, Eq. (15)"
OWN = "this book"


def weak_noise(values) -> Interval:
    """Extrapolate to weak noise from the last three of values at noise, noise/2, noise/4.

    Args:
        values: (..., 3 or more), each at twice the B/(eta h) of the one before.
    """
    first, second, third = np.asarray(values, dtype=float)[-3:]
    linear, before = 2 * third - second, 2 * second - first
    quadratic = (4 * linear - before) / 3
    ends = sorted((linear, quadratic))
    return Interval(quadratic, *ends, LEVEL, "extrapolated to weak noise, range of two orders")


def dimension(ds, reading: str, ratio: float) -> Interval:
    """Return the n with which Eq. (15) gives the measured rate in two dimensions.

    Args:
        ds: of `kramers_escape.run`.
        reading: "loss" or "log loss", what separates.
        ratio: rho.
    """
    at = ds.sel(reading=reading, ratio=ratio)
    gain = np.log(at.plane_rate / at.plane_theory) / np.log(ds.attrs["loss_ratio"])
    return weak_noise(2 + 2 * gain.values)


@claim
def prefactor(ds) -> Claim:
    """Mean time to beyond the saddle times Eq. (15), one dimension, exact quadrature."""
    down = np.sqrt(-ds.attrs["curvature_saddle"])
    times = np.exp(ds.log_time.sel(event="beyond")) * ds.rate_theory
    return check(
        "In one dimension the mean time until SGD's SDE is beyond the saddle, times the rate of "
        "Theorem 4.7 with its prefactor, tends to 1 for weak noise.",
        source=THEOREM,
        predicted=1.0,
        measured=weak_noise(times.values),
        rivals={
            "prefactor h*/2 pi": 1 / down,
            "prefactor |h_s|/2 pi": down,
            "no n/2 in the exponent": ds.attrs["loss_ratio"] ** -0.5,
            "no 1/2 pi": 2 * np.pi,
            "time to the saddle": 0.5,
        },
        tolerance=0.001,
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
        "In one dimension the mean escape time grows as the power B/(eta h) + 1 - n/2 of the loss "
        "ratio: the power minus B/(eta h) is 1/2.",
        source=THEOREM,
        predicted=round(float(theory[-1]), 9),
        measured=weak_noise(offset),
        rivals={"no n/2": 1.0, "n = 2, or the barrier alone": 0.0, "n = 3": -0.5},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def half(ds) -> Claim:
    """Mean time until the saddle is first reached, times Eq. (15)."""
    times = np.exp(ds.log_time.sel(event="saddle")) * ds.rate_theory
    return check(
        "The mean time until a path first reaches the saddle is 1/(2 kappa), half of that to the "
        "other side.",
        source=OWN,
        predicted=0.5,
        measured=weak_noise(times.values),
        rivals={"1/kappa": 1.0, "1/(4 kappa)": 0.25},
        tolerance=0.001,
        expected="confirmed",
    )


@claim
def clock(ds) -> Claim:
    """Mean time in tau over that in t, to the same place."""
    ratio = np.exp(ds.log_time.sel(event="beyond, in tau") - ds.log_time.sel(event="beyond"))
    low, c = ds.attrs["minimum_loss"], ds.attrs["loss_ratio"]
    return check(
        "A path that escapes has spent its time at the bottom: tau = L* t in the mean, so that "
        "rates per t are L* times those per tau.",
        source="Mori et al., Eq. (24)",
        predicted=low,
        measured=weak_noise(ratio.values),
        rivals={"loss at the saddle": c * low, "loss halfway, sqrt(L* L_s)": np.sqrt(c) * low},
        tolerance=0.001,
        expected="confirmed",
    )


@claim
def operator(ds) -> Claim:
    """Slowest mode of the Fokker-Planck operator over Eq. (15)."""
    rate = ds.line_rate / np.exp(ds.log_time.sel(event="beyond")) / ds.rate_theory
    return check(
        "The probability to be still in the valley decays at the rate of Theorem 4.7: slowest "
        "mode of the Fokker-Planck operator over kappa.",
        source=THEOREM,
        predicted=1.0,
        measured=weak_noise(rate.values),
        rivals={"2 kappa (both wells)": 2.0, "kappa/2": 0.5},
        tolerance=0.001,
        expected="confirmed",
    )


@claim
def plane(ds) -> Claim:
    """Escape rate over a saddle in two dimensions, equal curvatures, over Eq. (15) with n = 2."""
    at = ds.sel(reading="loss", ratio=1.0)
    c = ds.attrs["loss_ratio"]
    return check(
        "With two equal curvatures and a separable loss the escape rate over a saddle in the plane "
        "is that of Theorem 4.7 with n = 2.",
        source=THEOREM,
        predicted=1.0,
        measured=weak_noise((at.plane_rate / at.plane_theory).values),
        rivals={"n = 1": c**-0.5, "n = 3": c**0.5, "n = 0": 1 / c},
        tolerance=0.005,
        expected="confirmed",
    )


@claim
def outliers(ds) -> Claim:
    """The n of Eq. (15) with two unequal curvatures, against their number."""
    return check(
        "With curvatures 1 and 1/2 the n of Theorem 4.7 is the number of outliers, 2.",
        source="Mori et al., Assumption 4.5 and Eq. (15)",
        predicted=2.0,
        measured=dimension(ds, "loss", 0.5),
        rivals={"the escape direction alone": 1.0},
        expected="refuted",
    )


@claim
def path_dimension(ds) -> Claim:
    """The same n against the one that the path's Riccati equation gives."""
    tail = float(ds.tail_theory.sel(ratio=0.5))
    return check(
        "With curvatures 1 and 1/2 and a saddle at loss ratio 4 the n of the escape rate is the "
        "effective dimension of the path.",
        source=OWN,
        predicted=float(ds.dimension_theory.sel(ratio=0.5)),
        measured=dimension(ds, "loss", 0.5),
        rivals={"number of outliers": 2.0, "one": 1.0, "Tr H/h_e": 1.5, "parabolic bowl": tail},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def stiff(ds) -> Claim:
    """The same with a transverse direction stiffer than the escape direction."""
    return check(
        "A transverse direction twice as stiff as the escape direction counts for more than one: "
        "n exceeds the number of outliers.",
        source=OWN,
        predicted=float(ds.dimension_theory.sel(ratio=2.0)),
        measured=dimension(ds, "loss", 2.0),
        rivals={"number of outliers": 2.0, "Tr H/h_e": 3.0},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def space(ds) -> Claim:
    """The n of Eq. (15) with three directions, two of them softer."""
    gain = np.log(ds.space_rate / ds.plane_theory) / np.log(ds.attrs["loss_ratio"])
    one = float(ds.dimension_theory.sel(ratio=0.5)) - 1
    return check(
        "With curvatures 1, 1/2 and 1/2 both soft directions count alike: n - 1 doubles.",
        source=OWN,
        predicted=1 + 2 * one,
        measured=weak_noise(2 + 2 * gain.values),
        rivals={"number of outliers": 3.0, "one soft direction": 1 + one, "Tr H/h_e": 2.0},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def separable(ds) -> Claim:
    """The n of Eq. (15) where the logarithm of the loss separates, equal curvatures."""
    return check(
        "If the logarithm of the loss separates, the transverse directions do not count: n = 1 for "
        "two equal curvatures.",
        source=OWN,
        predicted=1.0,
        measured=dimension(ds, "log loss", 1.0),
        rivals={"number of outliers": 2.0, "none": 0.0},
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def tail_dimension(ds) -> Claim:
    """The n of a parabolic bowl far from its minimum, from the exact growth exponent."""
    at = ds.sel(ratio=0.5)
    n = 2 * (ds.circle_noise + 1 - at.circle)
    return check(
        "In a bowl of curvatures 1 and 1/2 the time to a high loss grows as the power "
        "B/(eta h) + 1 - n/2 with n = 1.19.",
        source=OWN,
        predicted=float(at.tail_theory),
        measured=weak_noise(n.values),
        rivals={
            "number of outliers": 2.0,
            "one": 1.0,
            "Tr H/h_e": 1.5,
            "over a saddle at c = 4": float(at.dimension_theory),
        },
        tolerance=0.01,
        expected="confirmed",
    )


@claim
def paths(ds) -> Claim:
    """Mean escape time of simulated paths in the plane, censored ones counted."""
    exact = ds.path_time.sel(place="beyond")
    return check(
        f"Simulated paths of the SDE over a saddle in the plane need the mean time of the "
        f"Fokker-Planck operator, at strong noise, B/(eta h) = {_noise(ds):g}.",
        source=OWN,
        predicted=float(exact),
        measured=_simulated(ds, "beyond"),
        rivals={
            "one direction": float(ds.line_time),
            "time to the saddle": float(ds.path_time.sel(place="saddle")),
            "linear barrier": float(ds.linear_time),
        },
        expected="confirmed",
    )


@claim
def paths_saddle(ds) -> Claim:
    """Mean time of the same paths to the saddle."""
    return check(
        "The same paths first reach the saddle in the operator's mean time, about half as long.",
        source=OWN,
        predicted=float(ds.path_time.sel(place="saddle")),
        measured=_simulated(ds, "saddle"),
        rivals={"time to beyond the saddle": float(ds.path_time.sel(place="beyond"))},
        expected="confirmed",
    )


@claim
def instability(ds) -> Claim:
    """Increase of the mean passage time with log c above the critical dimension."""
    n, noise = 8, ds.attrs["bowl_noise"]
    speed = 1 / _per_log_level(ds, n)
    return check(
        f"In an isotropic bowl of {n} directions, more than n_c = {2 * (noise + 1):g}, no barrier "
        "is left: the mean time to a level grows as the logarithm of c, by 1 per "
        "eta h^2 (n - n_c)/B.",
        source="Mori et al., Eq. (16)",
        predicted=float(2 * ds.growth_theory.sel(dimension=n)),
        measured=Interval(
            *[float(v) for v in (speed[-1], min(speed[-2:]), max(speed[-2:]))],
            LEVEL,
            "exact, range of two steps",
        ),
        rivals={
            "n_c = 2 B/(eta h), finite mean loss": (n - 2 * noise) / noise,
            "n_c = 2 B/(eta h) + 1": (n - 2 * noise - 1) / noise,
        },
        tolerance=0.001,
        expected="confirmed",
    )


@claim
def bowl_power(ds) -> Claim:
    """Growth exponent of the mean passage time below the critical dimension."""
    n, noise = 4, ds.attrs["bowl_noise"]
    at = np.log(ds.bowl_time.sel(dimension=n))
    slope = (at.diff("level") / np.log(ds.level).diff("level")).values
    return check(
        f"In an isotropic bowl of {n} directions the mean time to a high level grows as c to the "
        "power B/(eta h) + 1 - n/2 = (n_c - n)/2.",
        source="Mori et al., Eqs. (15) and (16)",
        predicted=float(-ds.growth_theory.sel(dimension=n) * noise),
        measured=Interval(
            *[float(v) for v in (slope[-1], min(slope[-2:]), max(slope[-2:]))],
            LEVEL,
            "exact, range of two steps",
        ),
        rivals={"no n/2": noise + 1, "B/(eta h)": noise, "B/(eta h) - n/2": noise - n / 2},
        tolerance=0.001,
        expected="confirmed",
    )


@claim
def bias(ds) -> Claim:
    """Logarithmic derivative of the escape rate by the curvature of the minimum."""
    h, middle = np.log(ds.curvature.values), float(ds.curvature[1])
    slopes = -np.diff(ds.log_bias.values) / np.diff(h)
    theory = np.log(ds.bias_theory.values)
    return check(
        "A sharper minimum of the same loss is left sooner: d log(rate)/d log(h) = 1/2 + "
        "B/(eta h) log c.",
        source=THEOREM,
        predicted=round(float((theory[2] - theory[0]) / (h[2] - h[0])), 6),
        measured=Interval(slopes.mean(), slopes.min(), slopes.max(), LEVEL, "one-sided slopes"),
        rivals={
            "isotropic noise": 0.5,
            "linear barrier, noise of the minimum": 0.5
            + ds.attrs["bias_noise"] / middle * (ds.attrs["loss_ratio"] - 1),
        },
        tolerance=0.01,
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


def _per_log_level(ds, n):
    at = ds.bowl_time.sel(dimension=n)
    return (at.diff("level") / np.log(ds.level).diff("level")).values


def _noise(ds):
    return ds.attrs["batch_size"] / ds.attrs["learning_rate"]


def _simulated(ds, place):
    return mean_time(ds.passage.sel(place=place).values, ds.watched.values)
