"""The experiment of chapter `modified_loss`: all measurements, predictions beside them."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.modified_loss.config import QUICK, Config
from sgdescape.modified_loss.measure import data, single_direction, single_modes
from sgdescape.modified_loss.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs on data, "cpu" or "cuda".

    Returns:
        What the functions of `measure` measure, what `predict` adds, and provenance.

    Raises:
        FloatingPointError: if a replica diverged.
    """
    start = time.perf_counter()
    parts = (
        data.regression(config, device=device),
        data.swirl(config, device=device),
        data.epochs(config, device=device),
        data.images(config, device=device),
        single_modes.modes(config),
        single_modes.toy(config),
        single_direction.directions(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    measured["entropy_noise"] = ("axis", "other_axis"), single_modes.correlated(config)
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
