"""The experiment of chapter `noise_strength`: every network trained, and the theory beside it."""

import json
import time
import warnings
from concurrent.futures import Executor
from dataclasses import asdict, replace

import numpy as np
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance, sweep
from sgdescape.noise_strength.config import QUICK, Config
from sgdescape.noise_strength.measure import CASES, MOMENTS, data_of, measure
from sgdescape.noise_strength.predictions import predict


@door
def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Train every network of the chapter, measure its noise, and put the theory beside it.

    A replica that diverges in any case is named in a warning and in the attribute "diverged", and
    left out of all.

    Args:
        config: the sizes.
        device: where to train.
        executor: `sweep.processes()` to use all cores; None computes in this process.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        A dataset with dimensions case, replica, mark: the moments of `measure.moments`, NaN beyond
        a case's number of replicas, what `predict` adds, and provenance in the attributes.

    Raises:
        FileNotFoundError: if a full data set is asked for that is not on this machine.
        FloatingPointError: if fewer than two replicas do not diverge.
    """
    start = time.perf_counter()
    data = origins(config)
    parts = [
        sweep.sweep(
            measure,
            {"case": [name for name, case in CASES.items() if case.network == network]},
            replicas=replicas,
            seed=config.seed,
            options={"config": _of_a_replica(config), "device": device, "data": data},
            dims=dict.fromkeys((*MOMENTS, "epoch"), ("mark",)) | {"diverged_at": ()},
            chunk_size=1,
            executor=executor,
            store=store,
        )
        for network, replicas in (("mlp", config.replicas), ("cnn", config.cnn_replicas))
    ]
    measured = joined(parts)
    dataset = without_diverged(measured, config)
    outputs = [10 if CASES[case].task == "one_hot" else 1 for case in dataset.case.values]
    dataset = dataset.assign_coords(outputs=("case", outputs))
    dataset.attrs["data"] = json.dumps(data)
    dataset.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(dataset)
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset


def joined(parts) -> xr.Dataset:
    """Return the cases of several sweeps in one dataset; where there are fewer replicas, NaN.

    "epoch" depends on the case alone.
    """
    epochs = xr.concat([part.epoch.isel(replica=0, drop=True) for part in parts], dim="case")
    rest = xr.concat(
        [part.drop_vars("epoch") for part in parts], dim="case", join="outer", fill_value=np.nan
    )
    return rest.assign(epoch=epochs)


def origins(config: Config) -> dict:
    """Return where the images of each data set of a configuration come from, by its name."""
    found = {}
    for network, n in (("cnn", config.cnn_images), ("mlp", config.images)):
        name = next(data_of(c, config) for c in CASES.values() if c.network == network)
        loaded = image_sets.load(name, n=n, subset=config.accept_subset, seed=0)
        found[name] = image_sets.origin(loaded)
    return found


def without_diverged(measured: xr.Dataset, config: Config) -> xr.Dataset:
    """Return the replicas that did not diverge in any case; the others are named in a warning.

    Args:
        measured: with "diverged_at" (case, replica), the step or -1.
        config: for the message.

    Raises:
        FloatingPointError: if fewer than two are left.
    """
    steps = measured.diverged_at.fillna(-1)  # beyond a case's number of replicas
    named = [
        f"{case}, replica {int(r)} at step {int(steps.sel(case=case, replica=r))}"
        for case in measured.case.values
        for r in measured.replica.values[steps.sel(case=case).values >= 0]
    ]
    kept = np.flatnonzero((steps < 0).all("case").values)
    found = "; ".join(named)
    if len(kept) < 2:
        raise FloatingPointError(
            f"learning_rate = {config.learning_rate:g} is too large: {len(kept)} of "
            f"{config.replicas} replicas did not diverge, 2 are needed; diverged: {found}"
        )
    if named:
        warnings.warn(f"diverged and left out: {found}", RuntimeWarning, stacklevel=3)
    rest = measured.isel(replica=kept).drop_vars("diverged_at")
    return rest.assign_attrs(diverged=found)


def _of_a_replica(config):
    """What one replica depends on: with more of them, those that are stored are found again."""
    return replace(config, replicas=2, cnn_replicas=2, seed=0)
