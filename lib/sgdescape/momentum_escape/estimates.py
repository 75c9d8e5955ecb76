"""Numbers of chapter `momentum_escape`: slopes of passage times, tails of the stationary law."""

import numpy as np
from scipy import stats

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval, computed, mean_interval
from sgdescape.core.stats.survival import log_influences


def slope(times, friction, inverse, *, turnover=1.0, level: float = LEVEL) -> Interval:
    """Return d log(A friction t) / d(1/T) between two temperatures.

    Time is counted in 1/friction steps, and multiplied by the turnover factor A of weak friction:
    in this clock the prefactor of exp(w/T) keeps no power of T. The error is that of the runs'
    influences, for passage times of any law (Welch's t: both samples are independent).

    Args:
        times: (2, replicas) passage times in steps.
        friction: (2,) 1 - beta.
        inverse: (2,) 1/T.
        turnover: A, (2,) or 1.
        level: of the interval.
    """
    times = np.asarray(times, dtype=float)
    replicas, width = times.shape[1], float(inverse[1] - inverse[0])
    logs = np.log(times.mean(axis=1)) + np.log(friction) + np.log(turnover)
    influence = log_influences(times.T, np.ones(times.T.shape, bool))
    variances = influence.var(axis=0, ddof=1) / replicas
    freedom = (replicas - 1) * variances.sum() ** 2 / np.sum(variances**2)
    reach = stats.t.isf((1 - level) / 2, freedom) * np.sqrt(variances.sum()) / width
    value = float(logs[1] - logs[0]) / width
    method = f"{replicas} runs at each temperature, delta method"
    return Interval(value, value - reach, value + reach, level, method)


@reads_dataset
def cell_slope(dataset, cell, *, level: float = LEVEL) -> Interval:
    """Return `slope` of a cell with normal inputs, with its turnover."""
    at = dataset.isel(cell=cell)
    return slope(
        at.passage.values, at.friction.values, at.inverse_temperature.values,
        turnover=at.turnover.values, level=level,
    )  # fmt: skip


@reads_dataset
def law_slope(dataset, inputs, *, level: float = LEVEL) -> Interval:
    """Return `slope` of the cell with another law of inputs."""
    at = dataset.sel(inputs=inputs)
    inverse = dataset.law_inverse_temperature.values
    return slope(at.law_passage.values, dataset.law_friction.values, inverse, level=level)


@reads_dataset
def tail_share(dataset, energy, *, level: float = LEVEL) -> Interval:
    """Return the share of steps with T kappa Psi above an energy, from independent chains."""
    return mean_interval(dataset.tail_share.sel(energy=energy).values, level=level)


@reads_dataset
def index_limit(dataset) -> Interval:
    """Return the limit of T a for T -> 0, from exact indices at halved temperatures.

    Two neighbours give a limit if what is left is proportional to T; the bound is by how much the
    last two of these limits differ.
    """
    exact = dataset.scaled_index.values
    limits = 2 * exact[1:] - exact[:-1]
    value, error = float(limits[-1]), abs(float(limits[-1] - limits[-2]))
    return computed(value, value - error, value + error, "extrapolation from halved temperatures")
