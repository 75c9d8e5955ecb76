"""Numbers of chapter `momentum_escape`: slopes of passage times, tails of the stationary law."""

import numpy as np
from scipy import stats

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval
from sgdescape.core.stats.survival import mean_passage


def slope(times, friction, inverse, *, turnover=1.0, level: float = LEVEL) -> Interval:
    """Return d log(A friction t) / d(1/T) between two temperatures.

    Time is counted in 1/friction steps, and multiplied by the turnover factor A of weak friction:
    in this clock the prefactor of exp(w/T) keeps no power of T.

    Args:
        times: (2, replicas) passage times in steps.
        friction: (2,) 1 - beta.
        inverse: (2,) 1/T.
        turnover: A, (2,) or 1.
        level: of the interval.
    """
    means = [mean_passage(t, np.ones(t.size, bool), level=level) for t in np.asarray(times)]
    logs = np.log([m.value for m in means]) + np.log(friction) + np.log(turnover)
    width = float(inverse[1] - inverse[0])
    reach = stats.norm.isf((1 - level) / 2) * np.sqrt(2 / times.shape[1]) / width
    value = float(logs[1] - logs[0]) / width
    return Interval(value, value - reach, value + reach, level, "exponential passages")


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
