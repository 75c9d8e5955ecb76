"""Estimators of chapter `underdamped_langevin`: numbers with intervals from measurements alone."""

import numpy as np
from scipy import optimize

from sgdescape.core.stats.intervals import (
    LEVEL,
    Interval,
    bootstrap_interval,
    mean_interval,
    ratio_interval,
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


def noise_slope(ds, *, level=LEVEL) -> Interval:
    """Slope of log Sigma_ii against log rho_i, by resampling the samples."""
    both = np.stack([ds.gradients.values**2, ds.inputs.values**2], axis=1)

    def slope(rows):
        noise, rho = rows.mean(axis=0)
        return np.polyfit(np.log(rho), np.log(noise), 1)[0]

    return bootstrap_interval(both, slope, level=level, resamples=200)


def image_contrast(ds, *, level=LEVEL) -> Interval:
    """Largest over smallest Sigma_ii / rho_i of the ten leading modes of the images."""
    squares = ds.image_top.values
    both = np.stack([squares * ds.image_errors.values[:, None], squares], axis=1)
    ratio = np.divide(*both.mean(axis=0))
    top, low = int(np.argmax(ratio)), int(np.argmin(ratio))

    def contrast(rows):
        noise, rho = rows.mean(axis=0)
        return noise[top] / rho[top] / (noise[low] / rho[low])

    return bootstrap_interval(both, contrast, level=level, resamples=200)


def ageing(ds, *, level=LEVEL) -> Interval:
    """Change of |delta_k|^2 over the records, in units of its mean, by a line for each chain."""
    speed = ds.square_step.values
    k = np.arange(len(speed)) - (len(speed) - 1) / 2
    return mean_interval((k @ speed) / (k @ k) * len(k) / speed.mean(), level=level)


def scatter(ds, *, level=LEVEL) -> Interval:
    """Relative standard deviation of the |delta_k|^2 of one step among chains."""
    last = np.sum(ds.final_step.values**2, axis=1)
    return bootstrap_interval(last, lambda a: np.std(a) / np.mean(a), level=level)


def correlation(ds, name, *, mode=0, level=LEVEL) -> Interval:
    """A product of position and velocity in units of eta E v^2 of the same records."""
    product = ds[name].isel(mode=mode).values
    square = ds.attrs["learning_rate"] * ds.thin_square.isel(mode=mode).values
    return ratio_interval(product, square, level=level)


def all_outputs(ds, momentum):
    """Return paths (steps x outputs, chains) and the predicted mean (steps x outputs,)."""
    at = ds.sel(spiral_momentum=momentum)
    paths = at.spiral_position.transpose("spiral_step", "output", "chain").values
    exact = at.spiral_exact.sel(coordinate="position").transpose("spiral_step", "output").values
    return paths.reshape(exact.size, -1), exact.ravel()


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
