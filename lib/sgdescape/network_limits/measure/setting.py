"""Where the small network's runs start: its minimum with the whole spectrum there; no theory."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.core.spectra import lanczos
from sgdescape.network_limits.measure import minimum, network


@dataclass(frozen=True)
class Setting:
    """A minimum with its exact spectrum, ready to run from.

    Args:
        task: the data, float64.
        single: the same in float32, for gradients.
        theta: (P,) the minimum.
        local: loss, gradient, Hessian and noise there.
        curvature: (P,) eigenvalues rho of the Hessian, descending.
        vectors: (P, P) eigenvectors in columns.
        noise: (P,) q_i^T Sigma q_i.
    """

    task: network.Task
    single: network.Task
    theta: torch.Tensor
    local: network.Local
    curvature: np.ndarray
    vectors: np.ndarray
    noise: np.ndarray


def prepare(config, *, weight_decay=None, dtype=torch.float64) -> Setting:
    """Return the task with its minimum and the spectrum at the minimum."""
    decay = config.weight_decay if weight_decay is None else weight_decay
    recipe = minimum.Recipe(
        samples=config.samples,
        noise=config.label_noise,
        seed=config.network_seed,
        weight_decay=decay,
    )
    return _at(recipe, dtype)


@functools.lru_cache(maxsize=2)
def _at(recipe, dtype):
    """A recipe's setting; its spectrum takes seconds, and a page asks for it twice."""
    theta = torch.from_numpy(minimum.load(recipe))
    task = network.make_task(samples=recipe.samples, noise=recipe.noise, seed=recipe.seed)
    single = network.Task(task.inputs.float(), task.labels, task.share)
    here = network.local(theta, task if dtype == torch.float64 else single)
    values, vectors = np.linalg.eigh(here.hessian)
    values, vectors = values[::-1].copy(), vectors[:, ::-1].copy()
    noise = np.einsum("ik,ij,jk->k", vectors, here.covariance, vectors, optimize=True)
    noise = np.maximum(noise, 0.0)  # a variance, but for rounding where it vanishes
    return Setting(task, single, theta, here, values, vectors, noise)


def watched(config) -> np.ndarray:
    """Return the indices of the modes that are watched: the first ones, then evenly up to `top`."""
    first = config.modes // 3
    rest = np.linspace(first, config.top - 1, config.modes - first)
    return np.concatenate([np.arange(first), np.round(rest).astype(int)])


def spectrum(config, setting: Setting) -> xr.Dataset:
    """Measure Hessian, noise and single-sample kurtosis at the minimum."""
    index = watched(config)
    vectors = setting.vectors[:, index]
    small = vectors.T @ setting.local.covariance @ vectors
    scale = np.sqrt(np.diag(small))
    correlation = small / np.outer(scale, scale)
    beside = correlation[np.triu_indices(len(index), 1)]
    samples = projections(setting, torch.from_numpy(vectors))
    centred = samples - samples.mean(0)
    kurtosis = np.mean(centred**4, 0) / np.mean(centred**2, 0) ** 2
    force = setting.local.gradient + config.weight_decay * setting.theta.numpy()
    ds = xr.Dataset(
        {
            "curvature": ("mode", setting.curvature[index], {"long_name": "rho_i"}),
            "noise": ("mode", setting.noise[index], {"long_name": "Sigma_ii"}),
            "sample_kurtosis": ("mode", kurtosis),
            "all_curvature": ("parameter", setting.curvature),
            "all_noise": ("parameter", setting.noise),
        },
        coords={"mode": index},
    )
    ds = ds.merge(power_iteration(config, setting))
    ds.attrs |= {
        "loss": setting.local.loss,
        "trace_hessian": float(setting.curvature.sum()),
        "trace_noise": float(np.trace(setting.local.covariance)),
        "gradient_norm": float(np.linalg.norm(force)),
        "least_stiffness": float(setting.curvature[-1] + config.weight_decay),
        "noise_correlation": float(np.sqrt(np.mean(beside**2))),
    }
    return ds


def power_iteration(config, setting: Setting) -> xr.Dataset:
    """Find the leading eigenpairs by block power iteration, and by Lanczos with as many products.

    Args:
        config: with ``power_vectors``, ``power_iterations`` and the seed.
        setting: with the whole Hessian.

    Returns:
        ``power_residual`` and ``lanczos_residual`` (power_mode): |H q - rho q|/rho of each pair,
        ``power_curvature``: the quotients in the order in which the iteration leaves them.
    """
    hessian, count = setting.local.hessian, config.power_vectors
    seed = seeds.derive(config.seed, "network_limits", "power")
    rng = np.random.Generator(np.random.Philox(key=seed))
    block = np.linalg.qr(rng.standard_normal((len(hessian), count)))[0]
    for _ in range(config.power_iterations):
        block = np.linalg.qr(hessian @ block)[0]
    quotients = np.einsum("ik,ij,jk->k", block, hessian, block, optimize=True)
    rest = np.linalg.norm(hessian @ block - quotients * block, axis=0)
    matrix = torch.from_numpy(hessian)
    products = (config.power_iterations + 1) * count
    pairs = lanczos.lanczos(
        lambda v: matrix @ v, len(hessian), k=count, max_iter=min(products, len(hessian)), tol=1e-9
    )
    return xr.Dataset(
        {
            "power_curvature": ("power_mode", quotients),
            "power_residual": ("power_mode", rest / np.abs(quotients)),
            "lanczos_residual": (
                "power_mode",
                (pairs.residuals / pairs.eigenvalues.abs()).numpy(),
            ),
        }
    )


def projections(setting: Setting, vectors: torch.Tensor) -> np.ndarray:
    """Return q^T grad l_mu of every sample, (N, K) float64."""
    rows = []
    for start in range(0, setting.task.size, 2048):
        part = slice(start, start + 2048)
        x, labels = setting.single.inputs[part, None], setting.task.labels[part, None]
        every = network.gradients(setting.theta.float().expand(len(x), -1), x, labels)
        rows.append(every @ vectors.float())
    return torch.cat(rows).double().numpy()
