"""How far SGD goes: local and global displacement, and the exponents of "anomalous" diffusion.

Chapter `anomalous_diffusion`. Theory (float64 NumPy), simulation, claims and figures live in the
private package `sgdescape._anomalous_diffusion`; what the book uses is offered here. Predictions
are put beside the measurements by `predict`, through the names of this module.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._anomalous_diffusion import experiments
from sgdescape._anomalous_diffusion.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._anomalous_diffusion.collapse import (  # noqa: F401  (offered here)
    epoch_time,
    explained,
    free_powers,
    variables,
)
from sgdescape._anomalous_diffusion.displacement import (  # noqa: F401  (offered here)
    first_exponent,
    fitted_exponent,
    free_displacement,
    local_displacement,
    local_exponents,
    mean_squared_displacement,
    overdamped_displacement,
    saturation,
    spurious_rate,
    summed_displacement,
)
from sgdescape._anomalous_diffusion.figures import *  # noqa: F403  (plot_*)
from sgdescape._anomalous_diffusion.fixed_start import (  # noqa: F401  (offered here)
    fixed_start_displacement,
    overdamped_start,
)
from sgdescape._anomalous_diffusion.published import (  # noqa: F401  (offered here)
    PRINTED_STEPS,
    READING,
    RUN_MOMENTUM,
    RUN_STEPS,
    RUNS,
    SAMPLES,
    SWEEPS,
    actual_batch_size,
    drift_share,
    published_exponents,
)
from sgdescape._anomalous_diffusion.response import (  # noqa: F401  (offered here)
    continuous_response,
    kick_energy,
    response,
)
from sgdescape._anomalous_diffusion.shuffling import (  # noqa: F401  (offered here)
    crossover_curvature,
    epoch_weights,
    fixed_order_displacement,
    shuffled_displacement,
    shuffled_fraction,
    shuffled_variance,
)
from sgdescape._anomalous_diffusion.spectra import (  # noqa: F401  (offered here)
    power_law_displacement,
    power_law_spectrum,
)
from sgdescape._anomalous_diffusion.summary import summary  # noqa: F401  (offered here)
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Args:
        samples: N of the stationary runs.
        modes: parameters, with curvatures j^(-1/(a - 1)).
        spectrum_exponent: a of their density.
        learning_rate: eta (time a step).
        momentum: beta.
        batch_sizes: S of the stationary runs; the largest is used where one is needed.
        replicas: independent runs.
        burn_in: steps before the first origin.
        origins: times from which displacements are measured.
        origin_spacing: steps between them.
        longest_lag: of displacements.
        lags: number of lags, geometric.
        start_samples: the fixed start is as far off as the minimum of so many other samples.
        window: lags between which exponents are fitted.
        grid_samples: N of the grid of runs.
        grid_modes: parameters.
        grid_rates: eta of the grid.
        grid_sizes: S of the grid.
        grid_momenta: beta of the grid.
        grid_replicas: independent runs of each setting.
        grid_points: times in the second epoch, equally spaced.
        grid_drift: drift over noise in |Delta|^2 after one short epoch.
        order_samples: N of the comparison of samplers.
        order_size: its S.
        order_burn_in: steps before the first origin.
        order_origins: times from which displacements are measured.
        order_replicas: independent runs with each sampler.
        bowl_modes: parameters of the bowl of equal curvatures.
        bowl_rate: its eta.
        bowl_size: its S.
        bowl_steps: its longest lag.
        seed: of everything.
    """

    samples: int = 4096
    modes: int = 12
    spectrum_exponent: float = 1.5
    learning_rate: float = 0.02
    momentum: float = 0.9
    batch_sizes: tuple[int, ...] = (4, 16)
    replicas: int = 320
    burn_in: int = 3000
    origins: int = 6
    origin_spacing: int = 500
    longest_lag: int = 1024
    lags: int = 25
    start_samples: float = 64.0
    window: tuple[int, int] = (40, 200)
    grid_samples: int = 2048
    grid_modes: int = 16
    grid_rates: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    grid_sizes: tuple[int, ...] = (2, 4, 8)
    grid_momenta: tuple[float, ...] = (0.6, 0.8, 0.95)
    grid_replicas: int = 400
    grid_points: int = 17
    grid_drift: float = 1.5
    order_samples: int = 2048
    order_size: int = 16
    order_burn_in: int = 2500
    order_origins: int = 32
    order_replicas: int = 192
    bowl_modes: int = 12
    bowl_rate: float = 0.1
    bowl_size: int = 32
    bowl_steps: int = 400
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("lags", self.lags, low=6)
        validate.count("replicas", self.replicas, low=8)
        validate.count("grid_replicas", self.grid_replicas, low=4)
        if len(self.batch_sizes) < 2:
            raise ValueError(f"batch_sizes must be two or more: got {self.batch_sizes!r}")
        for size in self.grid_sizes:
            if self.grid_samples % size:
                raise ValueError(f"grid_sizes must divide {self.grid_samples}: got {size}")
        if self.order_samples % self.order_size:
            raise ValueError(f"order_size must divide {self.order_samples}: got {self.order_size}")


QUICK = Config()
PAPER = Config(
    samples=65_536,
    modes=48,
    batch_sizes=(4, 16, 64),
    replicas=2000,
    burn_in=30_000,
    origins=20,
    origin_spacing=2000,
    longest_lag=10_000,
    lags=40,
    start_samples=512.0,
    grid_samples=65_536,
    grid_modes=96,
    grid_sizes=(8, 16, 32),
    grid_replicas=200,
    grid_points=65,
)
"""Regression at larger sizes, with a grid as wide as the paper's: a factor 100 in learning rate,
4 in the batch size. The paper's own runs are ResNet-18 on ImageNet: see `network_limits`."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only "cpu": the ensembles are small.

    Returns:
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    validate.one_of("device", str(device), ("cpu", "auto"))
    start = time.perf_counter()
    parts = (
        experiments.stationary(config),
        experiments.drift(config),
        experiments.sweep(config),
        experiments.epochs(config),
        experiments.bowl(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in ("learning_rate", "momentum", "order_size", "bowl_rate", "bowl_size"):
        measured.attrs[name] = getattr(config, name)
    measured.attrs |= {
        "grid_samples": config.grid_samples,
        "samples": config.samples,
        "largest_batch": max(config.batch_sizes),
        "steps_per_epoch": config.order_samples // config.order_size,
        "spectrum_exponent": config.spectrum_exponent,
        "window": list(config.window),
    }
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start)
    return dataset


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
