"""The measurements of the chapter by name, so that some can be kept and others made anew."""

import xarray as xr

from sgdescape.core import validate
from sgdescape.network_limits.config import QUICK, Config

PARTS = ("strong", "swing", "memory", "interpolating", "decayed", "resnet")
"""Measurements whose results are kept."""

SHORT = ("stationary", "sweep", "ringing", "landscape")
"""Measurements that are made anew wherever the chapter is run; the others may be kept."""


def make(name: str, config: Config = QUICK, *, device: str = "cpu", start=None) -> xr.Dataset:
    """Make one measurement.

    Args:
        name: "stationary", "sweep", "ringing", "landscape", "strong", "swing", "memory",
            "interpolating", "decayed" or "resnet".
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.
        start: of `measure.setting.prepare`; made unless given.
    """
    # Torch and the networks: only where something runs.
    from sgdescape.network_limits.measure import (
        long_memory,
        resnet,
        setting,
        small_network,
        strong_noise,
    )

    validate.one_of("name", name, (*SHORT, *PARTS))
    if name == "resnet":
        return resnet.measure(config, device=str(validate.device(device)))
    if name == "decayed":
        return strong_noise.decayed(config)
    if name == "interpolating":
        return long_memory.interpolating(config)
    measure = {
        "stationary": small_network.stationary,
        "sweep": small_network.sweep,
        "ringing": small_network.ringing,
        "landscape": small_network.landscape,
        "strong": strong_noise.strong,
        "swing": small_network.swing,
        "memory": long_memory.memory,
    }[name]
    return measure(config, setting.prepare(config) if start is None else start)
