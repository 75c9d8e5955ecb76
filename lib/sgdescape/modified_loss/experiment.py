"""The modified loss of SGD with momentum, its phase-space currents, and what they are not.

Chapter `modified_loss`, after Kunin et al. Theory (float64 NumPy, no sampling), measurements,
claims and figures live in the private package `sgdescape._modified_loss`; the measurements import
no theory, so a claim compares two separate routes.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.modified_loss.config import QUICK, Config
from sgdescape.modified_loss.measure import data, single_modes
from sgdescape.modified_loss.predictions import _exact, predict


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs on data, "cpu" or "cuda".

    Returns:
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    parts = (
        data.regression(config, device=device),
        data.swirl(config, device=device),
        data.epochs(config, device=device),
        data.images(config, device=device),
        single_modes.modes(config),
        single_modes.toy(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in (
        "learning_rate",
        "momentum",
        "batch_size",
        "epoch_steps",
        "image_rate",
        "strong_batch",
        "weight_decay",
        "correlation",
    ):
        measured.attrs[name] = getattr(config, name)
    measured["entropy_noise"] = ("axis", "other_axis"), single_modes.correlated(config)
    measured["minibatch_variance"] = ("run", "mode"), _exact(config)
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
