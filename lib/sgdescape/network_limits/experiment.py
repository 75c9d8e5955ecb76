"""The chapter's experiment: the small network's runs and the ResNet-18's, with the predictions."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.network_limits.config import QUICK, Config
from sgdescape.network_limits.predictions import predict


@door
def measurements(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.

    Returns:
        What the functions of `measure.small_network` and `measure.resnet` measure, with the
        configuration as an attribute.
    """
    # Torch and the networks: only where something runs.
    from sgdescape.network_limits.measure import resnet, setting, small_network

    start = setting.prepare(config)
    first = setting.spectrum(config, start)
    measured = (
        small_network.stationary,
        small_network.sweep,
        small_network.swing,
        small_network.strong,
        small_network.ringing,
        small_network.landscape,
    )
    with ThreadPoolExecutor(2) as pool:  # each has draws of its own: the order does not matter
        made = [
            pool.submit(resnet.measure, config, device=str(validate.device(device))),
            *(pool.submit(part, config, start) for part in measured),
            pool.submit(small_network.decayed, config),
        ]
        parts = [first, *(part.result() for part in made)]
    dataset = xr.merge(parts, combine_attrs="drop")
    dataset.attrs |= first.attrs
    dataset.attrs["config"] = provenance.to_json(asdict(config))
    return dataset


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.

    Returns:
        What `measurements` returns, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(measurements(config, device=device))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
