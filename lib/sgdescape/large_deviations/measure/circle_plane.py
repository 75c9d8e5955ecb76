"""Real SGD on the circle with further quadratic directions: samples drawn, passages counted."""

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import philox, seeds
from sgdescape.large_deviations.measure import _circle_numba

BATCH = 4
"""B of runs and chains: the smallest even one whose steps have a bounded density."""


@door
def plane_passages(
    *,
    dimension,
    noise_variance,
    learning_rate,
    batch_size=1,
    runs,
    stop=np.pi,
    max_steps=2**31,
    seed,
):
    r"""Return the first step with \|theta\| >= stop of each run from the minimum.

    Args:
        dimension: n; 1 is the circle alone.
        noise_variance: sigma^2.
        learning_rate: eta.
        batch_size: B.
        runs: their number.
        stop: angle, pi for the saddle, more for a place in the next valley.
        max_steps: after which a run is given up.
        seed: of the samples.

    Returns:
        Steps (runs,), int64, -1 if not seen.

    Example:
        >>> at = {"dimension": 3, "noise_variance": 8.0, "learning_rate": 0.5}
        >>> bool(np.all(plane_passages(**at, runs=4, seed=0) > 0))
        True
    """
    out = np.empty(validate.count("runs", runs), np.int64)
    _circle_numba.passages(
        np.sqrt(validate.positive("noise_variance", noise_variance)),
        validate.positive("learning_rate", learning_rate),
        validate.count("batch_size", batch_size),
        validate.count("dimension", dimension) - 1,
        validate.positive("stop", stop),
        np.arange(runs, dtype=np.uint32),
        validate.count("max_steps", max_steps, high=2**32 - 1),
        *(np.uint32(k) for k in philox.key(seed)),
        out,
    )
    return out


def plane_runs(config) -> xr.Dataset:
    """Return passages of real SGD over the saddle in several dimensions, B = 4.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``plane_steps`` (plane_dimension, plane_run), -1 if not seen.
    """
    steps = [
        plane_passages(
            dimension=n,
            noise_variance=config.plane_variance,
            learning_rate=BATCH * config.plane_run_rate,
            batch_size=BATCH,
            runs=config.plane_runs,
            seed=seeds.derive(config.seed, "large_deviations", "plane runs", n),
        )
        for n in config.plane_dimensions
    ]
    return xr.Dataset(
        {"plane_steps": (("plane_dimension", "plane_run"), np.array(steps), {"units": "steps"})},
        coords={"plane_dimension": list(config.plane_dimensions)},
    )
