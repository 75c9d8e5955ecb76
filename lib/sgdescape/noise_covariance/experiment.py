"""The experiment of chapter `noise_covariance`: all its measurements with predictions."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.noise_covariance.config import QUICK, Config
from sgdescape.noise_covariance.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: where the network is trained.

    Returns:
        A dataset with the measurements (see `measure.batches` and `measure.network`), what
        `predict` adds, and provenance in the attributes.

    Raises:
        FloatingPointError: if the training diverges; the message names the step.
    """
    from sgdescape.noise_covariance.measure import batches, network  # torch: only where it computes

    start = time.perf_counter()
    g, r = batches.first_component(config.line_images)
    parts = (
        batches.batch_covariance(config),
        batches.linear_models(config),
        batches.many_directions(config),
        xr.Dataset({"line_slope": ("line", g), "line_residual": ("line", r)}),
        network.alignment(*network.trained(config, device=device), config),
    )
    measured = xr.merge(parts).assign_coords(learning_rate=list(config.learning_rates))
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
