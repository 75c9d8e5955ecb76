"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.modified_loss.measure import data, single_modes
from sgdescape.modified_loss.theory.asymmetry import time_asymmetry
from sgdescape.modified_loss.theory.decomposition import (
    areal_rates,
    decompose,
    entropy_rate,
    modified_loss,
)
from sgdescape.modified_loss.theory.gibbs import gibbs_kurtosis, gibbs_share
from sgdescape.modified_loss.theory.phase_space import (
    circulation,
    covariance,
    discrete_covariance,
    process,
)
from sgdescape.modified_loss.theory.relations import (
    areal_rate,
    decay_factor,
    equipartition_curvature,
    excess_loss,
    midpoint_variance,
    shuffled_equipartition,
)
from sgdescape.modified_loss.theory.reversal import (
    current_strength,
    entropy_by_lyapunov,
    entropy_by_spectrum,
    entropy_production,
)
from sgdescape.underdamped_langevin import common_factor, regression_covariance
from sgdescape.underdamped_langevin import covariance as mode_covariance

SEEN = 4
"""Batch sizes, the smallest, at which the asymmetry of one direction stands out of its error."""


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with ``level`` and ``level_decayed`` (mode), Var theta for Sigma = sigma^2 H;
        ``speed`` (mode), Var v; ``equipartition_step`` (mode), E[delta^2] / Var theta;
        ``area_ratio`` and ``turn_ratio``, areal rate over E[delta^2]; ``excess`` (run, replica);
        ``epoch_ratio`` (mode), what equipartition gives for shuffled epochs over rho;
        ``image_circulation`` (image_mode, other_image_mode) and ``image_spread`` (image_mode);
        ``kept_psi`` and ``plane_psi`` (state), kappa Psi; ``entropy_*`` (entropy_momentum), four
        ways; ``edge_formula``; ``growth_exact`` (time, flat_mode); and as attributes the numbers of
        the process of Fig. 3 and of the run with noise that does not commute with H.
    """
    steps = (_predict_regression, _predict_reversal, _predict_images, _predict_modes, _predict_one)
    for add in steps:
        dataset = add(dataset)
    return dataset


def _predict_regression(dataset):
    ds, config = dataset.copy(), provenance.settings(dataset)
    rho, one = ds.curvature.values, _setting(config)
    pace = {name: one[name] for name in ("learning_rate", "momentum")}
    ds["level"] = "mode", midpoint_variance(rho, rho, **one)  # sigma^2 = 2 L* = 1
    factor = decay_factor(rho, weight_decay=config.weight_decay)
    ds["level_decayed"] = "mode", factor * ds.level.values
    free = covariance(rho, np.diag(rho), **one)
    ds["speed"] = "mode", np.diag(free.velocity)
    fast = {**pace, "learning_rate": config.fast_rate}
    ds["area_ratio"] = "mode", areal_rate(np.ones_like(rho), curvature=rho, **fast)
    # E[delta^2] / Var theta of each mode
    ds["equipartition_step"] = "mode", rho / equipartition_curvature(1.0, 1.0, **pace)
    ds["excess"] = (
        ("run", "replica"),
        excess_loss(ds.square_step.sum("mode").transpose("run", "replica").values, **pace),
    )
    # Psi with the data's own Sigma, through the general decomposition
    drift, diffusion, kappa = process(rho, ds.noise.values, **one)
    parts = decompose(drift, diffusion)
    state = np.hstack([ds.kept_midpoint.values, ds.kept_velocity.values])
    ds["kept_psi"] = "state", kappa * modified_loss(state, parts)
    pair = [0, rho.size - 1]
    parts = decompose(*process(rho[pair], np.diag(rho[pair]), **one)[:2])
    plane = np.hstack([ds.kept_midpoint.values[:, pair], np.zeros((len(state), 2))])
    ds["plane_psi"] = "state", kappa * modified_loss(plane, parts)
    ds["epoch_ratio"] = (
        "mode",
        shuffled_equipartition(rho, steps_per_epoch=config.epoch_steps, **pace),
    )
    ds["minibatch_variance"] = ("run", "mode"), _minibatch_variances(config, ds.run.values)
    ds["discrete_factor"] = "mode", common_factor(rho, **pace)
    ds.attrs["gibbs_share"] = gibbs_share(rho[[0, -1]], np.log(10))
    ds.attrs["gibbs_kurtosis"] = gibbs_kurtosis(rho)
    ds.attrs["current"] = current_strength(rho, **pace)
    ds.attrs["commuting_production"] = abs(entropy_production(rho, np.diag(rho), **one))
    return ds


def _predict_reversal(dataset):
    ds, config = dataset.copy(), provenance.settings(dataset)
    one, h, noise = _setting(config), ds.swirl_curvature.values, ds.swirl_noise.values
    eta, beta = config.learning_rate, config.momentum
    ds.attrs["swirl_circulation"] = float(circulation(h, noise, **one)[0, 1])
    ds.attrs["swirl_production"] = entropy_production(h, noise, **one)
    ds.attrs["swirl_current"] = current_strength(h, learning_rate=eta, momentum=beta)
    # no inertia: eta -> 0 at fixed eta / (1 - beta), where the bracket keeps h_1 + h_2 alone
    slow = {**one, "learning_rate": eta / 1000 / (1 - beta), "momentum": 0.0}
    ds.attrs["swirl_circulation_overdamped"] = float(circulation(h, noise, **slow)[0, 1]) * 1e6
    ds.attrs["swirl_production_overdamped"] = entropy_production(h, noise, **slow) * 1000
    noise = ds.entropy_noise.values
    rows = {"exact": [], "continuous": [], "spectrum": [], "work": []}
    for m in ds.entropy_momentum.values:
        at = {**one, "momentum": float(m)}
        rows["exact"].append(entropy_production(h, noise, **at))
        rows["continuous"].append(entropy_production(h, noise, discrete=False, **at))
        rows["spectrum"].append(entropy_by_spectrum(h, noise, **at))
        rows["work"].append(entropy_by_lyapunov(h, noise, **at))
    for name, values in rows.items():
        ds[f"entropy_{name}"] = "entropy_momentum", np.array(values)
    return ds


def _predict_images(dataset):
    ds, config = dataset.copy(), provenance.settings(dataset)
    h, noise = ds.image_curvature.values, ds.image_noise.values
    pace = {**_setting(config), "learning_rate": config.image_rate}
    ds["image_circulation"] = ("image_mode", "other_image_mode"), circulation(h, noise, **pace)
    spread = np.sqrt(np.diag(discrete_covariance(h, noise, **pace).position))
    ds["image_spread"] = "image_mode", spread
    ds.attrs["image_production"] = entropy_production(h, noise, **pace)
    ds.attrs["image_current"] = current_strength(
        h, learning_rate=config.image_rate, momentum=config.momentum
    )
    return ds


def _predict_modes(dataset):
    ds, config = dataset.copy(), provenance.settings(dataset)
    one, eta = _setting(config), config.learning_rate
    ratios = [
        areal_rate(np.ones(ds.step_curvature.size), curvature=ds.step_curvature / eta,
                   learning_rate=eta, momentum=float(m))
        for m in ds.momentum
    ]  # fmt: skip
    ds["turn_ratio"] = ("momentum", "step_curvature"), np.array(ratios)
    ds["edge_formula"] = "edge", midpoint_variance(ds.edge / eta, 1.0, **one)
    flat, k = ds.flat_mode.values, ds.time.values[:, None]
    where = ("time", "flat_mode")
    ds["growth_exact"] = where, mode_covariance(k, flat, flat, **one)[..., 0, 0]
    ds["growth_free"] = where, mode_covariance(k, 0 * flat, flat, **one)[..., 0, 0]
    ds["growth_level"] = "flat_mode", midpoint_variance(flat, flat, **one)
    parts = decompose(single_modes.TOY_DRIFT, single_modes.TOY_DIFFUSION)
    ds.attrs["toy_rate"] = float(areal_rates(parts)[0, 1])
    ds.attrs["toy_production"] = entropy_rate(parts)
    return ds


def _predict_one(dataset):
    ds, config = dataset.copy(), provenance.settings(dataset)
    pace = {"learning_rate": config.arrow_rate, "momentum": config.arrow_momentum}
    sizes = ds.arrow_batch.values
    exact = np.array([time_asymmetry(1.0, batch_size=int(s), **pace) for s in sizes])
    ds["arrow_exact"] = "arrow_batch", exact
    slope = np.polyfit(np.log(sizes[:SEEN]), np.log(np.abs(exact[:SEEN])), 1)[0]
    ds.attrs["arrow_slope"] = float(slope)
    return ds


def _setting(config):
    names = ("learning_rate", "momentum", "batch_size")
    return {name: getattr(config, name) for name in names}


def _minibatch_variances(config, runs):
    """Variances of theta (run, mode) of SGD on the synthetic data, Eq. (modified-minibatch)."""
    rows = data.regression_data(config).rows
    changes = {
        "quiet": {},
        "strong": {"batch_size": config.strong_batch},
        "decayed": {"weight_decay": config.weight_decay},
        "fast": {"learning_rate": config.fast_rate},
    }
    laws = [
        regression_covariance(rows[:, :-1], rows[:, -1], **(_setting(config) | changes[run]))
        for run in runs
    ]
    return np.array([np.diag(law)[: rows.shape[1] - 1] for law in laws])
