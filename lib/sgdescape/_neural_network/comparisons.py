"""What claims and prose compare: runs with bowls, slopes, and the other networks."""

import numpy as np

from sgdescape._neural_network import estimates
from sgdescape.core.statistics import Interval


def chosen(ds, exponent):
    """Thresholds to compare at an exponent: where Eq. (12)'s bowl arrives in good time."""
    watch = ds.attrs["watch"] / float(ds.curvature[0])
    return estimates.window(ds.bowl.sel(law="decoupled", exponent=exponent).values, watch=watch)


def cut(sample, chosen):
    return sample[0][:, chosen], sample[1][:, chosen]


def valley_of(ds, law, exponent, batch_size):
    one = ds.discrete.sel(exponent=exponent, batch_size=batch_size)
    if law != "discrete":
        one = ds.bowl.sel(law=law, exponent=exponent)
    return estimates.bowl_times_of(ds, one)


def against(ds, law):
    """Mean log2 of the runs' times over a bowl's, all cells of ``ds``."""
    pairs = []
    for exponent in ds.exponent.values:
        w = chosen(ds, exponent)
        for batch_size in ds.batch_size.values:
            runs = cut(estimates.times_of(ds, exponent=exponent, batch_size=batch_size), w)
            valley = cut(valley_of(ds, law, exponent, batch_size), w)
            if law == "constant":  # thresholds that it reaches at all
                there = valley[1].sum(0) >= estimates.LEAST
                runs, valley = cut(runs, there), cut(valley, there)
            pairs.append((runs, valley))
    return estimates.log_ratio(pairs)


def between(ds, law, other):
    """Mean log2 of one bowl's times over another's; a lower bound where the first is censored."""
    values = []
    for exponent in ds.exponent.values:
        w = chosen(ds, exponent)
        for batch_size in ds.batch_size.values:
            logs = []
            for name in (law, other):
                times, seen = cut(valley_of(ds, name, exponent, batch_size), w)
                logs.append(np.log2(times.sum(0) / np.maximum(seen.sum(0), 1)))
            values.append(np.mean(logs[0] - logs[1]))
    return float(np.mean(values))


def slope_of(ds, exponent, batch=0):
    """Slope of the runs in the window, at the smallest batch size unless another is chosen."""
    w = chosen(ds, exponent)
    b = ds.batch_size.values[batch]
    times, seen = cut(estimates.times_of(ds, exponent=exponent, batch_size=b), w)
    return estimates.slope(times, seen, ds.threshold.values[w])


def implied(ds) -> Interval:
    """n = 2 (B / (eta h*) + 1 - slope), mean over the exponents and the two smallest batches."""
    cells = [(a, b) for a in ds.exponent.values for b in (0, 1)]
    slopes = [slope_of(ds, *cell) for cell in cells]
    values = [2 * (a + 1 - s.value) for (a, _), s in zip(cells, slopes, strict=True)]
    halves = np.array([s.high - s.low for s in slopes])  # twice the half-width of each n / 2
    half = np.sqrt(np.sum(halves**2)) / len(slopes)
    value = float(np.mean(values))
    return Interval(value, value - half, value + half, slopes[0].level, "delta method")


def implied_by_bowl(ds, exponents=None) -> float:
    """The same of the bowl of Eq. (12)."""
    values = []
    for exponent in ds.exponent.values if exponents is None else exponents:
        w = chosen(ds, exponent)
        valley = ds.bowl.sel(law="decoupled", exponent=exponent)
        times, seen = cut(estimates.bowl_times_of(ds, valley), w)
        found = estimates.slope(times, seen, ds.threshold.values[w])
        values.append(2 * (exponent + 1 - found.value))
    return float(np.mean(values))


def control_times(ds, case):
    """Times of runs, continuous bowl and discrete bowl of another network, in its window."""
    one = ds.sel(case=case)
    watch = ds.attrs["watch"] / float(one.control_curvature)
    w = estimates.window(one.control_bowl.values, watch=watch)
    passage, last = one.control_passage.values, one.control_last_step.values[:, None]
    runs = np.where(passage > 0, passage, last) * float(one.control_learning_rate), passage > 0
    valleys = [
        (np.where(np.isfinite(v), v, watch), np.isfinite(v))
        for v in (one.control_bowl.values, one.control_refined.values)
    ]
    return tuple(cut(sample, w) for sample in (runs, *valleys))


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
    return np.mean(squares**2) / np.mean(squares) ** 2
