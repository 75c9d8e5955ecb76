"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.modified_loss.measure import data as experiments
from sgdescape.modified_loss.measure import single_modes
from sgdescape.modified_loss.theory.decomposition import (
    areal_rates,
    decompose,
    entropy_rate,
    modified_loss,
)
from sgdescape.modified_loss.theory.minibatch import minibatch_moments
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
    variance_growth,
)
from sgdescape.modified_loss.theory.reversal import (
    current_strength,
    entropy_by_lyapunov,
    entropy_by_spectrum,
    entropy_production,
)


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
    return _predict_modes(_predict_regression(dataset))


def _predict_regression(dataset):
    ds, a = dataset.copy(), dataset.attrs
    eta, beta, size = (a[k] for k in ("learning_rate", "momentum", "batch_size"))
    rho, pace = ds.curvature.values, {"learning_rate": eta, "momentum": beta}
    one = {**pace, "batch_size": size}
    ds["level"] = "mode", midpoint_variance(rho, rho, **one)  # sigma^2 = 2 L* = 1
    factor = decay_factor(rho, weight_decay=a["weight_decay"])
    ds["level_decayed"] = "mode", factor * ds.level.values
    free = covariance(rho, np.diag(rho), **one)
    ds["speed"] = "mode", np.diag(free.velocity)
    ds["area_ratio"] = "mode", areal_rate(np.ones_like(rho), curvature=rho, **pace)
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
        shuffled_equipartition(rho, steps_per_epoch=a["epoch_steps"], **pace),
    )
    ds.attrs["current"] = current_strength(rho, **pace)
    ds.attrs["commuting_production"] = abs(entropy_production(rho, np.diag(rho), **one))
    return ds


def _predict_modes(dataset):
    ds, a = dataset.copy(), dataset.attrs
    eta, beta, size = (a[k] for k in ("learning_rate", "momentum", "batch_size"))
    one = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    h, noise = ds.swirl_curvature.values, ds.swirl_noise.values
    ds.attrs["swirl_circulation"] = float(circulation(h, noise, **one)[0, 1])
    ds.attrs["swirl_production"] = entropy_production(h, noise, **one)
    ds.attrs["swirl_current"] = current_strength(h, learning_rate=eta, momentum=beta)
    h_image, noise_image = ds.image_curvature.values, ds.image_noise.values
    pace = {**one, "learning_rate": a["image_rate"]}
    where = ("image_mode", "other_image_mode")
    ds["image_circulation"] = where, circulation(h_image, noise_image, **pace)
    spread = np.sqrt(np.diag(discrete_covariance(h_image, noise_image, **pace).position))
    ds["image_spread"] = "image_mode", spread
    ds.attrs["image_production"] = entropy_production(h_image, noise_image, **pace)
    ds.attrs["image_current"] = current_strength(
        h_image, learning_rate=a["image_rate"], momentum=beta
    )
    # no inertia: eta -> 0 at fixed eta / (1 - beta), where the bracket keeps h_1 + h_2 alone
    slow = {"learning_rate": eta / 1000 / (1 - beta), "momentum": 0.0, "batch_size": size}
    ds.attrs["swirl_circulation_overdamped"] = float(circulation(h, noise, **slow)[0, 1]) * 1e6
    ds.attrs["swirl_production_overdamped"] = entropy_production(h, noise, **slow) * 1000
    ratios = [
        areal_rate(np.ones(ds.step_curvature.size), curvature=ds.step_curvature / eta,
                   learning_rate=eta, momentum=float(m))
        for m in ds.momentum
    ]  # fmt: skip
    ds["turn_ratio"] = ("momentum", "step_curvature"), np.array(ratios)
    ds["edge_formula"] = "edge", midpoint_variance(ds.edge / eta, 1.0, **one)
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
    flat = ds.flat_mode.values
    ds["growth_exact"] = ("time", "flat_mode"), variance_growth(ds.time, flat, flat, **one)
    ds["growth_level"] = "flat_mode", midpoint_variance(flat, flat, **one)
    parts = decompose(single_modes.TOY_DRIFT, single_modes.TOY_DIFFUSION)
    ds.attrs["toy_rate"] = float(areal_rates(parts)[0, 1])
    ds.attrs["toy_production"] = entropy_rate(parts)
    return ds


def _exact(config):
    """Exact variances of theta of the three runs on the data, without sampling."""
    data = experiments.regression_data(config)
    at = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    size = config.batch_size
    return np.array(
        [
            np.diag(minibatch_moments(data, batch_size=s, weight_decay=decay, **at)[0])
            for s, decay in ((size, 0.0), (config.strong_batch, 0.0), (size, config.weight_decay))
        ]
    )
