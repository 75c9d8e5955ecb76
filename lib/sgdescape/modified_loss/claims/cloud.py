"""Claims on the cloud of states: its shape, its size, and where it is not reached."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.modified_loss import estimates

KUNIN, OWN = "Kunin et al.", "this book"


@claim
def isotropic_positions(ds) -> Claim:
    """The spread of the weights does not depend on the curvature."""
    return check(
        r"Without weight decay $\mathrm{Var}\,\theta_i$ does not depend on $\rho_i$: slope of its "
        r"logarithm against $\log\rho_i$, six modes, $S=32$.",
        source=KUNIN,
        predicted=estimates.exact_slope(ds, "level"),
        measured=estimates.log_slope(ds, "square_position"),
        rivals={"Var proportional to rho": 1.0, "Gibbs law of the training loss": -1.0},
        tolerance=0.05,
        resolution=0.05,
        expected="confirmed",
    )


@claim
def elliptic_velocities(ds) -> Claim:
    """The speed along an eigenvector grows with its curvature."""
    return check(
        r"$\mathrm{Var}\,v_i$ is proportional to $\rho_i$: slope of its logarithm against "
        r"$\log\rho_i$, six modes, $S=32$.",
        source=KUNIN,
        predicted=estimates.exact_slope(ds, "speed"),
        measured=estimates.log_slope(ds, "square_step"),
        rivals={"Maxwell's law, the same in every direction": 0.0},
        tolerance=0.04,
        expected="confirmed",
    )


@claim
def weight_decay(ds) -> Claim:
    """Weight decay shrinks the flat modes."""
    ratio = ds.level_decayed.values
    decay = provenance.settings(ds).weight_decay
    return check(
        r"With weight decay $\mathrm{Var}\,\theta_i$ carries the factor $\rho/(\rho+\lambda)$: "
        rf"flattest mode over steepest, $\lambda={decay:g}$.",
        source=KUNIN,
        predicted=float(ratio[0] / ratio[-1]),
        measured=estimates.variance_ratio(ds, run="decayed"),
        rivals={
            "factor of Gibbs' law": float((ratio[0] / ratio[-1]) ** 2),
            "isotropic": 1.0,
        },
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def mahalanobis(ds) -> Claim:
    """The modified loss, not the loss, says where the weights are: size and shape at once."""
    return check(
        r"A share of 0.9 of the states lies in the circle $\kappa\Psi<\log10$ of the plane of the "
        "flattest and the steepest mode; no constant is fitted.",
        source=KUNIN,
        predicted=0.9,
        measured=estimates.share_inside(ds, "plane_psi", np.log(10)),
        rivals={"Gibbs law of the training loss, same mean loss": ds.attrs["gibbs_share"]},
        tolerance=0.025,
        expected="confirmed",
    )


@claim
def cloud_shape(ds) -> Claim:
    """The shape of the cloud in all of phase space, whatever its size."""
    n = 2 * ds.sizes["mode"]
    return check(
        r"The squared distance $2\kappa\Psi$ in all of phase space has the shape of "
        rf"$\chi^2_{{{n}}}$: mean square over squared mean, $(n+2)/n$, whatever the cloud's size.",
        source=KUNIN,
        predicted=1 + 2 / n,
        measured=estimates.kurtosis_ratio(ds, "kept_psi"),
        rivals={"laws of Gibbs and Maxwell": ds.attrs["gibbs_kurtosis"]},
        tolerance=0.05,
        expected="approximate",
    )


@claim
def constant_noise(ds) -> Claim:
    """The level of the cloud where noise is strong: the formula's constant noise is not SGD's."""
    return check(
        rf"Batches of {provenance.settings(ds).strong_batch}: $\mathrm{{Var}}\,\theta$ of the "
        r"steepest mode is $\eta\sigma^2/2S(1-\beta)$, in units of which it is measured.",
        source=KUNIN,
        predicted=1.0,
        measured=_strong_level(ds),
        rivals={"constant noise, discrete time": _discrete(ds)},
        tolerance=0.05,
        expected="refuted",
    )


@claim
def minibatch(ds) -> Claim:
    """The same, against the exact second moments."""
    level = float(ds.minibatch_variance.sel(run="strong")[-1]) / _unit(ds)
    return check(
        f"Batches of {provenance.settings(ds).strong_batch}: the same variance is that of the "
        "closed moment equations of minibatch SGD.",
        source=OWN,
        predicted=level,
        measured=_strong_level(ds),
        rivals={
            "constant noise, discrete time": _discrete(ds),
            "constant noise, continuous time": 1.0,
        },
        expected="confirmed",
    )


@claim
def flat_modes(ds) -> Claim:
    """The isotropic law is not reached by flat modes."""
    k, rho = 300, 0.01
    at = ds.sel(time=k, flat_mode=rho)
    level = float(at.growth_level)
    return check(
        rf"From the minimum, {k} steps: $\mathrm{{Var}}\,\theta$ of a mode of curvature {rho:g} in "
        "units of the stationary value.",
        source=OWN,
        predicted=float(at.growth_exact) / level,
        measured=mean_interval(at.growth.values / level),
        rivals={"stationary": 1.0, "no force": float(at.growth_free) / level},
        expected="confirmed",
    )


def _unit(ds):
    """Constant-noise variance of theta in the strong run: the level scaled by the batch sizes."""
    config = provenance.settings(ds)
    return float(ds.level[-1]) * config.batch_size / config.strong_batch


def _discrete(ds):
    """What constant noise has in discrete time, in the same units."""
    return float(ds.discrete_factor[-1])


def _strong_level(ds):
    return mean_interval(ds.square_position.sel(run="strong").values[:, -1] / _unit(ds))
