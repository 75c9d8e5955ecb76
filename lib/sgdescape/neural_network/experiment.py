"""The experiment of chapter `neural_network`: a minimum, runs that leave it, predictions."""

import time
from concurrent.futures import Executor

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance, threads
from sgdescape.neural_network.config import QUICK, Config
from sgdescape.neural_network.measure import cells
from sgdescape.neural_network.predictions import predict, simulate


@door
def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Measure the minimum and the escapes, and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs that escape: "cpu" for numba, or a CUDA device.
        executor: of the runs; `sweep.processes()` to use all cores by processes, None computes in
            this one, by numba's threads.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        Passages in steps by (exponent, batch_size, replica, threshold), those of the bowls in t by
        (law, exponent, batch_size, path, threshold), the minimum by direction, the other networks
        by case, and what `predict` adds; provenance in the attributes.

    Raises:
        NotStationaryError: if a checkpoint that is not kept with the package cannot be made.
        FloatingPointError: if all runs of a cell diverge.
    """
    start = time.perf_counter()
    with threads.one_torch_thread():  # the same bits in worker processes and from a store
        measured = cells.measure(config, device=device, executor=executor, store=store)
    dataset = predict(simulate(measured))
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset
