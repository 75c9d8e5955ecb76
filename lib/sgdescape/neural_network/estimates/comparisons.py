"""What claims and prose compare: runs with bowls, slopes, and the other networks."""

from itertools import pairwise

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    shifted,
    weighted_sum,
)
from sgdescape.neural_network.estimates import passages


@reads_dataset
def middle(ds) -> float:
    """Return the middle one of the exponents."""
    return float(ds.exponent[ds.sizes["exponent"] // 2])


@reads_dataset
def smallest_batch(ds) -> int:
    """Return the smallest batch size."""
    return int(ds.batch_size[0])


@reads_dataset
def chosen(ds, exponent):
    """Return which thresholds are compared at an exponent: where the bowl arrives in good time."""
    watch = provenance.settings(ds).watch / float(ds.curvature[0])
    smallest = smallest_batch(ds)
    return passages.window(
        ds.bowl.sel(law="decoupled", exponent=exponent, batch_size=smallest).values, watch=watch
    )


def cut(sample, chosen):
    """Return the chosen thresholds of times and of which were observed."""
    return sample[0][:, chosen], sample[1][:, chosen]


@reads_dataset
def valley_of(ds, law, exponent, batch_size):
    """Return times and which were observed of one bowl; law "continuous" is the SDE, Eq. (12)."""
    if law == "continuous":
        return passages.bowl_times_of(ds, ds.continuous.sel(exponent=exponent))
    one = ds.bowl.sel(law=law, exponent=exponent, batch_size=batch_size)
    return passages.bowl_times_of(ds, one)


@reads_dataset
def cells(ds, *, exponents=slice(None), batches=slice(None)) -> list:
    """Return the (exponent, batch size) pairs at these positions."""
    chosen_ones = ds.exponent.values[exponents], ds.batch_size.values[batches]
    return [(a, b) for a in chosen_ones[0] for b in chosen_ones[1]]


@reads_dataset
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


@reads_dataset
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


@reads_dataset
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


@reads_dataset
def slope_of(ds, exponent, batch_size) -> Interval:
    """Return the slope of the runs' times in the window."""
    w = chosen(ds, exponent)
    times, seen = cut(passages.times_of(ds, exponent=exponent, batch_size=batch_size), w)
    return passages.slope(times, seen, ds.threshold.values[w])


@reads_dataset
def bowl_slope(ds, exponent, batch_size) -> Interval:
    """Return the slope of the times of the bowl with the noise of Eq. (12) in the window."""
    w = chosen(ds, exponent)
    times, seen = cut(valley_of(ds, "decoupled", exponent, batch_size), w)
    return passages.slope(times, seen, ds.threshold.values[w])


@reads_dataset
def implied(ds, slope=slope_of) -> Interval:
    """Return n = 2 (B / (eta h*) + 1 - slope), mean over exponents and the two smallest batches."""
    where = cells(ds, batches=slice(2))
    slopes = [slope(ds, *cell) for cell in where]
    share = np.full(len(slopes), -2 / len(slopes))
    total = weighted_sum(slopes, share, method="delta method")
    return shifted(total, -2 * np.mean([a + 1 for a, _ in where]))


@reads_dataset
def implied_excess(ds) -> Interval:
    """Return the n that the runs imply minus the bowl's own, with the errors of both."""
    pair = [implied(ds), implied(ds, bowl_slope)]
    return weighted_sum(pair, [1, -1], method="delta method, runs and bowl")


@reads_dataset
def control_times(ds, case):
    """Times of another network's runs, and of its three bowls, in its window.

    The bowls are those of `predictions.simulate`: noise of Eq. (12), as measured, equal curvatures.
    """
    one = ds.sel(case=case)
    watch = provenance.settings(ds).watch / float(one.control_curvature)
    w = passages.window(one.control_bowl.values, watch=watch)
    passage, last = one.control_passage.values, one.control_last_step.values[:, None]
    runs = np.where(passage > 0, passage, last) * float(one.control_learning_rate), passage > 0
    valleys = [
        (np.where(np.isfinite(v), v, watch), np.isfinite(v))
        for v in (one[f"control_{name}"].values for name in ("bowl", "refined", "equal"))
    ]
    return tuple(cut(sample, w) for sample in (runs, *valleys))


@reads_dataset
def linearised_times(ds, case):
    """Times of runs, of the linearised network and of the bowl of Eq. (6), in a window.

    The window is where the linearised network, here the prediction, needs between 5 / h* and 3/10
    of the time watched on the average.
    """
    one = ds.sel(case=case)
    rate, last = float(one.control_learning_rate), one.control_last_step.values[:, None]
    watch = provenance.settings(ds).watch / float(one.control_curvature)
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


@reads_dataset
def lead_ratio(ds):
    """Mean loss if the leading direction alone fluctuated, over the prediction."""
    share = 1 / (2 * float(ds.exponent))
    return 1 / (1 - share) / float(ds.mean_loss)


@reads_dataset
def stationary_share(ds) -> float:
    """Return the leading directions' share of the loss if all have one variance: of the trace."""
    return float(ds.curvature.sum()) / ds.attrs["trace"]


@reads_dataset
def isotropic_share(ds) -> float:
    """Return the leading directions' share of a displacement that is alike in all of them."""
    return ds.sizes["direction"] / parameter_count(ds)


@reads_dataset
def parameter_count(ds) -> int:
    """Return the number P of the network's parameters."""
    sizes = (784, *provenance.settings(ds).hidden, 1)
    return sum((one + 1) * other for one, other in pairwise(sizes))


@reads_dataset
def flat_power(ds) -> float:
    """Return the power of curvature with which the noise of single parameters grows."""
    return _power(ds, ds.bin_noise.values)


@reads_dataset
def motion_power(ds, *, level: float = LEVEL) -> Interval:
    """Return the same of the squared displacement, its mean over runs, resampling the runs.

    A run that ends early has not seen all images, and left the parameters that only some of them
    move where they were: it has no power of its own.
    """
    runs = ds.motion.values
    return bootstrap_interval(
        runs, lambda rows: _power(ds, rows.mean(axis=0)), level=level, resamples=500
    )


def _power(ds, means):
    x = ds.bin_curvature.values
    full = np.isfinite(x)
    return float(np.polyfit(np.log(x[full]), np.log(means[full]), 1)[0])


@reads_dataset
def largest_gap(ds, *, lowest: float = 1e-5) -> float:
    """Return the largest ratio of neighbouring eigenvalues above this fraction of the largest."""
    values = ds.spectrum.values
    values = values[values > lowest * values[0]]
    return float(np.max(values[:-1] / values[1:]))


@reads_dataset
def even_spacing(ds, *, lowest: float = 1e-5) -> float:
    """Return the same if the logarithms of these eigenvalues were evenly spaced."""
    values = ds.spectrum.values
    count = int(np.sum(values > lowest * values[0]))
    return float(lowest ** (-1 / max(count - 1, 1)))


@reads_dataset
def small_share(ds, *, below: float = 1e-3) -> float:
    """Return the share of all P eigenvalues of (44) below this fraction of the largest."""
    values = ds.spectrum.values
    return 1 - float(np.sum(values >= below * values[0])) / parameter_count(ds)


@reads_dataset
def over_linearised(ds) -> Interval:
    """Return the mean over the other networks of log2 of the runs' times over the linearised."""
    found = [passages.paired_ratio(*linearised_times(ds, case)[:2]) for case in ds.case.values]
    return weighted_sum(found, np.full(len(found), 1 / len(found)), method="pairs, delta method")


@reads_dataset
def late_looks(ds) -> tuple[Interval, float]:
    """Return log2 of the times if the loss is seen rarely over those if it is seen in every step.

    At the middle exponent and second batch size, in the lower half of the window: the rarest look
    sees late what the runs do early.

    Returns:
        The mean with its interval; and what it were if a look came half an interval late.
    """
    one = ds.sel(exponent=middle(ds)).isel(batch_size=1)
    w = np.flatnonzero(chosen(ds, middle(ds)))
    w = w[: max(len(w) // 2, 1)]
    rate, last = float(one.learning_rate), one.last_step.values[:, None]
    seen = []
    for steps in (one.looks.values[-1], one.looks.values[0]):
        times = np.where(steps > 0, steps, last) * rate
        seen.append(cut((times, steps > 0), w))
    often = 2 ** passages.log2_times(seen[1])
    waited = rate * (float(one.look[-1]) - float(one.look[0])) / 2
    return passages.log_ratio([tuple(seen)]), float(np.mean(np.log2(1 + waited / often)))


def farthest(ratios, *, error: float) -> Interval:
    """Return the ratio that is farthest from 1 on a logarithmic scale, computed.

    Args:
        ratios: positive.
        error: relative bound of the numerical error.
    """
    ratios = np.asarray(ratios, dtype=float)
    worst = float(ratios[np.argmax(np.abs(np.log(ratios)))])
    words = f"single precision and Lanczos, relative {error:g}"
    return computed(worst, worst * (1 - error), worst * (1 + error), words)


def range_of(values, what):
    """Median with range; covers the median of further ones with probability 1 - 2^(1 - n)."""
    values = np.asarray(values, dtype=float)
    level = 1 - 2.0 ** (1 - values.size)
    return Interval(
        np.median(values), values.min(), values.max(), level, f"range of {values.size} {what}"
    )
