"""The claims of chapter `noise_covariance`: each compares a measurement with its prediction.

Predictions come with the dataset (`noise_covariance.predict`), so that a wrong formula there makes
the claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import (
    computed,
    mean_interval,
    ratio_interval,
)
from sgdescape.noise_covariance.estimates import (
    RESAMPLES,
    alignment_exponent,
    alignment_predicted,
    coupling,
    group_slopes,
    order,
    over_paths,
    predicted_slope,
    rate_gap,
    rate_spread,
)
from sgdescape.noise_covariance.estimates import barrier as barrier_of

PAPER_8, PAPER_6 = "Mori et al., Eq. (8)", "Mori et al., Eq. (6)"
OWN = "this book"


@claim
def batch_factor(ds) -> Claim:
    """Trace of the noise without replacement against the factor of Eq. (8)."""
    n, b = ds.sizes["image"], _sizes(ds).tested
    return check(
        f"Without replacement the noise is (N - B)/(B (N - 1)) times the sample covariance, "
        f"N = {n}, B = {b}.",
        source=PAPER_8,
        predicted=_factor(ds, "without_replacement"),
        measured=_trace(ds, "without_replacement"),
        rivals={"1/B": 1 / b, "(N - B)/(N B)": (n - b) / n / b, "no 1/B": (n - b) / (n - 1)},
        resolution=0.06,
        expected="confirmed",
    )


@claim
def iid_factor(ds) -> Claim:
    """Trace of the noise of batches drawn with replacement against 1/B."""
    n, b = ds.sizes["image"], _sizes(ds).tested
    return check(
        f"With replacement the noise is 1/B times the sample covariance, B = {b}.",
        source=OWN,
        predicted=_factor(ds, "iid"),
        measured=_trace(ds, "iid"),
        rivals={"without replacement": (n - b) / (n - 1) / b, "no 1/B": 1.0},
        resolution=0.1,
        expected="confirmed",
    )


@claim
def matrix(ds) -> Claim:
    """Squared distance between the measured matrix and Eq. (8), without its sampling bias."""
    theory, n, b = ds.covariance_theory.values, ds.sizes["image"], _sizes(ds).tested
    excess = ds.covariance.values - theory
    norm = np.sum(theory**2)
    # Two independent groups: their errors are uncorrelated, so the mean product has no bias.
    products = np.sum(excess[0::2] * excess[1::2], axis=(1, 2)) / norm
    mean = ds.gradient.values.mean(axis=0)
    scale = np.trace(theory) / ds.gradient.values.var(axis=0).sum()
    isotropic = np.eye(len(theory)) * np.trace(theory) / len(theory)

    def distance(rival):
        return float(np.sum((rival - theory) ** 2) / norm)

    return check(
        "Every entry of the noise covariance is that of Eq. (8): squared relative distance 0.",
        source=PAPER_8,
        predicted=0.0,
        measured=mean_interval(products),
        rivals={
            "1/B": ((n - 1) / (n - b) - 1) ** 2,
            "mean gradient not subtracted": distance(theory + scale * np.outer(mean, mean)),
            "uncorrelated parameters": distance(np.diag(np.diag(theory))),
            "isotropic": distance(isotropic),
        },
        expected="confirmed",
    )


@claim
def weak_order(ds) -> Claim:
    """Order in eta of the SDE's error in E[z^2] at fixed time, no sampling."""
    keep = ds.learning_rate.values < 0.04
    error = np.abs(ds.sgd_moment - ds.sde_moment).values[keep]
    return check(
        "Over a fixed time the Ito SDE (4) has the second moment of SGD up to an error of order "
        "$\\eta$: power 1 of the learning rate.",
        source="Mori et al., Eq. (4)",
        predicted=1.0,
        measured=order(ds.learning_rate.values[keep], error),
        rivals={"another limit": 0.0, "second order": 2.0},
        resolution=0.05,
        expected="confirmed",
    )


@claim
def slope_rademacher(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 1, where it is the same draw by draw."""
    return identity(
        "In linear regression with inputs of one size (kurtosis 1) the noise along the "
        "displacement does not grow with the loss: slope of $B\\Sigma_{ee}/(2h_eL^*)$ against "
        "$L/L^*$ 0, draw by draw.",
        source=OWN,
        predicted=round(predicted_slope(ds, "rademacher"), 9),
        measured=float(group_slopes(ds, "rademacher").mean()),
        error=1e-9,
    )


@claim
def slope_uniform(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 1.8."""
    return _slope(ds, "uniform")


@claim
def slope_three_point(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 2: where Eq. (6) is exact."""
    return _slope(ds, "three-point")


@claim
def slope_gaussian(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 3."""
    return _slope(ds, "gaussian")


@claim
def slope_laplace(ds) -> Claim:
    """Slope of the noise against the loss, kappa_e = 6."""
    return _slope(ds, "laplace")


@claim
def barrier(ds) -> Claim:
    """Diffusion barrier from the sampled noise, Gaussian inputs."""
    c = float(ds.loss_ratio[-1])
    return check(
        "In linear regression on a Gaussian input the barrier of the diffusion with SGD's own "
        f"covariance, from the minimum to c = L/L* = {c:g}, is $\\frac12\\log(2c-1)$.",
        source=OWN,
        predicted=float(ds.barrier_theory.sel(law="gaussian")[-1]),
        measured=_barrier(ds, "gaussian"),
        rivals={"log c, Eqs. (6) and (14)": np.log(c), "c - 1, constant noise": c - 1},
        resolution=0.05,
        unit="B / (eta h)",
        expected="confirmed",
    )


@claim
def log_barrier(ds) -> Claim:
    """The paper's barrier for its own test case, from the same sampled noise."""
    c = float(ds.loss_ratio[-1])
    return check(
        "In linear regression on a Gaussian input the barrier of the diffusion with SGD's own "
        f"covariance, from the minimum to c = L/L* = {c:g}, is $\\log c$.",
        source="Mori et al., Eqs. (6) and (14)",
        predicted=np.log(c),
        measured=_barrier(ds, "gaussian"),
        rivals={"c - 1, constant noise": c - 1},
        unit="B / (eta h)",
        expected="refuted",
    )


@claim
def decoupling_ratio(ds) -> Claim:
    """Failure of the decoupling approximation away from the minimum, one input."""
    at = ds.sel(law="gaussian", loss_ratio=3.0)
    return check(
        "In regression on one Gaussian input the mean of loss times squared slope is $(3c-2)/c$ "
        "of the product of their means, at $c=L/L^*=3$.",
        source=OWN,
        predicted=float(at.decoupling_theory),
        measured=ratio_interval(at.loss_slope, at.loss),
        rivals={"decoupled, Eq. (7)": 1.0},
        resolution=0.03,
        expected="confirmed",
    )


@claim
def trace(ds) -> Claim:
    """The same failure seen in the trace of a many-dimensional regression."""
    c, d = _sizes(ds).loss_ratio_d, 20
    at = ds.sel(directions=d)
    return check(
        f"With {d} Gaussian inputs at c = {c:g}, Eq. (6) misses the trace of the noise by "
        "(1 - 1/c)/d only.",
        source=OWN,
        predicted=float(at.trace_theory),
        measured=mean_interval(at.trace_part),
        rivals={
            "Eq. (6)": 1.0,
            "error as along the path": float(ds.trace_theory.sel(directions=1)),
        },
        resolution=0.03,
        expected="confirmed",
    )


@claim
def prefactor(ds) -> Claim:
    """Factor of proportionality between the traces of noise and Hessian, trained network."""
    loss, trace = float(np.mean(ds.residual**2)) / 2, float(ds.output_norm.mean())
    losses, sizes = ds.residual.values**2, ds.output_norm.values
    return check(
        "At a minimum of a trained network with one hidden layer "
        "$B\\,\\mathrm{Tr}\\Sigma/(L\\,\\mathrm{Tr}H)=2$.",
        source=PAPER_6,
        predicted=round(float(ds.noise_trace_theory) / (loss * trace), 9),
        measured=coupling(losses, sizes, factor=2.0, resamples=RESAMPLES),
        rivals={"a further 1/N": 2 / ds.sizes["sample"], "no factor 2": 1.0},
        tolerance=0.3,
        expected="confirmed",
    )


@claim
def trace_alignment(ds) -> Claim:
    """Tr(Sigma G) against 2 L |G|^2 / B, the alignment of Wu, Wang and Su (2022)."""
    loss = float(np.mean(ds.residual**2)) / 2
    losses, sizes = ds.residual.values**2, ds.overlap.values
    return check(
        "At a minimum of a trained network with one hidden layer the noise is aligned with the "
        "curvature as Eq. (6) says: $B\\,\\mathrm{Tr}(\\Sigma G)/(2L\\|G\\|^2)=1$, G the "
        "Gauss-Newton matrix.",
        source=PAPER_6,
        predicted=round(float(ds.noise_overlap_theory / ds.overlap.mean()) / (2 * loss), 9),
        measured=coupling(losses, sizes, resamples=RESAMPLES),
        rivals={"isotropic of the same trace, at most": 0.01, "no factor 2": 0.5},
        tolerance=0.4,
        expected="confirmed",
    )


@claim
def alignment(ds) -> Claim:
    """Exponent of noise against curvature over the leading eigendirections."""
    return check(
        f"Over the {ds.sizes['direction']} leading directions of a trained minimum the noise is "
        "proportional to the curvature: exponent 1.",
        source=PAPER_6,
        predicted=alignment_predicted(ds),
        measured=alignment_exponent(ds),
        rivals={"isotropic": 0.0, "square root": 0.5, "square of H": 2.0},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def gauss_newton(ds) -> Claim:
    """Share of the residual term of Eq. (10) along the leading directions, trained network."""
    share = 1 - ds.eigenvalue.values / ds.curvature.values
    return check(
        "At a minimum of a network with one hidden ReLU layer, reached up to a small gradient, the "
        f"residual term of the Hessian vanishes: its share of the curvature along {len(share)} "
        "directions 0 (interval: range over them).",
        source="Mori et al., Eq. (11)",
        predicted=0.0,
        measured=computed(np.median(share), share.min(), share.max(), "range over the directions"),
        rivals={"half of the Hessian": 0.5, "loss without its 1/2": -1.0},
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def network_kurtosis(ds) -> Claim:
    """Whether the growth of the noise along paths of the network follows the kurtosis."""
    return check(
        f"Along {ds.sizes['path']} directions of a trained network the noise grows with the loss "
        "at rates $r$ that follow the kurtosis of their own direction: in $r-1=u(\\kappa_e-2)$, "
        "fitted over the directions, $u=1$.",
        source=OWN,
        predicted=1.0,
        measured=over_paths(ds, rate_spread),
        rivals={"same rate 1 in all directions, Eq. (6)": 0.0},
        tolerance=0.4,
        expected="approximate",
    )


@claim
def network_rate(ds) -> Claim:
    """The size of these rates, against kappa - 1 and against kappa."""
    return check(
        f"Along {ds.sizes['path']} directions of a trained network the noise grows with the loss "
        "at the rate $\\kappa_e-1$: mean difference of rate and prediction 0.",
        source=OWN,
        predicted=0.0,
        measured=over_paths(ds, rate_gap),
        rivals={"mean gradient dropped, rate kappa": 1.0},
        tolerance=0.45,
        unit="of the rate",
        expected="approximate",
    )


def _factor(ds, sampler):
    return float(ds.factor_theory.sel(sampler=sampler, batch_size=_sizes(ds).tested))


def _trace(ds, sampler):
    total = ds.gradient.values.var(axis=0).sum()
    at = ds.trace.sel(sampler=sampler, batch_size=_sizes(ds).tested)
    return mean_interval(at.values / total)


def _slope(ds, law):
    kappa, theory = float(ds.kurtosis.sel(law=law)), round(predicted_slope(ds, law), 9)
    rivals = {"Eq. (6)": 1.0, "decoupled, mean kept": 0.0, "exact, mean dropped": kappa}
    rivals = {k: round(v, 9) for k, v in rivals.items() if abs(v - theory) > 1e-6}
    name = law.capitalize() if law in ("gaussian", "laplace") else law  # named after people
    return check(
        f"In linear regression with {name} inputs (kurtosis {kappa:.3g}) the noise along the "
        "displacement, $B\\Sigma_{ee}/(2h_eL^*)$, grows with $L/L^*$ at the rate "
        f"$\\kappa_e-1$ = {kappa - 1:.3g}.",
        source=OWN,
        predicted=theory,
        measured=mean_interval(group_slopes(ds, law)),
        rivals=rivals,
        resolution=0.1,
        expected="confirmed",
    )


def _barrier(ds, law):
    seed = seeds.derive(_sizes(ds).seed, "noise_covariance", "resampled barrier")
    return barrier_of(ds.loss_ratio.values, ds.variance.sel(law=law).values, seed=seed)


def _sizes(ds):
    return provenance.settings(ds)
