"""How a real network escapes, with every ingredient measured: Figs 3c and 6 of Mori et al.

Chapter `neural_network`. Theory first (float64 NumPy, one function an equation), then the
configuration, `run` and `predict`; checkpoints, measurements, claims and figures are in the private
package `sgdescape._neural_network`.
"""

import time
from concurrent.futures import Executor

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.neural_network.config import QUICK, Config
from sgdescape.neural_network.measure import cells
from sgdescape.neural_network.predictions import predict


def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Measure the minimum and the escapes, and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs that escape: "cpu" for numba, or a CUDA device.
        executor: of the runs; `runner.processes()` to use all cores by processes, None computes in
            this one, by numba's threads.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        Passages in steps by (exponent, batch_size, replica, threshold), those of the bowls in t by
        (law, exponent, batch_size, path, threshold), the minimum by direction, the other networks
        by case, and what `predict` adds; provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = predict(cells.measure(config, device=device, executor=executor, store=store))
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset
