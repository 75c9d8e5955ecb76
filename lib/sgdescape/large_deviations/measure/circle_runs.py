"""Real SGD on the circle model: samples drawn, gradients taken, passages counted."""

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.random import seeds
from sgdescape.large_deviations.measure.circle_chain import circle_passage


def simulate_passages(
    *, noise_variance, learning_rate, batch_size, runs, max_steps, seed
) -> np.ndarray:
    """Return the first step with |theta| >= pi of each run from theta = 0; -1 if not seen.

    Args:
        noise_variance: sigma^2.
        learning_rate: eta.
        batch_size: B.
        runs: their number.
        max_steps: after which a run is given up.
        seed: of the samples.

    Returns:
        Steps (runs,), int64.

    Example:
        >>> at = {"noise_variance": 8.0, "learning_rate": 0.5, "batch_size": 1}
        >>> steps = simulate_passages(**at, runs=4, max_steps=1000, seed=0)
        >>> bool(np.all(steps > 0))
        True
    """
    sigma = np.sqrt(validate.positive("noise_variance", noise_variance))
    eta = validate.positive("learning_rate", learning_rate)
    shape = (3, validate.count("batch_size", batch_size))
    rng = np.random.default_rng(validate.count("seed", seed, low=0))
    theta, alive = np.zeros(runs), np.arange(runs)
    passage = np.full(runs, -1, dtype=np.int64)
    for step in range(1, max_steps + 1):
        theta -= eta * mean_gradient(theta, rng.standard_normal((*shape, alive.size)), sigma)
        out = np.abs(theta) >= np.pi
        if out.any():
            passage[alive[out]] = step
            theta, alive = theta[~out], alive[~out]
            if not alive.size:
                break
    return passage


def mean_gradient(theta, samples, sigma) -> np.ndarray:
    """Return the mean of the batch's gradients (runs,), Eq. (circle-loss).

    Args:
        theta: (runs,).
        samples: x_1, x_2 and epsilon of each batch (3, batch_size, runs).
        sigma: of the labels.
    """
    (first, second, noise), cosine, sine = samples, np.cos(theta), np.sin(theta)
    residual = first * cosine + second * sine - first - sigma * noise
    return (residual * (second * cosine - first * sine)).mean(axis=0)


def circle_runs(config) -> xr.Dataset:
    """Return passages of real SGD.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``steps`` (run_batch, run), -1 if not seen.
    """
    steps = [
        simulate_passages(
            noise_variance=config.run_variance,
            learning_rate=config.run_rate * batch,
            batch_size=batch,
            runs=config.runs,
            max_steps=config.max_steps,
            seed=seeds.derive(config.seed, "large_deviations", "circle runs", batch),
        )
        for batch in config.run_batches
    ]
    return xr.Dataset(
        {"steps": (("run_batch", "run"), np.array(steps), {"units": "steps"})},
        coords={"run_batch": list(config.run_batches)},
    )


def circle_chains(config) -> xr.Dataset:
    """Return exact mean passage times on the circle, B = 1, and those of the runs.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``circle_time`` and ``circle_error`` (variance, circle_step), ``circle_rate`` of the same
        shape, ``run_time`` and ``run_error`` (run_batch).
    """
    rates = np.array(config.circle_rates)
    coarse = {"batch_size": 1, "per_step": 2.0}  # its error is part of every interval
    found = [
        [circle_passage(noise_variance=v, learning_rate=float(r), **coarse) for r in row]
        for v, row in zip(config.variances, rates, strict=True)
    ]
    same = [
        circle_passage(
            noise_variance=config.run_variance, learning_rate=config.run_rate * b, batch_size=b
        )
        for b in config.run_batches
    ]
    where, units = ("variance", "circle_step"), {"units": "t = eta k"}
    return xr.Dataset(
        {
            "circle_rate": (where, rates),
            "circle_time": (where, np.array([[f.time for f in row] for row in found]), units),
            "circle_error": (where, np.array([[f.error for f in row] for row in found])),
            "run_time": ("run_batch", [f.time for f in same], units),
            "run_error": ("run_batch", [f.error for f in same]),
        },
        coords={"variance": list(config.variances), "run_batch": list(config.run_batches)},
    )
