"""Claims of chapter `network_limits` on the small network: speed, noise, positions and energies.

Predictions use the Hessian and the noise measured at the minimum, and nothing fitted (`predict`).
Where they depend on the network, the ratio to them is measured and 1 predicted.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import scaled
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import (
    curvature_power,
    fitted_slope,
    pooled,
    pooled_slope,
    slopes,
)
from sgdescape.network_limits.estimates.small_network import (
    equipartition_of,
    mahalanobis,
    speed_growth,
)
from sgdescape.network_limits.theory.balance import equipartition as energies


@claim
def constant_speed(ds) -> Claim:
    """The length of a step does not change while the weights wander."""
    config, lags = settings(ds), ds.lag.values
    curve = ds.start_exact.sel(sampler="iid").values
    first = np.searchsorted(lags, config.burn_in)
    grown = np.log(curve[-1] / curve[first]) * 256 / (lags[-1] - lags[first])
    return check(
        r"Small network, with replacement: the growth of $\ln\|\delta\|^2$ in 256 steps, which "
        "are one epoch.",
        source=PAPER,
        predicted=0.0,
        measured=speed_growth(ds, "iid"),
        rivals={"as the distance grows": round(float(grown), 3)},
        expected="confirmed",
    )


@claim
def speed(ds) -> Claim:
    """The law of the step's length with the measured noise and no free constant."""
    law = float(ds.speed_exact)
    trace = ds.attrs["trace_hessian"] / ds.attrs["trace_noise"]
    return check(
        r"Small network, $r=0.02$, with replacement: $E\|\delta\|^2$ in units of the law with the "
        "measured noise (which a walk without forces obeys, too).",
        source=PAPER,
        predicted=1.0,
        measured=pooled(ds.speed.sel(sampler="iid").values / law),
        rivals={
            r"${\rm Tr}\,H$ for ${\rm Tr}\,\Sigma$": round(trace, 3),
            "no momentum": round(1 - settings(ds).momentum ** 2, 3),
        },
        expected="confirmed",
    )


@claim
def speed_sweep(ds) -> Claim:
    """How the speed depends on the hyper-parameters."""
    eta, beta, size = ds.sweep_at.values.T
    x = eta**2 / (size * (1 - beta**2))
    exact = fitted_slope(np.log(np.stack([x, ds.sweep_speed_exact.values], 1)))
    others = {
        r"$\eta^2/(S(1-\beta)^2)$": eta**2 / (size * (1 - beta) ** 2),
        r"$\eta^2/S$": eta**2 / size,
        r"$\eta/(S(1-\beta))$": eta / (size * (1 - beta)),
    }
    return check(
        r"Six settings of $\eta$, $S$ and $\beta$: slope of $\ln E\|\delta\|^2$ against "
        r"$\ln[\eta^2/(S(1-\beta^2))]$.",
        source=PAPER,
        predicted=1.0,
        measured=slopes(x, ds.sweep_speed.values.T),
        rivals={
            f"if it were {name}": round(fitted_slope(np.stack([np.log(x), np.log(y)], 1)), 2)
            for name, y in others.items()
        },
        tolerance=float(np.ceil(100 * abs(exact - 1) + 2)) / 100,
        expected="confirmed",
    )


@claim
def frozen_speed(ds) -> Claim:
    """Control: the law holds for noise that no force acts on."""
    return check(
        "Control: gradients taken at the minimum whatever the weights do, so that no force acts. "
        r"$E\|\delta\|^2$ in units of the law.",
        source=OWN,
        predicted=1.0,
        measured=scaled(pooled(ds.frozen_speed.values), float(ds.speed_unforced)),
        rivals={"no momentum": round(1 - settings(ds).momentum ** 2, 3)},
        expected="confirmed",
    )


@claim
def frozen_equipartition(ds) -> Claim:
    """The same control fails equipartition, as it should."""
    config, h = settings(ds), ds.curvature.values + settings(ds).weight_decay
    found = energies(
        ds.frozen_step.values.sum(1),
        (ds.frozen_variance.values * h).sum(1),
        1.0,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
    )
    return check(
        "Control without force: kinetic over potential energy of the watched modes is 1.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={"epochs": round(float(ds.energy_exact.sel(sampler="shuffle")), 2)},
        expected="refuted",
    )


@claim
def noise_is_hessian(ds) -> Claim:
    """The noise is proportional to the Hessian along its leading eigenvectors."""
    top = settings(ds).top
    h, noise = ds.all_curvature.values[:top], ds.all_noise.values[:top]
    return check(
        rf"Slope of $\ln\Sigma_{{ii}}$ against $\ln\rho_i$ over the {top} leading eigenvectors, "
        "eigenvectors drawn again.",
        source=PAPER,
        predicted=1.0,
        measured=curvature_power(h, noise),
        rivals={r"$\Sigma\propto H^2$": 2.0, r"$\Sigma\propto1$, white noise": 0.0},
        expected="confirmed",
    )


@claim
def isotropic(ds) -> Claim:
    """The cloud of positions is round."""
    x = ds.curvature.values
    shuffled = np.log(np.stack([x, ds.sel(sampler="shuffle").variance_exact.values], 1))
    return check(
        r"With replacement: slope of $\ln\mathrm{Var}\,\theta_i$ against $\ln\rho_i$.",
        source=PAPER,
        predicted=0.0,
        measured=pooled_slope(x, ds.position_variance.sel(sampler="iid").values),
        rivals={"Gibbs law of the loss": -1.0, "epochs": round(fitted_slope(shuffled), 2)},
        expected="confirmed",
    )


@claim
def velocities(ds) -> Claim:
    """The cloud of velocities is an ellipse with the axes of the Hessian's root."""
    return check(
        r"With replacement: slope of $\ln\mathrm{Var}\,v_i$ against $\ln\rho_i$ (which noise "
        r"$\propto H$ gives without forces, too).",
        source=PAPER,
        predicted=1.0,
        measured=pooled_slope(ds.curvature.values, ds.step_variance.sel(sampler="iid").values),
        rivals={"round, as of white noise": 0.0, r"$\Sigma\propto H^2$": 2.0},
        expected="confirmed",
    )


@claim
def equipartition(ds) -> Claim:
    """The test that needs no hyper-parameter of the noise."""
    return check(
        "With replacement: kinetic over potential energy of the watched modes.",
        source=PAPER,
        predicted=1.0,
        measured=equipartition_of(ds, "iid"),
        rivals={
            "epochs": round(float(ds.energy_exact.sel(sampler="shuffle")), 2),
            "no force": round(float(ds.energy_unforced), 2),
        },
        expected="confirmed",
    )


@claim
def modified_loss(ds) -> Claim:
    """The stationary law is that of the modified loss, not of the loss."""
    inside, freedom = mahalanobis(ds)
    iid, epochs = ds.sel(sampler="iid"), ds.sel(sampler="shuffle")
    h = ds.curvature.values + settings(ds).weight_decay
    pairs = [(epochs[name] / iid[name]).mean() for name in ("variance_exact", "step_exact")]
    unforced = float((ds.variance_unforced / iid.variance_exact).mean())
    return check(
        "With replacement: mean squared distance from the minimum in position and velocity under "
        f"the modified loss, a mean over {freedom} degrees of freedom.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(inside.mean(1)),
        rivals={
            "under the loss": round(float((h / h[0]).mean() + 1) / 2, 3),
            "epochs": round(float(sum(pairs)) / 2, 3),
            "no force": round((unforced + 1) / 2, 2),
        },
        expected="confirmed",
    )


@claim
def modified_shape(ds) -> Claim:
    """Not the mean only: the distances are spread as those of a normal law."""
    inside, freedom = mahalanobis(ds)
    found = ((inside - inside.mean()) ** 2).mean(axis=1) * freedom / 2
    kurtosis = float(ds.sample_kurtosis.mean())
    return check(
        "With replacement: variance of these distances along the paths, in units of that of "
        r"$\chi^2$ over its degrees of freedom.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={
            "half the degrees of freedom": 2.0,
            "as heavy-tailed as a sample's gradient": round((kurtosis - 1) / 2, 2),
        },
        tolerance=0.3,
        expected="consistent",
    )
