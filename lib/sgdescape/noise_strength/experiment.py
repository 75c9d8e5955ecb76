"""How strong the noise of SGD is along training, Figs 2 and 5 of Mori et al. (Sec. 5.2, App. D).

Chapter `noise_strength`. Theory first (float64 NumPy, one function an equation), then `run` and
`predict`; the training runs, the claims and the figures are in `sgdescape._noise_strength`.
"""

import time
from concurrent.futures import Executor

import xarray as xr

from sgdescape.core.runs import provenance, sweep
from sgdescape.noise_strength.config import QUICK, Config
from sgdescape.noise_strength.measure import (
    CASES,
    MOMENTS,
    measure,
)
from sgdescape.noise_strength.predictions import predict


def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Train every network of the chapter, measure its noise, and put the theory beside it.

    Args:
        config: the sizes.
        device: where to train.
        executor: `runner.processes()` to use all cores; None computes in this process.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        A dataset with dimensions case, replica, mark: the moments of `measurement.moments`, what
        `predict` adds, and provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = sweep.sweep(
        measure,
        {"case": list(CASES)},
        replicas=config.replicas,
        seed=config.seed,
        options={"config": config, "device": device},
        dims=dict.fromkeys((*MOMENTS, "epoch"), ("mark",)),
        chunk_size=1,
        executor=executor,
        store=store,
    )
    outputs = [10 if case.task == "one_hot" else 1 for case in CASES.values()]
    dataset = dataset.assign_coords(outputs=("case", outputs))
    dataset.attrs["layers"] = len(config.hidden) + 1
    dataset = predict(dataset)
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset
