"""Chances on the circle that no plain simulation sees: real SGD by splitting, and exact chains."""

import numpy as np
import xarray as xr
from scipy import special

from sgdescape.core.random import seeds
from sgdescape.core.rare_events.splitting import split_once
from sgdescape.large_deviations.measure.circle_chain import transition_matrix
from sgdescape.large_deviations.measure.circle_runs import mean_gradient

_PER_STEP = 4.0  # coarser bins in a standard deviation of a step at the minimum


def passage_chance(steps, **at) -> tuple[float, float]:
    r"""Return the chance of real SGD to be at \|theta\| >= pi within so many steps, and its error.

    Args:
        steps: K.
        at: noise_variance, learning_rate, batch_size of `circle_chain.transition_matrix`.

    Returns:
        Chance, extrapolated from two bin widths, and its relative difference from the finer one.

    Example:
        >>> at = {"noise_variance": 8.0, "learning_rate": 0.5, "batch_size": 1}
        >>> chance, error = passage_chance(1, **at)
        >>> print(round(chance, 4), error < 1e-3)
        0.0478 True
    """
    step = at["learning_rate"] * np.sqrt(at["noise_variance"] / at["batch_size"])
    bins = int(np.ceil(np.pi * _PER_STEP / step))
    coarse, fine = (_within(steps, *transition_matrix(n, **at)) for n in (bins, 2 * bins))
    best = fine + (fine - coarse) / 3  # the error falls as the square of the width
    return best, abs(best / fine - 1)


def normal_chance(steps, **at) -> float:
    """Return the same chance for steps that are normal with SGD's mean and variance.

    That is the discretised SDE with the exact covariance, on the finer bins of `passage_chance`.

    Args:
        steps: K.
        at: as there.
    """
    eta, variance = at["learning_rate"], at["noise_variance"]
    step = eta * np.sqrt(variance / at["batch_size"])
    bins = 2 * int(np.ceil(np.pi * _PER_STEP / step))
    start = np.pi / (bins - 0.5) * np.arange(bins)
    edges = np.pi / (bins - 0.5) * (np.arange(-bins, bins) + 0.5)
    slope, twice = np.sin(start), 2 - 2 * np.cos(start) + variance
    spread = eta * np.sqrt((twice + slope**2) / at["batch_size"])
    z = (edges - (start - eta * slope)[:, None]) / spread[:, None]
    below, above = special.ndtr(z), special.ndtr(-z)
    inside = np.where(z[:, 1:] < 0, np.diff(below, axis=1), -np.diff(above, axis=1))
    folded = inside[:, bins - 1 :].copy()
    folded[:, 1:] += inside[:, bins - 2 :: -1]
    return _within(steps, folded, below[:, 0] + above[:, -1])


def circle_splitting(config) -> xr.Dataset:
    """Return the rare chance of real SGD by splitting, with the exact one and the normal steps'.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``rare_estimates`` (repetition,), unbiased; ``rare_chance``, ``rare_error`` of the exact
        chain, ``rare_normal`` of normal steps.
    """
    at = {
        "noise_variance": config.rare_variance,
        "learning_rate": config.rare_rate,
        "batch_size": config.rare_batch,
    }
    eta, sigma = config.rare_rate, np.sqrt(config.rare_variance)

    def step(states, rng):
        samples = rng.standard_normal((3, config.rare_batch, len(states)))
        return states - eta * mean_gradient(states[:, 0], samples, sigma)[:, None]

    key = seeds.derive(config.seed, "large_deviations", "circle splitting")
    estimates = [
        split_once(
            step, np.zeros(1), lambda states: np.abs(states[:, 0]), target=np.pi,
            steps=config.rare_steps, replicas=config.rare_replicas, seed=key, index=index,
        )[0]
        for index in range(config.rare_repetitions)
    ]  # fmt: skip
    chance, error = passage_chance(config.rare_steps, **at)
    return xr.Dataset({
        "rare_estimates": ("repetition", np.array(estimates)),
        "rare_chance": chance,
        "rare_error": error,
        "rare_normal": normal_chance(config.rare_steps, **at),
    })  # fmt: skip


def _within(steps, inside, outside):
    """Sum of the chances to leave at each of the first steps, from bin 0: no subtraction."""
    now, left = np.zeros(len(outside)), 0.0
    now[0] = 1.0
    for _ in range(steps):
        left += now @ outside
        now = now @ inside
    return float(left)
