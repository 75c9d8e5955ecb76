"""What the short runs of the ResNet-18 give, with intervals."""

import numpy as np

from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval
from sgdescape.network_limits.estimates.lines import fitted_slope, mean_of_path, pooled
from sgdescape.network_limits.theory.balance import equipartition

BURN = 3
"""Memories 1/(1 - beta) of a ResNet's run that averages leave out."""


@reads_dataset
def settled(ds, run) -> slice:
    """Return the steps of a ResNet's run that averages use: all after some memories."""
    _, beta, _, steps = settings(ds).residual_runs[run]
    return slice(round(BURN / (1 - beta)), int(steps))


@reads_dataset
def speed_over_noise(ds, run, unit, *, level=LEVEL) -> Interval:
    """Return the mean |delta|^2 of a ResNet's run over the noise of its minibatch gradient.

    The relative errors of both are added in quadrature.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
        unit: the law's factor of the noise.
        level: of the intervals.
    """
    steps = mean_of_path(ds.residual_speed.values[run, settled(ds, run)], level=level)
    draws = pooled(ds.residual_noise.values, level=level)
    value = steps.value / (unit * draws.value)
    relative = np.hypot(*((i.high - i.value) / i.value for i in (steps, draws)))
    return Interval(value, value * (1 - relative), value * (1 + relative), level, steps.method)


@reads_dataset
def mode_equipartition(ds, run) -> np.ndarray:
    """Return kinetic over potential energy of each watched mode in a ResNet's run.

    For runs of thousands of steps; those of the page are too short for it.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.

    Returns:
        (modes,), 1 if theory and Hessian are right.
    """
    eta, beta, *_ = settings(ds).residual_runs[run]
    seen = ds.isel(residual_run=run, residual_step=settled(ds, run))
    return equipartition(
        (seen.residual_move.values**2).mean(0),
        seen.residual_position.values.var(0),
        ds.residual_curvature.values,
        learning_rate=eta,
        momentum=beta,
        weight_decay=settings(ds).weight_decay,
    )


@reads_dataset
def run_slope(ds, run, name) -> float:
    """Return the slope of ln variance against ln curvature over the watched modes of a run.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
        name: ``residual_position`` or ``residual_move``.
    """
    variance = ds[name].values[run, settled(ds, run)].var(axis=0)
    return fitted_slope(np.log(np.stack([ds.residual_curvature.values, variance], axis=1)))


@reads_dataset
def norm_growth(ds, run) -> tuple[float, float]:
    """Return the growth a step of the convolutions' |theta|^2, and what its own steps imply.

    If a convolution's gradient is at right angles to it, c_k = theta_{k-1}.delta_k obeys
    c_{k+1} = beta (c_k + |delta_k|^2) - eta lambda |theta_k|^2; summed over a path that gives
    its growth up to rounding, ends included.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
    """
    config = settings(ds)
    eta, beta, _, steps = config.residual_runs[run]
    norm = ds.residual_norm.values[run, : int(steps)]
    moved = ds.residual_norm_speed.values[run, : int(steps)]
    c = (np.diff(norm) - moved[1:]) / 2  # c_k of all steps but the first
    push = beta * moved[1:-1] - eta * config.weight_decay * norm[1:-1]
    total = (push.sum() - beta * (c[-1] - c[0])) / (1 - beta)  # sum of c_{k+1}
    grown = 2 * total + moved[2:].sum()
    count = norm.size - 2
    return float(norm[-1] - norm[1]) / count, float(grown) / count
