"""The chapter's experiment: all measurements with the predictions beside them."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.anomalous_diffusion.config import QUICK, Config
from sgdescape.anomalous_diffusion.measure import experiments
from sgdescape.anomalous_diffusion.predictions import predict
from sgdescape.core import validate
from sgdescape.core.runs import provenance


def measurements(config: Config = QUICK) -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.

    Returns:
        What the functions of `experiments` measure, with the configuration as an attribute.
    """
    parts = (
        experiments.stationary(config),
        experiments.drift(config),
        experiments.sweep(config),
        experiments.epochs(config),
        experiments.bowl(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    measured.attrs["config"] = provenance.to_json(asdict(config))
    return measured


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
