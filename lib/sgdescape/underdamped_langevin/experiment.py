"""The experiment of chapter `underdamped_langevin`: all measurements, predictions beside them."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.underdamped_langevin.config import QUICK, Config
from sgdescape.underdamped_langevin.measure import images, regression, single_modes
from sgdescape.underdamped_langevin.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ensembles, "cpu" or "cuda".

    Returns:
        What the functions of `measure` measure, what `predict` adds, provenance.

    Raises:
        FloatingPointError: if all replicas of an ensemble diverged.
    """
    start = time.perf_counter()
    parts = (
        regression.ensemble(config, device=device),
        regression.growth(config, device=device),
        regression.kicks(config, device=device),
        regression.sweep(config, device=device),
        single_modes.scalar_modes(config),
        images.spirals(config, device=device),
        images.image_speed(config, device=device),
    )
    measured = xr.merge(parts, combine_attrs="no_conflicts")
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
