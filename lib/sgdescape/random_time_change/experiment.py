"""The experiment of chapter `random_time_change`: all its simulations with predictions."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.random_time_change.config import QUICK, UNITS, Config
from sgdescape.random_time_change.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all simulations of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only recorded: everything here runs on the processor.

    Returns:
        A dataset with what `measure.paths`, `measure.ensembles` and `measure.operators` return,
        what `predict` adds, units, and provenance in the attributes.

    Raises:
        RuntimeError: if a run does not pass within ``longest``.
    """
    # torch: only where it computes
    from sgdescape.random_time_change.measure import ensembles, operators, paths

    start = time.perf_counter()
    parts = (
        paths.strong_errors(config),
        paths.law_at_time(config),
        ensembles.passages(config),
        ensembles.stationary_samples(config),
        ensembles.infinite_mean(config),
        ensembles.growth(config),
        ensembles.sgd_growth(config),
        ensembles.frozen(config),
        operators.stationary_laws(config),
        operators.laws_at_time(config),
        operators.regularised(config),
    )
    measured = xr.merge(parts)
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    for name, units in UNITS.items():
        dataset[name].attrs["units"] = units
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
