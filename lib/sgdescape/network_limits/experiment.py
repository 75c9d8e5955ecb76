"""The limiting dynamics of networks: a small one, completely known, then a ResNet-18.

Chapter `network_limits`. Theory (float64 NumPy, nothing fitted), measurements, claims and figures
live in the private package `sgdescape._network_limits`; what the book uses is offered here. The
measurements import no theory, so a claim compares two separate routes.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import xarray as xr

from sgdescape.core import validate
from sgdescape.core.runs import provenance
from sgdescape.network_limits.config import QUICK, Config
from sgdescape.network_limits.measure import resnet
from sgdescape.network_limits.measure import small_network as experiments


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.

    Returns:
        What the functions of `experiments` and `residual.measure` measure, with
        hyper-parameters and provenance.
    """
    start = time.perf_counter()
    setting = experiments.prepare(config)
    first = experiments.spectrum(config, setting)
    measured = (
        experiments.stationary,
        experiments.sweep,
        experiments.swing,
        experiments.strong,
        experiments.ringing,
        experiments.landscape,
    )
    with ThreadPoolExecutor(2) as pool:  # each has draws of its own: the order does not matter
        made = [
            pool.submit(resnet.measure, config, device=str(validate.device(device))),
            *(pool.submit(part, config, setting) for part in measured),
            pool.submit(experiments.decayed, config),
        ]
        parts = [first, *(part.result() for part in made)]
    attrs = first.attrs
    dataset = xr.merge(parts, combine_attrs="drop")
    dataset.attrs |= attrs
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
