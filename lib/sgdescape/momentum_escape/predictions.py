"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.momentum_escape.theory.barrier import (
    barrier,
    diffusion_barrier,
    gibbs_barrier,
    weak_friction,
)
from sgdescape.momentum_escape.theory.energy import energy_tail, gibbs_tail, turnover
from sgdescape.momentum_escape.theory.minimum_action import minimum_action
from sgdescape.momentum_escape.theory.tail import tail_slope

CHECKED = (3.0, 0.3)
"""Loss ratio and damping at which two routes to the barrier are compared."""


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what theory says about each.

    Args:
        dataset: what `measure` returns.

    Returns:
        A new dataset with ``barrier`` and ``gibbs`` (cell), ``turnover`` (cell, temperature),
        ``law_barrier`` (inputs), ``energy_tail`` and ``gibbs_tail`` (energy), and numbers as
        attributes.
    """
    ds = dataset.copy()
    cells = zip(ds.loss_ratio.values, ds.damping.values, strict=True)
    ds["barrier"] = "cell", [barrier(float(c), damping=float(z)) for c, z in cells]
    ds["turnover"] = (
        ("cell", "temperature"),
        [
            turnover(c, _slope(c, z), damping=z, temperature=1 / inverse)
            for c, z, inverse in zip(
                ds.loss_ratio.values, ds.damping.values, ds.inverse_temperature.values, strict=True
            )
        ],
    )
    ds["gibbs"] = "cell", gibbs_barrier(ds.loss_ratio.values)
    config = provenance.settings(ds)
    c, zeta = config.law_ratio, config.law_damping
    ds["law_barrier"] = (
        "inputs",
        [
            diffusion_barrier(c, damping=zeta) if law == "decoupled"
            else barrier(c, damping=zeta, inputs=law)
            for law in ds.inputs.values.tolist()
        ],
    )  # fmt: skip
    t = config.tail_temperature
    ds["energy_tail"] = "energy", energy_tail(ds.energy.values, temperature=t)
    ds["gibbs_tail"] = "energy", gibbs_tail(ds.energy.values, temperature=t)
    c, zeta = CHECKED
    fine, coarse = (minimum_action(c, damping=zeta, points=n)[0] for n in (1600, 800))
    ds.attrs |= {
        "weak_computed": barrier(3.0, damping=0.01),
        "weak_formula": float(weak_friction(3.0, 3.0)),
        "strong_computed": barrier(3.0, damping=8.0),
        "strong_formula": barrier(3.0, damping=np.inf),
        "checked_extremals": barrier(c, damping=zeta),
        "checked_paths": fine,
        "checked_error": abs(fine - coarse),
        "checked_weak": float(weak_friction(c, 3.0)),
        "tail_slope": float(tail_slope(config.index_damping)),
        "tail_slope_weak": float(tail_slope(0.0)),
        "tail_slope_strong": float(tail_slope(np.inf)),
    }
    return ds


def _slope(c, zeta, step=0.01):
    """dw/dc, by a central difference."""
    low, high = barrier(np.array([c - step, c + step]), damping=float(zeta))
    return (high - low) / (2 * step)
