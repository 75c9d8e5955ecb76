"""Measurements of chapter `kramers_escape`: quadrature, Fokker-Planck operators, simulated paths.

`line` holds one dimension, `plane` the axis and the distance from it, `bowl` parabolic bowls,
`laws` what the proof assumes on the way, `paths` and `choice` the simulations. Everything is
computed from the loss and Eq. (12) or from SGD's steps; no formula of `theory` is used here.
"""

import dataclasses

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.kramers_escape.measure.bowl import circle_slope, far_bowl, isotropic_bowl
from sgdescape.kramers_escape.measure.choice import choices
from sgdescape.kramers_escape.measure.laws import exits, langevin, settled
from sgdescape.kramers_escape.measure.line import curvature_bias, on_axis
from sgdescape.kramers_escape.measure.paths import simulate
from sgdescape.kramers_escape.measure.plane import hot, in_plane

__all__ = [
    "choices",
    "circle_slope",
    "curvature_bias",
    "exits",
    "far_bowl",
    "hot",
    "in_plane",
    "isotropic_bowl",
    "langevin",
    "measure",
    "on_axis",
    "settled",
    "simulate",
]


def measure(config) -> xr.Dataset:
    """Make all measurements.

    Args:
        config: the chapter's `Config`.

    Returns:
        See the functions above for the variables; the configuration is an attribute.
    """
    parts = (
        *(on_axis, curvature_bias, langevin, settled),
        *(in_plane, exits, hot, far_bowl, isotropic_bowl),
        *(simulate, choices),
    )
    found = xr.merge([part(config) for part in parts], combine_attrs="drop")
    found.attrs = {"config": provenance.to_json(dataclasses.asdict(config))}
    return found
