"""Claims on trained networks: noise against Hessian, and how the noise grows along directions."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import computed
from sgdescape.noise_covariance.estimates import (
    RESAMPLES,
    alignment_exponent,
    alignment_predicted,
    coupling,
    over_paths,
    rate_gap,
    rate_spread,
)

PAPER_6, OWN = "Mori et al., Eq. (6)", "this book"


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
