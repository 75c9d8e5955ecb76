"""Estimates from a dataset of `modified_loss.run`, with intervals over independent replicas."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    mean_interval,
    ratio_interval,
)


@reads_dataset
def log_slope(dataset, name, *, run="quiet", level=LEVEL) -> Interval:
    """Return the slope of the log of a replica average against log rho over the modes.

    Args:
        dataset: of `modified_loss.run`.
        name: variable (run, replica, mode).
        run: which.
        level: of the interval.
    """
    x = np.log(dataset.curvature.values)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    rows = dataset[name].sel(run=run).values
    return bootstrap_interval(
        rows, lambda r: float(weights @ np.log(r.mean(axis=0))), resamples=300, level=level
    )


@reads_dataset
def exact_slope(dataset, name) -> float:
    """Return the log-log slope of a predicted variable against rho over the modes, nine digits.

    Args:
        dataset: of `modified_loss.run`.
        name: variable (mode,).
    """
    x, y = np.log(dataset.curvature.values), np.log(dataset[name].values)
    return round(float(np.polyfit(x, y, 1)[0]), 9) + 0.0  # no -0.0


@reads_dataset
def means(dataset, name, *, level=LEVEL, **where) -> np.ndarray:
    """Return value, low, high (3, n) of the replica mean of each column (replicas, n).

    Args:
        dataset: of `modified_loss.run`.
        name: a variable whose replicas come first once ``where`` is selected.
        level: of each interval.
        where: coordinates of the part.
    """
    rows = dataset[name].sel(**where).values
    found = [mean_interval(column, level=level) for column in rows.reshape(len(rows), -1).T]
    return np.array([[f.value, f.low, f.high] for f in found]).T


@reads_dataset
def curvature_slope(dataset, *, level=LEVEL) -> Interval:
    """Return the log-log slope of E[delta^2] / Var theta against rho over the modes, quiet run.

    Args:
        dataset: of `modified_loss.run`.
        level: of the interval.
    """
    x = np.log(dataset.curvature.values)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    at = dataset.sel(run="quiet")
    rows = np.stack([at.square_step.values, at.square_position.values], axis=1)

    def slope(pairs):
        step, spread = pairs.mean(axis=0)
        return float(weights @ np.log(step / spread))

    return bootstrap_interval(rows, slope, resamples=300, level=level)


@reads_dataset
def curvatures(dataset, *, run, level=LEVEL) -> np.ndarray:
    """Return value, low, high (3, modes) of h by equipartition, no noise and no Hessian needed.

    Args:
        dataset: of `modified_loss.run`.
        run: which; "epochs" for the shuffled one.
        level: of each interval.
    """
    config = provenance.settings(dataset)
    if run == "epochs":
        steps, spreads = dataset.epoch_step.values.T, dataset.epoch_position.values.T
    else:
        at = dataset.sel(run=run)
        steps, spreads = at.square_step.values.T, at.square_position.values.T
    unit = (1 + config.momentum) / (2 * config.learning_rate)
    found = [
        ratio_interval(step, spread, level=level)
        for step, spread in zip(steps, spreads, strict=True)
    ]
    return unit * np.array([[f.value, f.low, f.high] for f in found]).T


@reads_dataset
def rotation_ratio(dataset, *, run="quiet", mode=-1, level=LEVEL) -> Interval:
    """Return the areal rate over E[delta^2] of one mode of a run on data.

    Args:
        dataset: of `modified_loss.run`.
        run: which.
        mode: index.
        level: of the interval.
    """
    at = dataset.sel(run=run).isel(mode=mode)
    return ratio_interval(at.area.values, at.square_step.values, level=level)


@reads_dataset
def turn_ratio(dataset, *, momentum, step_curvature, level=LEVEL) -> Interval:
    """Return the areal rate over E[delta^2] of a single mode.

    Args:
        dataset: of `modified_loss.run`.
        momentum: beta.
        step_curvature: eta h.
        level: of the interval.
    """
    at = dataset.sel(momentum=momentum, step_curvature=step_curvature)
    return ratio_interval(at.turn_area.values, at.turn_step.values, level=level)


@reads_dataset
def loss_ratio(dataset, *, run="quiet", level=LEVEL) -> Interval:
    """Return what the speed says of the excess loss over the excess loss itself.

    Args:
        dataset: of `modified_loss.run`.
        run: which, without weight decay.
        level: of the interval.
    """
    square = dataset.square_position.sel(run=run).values
    loss = 0.5 * square @ dataset.curvature.values
    return ratio_interval(dataset.excess.sel(run=run).values, loss, level=level)


@reads_dataset
def variance_ratio(dataset, *, run, level=LEVEL) -> Interval:
    """Return Var theta of the flattest mode over that of the steepest.

    Args:
        dataset: of `modified_loss.run`.
        run: which.
        level: of the interval.
    """
    rows = dataset.square_position.sel(run=run).values
    return ratio_interval(rows[:, 0], rows[:, -1], level=level)


@reads_dataset
def share_inside(dataset, name, bound, *, level=LEVEL) -> Interval:
    """Return the share of the kept states with kappa Psi below a bound, by replica.

    Args:
        dataset: of `modified_loss.run`.
        name: ``kept_psi`` or ``plane_psi``.
        bound: of kappa Psi.
        level: of the interval.
    """
    inside = dataset[name].values < bound
    replicas = dataset.sizes["replica"]  # states are kept instant by instant
    return mean_interval(inside.reshape(-1, replicas).mean(axis=0), level=level)


@reads_dataset
def kurtosis_ratio(dataset, name, *, level=LEVEL) -> Interval:
    """Return E[r^4] / (E r^2)^2 of the distance r^2 = 2 kappa Psi: (n + 2) / n for n normal ones.

    It knows the shape of the cloud and not its size; the resampled units are replicas.

    Args:
        dataset: of `modified_loss.run`.
        name: ``kept_psi`` or ``plane_psi``.
        level: of the interval.
    """
    rows = dataset[name].values.reshape(-1, dataset.sizes["replica"])
    moments = np.stack([np.mean(rows**n, axis=0) for n in (1, 2)], axis=1)

    def ratio(chosen):
        first, second = chosen.mean(axis=0)
        return second / first**2

    return bootstrap_interval(moments, ratio, resamples=300, level=level)


@reads_dataset
def arrow(dataset, index, *, level=LEVEL) -> Interval:
    """Return (E[x^3 x'] - E[x x'^3]) / Var(x)^2 of SGD in one direction, by resampling its runs.

    Args:
        dataset: of `modified_loss.run`.
        index: of the batch size.
        level: of the interval.
    """
    rows = np.stack([dataset.arrow.values[index], dataset.arrow_square.values[index]], axis=1)

    def ratio(chosen):
        first, second = chosen.mean(axis=0)
        return first / second**2

    return bootstrap_interval(rows, ratio, resamples=300, level=level)


@reads_dataset
def arrow_slope(dataset, *, last, level=LEVEL) -> Interval:
    """Return the log-log slope of the asymmetry's size against the batch size.

    Args:
        dataset: of `modified_loss.run`.
        last: number of batch sizes, the smallest ones.
        level: of the interval; runs are resampled in all at once.
    """
    x = np.log(dataset.arrow_batch.values[:last])
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    pair = [dataset[name].values[:last].T for name in ("arrow", "arrow_square")]

    def slope(rows):
        first, second = rows.mean(axis=0)
        return float(weights @ np.log(np.abs(first / second**2)))

    return bootstrap_interval(np.stack(pair, axis=1), slope, resamples=300, level=level)


@reads_dataset
def image_pairs(dataset, *, level=LEVEL) -> np.ndarray:
    """Return predicted and measured value, low, high (4, pairs) of the areal rates on images.

    In units of the two standard deviations, a step.

    Args:
        dataset: of `modified_loss.run`.
        level: of each interval.
    """
    first, second = np.triu_indices(dataset.sizes["image_mode"], 1)
    unit = np.outer(dataset.image_spread, dataset.image_spread)[first, second]
    exact = dataset.image_circulation.values[first, second] / unit
    rows = dataset.image_turn.values[:, first, second] / unit
    found = [mean_interval(column, level=level) for column in rows.T]
    return np.array([[e, f.value, f.low, f.high] for e, f in zip(exact, found, strict=True)]).T


@reads_dataset
def image_slope(dataset, *, level=LEVEL) -> Interval:
    """Return the slope through 0 of measured against predicted areal rates, all planes.

    Args:
        dataset: of `modified_loss.run`.
        level: of the interval.
    """
    first, second = np.triu_indices(dataset.sizes["image_mode"], 1)
    unit = np.outer(dataset.image_spread, dataset.image_spread)[first, second]
    exact = dataset.image_circulation.values[first, second] / unit
    rows = dataset.image_turn.values[:, first, second] / unit
    return mean_interval(rows @ exact / (exact @ exact), level=level)


@reads_dataset
def share_error(dataset, name, bound, *, level) -> tuple[float, float]:
    """Return the ends of an interval of the share of states with kappa Psi beyond a bound.

    Args:
        dataset: of `modified_loss.run`.
        name: ``kept_psi`` or ``plane_psi``.
        bound: of kappa Psi.
        level: of the interval.
    """
    inside = share_inside(dataset, name, bound, level=level)
    return 1 - inside.high, 1 - inside.low


def flow(positions, velocities, *, bins, width) -> tuple[np.ndarray, ...]:
    """Return the mean velocity in square cells of the position plane.

    Args:
        positions: (states, 2).
        velocities: (states, 2).
        bins: cells a side.
        width: half the side.

    Returns:
        Centres x and y (bins, bins), mean velocities (bins, bins) each, NaN below 150 states.
    """
    edges = np.linspace(-width, width, bins + 1)
    sums = [
        np.histogram2d(*positions.T, bins=[edges, edges], weights=weight)[0]
        for weight in (np.ones(len(positions)), *velocities.T)
    ]
    count = np.where(sums[0] < 150, np.nan, sums[0])
    centre = (edges[1:] + edges[:-1]) / 2
    return (*np.meshgrid(centre, centre, indexing="ij"), sums[1] / count, sums[2] / count)
