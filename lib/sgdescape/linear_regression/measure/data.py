"""Data sets of linear regression: those of the measurements, drawn anew."""

from functools import lru_cache

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds


def data_sets(config) -> xr.Dataset:
    """Draw data sets as those of Fig. 3b with one input, the first of them the one of `passages`.

    Args:
        config: see `linear_regression.Config`.

    Returns:
        ``set_input`` and ``set_target`` (data_set, sample).
    """
    sets = [
        gaussian_data(config.samples, 1, seeds.derive(config.seed, "linear_regression", "data", k))
        for k in range(config.data_sets)
    ]
    where = ("data_set", "sample")
    return xr.Dataset(
        {
            "set_input": (where, np.array([s.inputs[:, 0] for s in sets])),
            "set_target": (where, np.array([s.targets for s in sets])),
        }
    )


@lru_cache(maxsize=2)
def gaussian_data(samples, dimension, seed):
    """The data of a chunk, which the next one mostly shares."""
    from sgdescape.core.ensembles import regression

    return regression.gaussian_data(samples, dimension, seed=seed)
