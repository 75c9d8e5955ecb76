"""Exponents from exact times at falling learning rates, with bounds on what is left."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval, computed, mean_interval


def local_exponents(times, rates, *, power):
    r"""Return slopes of log(t/rate^power) against 1/rate between neighbouring rates.

    Args:
        times: t (rates, ...).
        rates: eta/B (rates,), falling.
        power: of eta in the prefactor.

    Returns:
        (rates - 1, ...).

    Example:
        >>> eta = np.array([0.1, 0.05])
        >>> print(local_exponents(eta * np.exp(2 / eta), eta, power=1.0).round(9))
        [2.]
    """
    times, rates = np.asarray(times, float), np.asarray(rates, float)
    shape = (-1, *(1,) * (times.ndim - 1))
    logs = np.log(times) - power * np.log(rates).reshape(shape)
    return np.diff(logs, axis=0) / np.diff(1 / rates).reshape(shape)


def exponent(times, errors, rates, *, power, extrapolated=True) -> Interval:
    """Return the exponent for rate -> 0 from the three smallest rates, and bounds.

    Bounds: how much the local exponent still changes, and the errors of the times.

    Args:
        times: t (rates,).
        errors: relative errors of t (rates,).
        rates: eta/B (rates,), each half of the one before.
        power: of eta in the prefactor.
        extrapolated: whether a rest proportional to eta in log t is removed.

    Example:
        >>> eta = np.array([0.1, 0.05, 0.025])
        >>> found = exponent(np.exp(2 / eta + eta), 0 * eta, eta, power=0.0)
        >>> print(round(found.value, 9), found.low < 2 < found.high)
        2.0 True
    """
    times, rates = np.asarray(times, float)[-3:], np.asarray(rates, float)[-3:]
    before, last = local_exponents(times, rates, power=power)
    change = last - before
    gap = 1 / rates[2] - 1 / rates[1]
    grid = np.sum(np.asarray(errors, float)[-2:]) / gap
    # halving the rate divides the change of a local exponent by four
    value = last + change / 3 if extrapolated else last
    half = abs(change) + grid
    method = "change between the last two rates, and bin width"
    return computed(value, value - half, value + half, method)


def exponent_between(times, errors, rates, *, powers) -> Interval:
    """Return the exponent where the prefactor's power of eta is only known to lie in a range.

    Args:
        times: t (rates,).
        errors: relative errors of t (rates,).
        rates: eta/B (rates,), each half of the one before.
        powers: least and largest power.
    """
    low, high = (
        exponent(times, errors, rates, power=power, extrapolated=False) for power in powers
    )
    ends = min(low.low, high.low), max(low.high, high.high)
    return computed((low.value + high.value) / 2, *ends, high.method)


def limit(values) -> Interval:
    """Return the limit of a sequence whose rest halves at every step, with bounds.

    Args:
        values: (n,), n at least 2.

    Example:
        >>> print(limit([1.5, 1.25]).value)
        1.0
    """
    before, last = (float(v) for v in values[-2:])
    value, half = 2 * last - before, abs(last - before)
    return computed(value, value - half, value + half, "change on halving eta")


def ratio(time, error, predicted) -> Interval:
    """Return an exact time in units of a predicted one, with the bounds of its bins.

    Args:
        time: t.
        error: its relative error.
        predicted: the other time.
    """
    value = float(time / predicted)
    return computed(value, value * (1 - error), value * (1 + error), "two bin widths")


def extrapolated_ratio(times, errors, predicted) -> Interval:
    """Return t/predicted for rate -> 0 from the two smallest rates, each half of the one before.

    A rest proportional to eta is removed; its size is part of the bounds.

    Args:
        times: t (rates,).
        errors: their relative errors (rates,).
        predicted: (rates,).

    Example:
        >>> eta = np.array([0.2, 0.1])
        >>> print(round(extrapolated_ratio(2 + eta, 0 * eta, np.array([2.0, 2.0])).value, 9))
        1.0
    """
    before, last = (np.asarray(times, float) / np.asarray(predicted, float))[-2:]
    value, grid = 2 * last - before, float(np.sum(np.asarray(errors, float)[-2:] * [1, 2]))
    half = abs(last - before) + abs(value) * grid
    return computed(
        float(value), float(value - half), float(value + half), "change on halving eta, bin width"
    )


@reads_dataset
def mean_chance(dataset) -> Interval:
    """Return the rare chance of real SGD, from independent repetitions of the splitting."""
    return mean_interval(dataset.rare_estimates.values)


@reads_dataset
def mean_passage(dataset, batch_size, *, level=LEVEL) -> Interval:
    """Return the mean passage time of real SGD on the circle, in t = eta k.

    Args:
        dataset: of `large_deviations.run`.
        batch_size: B of the runs.
        level: of the interval.

    Raises:
        ValueError: if some runs were given up: their mean is then unknown.
    """
    steps = dataset.steps.sel(run_batch=batch_size).values
    if np.any(steps < 0):
        raise ValueError(f"max_steps must be larger: {np.sum(steps < 0)} runs did not pass")
    rate = provenance.settings(dataset).run_rate * batch_size
    return mean_interval(steps * rate, level=level)


@reads_dataset
def direction_effects(dataset) -> list[Interval]:
    """Return by how much one further direction lowers log t over the saddle, for each rate."""
    pairs = zip(dataset.plane_effect.values, dataset.plane_effect_error.values, strict=True)
    return [
        computed(float(one), float(one - error), float(one + error), "two lattices")
        for one, error in pairs
    ]


@reads_dataset
def direction_limit(dataset) -> Interval:
    """Return the same for eta -> 0 from three rates: rests as eta and eta^2 are removed.

    Bounds: what removing the second of them changed, and the errors of the times.

    Args:
        dataset: of `large_deviations.run`.
    """
    effects = direction_effects(dataset)[-3:]
    first, second, third = (found.value for found in effects)
    before, last = 2 * second - first, 2 * third - second
    change = (last - before) / 3
    grid = sum(
        share * (found.high - found.low) / 2
        for share, found in zip((1 / 3, 2, 8 / 3), effects, strict=True)
    )
    value, half = last + change, abs(change) + grid
    return computed(value, value - half, value + half, "three rates extrapolated, and bin width")


@reads_dataset
def direction_runs(dataset, dimension, *, level=LEVEL) -> Interval:
    """Return how much each of n - 1 directions lowers log t of real SGD, at the runs' rate.

    Args:
        dataset: of `large_deviations.run`.
        dimension: n.
        level: of the interval.

    Raises:
        ValueError: if some runs were given up.
    """
    steps = dataset.plane_steps.sel(plane_dimension=dimension).values
    if np.any(steps < 0):
        raise ValueError(f"max_steps must be larger: {np.sum(steps < 0)} runs did not pass")
    rate = provenance.settings(dataset).plane_run_rate
    alone = float(dataset.circle_alone.sel(plane_rate=rate)) / (4 * rate)
    mean = mean_interval(steps, level=level)
    logs = np.log(alone / np.array([mean.value, mean.high, mean.low])) / (dimension - 1)
    value, low, high = (float(one) for one in logs)
    return Interval(value, low, high, level, mean.method)
