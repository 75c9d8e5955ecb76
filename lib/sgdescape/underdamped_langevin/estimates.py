"""Estimators of chapter `underdamped_langevin`: numbers with intervals from measurements alone."""

import numpy as np
from scipy import optimize

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    computed,
    mean_interval,
)


def overlap(paths, theory, *, level=LEVEL) -> Interval:
    """Return the mean over paths of sum x_k f_k / sum f_k^2: 1 if f is their mean.

    Args:
        paths: x (steps, replicas).
        theory: f (steps,).
        level: of the interval.
    """
    return mean_interval(theory @ paths / (theory @ theory), level=level)


def shared(rival, theory) -> float:
    """Return `overlap` of a path that is known, that of a rival, with the theory's."""
    return float(theory @ rival / (theory @ theory))


def settled(values) -> np.ndarray:
    """Return what is finite of a row of replicas: those that diverged are NaN."""
    return values[np.isfinite(values)]


def last_order(rates, errors) -> tuple[Interval, float, float]:
    """Return the order of the last column's errors as the step goes to 0, and the other orders.

    The local slopes s of neighbouring steps approach the order with an error of the first order
    in the step, so the last two, at steps that halve, extrapolate to 2 s_n - s_(n-1).

    Args:
        rates: steps (n,), each half of that before.
        errors: (n, 3).

    Returns:
        The extrapolated slope between bounds as far from it as the last slope is, and the last
        slopes of the first two columns.
    """
    slopes = np.diff(np.log(errors), axis=0) / np.diff(np.log(rates))[:, None]
    before, last = slopes[-2:, 2]
    value, reach = 2 * last - before, abs(last - before)
    found = computed(value, value - reach, value + reach, "step halved, extrapolated")
    return found, float(slopes[-1, 0]), float(slopes[-1, 1])


@reads_dataset
def noise_slope(ds, *, level=LEVEL) -> Interval:
    """Slope of log Sigma_ii against log rho_i, by resampling the samples."""
    both = np.stack([ds.gradients.values**2, ds.inputs.values**2], axis=1)

    def slope(rows):
        noise, rho = rows.mean(axis=0)
        return np.polyfit(np.log(rho), np.log(noise), 1)[0]

    return bootstrap_interval(both, slope, level=level, resamples=200)


@reads_dataset
def image_contrast(ds, *, level=LEVEL) -> Interval:
    """Ratio of Sigma_ii / rho_i between two of the ten leading modes of the images.

    Those two where it is largest and smallest on every second image; their ratio is measured on
    the others, so that the choice does not make it larger than it is.
    """
    squares = ds.image_top.values
    both = np.stack([squares * ds.image_errors.values[:, None], squares], axis=1)
    chosen = np.divide(*both[::2].mean(axis=0))
    top, low = int(np.argmax(chosen)), int(np.argmin(chosen))

    def contrast(rows):
        noise, rho = rows.mean(axis=0)
        return noise[top] / rho[top] / (noise[low] / rho[low])

    return bootstrap_interval(both[1::2], contrast, level=level, resamples=200)


@reads_dataset
def ageing(ds, *, level=LEVEL) -> Interval:
    """Change of |delta_k|^2 over the records, in units of its mean, by a line for each chain."""
    speed = ds.square_step.values
    k = np.arange(len(speed)) - (len(speed) - 1) / 2
    return mean_interval((k @ speed) / (k @ k) * len(k) / speed.mean(), level=level)


@reads_dataset
def scatter(ds, *, level=LEVEL) -> Interval:
    """Relative standard deviation of the |delta_k|^2 of one step, over records and chains.

    The resampled units are chains, as the steps of one are correlated.
    """
    moments = np.stack([np.mean(ds.square_step.values**n, axis=0) for n in (1, 2)], axis=1)

    def spread(rows):
        first, second = rows.mean(axis=0)
        return np.sqrt(second / first**2 - 1)

    return bootstrap_interval(moments, spread, level=level, resamples=300)


@reads_dataset
def midpoint_excess(ds, *, mode=0) -> float:
    """What position times velocity half a step back adds up to beyond half the growth of theta^2.

    (theta_k - delta_k / 2) delta_k = (theta_k^2 - theta_(k-1)^2) / 2, averaged over consecutive
    steps and chains, in units of E delta^2: 0 up to rounding for any sequence of numbers.
    """
    eta = provenance.settings(ds).learning_rate
    at = ds.isel(mode=mode)
    middle = at.full_product.values - eta * at.square_velocity.values / 2
    excess = eta * middle - at.growth_of_square.values / 2
    return float(excess.mean() / (eta**2 * at.square_velocity.values.mean()))


@reads_dataset
def full_step_share(ds, *, mode=0) -> float:
    """E[theta_k v_k] in units of eta E v^2, less what the growth of theta^2 adds to it."""
    return midpoint_excess(ds, mode=mode) + 0.5


@reads_dataset
def all_outputs(ds, momentum):
    """Return paths (steps x outputs, chains) and the predicted mean (steps x outputs,)."""
    at = ds.sel(spiral_momentum=momentum)
    paths = at.spiral_position.transpose("spiral_step", "output", "chain").values
    exact = at.spiral_exact.sel(coordinate="position").transpose("spiral_step", "output").values
    return paths.reshape(exact.size, -1), exact.ravel()


@reads_dataset
def ring_down(ds, momentum, *, level=LEVEL) -> Interval:
    """Decay time along q_1 of the images (steps): one damped cosine fitted to all ten outputs."""
    paths = ds.sel(spiral_momentum=momentum).spiral_position.transpose("chain", ...).values
    k = ds.spiral_step.values

    def misfit(parameters, mean):
        rate, frequency = parameters
        turn = frequency * k
        waves = np.exp(-rate * k) * np.array([np.cos(turn), np.sin(turn)])
        share = np.linalg.solve(waves @ waves.T, waves @ mean)
        return (mean - waves.T @ share).ravel()

    def fit(mean, first):
        return optimize.least_squares(misfit, first, args=(mean,), x_scale="jac").x

    mean = paths.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(mean - mean.mean(axis=0), 16 * k.size, axis=0)).sum(axis=1)
    frequency = 2 * np.pi * np.argmax(spectrum) / (16 * k.size)
    guess = fit(mean, np.array([1 / k.size, frequency]))
    return bootstrap_interval(
        paths, lambda rows: 1 / fit(rows.mean(axis=0), guess)[0], level=level, resamples=100
    )
