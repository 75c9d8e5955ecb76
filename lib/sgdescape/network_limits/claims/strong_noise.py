"""Claims of chapter `network_limits` on strong noise, weight decay and tails."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.network_limits.claims.sources import OWN, PAPER
from sgdescape.network_limits.estimates.lines import fitted_slope, pooled
from sgdescape.network_limits.theory.balance import equipartition as energies


@claim
def strong_speed(ds) -> Claim:
    """The speed law where the noise is strong: refuted."""
    beta = settings(ds).strong[1]
    return check(
        r"$r=0.34$: $E\|\delta\|^2$ is that of the noise measured at the minimum.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(ds.strong_speed.values / float(ds.strong_exact)),
        rivals={"no momentum": round(1 - beta**2, 3)},
        tolerance=0.1,
        expected="refuted",
    )


@claim
def path_noise(ds) -> Claim:
    """It holds with the noise of where the weights are."""
    along = ds.strong_noise.values / ds.attrs["trace_noise"]
    return check(
        r"$r=0.34$: $E\|\delta\|^2$ in units of the law with the noise averaged along the path "
        "(a filtered noise obeys it whatever forces act: no test of the dynamics).",
        source=OWN,
        predicted=1.0,
        measured=pooled(ds.strong_speed.values / (float(ds.strong_exact) * along)),
        rivals={"the noise of the minimum": round(float(1 / along.mean()), 2)},
        expected="confirmed",
    )


def _energy(ds, curvature):
    config = settings(ds)
    eta, beta, _ = config.strong
    h = curvature + config.weight_decay
    kinetic, potential = ds.strong_step.sum("mode"), (ds.strong_variance * h).sum("mode")
    return energies(kinetic.values, potential.values, 1.0, learning_rate=eta, momentum=beta)


@claim
def strong_equipartition(ds) -> Claim:
    """Equipartition where the noise is strong, with the Hessian of the start: refuted."""
    h = ds.curvature.values + settings(ds).weight_decay
    config = settings(ds)
    at = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    free = energies(ds.frozen_step.values.sum(), (ds.frozen_variance.values * h).sum(), 1.0, **at)
    return check(
        r"$r=0.34$, Hessian at the minimum: kinetic over potential energy is 1.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(_energy(ds, ds.curvature.values)),
        rivals={"no force, as in the control": round(float(free), 2)},
        tolerance=0.1,
        expected="refuted",
    )


@claim
def mean_point(ds) -> Claim:
    """And with the Hessian at the time-averaged point it holds."""
    stayed = _energy(ds, ds.strong_curvature.values) / _energy(ds, ds.curvature.values)
    return check(
        r"$r=0.34$, Hessian at the time-averaged point: kinetic over potential energy.",
        source=OWN,
        predicted=1.0,
        measured=pooled(_energy(ds, ds.strong_curvature.values)),
        rivals={"if curvatures had stayed": round(float(1 / stayed.mean()), 2)},
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def dying_speed(ds) -> Claim:
    """Where the labels can be fitted the noise vanishes, and the speed with it."""
    change = np.log10(ds.fit_speed.values[:, -1] / ds.fit_speed.values[:, 0])
    fallen = float(np.log10(ds.fit_loss.values[:, -1] / ds.fit_loss.values[:, 0]).mean())
    steps = ds.fit_step.values
    return check(
        f"A network that fits all its labels, from step {steps[0]} to {steps[-1]:,}: "
        r"$\log_{10}\|\delta\|^2$ changes by 0, as with constant noise.",
        source=PAPER,
        predicted=0.0,
        measured=pooled(change),
        rivals={"as the loss": fallen},
        tolerance=0.1,
        expected="refuted",
    )


@claim
def interpolating(ds) -> Claim:
    """The speed dies as the square of the loss: a sample's gradient is as large as its loss."""
    logs = np.log(np.stack([ds.fit_loss.values, ds.fit_speed.values], -1))
    late = logs[:, logs.shape[1] // 2 :]
    return check(
        r"The same network, second half of the record: $\|\delta\|^2\propto L^p$ with $p=2$, as a "
        "sample's gradient under cross-entropy is proportional to its loss once that is small.",
        source=OWN,
        predicted=2.0,
        measured=pooled([fitted_slope(rows) for rows in late]),
        rivals={"noise proportional to the loss, as with square loss": 1.0, "constant noise": 0.0},
        tolerance=0.2,
        expected="approximate",
    )


@claim
def weight_decay(ds) -> Claim:
    r"""Weight decay shrinks the flat modes by :math:`\rho/(\rho+\lambda)`."""
    return check(
        r"$\lambda=0.01$: $\mathrm{Var}\,\theta_i$ of modes with $\rho_i$ about $\lambda$, in "
        "units of the prediction.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(ds.decay_variance.values / ds.decay_exact.values),
        rivals={"without weight decay": round(float((ds.decay_plain / ds.decay_exact).mean()), 2)},
        expected="confirmed",
    )


@claim
def gaussian(ds) -> Claim:
    """The noise of a sample is heavy-tailed, its sum over the memory is not."""
    return check(
        "With replacement: kurtosis of the positions, mean over the watched modes.",
        source=PAPER,
        predicted=3.0,
        measured=pooled(ds.position_kurtosis.sel(sampler="iid").values),
        rivals={"single samples": round(float(ds.sample_kurtosis.mean()), 1)},
        expected="confirmed",
    )


@claim
def step_kurtosis(ds) -> Claim:
    """The excess of a step's kurtosis is that of a filtered mean of independent samples."""
    excess, config = float(ds.sample_kurtosis.mean() - 3), settings(ds)
    beta, size = config.momentum, config.batch_size
    mean = excess / size * (1 - beta**2) / (1 + beta**2)
    return check(
        "With replacement: excess kurtosis of a step, mean over the watched modes (a filtered mean "
        f"of independent samples has {mean:.3f}).",
        source=OWN,
        predicted=0.0,
        measured=pooled(ds.step_kurtosis.sel(sampler="iid").values - 3),
        rivals={
            "a batch without memory": round(excess / size, 3),
            "single samples": round(excess, 2),
        },
        resolution=0.1,
        expected="confirmed",
    )
