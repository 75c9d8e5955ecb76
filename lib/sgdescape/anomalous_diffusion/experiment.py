"""The chapter's experiment: all measurements with the predictions beside them."""

import time
from dataclasses import asdict

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion.config import QUICK, Config
from sgdescape.anomalous_diffusion.measure import experiments, grid, memory
from sgdescape.anomalous_diffusion.predictions import predict
from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance


@door
def measurements(config: Config = QUICK) -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.

    Returns:
        What the functions of `experiments`, `grid` and `memory` measure, without replicas that
        diverged, with the configuration as an attribute.
    """
    parts = (
        experiments.stationary(config),
        experiments.drift(config),
        experiments.plain(config),
        experiments.windows(config),
        grid.sweep(config),
        grid.numbers(config),
        experiments.epochs(config),
        experiments.bowl(config),
        memory.buffers(config),
    )
    measured = _finite(xr.merge(parts, combine_attrs="drop"))
    measured.attrs["config"] = provenance.to_json(asdict(config))
    return measured


def _finite(dataset):
    """Leave out replicas that diverged anywhere; `batch_orders.positions` has warned of each."""
    for dim in [d for d in dataset.dims if str(d).endswith("replica")]:
        kept = np.ones(dataset.sizes[dim], bool)
        for values in (v for v in dataset.data_vars.values() if dim in v.dims):
            kept &= np.isfinite(values).all([d for d in values.dims if d != dim]).values
        dataset = dataset.isel({dim: np.flatnonzero(kept)})
    return dataset


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only "cpu": the ensembles are small.

    Returns:
        What `measurements` returns, what `predict` adds, and provenance.
    """
    validate.one_of("device", str(device), ("cpu", "auto"))
    start = time.perf_counter()
    dataset = predict(measurements(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start)
    return dataset
