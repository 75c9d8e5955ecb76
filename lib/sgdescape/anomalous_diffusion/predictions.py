"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion.theory.displacement import (
    free_displacement,
    mean_squared_displacement,
    summed_displacement,
)
from sgdescape.anomalous_diffusion.theory.fixed_start import (
    fixed_start_displacement,
    overdamped_start,
)
from sgdescape.anomalous_diffusion.theory.shuffling import (
    fixed_order_displacement,
    shuffled_displacement,
    shuffled_variance,
)


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with ``displacement_exact`` and ``displacement_free`` (batch_size, lag),
        ``drift_exact``, ``noise_exact`` (start, step), ``grid_exact`` and
        ``grid_overdamped`` (run, epoch), the orders'
        ``order_exact`` (sampler, order_lag) and ``variance_exact`` (sampler, order_mode), and the
        bowl's ``bowl_exact`` and ``bowl_summed`` (bowl_lag).
    """
    ds, a = dataset.copy(), dataset.attrs
    at = {"learning_rate": a["learning_rate"], "momentum": a["momentum"]}
    rho, sigma = ds.curvature.values, ds.noise.values
    sizes, lags = ds.batch_size.values[:, None], ds.lag.values
    exact = mean_squared_displacement(lags, rho, sigma, batch_size=sizes, **at)
    ds["displacement_exact"] = ("batch_size", "lag"), exact
    free = free_displacement(lags, np.array([sigma.sum()]), batch_size=sizes, **at)
    ds["displacement_free"] = ("batch_size", "lag"), free
    here = at | {"batch_size": a["largest_batch"]}
    parts = [
        fixed_start_displacement(ds.step.values, rho, sigma, d, **here)
        for d in (ds.offset.values, 0 * ds.offset.values)
    ]
    for index, name in enumerate(("drift_exact", "noise_exact")):
        ds[name] = ("start", "step"), np.array([part[index] for part in parts])
    ds["grid_exact"] = ("run", "epoch"), _predict_grid(ds, fixed_start_displacement)
    ds["grid_overdamped"] = ("run", "epoch"), _predict_grid(ds, overdamped_start)
    _predict_orders(ds, at)
    here = {"learning_rate": a["bowl_rate"], "momentum": 0.0, "batch_size": a["bowl_size"]}
    summed = [
        summed_displacement(ds.lag.values, h, s, batch_size=a["largest_batch"], **at)
        for h, s in zip(ds.curvature.values, ds.noise.values, strict=True)
    ]
    ds["displacement_summed"] = "lag", np.sum(summed, axis=0)
    lags, rho, sigma = ds.bowl_lag.values, ds.bowl_curvature.values, ds.bowl_noise.values
    ds["bowl_exact"] = "bowl_lag", mean_squared_displacement(lags, rho, sigma, **here)
    ds["bowl_summed"] = "bowl_lag", summed_displacement(lags, rho.mean(), sigma.sum(), **here)
    return ds


def _predict_grid(ds, formula):
    epochs = ds.epoch.values
    steps = np.round(epochs * ds.attrs["grid_samples"] / ds.grid_size.values[:, None])
    settings = {
        "learning_rate": ds.grid_rate.values[:, None],
        "momentum": ds.grid_momentum.values[:, None],
        "batch_size": ds.grid_size.values[:, None],
    }
    modes = (ds.grid_curvature.values, ds.grid_noise.values, ds.grid_offset.values)
    return sum(formula(steps, *modes, **settings))


def _predict_orders(ds, at):
    at = at | {"batch_size": ds.attrs["order_size"]}
    epoch = {"steps_per_epoch": ds.attrs["steps_per_epoch"]}
    modes = (ds.order_curvature.values, ds.order_noise.values)
    lags = ds.order_lag.values
    rows = [
        mean_squared_displacement(lags, *modes, **at),
        shuffled_displacement(lags, *modes, **epoch, **at),
        fixed_order_displacement(lags, *modes, **epoch, **at),
    ]
    ds["order_exact"] = ("sampler", "order_lag"), np.array(rows)
    # half of the displacement after so long that nothing is remembered
    iid = mean_squared_displacement(10**7, modes[0][None], modes[1][None], **at) / 2
    ds["variance_exact"] = (
        ("sampler", "order_mode"),
        np.array([iid, shuffled_variance(*modes, **epoch, **at), np.full(iid.shape, np.nan)]),
    )
