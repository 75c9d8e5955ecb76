"""SGD with momentum as an underdamped Langevin equation: an oscillator in every curved direction.

Chapter `underdamped_langevin`. Theory, measurements, claims and figures live in the private package
`sgdescape._underdamped_langevin`; what the book uses is offered here. The measurements import no
theory, so a claim compares two separate routes.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._underdamped_langevin import experiments, images
from sgdescape._underdamped_langevin.autoregression import (  # noqa: F401  (offered here)
    common_factor,
    oscillating_band,
)
from sgdescape._underdamped_langevin.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._underdamped_langevin.figures import *  # noqa: F403  (plot_*)
from sgdescape._underdamped_langevin.modified_equation import path_errors
from sgdescape._underdamped_langevin.oscillator import (  # noqa: F401  (offered here)
    angular_frequency,
    autocorrelation,
    covariance,
    critical_curvature,
    critical_momentum,
    damping_rate,
    damping_ratio,
    mean,
    propagator,
    stationary_covariance,
    velocity_autocorrelation,
)
from sgdescape._underdamped_langevin.phase_space import (  # noqa: F401  (offered here)
    diffusion_matrix,
    drift_matrix,
    effective_directions,
    langevin_coefficients,
    noise_covariance_at,
    regression_covariance,
    square_step,
    update_matrix,
)
from sgdescape._underdamped_langevin.summary import summary  # noqa: F401  (offered here)
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Args:
        curvatures: of the synthetic regression's inputs (loss/parameter^2), falling.
        samples: N of it.
        learning_rate: eta (time a step).
        momentum: beta.
        batch_size: S.
        replicas: chains; a multiple of 40.
        burn_in: steps before a chain counts as stationary.
        records: steps recorded after that.
        spacing: steps between the records of the correlations of position and velocity.
        growth_points: steps at which the covariance that grows from 0 is recorded, at most.
        growth_last: the last of them.
        growth_replicas: chains there; a multiple of 40.
        lags: of the autocorrelation (steps).
        kick: initial displacement of the kicked chains, in stationary standard deviations.
        kick_steps: their length.
        kick_replicas: their number.
        sweep_rates: other eta.
        sweep_sizes: other S.
        sweep_momenta: other beta.
        sweep_steps: steps averaged at each setting.
        sweep_replicas: chains at each setting.
        free_steps: steps averaged of the noise without gradient.
        free_replicas: chains of it.
        edges: eta h / (2 (1 + beta)) of single modes; 1 is the stability edge.
        edge_momenta: their beta.
        edge_replicas: their number.
        paper_curvatures: q_1 and q_30 of the paper's ResNet-18.
        paper_replicas: chains of each; a multiple of 40.
        paper_steps: their length.
        paper_lags: of their autocorrelation.
        images: N of Fashion-MNIST.
        image_batch: S there.
        image_step: eta rho_1 there.
        spiral_momenta: beta of the spirals.
        spiral_steps: steps.
        chains: of both experiments on images.
        speed_steps: steps averaged for the speed on images.
        order_rates: eta of the order of the modified equation.
        seed: of everything.
    """

    curvatures: tuple[float, ...] = tuple(np.geomspace(1.0, 0.02, 8).round(4).tolist())
    samples: int = 4096
    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 32
    replicas: int = 400
    burn_in: int = 600
    records: int = 1000
    spacing: int = 10
    growth_points: int = 26
    growth_last: int = 150
    growth_replicas: int = 4000
    lags: int = 120
    kick: float = 30.0
    kick_steps: int = 150
    kick_replicas: int = 800
    sweep_rates: tuple[float, ...] = (0.0125, 0.025, 0.1, 0.2)
    sweep_sizes: tuple[int, ...] = (2, 4, 8, 16, 64)
    sweep_momenta: tuple[float, ...] = (0.0, 0.5, 0.8, 0.95, 0.98, 0.99)
    sweep_steps: int = 300
    sweep_replicas: int = 200
    free_steps: int = 300
    free_replicas: int = 100
    edges: tuple[float, ...] = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
    edge_momenta: tuple[float, ...] = (0.0, 0.5, 0.9)
    edge_replicas: int = 60
    paper_curvatures: tuple[float, ...] = (52.8, 8.73)
    paper_replicas: int = 120
    paper_steps: int = 20_000
    paper_lags: int = 200
    images: int = 5000
    image_batch: int = 64
    image_step: float = 0.0092
    spiral_momenta: tuple[float, ...] = (0.9, 0.99, 0.999)
    spiral_steps: int = 392
    chains: int = 32
    speed_steps: int = 250
    order_rates: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("replicas", "growth_replicas", "paper_replicas"):
            validate.count(name, getattr(self, name), low=experiments.GROUPS)
            if getattr(self, name) % experiments.GROUPS:
                raise ValueError(f"{name} must be a multiple of {experiments.GROUPS}")
        if not self.lags < self.records or not self.paper_lags < self.paper_steps:
            raise ValueError("lags must be below the number of records")
        validate.count("chains", self.chains, low=8)
        validate.count("burn_in", self.burn_in, low=100)
        validate.positive("image_step", self.image_step)


QUICK = Config()
PAPER = Config(
    replicas=4000,
    kick_replicas=8000,
    sweep_steps=3000,
    sweep_replicas=1000,
    free_steps=3000,
    paper_replicas=1200,
    images=60_000,
    image_batch=512,
    chains=256,
    speed_steps=2000,
)
"""The batch size of the paper's linear regression (Fig. 2) and a whole image set, with more chains.
The paper's own data set there is CIFAR-10; its eta rho_1 = 0.0092 and number of steps are in both
configurations."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ensembles, "cpu" or "cuda".

    Returns:
        What the functions of `experiments` and `images` measure, what `predict` adds, provenance.
    """
    start = time.perf_counter()
    parts = (
        experiments.ensemble(config, device=device),
        experiments.growth(config, device=device),
        experiments.kicks(config, device=device),
        experiments.sweep(config, device=device),
        experiments.scalar_modes(config),
        images.spirals(config, device=device),
        images.image_speed(config, device=device),
    )
    measured = xr.merge(parts, combine_attrs="no_conflicts")
    names = ("learning_rate", "momentum", "batch_size", "burn_in", "image_batch", "kick_steps")
    measured.attrs |= {name: getattr(config, name) for name in names}
    errors = path_errors(config.order_rates, momentum=0.0, time=1.0)
    measured["order_error"] = ("order_rate", "order_model"), errors
    measured = measured.assign_coords(order_rate=list(config.order_rates))
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with ``variance_exact``, ``variance_sde`` and ``variance_real`` (mode,
        coordinate), the growth, path, speed and correlation predictions beside what they predict.
    """
    return _predict_images(_predict_scalars(_predict_sweep(_predict_ensemble(dataset))))


def _predict_ensemble(dataset):
    ds, at = dataset.copy(), _at(dataset.attrs)
    rho, noise = ds.curvature.values, ds.noise.values
    size = {"batch_size": int(ds.attrs["batch_size"])}
    where = ("mode", "coordinate")
    for name, discrete in (("exact", True), ("sde", False)):
        full = stationary_covariance(rho, noise, **at, **size, discrete=discrete)
        ds[f"variance_{name}"] = where, np.diagonal(full, axis1=1, axis2=2)
        ds[f"cross_{name}"] = "mode", full[:, 0, 1]
    x, residuals = ds.inputs.values, _residuals(ds)
    real = np.diag(regression_covariance(x, residuals, **at, **size))
    ds["variance_real"] = where, real.reshape(2, -1).T
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
    at = {"learning_rate": 1e-4, "momentum": 0.9}
    rho = ds.paper_mode.values[:, None]
    ds["paper_acf_exact"] = ("paper_mode", "paper_lag"), autocorrelation(lags, rho, **at)
    ds["paper_damping"] = "paper_mode", damping_ratio(ds.paper_mode.values, **at)
    return ds


def _predict_images(dataset):
    ds = dataset.copy()
    eta, rho = float(ds.image_rate), float(ds.image_curvature[0])
    k, paths, bands = ds.spiral_step.values[:, None], [], []
    for beta, local in zip(ds.spiral_momentum.values, ds.local_noise.values, strict=True):
        at = {"learning_rate": eta, "momentum": float(beta)}
        paths.append(mean(k, rho, ds.spiral_start.values, **at))
        step = update_matrix([[rho]], **at)
        kick = np.outer([eta, 1.0], [eta, 1.0]) / int(ds.attrs["image_batch"])
        spread = [np.zeros((2, 2))]
        for sigma in local[:-1]:
            spread.append(step @ spread[-1] @ step.T + sigma * kick)
        bands.append(np.diagonal(np.array(spread), axis1=1, axis2=2))
    where = ("spiral_momentum", "spiral_step", "output", "coordinate")
    ds["spiral_exact"] = where, np.array(paths)
    ds["spiral_variance"] = ("spiral_momentum", "spiral_step", "coordinate"), np.array(bands)
    at = {"learning_rate": eta, "momentum": float(ds.attrs["momentum"])}
    trace = float(ds.image_noise.sum())
    size = int(ds.attrs["image_batch"])
    ds["image_speed_law"] = square_step([0.0], [trace], **at, batch_size=size, discrete=False)
    return ds


def _residuals(ds):
    """Residuals x.mu - y (N,) from the gradients of the samples."""
    x, g = ds.inputs.values, ds.gradients.values
    return np.sum(g * x, axis=1) / np.sum(x * x, axis=1)


def _at(attrs):
    return {"learning_rate": float(attrs["learning_rate"]), "momentum": float(attrs["momentum"])}
