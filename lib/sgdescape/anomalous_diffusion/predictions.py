"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion.measure.batch_orders import power_law_spectrum
from sgdescape.anomalous_diffusion.theory.displacement import (
    free_displacement,
    mean_squared_displacement,
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
from sgdescape.anomalous_diffusion.theory.summed import summed_displacement
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset

POWER_LAW = (3000, 500, 50_000)
"""Curvatures of the power law, first and last step at which its displacement is computed."""


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: of `anomalous_diffusion.measurements`.

    Returns:
        A new dataset with ``displacement_exact`` and ``displacement_free`` (batch_size, lag),
        ``drift_exact``, ``noise_exact`` (start, step), ``plain_exact`` (step), ``windowed_exact``
        (begin, step), ``grid_exact`` and ``grid_overdamped`` (run, epoch), ``fixed_exact`` (run,
        fixed_step), ``number_exact`` (kept, samples, time),
        ``order_exact`` (sampler, order_lag), ``variance_exact`` (sampler, order_mode),
        ``buffer_exact`` (sampler, memory), ``bowl_exact`` and ``bowl_summed`` (bowl_lag), and
        ``power_displacement`` (power_step).
    """
    ds, config = dataset.copy(), settings(dataset)
    at = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    _predict_stationary(ds, config, at)
    _predict_start(ds, config, at)
    steps = np.round(ds.epoch.values * config.grid_samples / ds.grid_size.values[:, None])
    ds["grid_exact"] = ("run", "epoch"), _grid(ds, steps, fixed_start_displacement)
    ds["grid_overdamped"] = ("run", "epoch"), _grid(ds, steps, overdamped_start)
    fixed = ds.fixed_step.values + 0 * ds.grid_size.values[:, None]
    ds["fixed_exact"] = ("run", "fixed_step"), _grid(ds, fixed, fixed_start_displacement)
    _predict_numbers(ds, config)
    _predict_buffers(ds, config)
    _predict_orders(ds, config, at)
    _predict_bowl(ds, config)
    _predict_power_law(ds, config, at)
    return ds


def _predict_stationary(ds, config, at):
    rho, sigma = ds.curvature.values, ds.noise.values
    sizes, lags = ds.batch_size.values[:, None], ds.lag.values
    exact = mean_squared_displacement(lags, rho, sigma, batch_size=sizes, **at)
    ds["displacement_exact"] = ("batch_size", "lag"), exact
    free = free_displacement(lags, np.array([sigma.sum()]), batch_size=sizes, **at)
    ds["displacement_free"] = ("batch_size", "lag"), free


def _predict_start(ds, config, at):
    modes, size = (ds.curvature.values, ds.noise.values), max(config.batch_sizes)
    parts = [
        fixed_start_displacement(
            ds.step.values, *modes, scale * ds.offset.values, batch_size=size, **at
        )
        for scale in (1, 0)
    ]
    rate = {"learning_rate": at["learning_rate"] / (1 - at["momentum"]), "momentum": 0.0}
    home = fixed_start_displacement(
        ds.step.values, *modes, 0 * ds.offset.values, batch_size=size, **rate
    )
    ds["plain_exact"] = "step", home[1]
    short = at | {"momentum": config.window_momentum, "batch_size": min(config.batch_sizes)}
    ds["windowed_exact"] = (
        ("begin", "step"),
        np.array(
            [
                sum(fixed_start_displacement(ds.step.values, *modes, d, **short))
                for d in (ds.near_offset.values, 0 * ds.near_offset.values)
            ]
        ),
    )
    for index, name in enumerate(("drift_exact", "noise_exact")):
        ds[name] = ("start", "step"), np.array([part[index] for part in parts])


def _grid(ds, steps, formula):
    rates = {
        "learning_rate": ds.grid_rate.values[:, None],
        "momentum": ds.grid_momentum.values[:, None],
        "batch_size": ds.grid_size.values[:, None],
    }
    modes = (ds.grid_curvature.values, ds.grid_noise.values, ds.grid_offset.values)
    return sum(formula(steps, *modes, **rates))


def _predict_numbers(ds, config):
    at = {"momentum": config.number_momentum, "batch_size": config.number_size}
    rows = np.empty((*ds.number_rate.shape, ds.time.size))
    for i, j in np.ndindex(ds.number_rate.shape):
        rows[i, j] = sum(
            fixed_start_displacement(
                np.round(ds.time.values * int(ds.samples[j]) / config.number_size),
                ds.grid_curvature.values,
                ds.number_noise.values[j],
                ds.grid_offset.values,
                learning_rate=float(ds.number_rate[i, j]),
                **at,
            )
        )
    ds["number_exact"] = ("kept", "samples", "time"), rows


def _predict_buffers(ds, config):
    """E b^2 = E delta^2/eta^2 of a free direction; here eta, S and the noise are 1."""
    at, epoch = {"learning_rate": 1.0, "batch_size": 1}, {"steps_per_epoch": config.memory_steps}
    rows = [
        [float(mean_squared_displacement(1, [0.0], 1.0, momentum=beta, **at)),
         float(shuffled_displacement(1, [0.0], 1.0, momentum=beta, **at, **epoch)),
         float(fixed_order_displacement(1, [0.0], 1.0, momentum=beta, **at, **epoch))]
        for beta in config.memory_momenta
    ]  # fmt: skip
    ds["buffer_exact"] = ("sampler", "memory"), np.array(rows).T


def _predict_orders(ds, config, at):
    at = at | {"batch_size": config.order_size}
    epoch = {"steps_per_epoch": config.order_samples // config.order_size}
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


def _predict_bowl(ds, config):
    at = {
        "learning_rate": config.bowl_rate,
        "momentum": 0.0,
        "batch_size": config.bowl_size,
    }
    lags, rho, sigma = ds.bowl_lag.values, ds.bowl_curvature.values, ds.bowl_noise.values
    ds["bowl_exact"] = "bowl_lag", mean_squared_displacement(lags, rho, sigma, **at)
    ds["bowl_summed"] = "bowl_lag", summed_displacement(lags, rho.mean(), sigma.sum(), **at)


def _predict_power_law(ds, config, at):
    count, first, last = POWER_LAW
    rho = power_law_spectrum(count, config.spectrum_exponent)
    steps = np.geomspace(first, last, 9).round()
    curve = mean_squared_displacement(steps, rho, rho, batch_size=1, **at)
    ds["power_displacement"] = "power_step", curve
    ds.coords["power_step"] = steps
