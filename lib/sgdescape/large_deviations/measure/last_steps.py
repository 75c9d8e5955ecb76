"""How real SGD passes: the last steps before a threshold, linear regression with one input."""

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.random import seeds


def passing_paths(*, loss_ratio, learning_rate, runs, kept, max_steps, seed) -> np.ndarray:
    """Return the last positions of runs that end beyond a threshold, which is on the right.

    One standard normal input, label noise 1, B = 1, from the minimum. Paths that end on the left
    are mirrored.

    Args:
        loss_ratio: c of the threshold.
        learning_rate: eta.
        runs: their number.
        kept: positions of each, the last one beyond the threshold.
        max_steps: after which a run is given up.
        seed: of the samples.

    Returns:
        theta (paths, kept), NaN before the start; runs that did not pass are left out.

    Example:
        >>> paths = passing_paths(
        ...     loss_ratio=1.5, learning_rate=0.2, runs=5, kept=3, max_steps=10_000, seed=0
        ... )
        >>> bool(np.all(paths[:, -1] ** 2 >= 0.5) and np.all(paths[:, 0] ** 2 < 0.5))
        True
    """
    edge = np.sqrt(validate.positive("loss_ratio - 1", loss_ratio - 1))
    eta = validate.positive("learning_rate", learning_rate)
    rng = np.random.default_rng(validate.count("seed", seed, low=0))
    theta = np.zeros(validate.count("runs", runs))
    past, found = np.full((theta.size, validate.count("kept", kept, low=2)), np.nan), []
    past[:, -1] = 0.0
    for step in range(max_steps):
        x, y = rng.standard_normal((2, theta.size))
        theta = theta - eta * x * (x * theta - y)
        past[:, step % kept] = theta  # a ring: what is shifted is the place where it begins
        out = np.abs(theta) >= edge
        if out.any():
            last = np.roll(past[out], -1 - step % kept, axis=1)
            found.append(last * np.sign(theta[out])[:, None])
            theta, past = theta[~out], past[~out]
            if not theta.size:
                break
    return np.concatenate(found) if found else np.empty((0, kept))


def last_steps(config) -> xr.Dataset:
    """Return the last positions before two thresholds, one up the climb and one beyond c = 2.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``last_positions`` (path_ratio, path, last_step), NaN where fewer paths passed.
    """
    rows = [
        passing_paths(
            loss_ratio=c,
            learning_rate=rate,
            runs=config.paths,
            kept=config.kept_steps,
            max_steps=config.max_steps,
            seed=seeds.derive(config.seed, "large_deviations", "paths", index),
        )
        for index, (c, rate) in enumerate(zip(config.path_ratios, config.path_rates, strict=True))
    ]
    table = np.full((len(rows), config.paths, config.kept_steps), np.nan)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    steps = np.arange(1 - config.kept_steps, 1)
    return xr.Dataset(
        {
            "last_positions": (("path_ratio", "path", "last_step"), table),
            "path_rate": ("path_ratio", list(config.path_rates)),
        },
        coords={"path_ratio": list(config.path_ratios), "last_step": steps},
    )
