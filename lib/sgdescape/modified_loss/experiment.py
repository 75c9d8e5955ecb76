"""The experiment of chapter `modified_loss`: all measurements, predictions beside them."""

import time
from dataclasses import asdict

import numpy as np
import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.modified_loss.config import QUICK, Config
from sgdescape.modified_loss.measure import data, single_direction, single_modes
from sgdescape.modified_loss.predictions import predict


def finite(measured: xr.Dataset) -> xr.Dataset:
    """Leave out replicas that are not finite in some run, and their states.

    Args:
        measured: with dimensions replica, arrow_run, and states (instants x replicas, flat).

    Raises:
        FloatingPointError: if fewer than two are left.
    """
    for dim, states in (("replica", ("state", "swirl_state")), ("arrow_run", ())):
        if dim not in measured.dims:
            continue
        good = np.ones(measured.sizes[dim], bool)
        for values in (v for v in measured.data_vars.values() if dim in v.dims):
            good &= np.isfinite(values).all([d for d in values.dims if d != dim]).values
        if good.sum() < 2:
            raise FloatingPointError(f"{good.sum()} of {good.size} replicas diverged in no run")
        measured = measured.isel({dim: np.flatnonzero(good)})
        for state in (s for s in states if s in measured.dims):
            rows = np.tile(good, measured.sizes[state] // good.size)
            measured = measured.isel({state: np.flatnonzero(rows)})
    return measured


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs on data, "cpu" or "cuda".

    Returns:
        What the functions of `measure` measure without replicas that diverged in any run, of
        which a warning tells, what `predict` adds, and provenance.

    Raises:
        FloatingPointError: if fewer than two replicas of a run do not diverge.
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
    measured = finite(xr.merge(parts, combine_attrs="drop"))
    measured.attrs |= parts[3].attrs
    measured["entropy_noise"] = ("axis", "other_axis"), single_modes.correlated(config)
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
