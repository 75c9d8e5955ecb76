"""The experiment of chapter `linear_regression`: SGD, timed, and every theory beside it."""

import time
from concurrent.futures import Executor

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.linear_regression import measure
from sgdescape.linear_regression.config import QUICK, Config
from sgdescape.linear_regression.predictions import predict


@door
def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ensembles, "cpu" or "cuda".
        executor: see `core.runs.engines`; None computes in this process, on threads. It changes no
        bit.
        store: folder in which finished chunks are kept and found again; None keeps nothing.

    Returns:
        What the functions of `measure` return, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(measure.measure(config, measure.Work(device, executor, store)))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
