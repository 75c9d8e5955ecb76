"""Chapter `template_trial` from its configuration to its dataset."""

import time

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.template_trial import measure, predictions
from sgdescape.template_trial.config import QUICK, Config


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only for the record: everything runs on the CPU.

    Returns:
        What `measure.measure` and `predictions.predict` give, and the provenance.
    """
    start = time.perf_counter()
    dataset = predictions.predict(measure.measure(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
