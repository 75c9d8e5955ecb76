"""The noise of SGD: its covariance, exactly and as Mori et al. approximate it, Eqs. (1)-(11).

Chapter `noise_covariance`. Theory first (float64 NumPy, one function an equation), then the
configuration, `run` and the claims. The measurements and the figures live in the private package
`sgdescape._noise_covariance`; they import no theory, so a claim compares two separate routes.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.noise_covariance.config import QUICK, Config
from sgdescape.noise_covariance.measure import batches, network
from sgdescape.noise_covariance.predictions import predict


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: where the network is trained.

    Returns:
        A dataset with the measurements (see `experiments` and `network`), what `predict` adds,
        and provenance in the attributes.
    """
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
    measured.attrs |= {"tested": config.tested, "loss_ratio_d": config.loss_ratio_d}
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
