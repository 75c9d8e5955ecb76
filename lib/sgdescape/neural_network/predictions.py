"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.neural_network.theory.spectrum import (
    entropy_number,
    escape_slope,
    outlier_dimension,
    participation_ratio,
    raised_loss,
)


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the predictions of this module beside them.

    Args:
        dataset: what `measurement.measure` gave.

    Returns:
        A new dataset with ``mean_loss`` (exponent), Eq. (raised-loss); the dimensions
        ``participation`` and ``entropy``, Eq. (45), and ``outlier_dimension``; and, for each
        ``dimension`` of these three, ``line_slope`` (dimension, exponent).
    """
    ds = dataset.copy()
    h = ds.spectrum.values
    numbers = {
        "outlier_dimension": outlier_dimension(h),
        "participation": participation_ratio(h),
        "entropy": entropy_number(h),
    }
    ratio = ds.attrs["trace"] / float(ds.curvature[0])
    ds["mean_loss"] = ("exponent",), raised_loss(ds.exponent.values, trace_ratio=ratio)
    lines = [escape_slope(ds.exponent.values, dimension=n) for n in numbers.values()]
    ds["line_slope"] = ("dimension", "exponent"), np.array(lines)
    ds = ds.assign_coords(dimension=list(numbers))
    ds.attrs |= numbers
    return ds
