"""Runs the experiments of chapter `heavy_tails`."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.heavy_tails import estimates
from sgdescape.heavy_tails.config import QUICK, UNITS, Config
from sgdescape.heavy_tails.measure import chain, states
from sgdescape.heavy_tails.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all experiments of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only recorded: everything here runs on the processor.

    Returns:
        A dataset with what `measure` and `estimates.estimators` return, what `predict` adds, and
        provenance in the attributes.
    """
    start = time.perf_counter()
    parts = (
        states.tails(config),
        states.finite_data(config),
        chain.chains(config),
        estimates.estimators(config),
    )
    stored = provenance.to_json(asdict(config))
    dataset = predict(xr.merge(parts).assign_attrs(config=stored))
    for name, units in UNITS.items():
        dataset[name].attrs["units"] = units
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
