"""The claims of chapter `modified_loss`: each compares a measurement with its prediction.

Predictions come with the dataset (`modified_loss.predict`), so that a wrong formula there makes the
claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval, ratio_interval
from sgdescape.modified_loss import estimates

KUNIN, CODE, OWN = "Kunin et al.", "Kunin et al., the authors' published code", "this book"


@claim
def toy_current(ds) -> Claim:
    """The sense of rotation of Fig. 3's process."""
    rate = ds.attrs["toy_rate"]
    return check(
        "The process of Fig. 3 turns at the areal rate of the current -QU z p, in units with "
        "kappa = 1.",
        source=OWN,
        predicted=rate,
        measured=mean_interval(ds.toy_area.values),
        rivals={"+QU z p, as the authors' notebook draws it": -rate, "no current": 0.0},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def toy_entropy(ds) -> Claim:
    """Fig. 3's process is irreversible."""
    made = ds.attrs["toy_production"]
    return check(
        "The process of Fig. 3 produces entropy at the rate tr(D^-1 Q U Q^T), nats a time.",
        source=OWN,
        predicted=made,
        measured=mean_interval(ds.toy_entropy.values),
        rivals={"reversible": 0.0, "half of it": made / 2},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def isotropic_positions(ds) -> Claim:
    """C6: the spread of the weights does not depend on the curvature."""
    return check(
        "Without weight decay Var theta_i does not depend on rho_i: slope of its logarithm "
        "against log rho_i.",
        source=KUNIN,
        predicted=_slope(ds, "level"),
        measured=estimates.log_slope(ds, "square_position"),
        rivals={"Gibbs law of the training loss": -1.0, "Var proportional to rho": 1.0},
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def elliptic_velocities(ds) -> Claim:
    """C7: the speed along an eigenvector grows with its curvature."""
    return check(
        "Var v_i is proportional to rho_i: slope of its logarithm against log rho_i.",
        source=KUNIN,
        predicted=_slope(ds, "speed"),
        measured=estimates.log_slope(ds, "square_step"),
        rivals={"Maxwell's law, the same in every direction": 0.0, "root of rho": 0.5},
        tolerance=0.04,
        expected="confirmed",
    )


@claim
def weight_decay(ds) -> Claim:
    """C17: weight decay shrinks the flat modes."""
    ratio = ds.level_decayed.values
    return check(
        "With weight decay Var theta_i carries the factor rho/(rho + lambda): flattest mode over "
        f"steepest, lambda = {ds.attrs['weight_decay']:g}.",
        source=KUNIN,
        predicted=float(ratio[0] / ratio[-1]),
        measured=estimates.variance_ratio(ds, run="decayed"),
        rivals={"isotropic": 1.0, "factor of Gibbs' law": float((ratio[0] / ratio[-1]) ** 2)},
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def mahalanobis(ds) -> Claim:
    """C16: the modified loss, not the loss, says where the weights are."""
    return check(
        "A share of 0.9 of the states lies in the circle kappa Psi < log 10 of the plane of the "
        "flattest and the steepest mode; no constant is fitted.",
        source=KUNIN,
        predicted=0.9,
        measured=estimates.share_inside(ds, "plane_psi", np.log(10)),
        rivals={"Gibbs law of the training loss, same mean loss": _gibbs_share(ds)},
        tolerance=0.025,
        expected="confirmed",
    )


@claim
def constant_noise(ds) -> Claim:
    """The level of the cloud where noise is strong: the formula's constant noise is not SGD's."""
    return check(
        f"Batches of {ds.attrs['strong_batch']}: Var theta of the steepest mode is "
        "eta sigma^2 / (2 S (1 - beta)), in units of which it is measured.",
        source=KUNIN,
        predicted=1.0,
        measured=_strong_level(ds),
        rivals={"half of it": 0.5},
        tolerance=0.05,
        expected="refuted",
    )


@claim
def minibatch(ds) -> Claim:
    """The same, against the exact second moments."""
    return check(
        f"Batches of {ds.attrs['strong_batch']}: the same variance is that of the closed moment "
        "equations of minibatch SGD.",
        source=OWN,
        predicted=_exact_level(ds),
        measured=_strong_level(ds),
        rivals={"constant noise": 1.0},
        expected="confirmed",
    )


@claim
def equipartition(ds) -> Claim:
    """C8, where the noise is not constant: the level is wrong by tens of per cent, this is not."""
    ratio = float(ds.equipartition_step[-1])
    beta = ds.attrs["momentum"]
    strong = ds.sel(run="strong").isel(mode=-1)
    return check(
        f"Batches of {ds.attrs['strong_batch']}: E[delta^2] / Var theta = 2 eta rho / (1 + beta) "
        "in the steepest mode.",
        source=KUNIN,
        predicted=ratio,
        measured=ratio_interval(strong.square_step.values, strong.square_position.values),
        rivals={
            "mass eta": ratio * (1 + beta) / 2,
            "mass eta / 2, as without momentum": ratio * (1 + beta),
        },
        expected="confirmed",
    )


@claim
def shuffled(ds) -> Claim:
    """Equipartition needs a noise without memory, which shuffled epochs do not have."""
    value, low, high = estimates.curvatures(ds, run="epochs")[:, 0] / float(ds.curvature[0])
    return check(
        f"Batches from shuffled epochs of {ds.attrs['epoch_steps']} steps: "
        "(1 + beta) E[delta^2] / (2 eta rho Var theta) of the flattest mode is not 1 but what the "
        "anticorrelation of the batches gives.",
        source=OWN,
        predicted=float(ds.epoch_ratio[0]),
        measured=Interval(value, low, high, LEVEL),
        rivals={"noise without memory": 1.0},
        tolerance=0.08,
        expected="confirmed",
    )


@claim
def curvature(ds) -> Claim:
    """C8 as an estimator: all curvatures from positions and steps."""
    return check(
        "(1 + beta) E[delta^2] / (2 eta Var theta) of a mode is its curvature: slope of its "
        "logarithm against log rho, six modes.",
        source=KUNIN,
        predicted=_slope(ds, "equipartition_step"),
        measured=estimates.curvature_slope(ds),
        rivals={"the spread of positions alone": 0.0, "root of rho": 0.5},
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def rotation(ds) -> Claim:
    """C10: sense and rate of the rotation in the (theta, v) plane."""
    exact = float(ds.area_ratio[-1])
    return check(
        "In the steepest mode E[x_k delta_(k+1) - x_(k+1) delta_k] / E[delta^2] = "
        "-(1 + beta - eta rho / 2).",
        source=OWN,
        predicted=exact,
        measured=estimates.rotation_ratio(ds),
        rivals={
            "continuous time": -2.0,
            "no correction in eta": -(1 + ds.attrs["momentum"]),
            "+QU z p, the other way round": -exact,
        },
        expected="confirmed",
    )


@claim
def excess_loss(ds) -> Claim:
    """C12: the loss above its minimum from the speed, at strong noise."""
    beta = ds.attrs["momentum"]
    return check(
        f"Batches of {ds.attrs['strong_batch']}: (1 + beta) E|delta|^2 / (4 eta) is the mean "
        "excess loss: ratio of the two.",
        source=KUNIN,
        predicted=1.0,
        measured=estimates.loss_ratio(ds, run="strong"),
        rivals={"mass eta": 2 / (1 + beta), "kinetic and potential energy": 2.0},
        expected="confirmed",
    )


@claim
def midpoint(ds) -> Claim:
    """Half a step back the continuous formula has no error in eta."""
    edge = float(ds.edge[-1])
    beta = ds.attrs["momentum"]
    unit = float(ds.edge_formula[-1])
    return check(
        f"At eta h = {edge:g}, beta = {beta:g}: Var(theta_k - delta_k/2) is the continuous "
        "theory's variance, in units of which Var theta_k is given.",
        source=OWN,
        predicted=unit / unit,
        measured=mean_interval(ds.edge_half[-1].values / unit),
        rivals={"that of theta_k": 1 / (1 - edge / (2 * (1 + beta)))},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def reversible(ds) -> Claim:
    """Currents without entropy production."""
    return check(
        "Real batches, Sigma proportional to H up to the data's scatter: paths of SGD and their "
        "reversals are equally likely, log ratio in nats a step.",
        source=OWN,
        predicted=ds.attrs["commuting_production"],
        measured=mean_interval(ds.quiet_entropy.values),
        rivals={"every current counted": ds.attrs["current"]},
        tolerance=0.005,
        expected="confirmed",
    )


@claim
def irreversible(ds) -> Claim:
    """Entropy production where Sigma and H do not commute."""
    made = ds.attrs["swirl_production"]
    return check(
        "Label noise that depends on the inputs: the log ratio of a path's chance to its "
        "reversal's, in nats a step, is -(S/2) tr(Sigma^-1 [H, [H, C]]), C = E[x x^T].",
        source=OWN,
        predicted=made,
        measured=mean_interval(ds.swirl_entropy.values),
        rivals={
            "reversible": 0.0,
            "overdamped": ds.attrs["swirl_production_overdamped"],
            "every current counted": ds.attrs["swirl_current"],
        },
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def position_current(ds) -> Claim:
    """Currents in the plane of two positions."""
    rate = ds.attrs["swirl_circulation"]
    return check(
        "Label noise that depends on the inputs: the weights turn in the plane of two "
        "eigenvectors, E[x_1(k) x_2(k+1) - x_2(k) x_1(k+1)] = eta (h_1 - h_2) C_12 / (1 - beta).",
        source=OWN,
        predicted=rate,
        measured=mean_interval(ds.swirl_area.values),
        rivals={
            "no current": 0.0,
            "the other way round": -rate,
            "overdamped": ds.attrs["swirl_circulation_overdamped"],
        },
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def images(ds) -> Claim:
    """Real images: nothing was arranged here."""
    made = ds.attrs["image_production"]
    return check(
        "Regression on principal components of Fashion-MNIST: SGD is irreversible, at the rate of "
        "the commutator formula with the data's H and Sigma, nats a step.",
        source=OWN,
        predicted=made,
        measured=mean_interval(ds.image_entropy.values),
        rivals={"reversible, Sigma = sigma^2 H": 0.0, "half of it": made / 2,
                "every current counted": ds.attrs["image_current"]},
        tolerance=0.1,
        expected="confirmed",
    )  # fmt: skip


@claim
def image_currents(ds) -> Claim:
    """All planes of two components at once."""
    return check(
        "Regression on principal components of Fashion-MNIST: areal rates in all planes of two "
        "eigenvectors, slope of measured against predicted.",
        source=OWN,
        predicted=1.0,
        measured=estimates.image_slope(ds),
        rivals={"no current": 0.0, "half of it": 0.5, "the other way round": -1.0},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def flat_modes(ds) -> Claim:
    """The isotropic law is not reached by flat modes."""
    k, rho = 300, 0.003
    at = ds.sel(time=k, flat_mode=rho)
    return check(
        f"From the minimum, {k} steps: Var theta of a mode of curvature {rho:g} in units of the "
        "stationary value.",
        source=OWN,
        predicted=float(at.growth_exact / at.growth_level),
        measured=mean_interval(at.growth.values / float(at.growth_level)),
        rivals={"isotropic": 1.0, "at rest": 0.0},
        expected="confirmed",
    )


def _slope(ds, name):
    x, y = np.log(ds.curvature.values), np.log(ds[name].values)
    return round(float(np.polyfit(x, y, 1)[0]), 9) + 0.0


def _unit(ds):
    """Constant-noise variance of theta in the strong run: the level scaled by the batch sizes."""
    return float(ds.level[-1]) * ds.attrs["batch_size"] / ds.attrs["strong_batch"]


def _strong_level(ds):
    return mean_interval(ds.square_position.sel(run="strong").values[:, -1] / _unit(ds))


def _exact_level(ds):
    return float(ds.minibatch_variance.sel(run="strong")[-1]) / _unit(ds)


def _gibbs_share(ds):
    """Share of exp(-L/T), two modes, inside the circle, with the mean loss of the true law."""
    rho, level = ds.curvature.values[[0, -1]], float(ds.level[0])
    spread = np.sqrt(level * rho.mean() / rho)  # T = level x mean curvature
    radius = np.sqrt(2 * np.log(10) * level)
    angle = (np.arange(2000) + 0.5) / 2000 * np.pi / 2
    # polar coordinates: the radial integral is elementary
    form = (np.cos(angle) / spread[0]) ** 2 + (np.sin(angle) / spread[1]) ** 2
    inside = (1 - np.exp(-(radius**2) * form / 2)) / form
    return float(inside.mean() / (spread[0] * spread[1]))
