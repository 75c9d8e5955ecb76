"""Measurements of chapter `linear_regression`: real SGD, no theory in here.

`stationary` follows runs, `passages` times them, `data` has the data sets; each is a
`core.runs.sweep` (see `work`), so that any engine can compute it in chunks that a store keeps. A
replica depends on (seed, index) alone: neither engine nor chunks change a bit.
"""

from dataclasses import asdict

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.linear_regression.measure.data import data_sets
from sgdescape.linear_regression.measure.passages import other_passages, passages, zero_loss
from sgdescape.linear_regression.measure.stationary import ensemble, protocol
from sgdescape.linear_regression.measure.work import HERE, Work

__all__ = [
    "HERE",
    "Work",
    "data_sets",
    "ensemble",
    "measure",
    "other_passages",
    "passages",
    "protocol",
    "zero_loss",
]


def measure(config, work: Work = HERE) -> xr.Dataset:
    """Make all measurements.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        See the functions below for the variables; the configuration is an attribute.
    """
    parts = (
        protocol(config, work),
        ensemble(config, work),
        passages(config, work),
        other_passages(config, work),
        data_sets(config),
        zero_loss(config),
    )
    found = xr.merge(parts, combine_attrs="drop")
    found.attrs = {"config": provenance.to_json(asdict(config))}
    return found
