"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.decoupling.config import FRACTIONS
from sgdescape.decoupling.estimates import direction_ratio
from sgdescape.decoupling.theory import (
    direction_error,
    mean_log_ratio,
    scale_of,
    scale_shift,
    trace_error,
    trace_ratio,
)


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the predictions of this module.

    Args:
        dataset: what `experiment.measure` gave.

    Returns:
        A new dataset that also has, at each epoch, ``trace_theory``, ``trace_error``,
        ``log_theory``, ``direction_error`` (direction), and by ``fraction`` the scale shifts
        ``shift_exact``, ``shift_shuffled`` (shuffle) and ``shift_theory``; for untrained networks
        ``width_coupling``, their ratio of traces, and ``width_error`` (width, network), and
        ``width_direction_ratio`` and ``width_direction_error`` (width, few, leading).
    """
    ds = dataset.assign_coords(fraction=list(FRACTIONS))
    rows = {name: [] for name in ("trace_theory", "trace_error", "log_theory", "direction_error")}
    shifts = {name: [] for name in ("shift_theory", "shift_exact", "shift_shuffled")}
    for epoch in ds.epoch.values:
        now = ds.sel(epoch=epoch)
        losses, norms = now.loss.values, now.output_norm.values
        rows["trace_theory"].append(trace_ratio(losses, norms))
        rows["trace_error"].append(trace_error(losses, norms))
        rows["log_theory"].append(mean_log_ratio(losses))
        rows["direction_error"].append(direction_error(losses, now.direction_weight.values))
        base = scale_of(now.decoupled.values, FRACTIONS)
        shifts["shift_theory"].append(scale_shift(losses, FRACTIONS))
        shifts["shift_exact"].append(scale_of(now.exact.values, FRACTIONS) / base)
        shifts["shift_shuffled"].append(
            [scale_of(spectrum, FRACTIONS) / base for spectrum in now.shuffled.values]
        )
    for name, values in rows.items():
        where = ("epoch", "direction") if name == "direction_error" else ("epoch",)
        ds[name] = where, np.array(values)
    for name, values in shifts.items():
        where = ("epoch", "shuffle", "fraction") if name == "shift_shuffled" else None
        ds[name] = where or ("epoch", "fraction"), np.array(values)
    ds["width_coupling"], ds["width_error"] = (
        (("width", "network"), np.array(_by_network(ds, formula)))
        for formula in (trace_ratio, trace_error)
    )
    few = ds.sizes["few"]
    rows = zip(ds.width_loss.values[:, :few], ds.width_weight.values, strict=True)
    pairs = [list(zip(*row, strict=True)) for row in rows]
    for name, formula in (("ratio", direction_ratio), ("error", direction_error)):
        found = np.array([[formula(*pair) for pair in row] for row in pairs])
        ds[f"width_direction_{name}"] = ("width", "few", "leading"), found
    return ds


def _by_network(ds, formula):
    """A formula of losses and squared gradients for every untrained network."""
    rows = zip(ds.width_loss.values, ds.width_norm.values, strict=True)
    return [[formula(*pair) for pair in zip(*row, strict=True)] for row in rows]
