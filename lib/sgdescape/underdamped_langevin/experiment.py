"""SGD with momentum as an underdamped Langevin equation: an oscillator in every curved direction.

Chapter `underdamped_langevin`. Theory, measurements, claims and figures live in the private package
`sgdescape._underdamped_langevin`; what the book uses is offered here. The measurements import no
theory, so a claim compares two separate routes.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.underdamped_langevin.config import QUICK, Config
from sgdescape.underdamped_langevin.measure import images, regression
from sgdescape.underdamped_langevin.predictions import predict
from sgdescape.underdamped_langevin.theory.modified_equation import path_errors


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ensembles, "cpu" or "cuda".

    Returns:
        What the functions of `experiments` and `images` measure, what `predict` adds, provenance.
    """
    start = time.perf_counter()
    parts = (
        regression.ensemble(config, device=device),
        regression.growth(config, device=device),
        regression.kicks(config, device=device),
        regression.sweep(config, device=device),
        regression.scalar_modes(config),
        images.spirals(config, device=device),
        images.image_speed(config, device=device),
    )
    measured = xr.merge(parts, combine_attrs="no_conflicts")
    names = ("learning_rate", "momentum", "batch_size", "burn_in", "image_batch", "kick_steps")
    measured.attrs |= {name: getattr(config, name) for name in names}
    errors = path_errors(config.order_rates, momentum=0.0, time=1.0)
    measured["order_error"] = ("order_rate", "order_model"), errors
    measured = measured.assign_coords(order_rate=list(config.order_rates))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
