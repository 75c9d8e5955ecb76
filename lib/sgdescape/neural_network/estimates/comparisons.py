"""What claims and prose compare: runs with bowls, slopes, and the other networks."""

import numpy as np

from sgdescape.core.stats.intervals import Interval
from sgdescape.neural_network.estimates import passages


def chosen(ds, exponent):
    """Return which thresholds are compared at an exponent: where the bowl arrives in good time."""
    watch = ds.attrs["watch"] / float(ds.curvature[0])
    smallest = ds.attrs["smallest_batch"]
    return passages.window(
        ds.bowl.sel(law="decoupled", exponent=exponent, batch_size=smallest).values, watch=watch
    )


def cut(sample, chosen):
    """Return the chosen thresholds of times and of which were observed."""
    return sample[0][:, chosen], sample[1][:, chosen]


def valley_of(ds, law, exponent, batch_size):
    """Return times and which were observed of one bowl; law "continuous" is the SDE, Eq. (12)."""
    if law == "continuous":
        return passages.bowl_times_of(ds, ds.continuous.sel(exponent=exponent))
    one = ds.bowl.sel(law=law, exponent=exponent, batch_size=batch_size)
    return passages.bowl_times_of(ds, one)


def cells(ds, *, exponents=slice(None), batches=slice(None)) -> list:
    """Return the (exponent, batch size) pairs at these positions."""
    chosen_ones = ds.exponent.values[exponents], ds.batch_size.values[batches]
    return [(a, b) for a in chosen_ones[0] for b in chosen_ones[1]]


def against(ds, law, where) -> Interval:
    """Return the mean log2 of the runs' times over a bowl's.

    Args:
        ds: result of `neural_network.run`.
        law: of the bowl, or "continuous".
        where: of `cells`.
    """
    pairs = []
    for exponent, batch_size in where:
        w = chosen(ds, exponent)
        runs = cut(passages.times_of(ds, exponent=exponent, batch_size=batch_size), w)
        valley = cut(valley_of(ds, law, exponent, batch_size), w)
        if law == "constant":  # the thresholds that it reaches at all
            there = valley[1].sum(0) >= passages.LEAST
            runs, valley = cut(runs, there), cut(valley, there)
        pairs.append((runs, valley))
    return passages.log_ratio(pairs)


def beyond(ds, law, where, *, least: int = 100) -> Interval:
    """Return the same as `against` above the window, where both bowls have ``least`` passages.

    Args:
        ds: result of `neural_network.run` with many paths.
        law: of the bowl.
        where: of `cells`.
        least: passages.
    """
    pairs = []
    for exponent, batch_size in where:
        bowls = [valley_of(ds, name, exponent, batch_size) for name in ("decoupled", "measured")]
        far = np.all([seen.sum(0) >= least for _, seen in bowls], axis=0)
        far &= np.arange(far.size) > np.flatnonzero(chosen(ds, exponent)).max()
        runs = cut(passages.times_of(ds, exponent=exponent, batch_size=batch_size), far)
        pairs.append((runs, cut(valley_of(ds, law, exponent, batch_size), far)))
    return passages.log_ratio(pairs)


def between(ds, law, other, where) -> float:
    """Return the mean log2 of one bowl's times over another's; a lower bound where censored."""
    values = []
    for exponent, batch_size in where:
        w, logs = chosen(ds, exponent), []
        for name in (law, other):
            times, seen = cut(valley_of(ds, name, exponent, batch_size), w)
            logs.append(np.log2(times.sum(0) / np.maximum(seen.sum(0), 1)))
        values.append(np.mean(logs[0] - logs[1]))
    return float(np.mean(values))


def slope_of(ds, exponent, batch_size) -> Interval:
    """Return the slope of the runs' times in the window."""
    w = chosen(ds, exponent)
    times, seen = cut(passages.times_of(ds, exponent=exponent, batch_size=batch_size), w)
    return passages.slope(times, seen, ds.threshold.values[w])


def bowl_slope(ds, exponent, batch_size) -> Interval:
    """Return the slope of the times of the bowl with the noise of Eq. (12) in the window."""
    w = chosen(ds, exponent)
    times, seen = cut(valley_of(ds, "decoupled", exponent, batch_size), w)
    return passages.slope(times, seen, ds.threshold.values[w])


def implied(ds, slope=slope_of) -> Interval:
    """Return n = 2 (B / (eta h*) + 1 - slope), mean over exponents and the two smallest batches."""
    where = cells(ds, batches=slice(2))
    slopes = [slope(ds, *cell) for cell in where]
    values = [2 * (a + 1 - s.value) for (a, _), s in zip(where, slopes, strict=True)]
    halves = np.array([s.high - s.low for s in slopes])  # half-width of each n = 2 x slope's
    half = np.sqrt(np.sum(halves**2)) / len(slopes)
    value = float(np.mean(values))
    return Interval(value, value - half, value + half, slopes[0].level, "delta method")


def control_times(ds, case):
    """Times of runs, continuous bowl and discrete bowl of another network, in its window."""
    one = ds.sel(case=case)
    watch = ds.attrs["watch"] / float(one.control_curvature)
    w = passages.window(one.control_bowl.values, watch=watch)
    passage, last = one.control_passage.values, one.control_last_step.values[:, None]
    runs = np.where(passage > 0, passage, last) * float(one.control_learning_rate), passage > 0
    valleys = [
        (np.where(np.isfinite(v), v, watch), np.isfinite(v))
        for v in (one.control_bowl.values, one.control_refined.values)
    ]
    return tuple(cut(sample, w) for sample in (runs, *valleys))


def linearised_times(ds, case):
    """Times of runs, of the linearised network and of the bowl of Eq. (6), in a window.

    The window is where the linearised network, here the prediction, needs between 5 / h* and 3/10
    of the time watched on the average.
    """
    one = ds.sel(case=case)
    rate, last = float(one.control_learning_rate), one.control_last_step.values[:, None]
    watch = ds.attrs["watch"] / float(one.control_curvature)
    linear = one.control_linearised.values
    mean = np.where(linear > 0, linear * rate, watch).sum(0) / np.maximum((linear > 0).sum(0), 1)
    w = (mean > 5 / float(one.control_curvature)) & (mean < 0.3 * watch)
    samples = [
        (np.where(steps > 0, steps * rate, watched), steps > 0)
        for steps, watched in ((one.control_passage.values, last * rate), (linear, watch))
    ]
    bowl = one.control_bowl.values
    samples.append((np.where(np.isfinite(bowl), bowl, watch), np.isfinite(bowl)))
    return tuple(cut(sample, w) for sample in samples)


def lead_ratio(ds):
    """Mean loss if the leading direction alone fluctuated, over the prediction."""
    share = 1 / (2 * float(ds.exponent))
    return 1 / (1 - share) / float(ds.mean_loss)


def range_of(values, what):
    """Median with range; covers the median of further ones with probability 1 - 2^(1 - n)."""
    values = np.asarray(values, dtype=float)
    level = 1 - 2.0 ** (1 - values.size)
    return Interval(
        np.median(values), values.min(), values.max(), level, f"range of {values.size} {what}"
    )


def kurtosis_of_squares(squares):
    """Return E[x^4]/E[x^2]^2 from the squares x^2."""
    return np.mean(squares**2) / np.mean(squares) ** 2
