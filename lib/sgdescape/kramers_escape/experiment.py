"""The experiment of chapter `kramers_escape`: exact answers, paths, and the theory beside."""

import time

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.kramers_escape.config import QUICK, Config
from sgdescape.kramers_escape.measure import measure
from sgdescape.kramers_escape.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only for the record: everything runs on the CPU.

    Returns:
        The measurements of `measure`, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(measure(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
