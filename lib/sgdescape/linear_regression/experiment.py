"""Linear regression, the one experiment where every theory of escape has exact numbers: Fig. 3a, b.

Chapter `linear_regression`. Theory (float64 NumPy, no sampling), measurements, claims and figures
live in the private package `sgdescape._linear_regression`; what the book uses is offered here.
The measurements import no theory, so a claim compares two separate routes.
"""

import time
from concurrent.futures import Executor

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.linear_regression import measure
from sgdescape.linear_regression.config import QUICK, Config
from sgdescape.linear_regression.predictions import predict


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
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    work = measure.Work(device, executor, store)
    parts = (
        measure.protocol(config, work),
        measure.ensemble(config, work),
        measure.passages(config, work),
        measure.other_passages(config, work),
        measure.data_sets(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in ("batch_size", "slow_rate", "tail_rate", "tail_batch", "spread_ratio", "bins"):
        measured.attrs[name] = getattr(config, name)
    measured.attrs |= {
        "rate": config.learning_rate,
        "barrier_rates": list(config.barrier_rates),
        "barrier_ratio": config.barrier_ratio,
        "far_ratios": list(config.far_ratios),
    }
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
