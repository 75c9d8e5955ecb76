"""How far SGD goes: local and global displacement, and the exponents of "anomalous" diffusion.

Chapter `anomalous_diffusion`. Theory (float64 NumPy), simulation, claims and figures live in the
private package `sgdescape._anomalous_diffusion`; what the book uses is offered here. Predictions
are put beside the measurements by `predict`, through the names of this module.
"""

import time

import xarray as xr

from sgdescape.anomalous_diffusion.config import QUICK, Config
from sgdescape.anomalous_diffusion.measure import experiments
from sgdescape.anomalous_diffusion.predictions import predict
from sgdescape.core import validate
from sgdescape.core.runs import provenance


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only "cpu": the ensembles are small.

    Returns:
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    validate.one_of("device", str(device), ("cpu", "auto"))
    start = time.perf_counter()
    parts = (
        experiments.stationary(config),
        experiments.drift(config),
        experiments.sweep(config),
        experiments.epochs(config),
        experiments.bowl(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in ("learning_rate", "momentum", "order_size", "bowl_rate", "bowl_size"):
        measured.attrs[name] = getattr(config, name)
    measured.attrs |= {
        "grid_samples": config.grid_samples,
        "samples": config.samples,
        "largest_batch": max(config.batch_sizes),
        "steps_per_epoch": config.order_samples // config.order_size,
        "spectrum_exponent": config.spectrum_exponent,
        "window": list(config.window),
    }
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start)
    return dataset
