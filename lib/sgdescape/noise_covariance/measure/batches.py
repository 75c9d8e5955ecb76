"""Noise of real batches and of sampled linear models, as raw samples and sums."""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.networks import gradients, models
from sgdescape.core.random import seeds
from sgdescape.core.training import sgd
from sgdescape.noise_covariance.measure.laws import LAWS

SAMPLERS = ("without_replacement", "iid")
_STEM = "noise_covariance"


def coarse_images(samples: int, *, pixels: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first MNIST images averaged to ``pixels`` x ``pixels``, centred, and their parity.

    Args:
        samples: N.
        pixels: a divisor of 28.

    Returns:
        Inputs (N, pixels^2) and targets (N,), float64.
    """
    images = image_sets.load("mnist", n=samples, images=True, dtype=torch.float64)
    coarse = torch.nn.functional.avg_pool2d(images.inputs, 28 // pixels)
    pixels = coarse.flatten(1)
    return pixels - pixels.mean(dim=0), images.targets


def small_gradients(samples: int, *, hidden: int, seed: int) -> np.ndarray:
    """Return the per-sample gradients (N, P) of an untrained 49-hidden-1 network on MNIST parity.

    Its output bias is 1, far from the minimum, so that the mean gradient is not small.

    Args:
        samples: N.
        hidden: width of its one hidden layer.
        seed: of the network's weights.
    """
    inputs, targets = coarse_images(samples)
    model = models.mlp((inputs.shape[1], hidden, 1), seed=seed, dtype=torch.float64)
    torch.nn.init.ones_(model[-1].bias)
    return gradients.batch_gradients(model, inputs, targets, loss=sgd.square_loss).numpy()


def batch_means(sample_gradients, *, batch_size: int, sampler: str, batches: int, seed: int):
    """Return the mean gradients (batches, P) of batches drawn as `core.training.sgd` draws them.

    Args:
        sample_gradients: per-sample gradients (N, P).
        batch_size: B in [1, N].
        sampler: one of `core.training.sgd.SAMPLERS`.
        batches: how many.
        seed: of the draws.
    """
    n = len(sample_gradients)
    stream = sgd.batches(n, batch_size, sampler=sampler, seed=seed)
    index = np.stack([next(stream).numpy() for _ in range(batches)])
    counts = np.zeros((batches, n))  # how often each sample is in each batch
    np.add.at(counts, (np.arange(batches)[:, None], index), 1.0)
    return counts @ sample_gradients / batch_size


def batch_covariance(config) -> xr.Dataset:
    """Measure the covariance of real batch gradients, in independent groups.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``trace`` (sampler, batch_size, group): mean squared norm of the noise; ``covariance``
        (group, parameter, parameter_2) for B = tested without replacement; ``gradient``
        (image, parameter): the per-sample gradients themselves. Other B than the tested one get
        a quarter of the batches.
    """
    groups, batch_sizes = config.groups, config.batch_sizes
    start = seeds.derive(config.seed, _STEM, "small network")
    per_sample = small_gradients(config.samples, hidden=config.hidden, seed=start)
    trace = np.empty((len(SAMPLERS), len(batch_sizes), groups))
    covariance = None
    for i, sampler in enumerate(SAMPLERS):
        for j, size in enumerate(batch_sizes):
            batches = config.batches if size == config.tested else config.batches // 4
            means = batch_means(
                per_sample,
                batch_size=size,
                sampler=sampler,
                batches=groups * batches,
                seed=seeds.derive(config.seed, _STEM, f"batches {sampler}", size),
            )
            noise = (per_sample.mean(axis=0) - means).reshape(groups, batches, -1)
            trace[i, j] = (noise**2).sum(axis=2).mean(axis=1)
            if sampler == "without_replacement" and size == config.tested:
                covariance = np.einsum("gbi,gbj->gij", noise, noise, optimize=True) / batches
    return xr.Dataset(
        {
            "trace": (("sampler", "batch_size", "group"), trace),
            "covariance": (("group", "parameter", "parameter_2"), covariance),
            "gradient": (("image", "parameter"), per_sample),
        },
        coords={"sampler": list(SAMPLERS), "batch_size": list(batch_sizes)},
    )


def linear_models(config) -> xr.Dataset:
    """Sample SGD's noise along one direction of linear regression, for each input law.

    The model is f = theta g with E g^2 = h = 1, residual at the minimum N(0, 1), so L* = 1/2; at
    c = L/L* the distance from the minimum is sqrt(c - 1).

    Args:
        config: the chapter's `Config`.

    Returns:
        ``variance`` (law, loss_ratio, group): B Var of the batch gradient, in units of 2 h L*;
        ``loss`` and ``loss_slope`` (law, loss_ratio, group): means of l and of l g^2.
    """
    loss_ratios, groups, batch_size = config.loss_ratios, config.groups, config.law_batch_size
    shape = (len(LAWS), len(loss_ratios), groups)
    variance, loss, loss_slope = np.empty(shape), np.empty(shape), np.empty(shape)
    size = config.draws // batch_size * batch_size
    for i, (law, draw) in enumerate(LAWS.items()):
        rng = _generator(config, f"inputs {law}")
        for k in range(groups):
            g, r = draw(rng, size), rng.standard_normal(size)
            for j, c in enumerate(loss_ratios):
                error = np.sqrt(c - 1.0) * g - r
                batch_gradients = (error * g).reshape(-1, batch_size).mean(axis=1)
                variance[i, j, k] = batch_size * batch_gradients.var(ddof=1)
                loss[i, j, k] = np.mean(error**2) / 2
                loss_slope[i, j, k] = np.mean((error * g) ** 2) / 2
    dims = ("law", "loss_ratio", "group")
    return xr.Dataset(
        {"variance": (dims, variance), "loss": (dims, loss), "loss_slope": (dims, loss_slope)},
        coords={"law": list(LAWS), "loss_ratio": list(loss_ratios)},
    )


def many_directions(config) -> xr.Dataset:
    """Sample trace and escape-direction element of the noise of d-dimensional regression.

    Gaussian inputs of variance 1, residual N(0, 1), displaced along the first coordinate.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``trace_part`` and ``escape_part`` (directions, group): B Tr Sigma / (2 L d) and
        B Sigma_ee / (2 L), both 1 if Eq. (6) holds.
    """
    directions, groups, c = config.directions, config.groups, config.loss_ratio_d
    draws = config.draws // 2
    parts = np.empty((2, len(directions), groups))
    for i, d in enumerate(directions):
        rng = _generator(config, "directions", d)
        for k in range(groups):
            x, r = rng.standard_normal((draws, d)), rng.standard_normal(draws)
            gradient = (np.sqrt(c - 1.0) * x[:, 0] - r)[:, None] * x
            variances = gradient.var(axis=0, ddof=1) / c  # 2 L h = c
            parts[:, i, k] = variances.mean(), variances[0]
    dims = ("directions", "group")
    return xr.Dataset(
        {"trace_part": (dims, parts[0]), "escape_part": (dims, parts[1])},
        coords={"directions": list(directions)},
    )


def first_component(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a one-parameter regression on real data: MNIST parity on its first component.

    Args:
        samples: N images.

    Returns:
        Inputs g (N,), mean 0 and mean square 1, and residuals y - theta* g at the minimum (N,).
    """
    images = image_sets.load("mnist", n=samples, dtype=torch.float64)
    pixels = images.inputs.numpy() - images.inputs.numpy().mean(axis=0)
    g = pixels @ np.linalg.svd(pixels, full_matrices=False)[2][0]
    g *= np.sign(g[0]) / np.sqrt(np.mean(g**2))  # the svd's sign is arbitrary
    y = images.targets.numpy()
    return g, y - np.mean(g * y) * g


def _generator(config, purpose, index=0):
    key = seeds.derive(config.seed, _STEM, purpose, index)
    return np.random.Generator(np.random.Philox(key=key))
