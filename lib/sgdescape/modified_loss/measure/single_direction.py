"""Momentum SGD on regression in one direction: third and first powers one step apart."""

from dataclasses import replace

import numpy as np
import xarray as xr

from sgdescape.core.ensembles import phase_space
from sgdescape.core.ensembles.regression_data import FreshData
from sgdescape.core.random import seeds
from sgdescape.modified_loss.measure.data import tell

STEM = "modified_loss"


def directions(config) -> xr.Dataset:
    """Run SGD on fresh normal inputs of variance 1 and labels of unit noise, batch by batch size.

    Args:
        config: see `modified_loss.Config`.

    Returns:
        ``arrow`` (arrow_batch, arrow_run), the mean of x_k^3 x_(k+1) - x_k x_(k+1)^3 less that of
        (x_k^4 - x_(k+1)^4) / 2, which is a difference of two ends: what is left is
        (x_(k+1) - x_k)^3 (x_(k+1) + x_k) / 2; and ``arrow_square``, the mean of x_k^2.
    """
    arrows, squares, rate = [], [], config.arrow_rate
    for index, size in enumerate(config.arrow_batches):
        made = phase_space.states(
            FreshData(1),
            learning_rate=rate,
            momentum=config.arrow_momentum,
            batch_size=size,
            record_steps=np.arange(config.burn_in, config.burn_in + config.arrow_steps + 1),
            replicas=range(config.arrow_runs),
            seed=seeds.derive(config.seed, STEM, "arrow", index),
            device="cpu",
        )
        tell(made.diverged_at, f"batch size {size}", replace(config, learning_rate=rate))
        x = made.position[..., 0]
        step, middle = np.diff(x, axis=0), (x[1:] + x[:-1]) / 2
        arrows.append(np.mean(step**3 * middle, axis=0))
        squares.append(np.mean(x**2, axis=0))
    where = ("arrow_batch", "arrow_run")
    return xr.Dataset(
        {"arrow": (where, np.array(arrows)), "arrow_square": (where, np.array(squares))},
        coords={"arrow_batch": list(config.arrow_batches)},
    )
