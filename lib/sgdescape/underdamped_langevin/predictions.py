"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.underdamped_langevin.measure.single_modes import PAPER_MOMENTUM, PAPER_RATE
from sgdescape.underdamped_langevin.theory.autoregression import square_step
from sgdescape.underdamped_langevin.theory.damping import critical_curvature, damping_ratio
from sgdescape.underdamped_langevin.theory.fourier import mean_frequency
from sgdescape.underdamped_langevin.theory.modified_equation import path_errors
from sgdescape.underdamped_langevin.theory.oscillator import (
    autocorrelation,
    covariance,
    mean,
    stationary_covariance,
)
from sgdescape.underdamped_langevin.theory.phase_space import (
    effective_directions,
    regression_covariance,
    update_matrix,
)


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with ``variance_exact``, ``variance_sde`` and ``variance_real`` (mode,
        coordinate), the growth, path, speed and correlation predictions beside what they predict.
    """
    steps = (_predict_order, _predict_ensemble, _predict_sweep, _predict_scalars, _predict_images)
    for add in steps:
        dataset = add(dataset)
    return dataset


def _predict_order(dataset):
    rates = list(provenance.settings(dataset).order_rates)
    ds = dataset.drop_vars(["order_error", "order_rate"], errors="ignore")
    ds["order_error"] = ("order_rate", "order_model"), path_errors(rates, momentum=0.0, time=1.0)
    return ds.assign_coords(order_rate=rates)


def _predict_ensemble(dataset):
    ds, at = dataset.copy(), _at(dataset)
    rho, noise = ds.curvature.values, ds.noise.values
    size = {"batch_size": provenance.settings(dataset).batch_size}
    where = ("mode", "coordinate")
    for name, discrete in (("exact", True), ("sde", False)):
        full = stationary_covariance(rho, noise, **at, **size, discrete=discrete)
        ds[f"variance_{name}"] = where, np.diagonal(full, axis1=1, axis2=2)
        ds[f"cross_{name}"] = "mode", full[:, 0, 1]
    x, residuals = ds.inputs.values, _residuals(ds)
    real = np.diag(regression_covariance(x, residuals, **at, **size))
    ds["variance_real"] = where, real.reshape(2, -1).T
    ds["single_step"] = np.sqrt(2 / effective_directions(real.reshape(2, -1)[1]))
    k = ds.growth_step.values
    where = ("growth_step", "mode", "coordinate")
    for name, discrete in (("exact", True), ("sde", False)):
        full = covariance(k[:, None], rho, noise, **at, **size, discrete=discrete)
        ds[f"growth_{name}"] = where, np.diagonal(full, axis1=2, axis2=3)
    path = regression_covariance(x, residuals, **at, **size, steps=int(k[-1]))
    real = np.diagonal(path, axis1=1, axis2=2).reshape(len(path), 2, -1)
    ds["growth_curve"] = ("curve_step", "mode"), real[1:, 0]
    real = real[k]
    ds["growth_real"] = where, real.swapaxes(1, 2)
    lags = np.arange(ds.sizes["lag"])
    for name, discrete in (("exact", True), ("sde", False)):
        ds[f"acf_{name}"] = (
            ("mode", "lag"),
            autocorrelation(lags, rho[:, None], **at, discrete=discrete),
        )
        ds[f"kick_{name}"] = (
            ("kick_step", "mode", "coordinate"),
            mean(ds.kick_step.values[:, None], rho, ds.kick.values, **at, discrete=discrete),
        )
    k = ds.kick_step.values[:, None]
    half = mean(k + 0.5, rho, ds.kick.values, **at, discrete=False)
    ds["kick_half_step"] = ("kick_step", "mode", "coordinate"), half
    ds["critical"] = critical_curvature(**at)
    ds["damping"] = "mode", damping_ratio(rho, **at)
    return ds


def _predict_sweep(dataset):
    ds = dataset.copy()
    rho, noise = ds.curvature.values, ds.noise.values
    x, residuals = ds.inputs.values, _residuals(ds)
    columns = (ds.setting_learning_rate, ds.setting_batch_size, ds.setting_momentum)
    law, exact, real = [], [], []
    for eta, size, beta in zip(*(c.values for c in columns), strict=True):
        at = {"learning_rate": float(eta), "momentum": float(beta), "batch_size": int(size)}
        law.append(square_step(rho, noise, **at, discrete=False))
        exact.append(square_step(rho, noise, **at))
        velocity = np.diag(regression_covariance(x, residuals, **at))[rho.size :]
        real.append(float(eta) ** 2 * velocity.sum())
    for name, values in (("law", law), ("exact", exact), ("real", real)):
        ds[f"speed_{name}"] = "setting", np.array(values)
    return ds


def _predict_scalars(dataset):
    ds = dataset.copy()
    beta, x = ds.edge_momentum.values[:, None], ds.edge.values
    at = {"learning_rate": 1.0, "momentum": beta, "batch_size": 1}
    for name, discrete in (("exact", True), ("sde", False)):
        full = stationary_covariance(2 * (1 + beta) * x, 1.0, **at, discrete=discrete)
        where = ("edge_momentum", "edge", "coordinate")
        ds[f"edge_{name}"] = where, np.diagonal(full, axis1=2, axis2=3)
    lags = np.arange(ds.sizes["paper_lag"])
    at = {"learning_rate": PAPER_RATE, "momentum": PAPER_MOMENTUM}
    rho = ds.paper_mode.values[:, None]
    ds["paper_acf_exact"] = ("paper_mode", "paper_lag"), autocorrelation(lags, rho, **at)
    long = autocorrelation(np.arange(ds.sizes["paper_step"]), rho, **at)
    ds["paper_frequency_exact"] = "paper_mode", mean_frequency(long)
    ds["paper_damping"] = "paper_mode", damping_ratio(ds.paper_mode.values, **at)
    return ds


def _predict_images(dataset):
    ds = dataset.copy()
    eta, rho = float(ds.image_rate), float(ds.image_curvature[0])
    config = provenance.settings(ds)
    k, paths, bands = ds.spiral_step.values[:, None], [], []
    for beta, local in zip(ds.spiral_momentum.values, ds.local_noise.values, strict=True):
        at = {"learning_rate": eta, "momentum": float(beta)}
        paths.append(mean(k, rho, ds.spiral_start.values, **at))
        step = update_matrix([[rho]], **at)
        kick = np.outer([eta, 1.0], [eta, 1.0]) / config.image_batch
        spread = [np.zeros((2, 2))]
        for sigma in local[:-1]:
            spread.append(step @ spread[-1] @ step.T + sigma * kick)
        bands.append(np.diagonal(np.array(spread), axis1=1, axis2=2))
    where = ("spiral_momentum", "spiral_step", "output", "coordinate")
    ds["spiral_exact"] = where, np.array(paths)
    ds["spiral_variance"] = ("spiral_momentum", "spiral_step", "coordinate"), np.array(bands)
    at = {"learning_rate": eta, "momentum": config.momentum, "batch_size": config.image_batch}
    trace = float(ds.image_noise.sum())
    ds["image_speed_law"] = square_step([0.0], [trace], **at, discrete=False)
    return ds


def _residuals(ds):
    """Residuals x.mu - y (N,) from the gradients of the samples."""
    x, g = ds.inputs.values, ds.gradients.values
    return np.sum(g * x, axis=1) / np.sum(x * x, axis=1)


def _at(dataset):
    config = provenance.settings(dataset)
    return {"learning_rate": config.learning_rate, "momentum": config.momentum}
