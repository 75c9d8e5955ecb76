"""The chapter's experiment: the small network's runs and the ResNet-18's, with the predictions."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.network_limits import kept_result
from sgdescape.network_limits.config import QUICK, Config
from sgdescape.network_limits.measure import parts
from sgdescape.network_limits.predictions import predict


@door
def measurements(
    config: Config = QUICK, *, device: str = "cpu", kept: xr.Dataset | None = None
) -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.
        kept: of `kept_result.load`, whose measurements are then not made again; without it the
            narrow ResNet-18 is not followed over tens of epochs.

    Returns:
        What the functions of `measure` measure, with the configuration as an attribute.

    Raises:
        ValueError: if the kept measurements were made with other settings.
    """
    from sgdescape.network_limits.measure import setting

    start = setting.prepare(config)
    first = setting.spectrum(config, start)
    names = parts.SHORT if kept is not None else (*parts.SHORT, *parts.PARTS)
    made = [first, *(parts.make(name, config, device=device, start=start) for name in names)]
    if kept is not None:
        made.append(kept_result.of(config, kept))
    dataset = xr.merge(made, combine_attrs="drop")
    dataset.attrs |= first.attrs
    dataset.attrs["config"] = provenance.to_json(asdict(config))
    return dataset


@door
def run(
    config: Config = QUICK, *, device: str = "cpu", kept: xr.Dataset | None = None
) -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.
        kept: as in `measurements`.

    Returns:
        What `measurements` returns, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(measurements(config, device=device, kept=kept))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset
