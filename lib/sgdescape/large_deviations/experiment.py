"""The experiment of chapter `large_deviations`: exact chains, runs, and the theory beside them."""

import time
from dataclasses import asdict

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.large_deviations.config import QUICK, Config
from sgdescape.large_deviations.measure.camel_runs import camel_runs
from sgdescape.large_deviations.measure.circle_plane import plane_runs
from sgdescape.large_deviations.measure.circle_plane_chain import plane_chains
from sgdescape.large_deviations.measure.circle_runs import circle_chains, circle_runs
from sgdescape.large_deviations.measure.circle_splitting import circle_splitting
from sgdescape.large_deviations.measure.last_steps import last_steps
from sgdescape.large_deviations.measure.network import network_gradients, network_runs
from sgdescape.large_deviations.measure.regression_chains import (
    gaussian_chains,
    input_laws,
    kesten_tail,
)
from sgdescape.large_deviations.predictions import predict, predict_network


@door
def run(config: Config = QUICK) -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.

    Returns:
        What the functions of `measure` return, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    measurements = (
        gaussian_chains,
        input_laws,
        kesten_tail,
        circle_chains,
        circle_runs,
        circle_splitting,
        plane_chains,
        plane_runs,
        camel_runs,
        last_steps,
    )
    parts = [measurement(config) for measurement in measurements]
    measured = xr.merge(parts, combine_attrs="drop", compat="equals", join="exact")
    measured.attrs["config"] = provenance.to_json(asdict(config))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start)
    return dataset


@door
def run_network() -> xr.Dataset:
    """Measure a network's per-sample gradients and put the predictions beside its kept runs.

    Returns:
        What `measure.network` returns and what `predict_network` adds.

    Raises:
        FileNotFoundError: where there is no checkout with the kept result.
    """
    return predict_network(
        xr.merge([network_gradients(), network_runs()], combine_attrs="override")
    )
