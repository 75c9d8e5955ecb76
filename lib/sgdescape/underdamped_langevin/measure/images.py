"""Measurements of chapter `underdamped_langevin` on images: pixels to ten outputs."""

import json
from functools import lru_cache

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.random import seeds

STEM = "underdamped_langevin"

TOP = 10  # leading modes of which every sample's share of the noise is kept
MAIN = 8  # the output shown: the class "bag"; the others are ten-fold repetitions of the modes


@lru_cache(maxsize=1)
def pixels(name: str, count: int):
    """Return inputs (N, pixels), one-hot targets (N, 10), Hessian's eigenpairs and the minimum.

    Args:
        name: of the set.
        count: N, the first images of the set.

    Returns:
        float64 arrays; eigenvalues descend, eigenvectors are columns; the minimum (pixels, 10).
    """
    import torch  # seconds: only where images are read or trained on

    from sgdescape.core.data import image_sets

    made = image_sets.load(name, n=count, task="one_hot", dtype=torch.float64)
    x, y = made.inputs.numpy(), made.targets.numpy()
    rho, q = np.linalg.eigh(x.T @ x / len(x))
    return x, y, rho[::-1].copy(), q[:, ::-1].copy(), np.linalg.lstsq(x, y, rcond=None)[0]


def spirals(config, *, device="cpu") -> xr.Dataset:
    """Train from zero with three momenta, all on the same batches; follow the leading eigenvector.

    Args:
        config: see `underdamped_langevin.Config`.
        device: of torch; "auto" is CUDA where there is one.

    Returns:
        ``spiral_position`` and ``spiral_velocity`` (spiral_momentum, spiral_step, chain, output):
        q_1.(theta - mu) and q_1.v; ``spiral_start`` (output); ``local_noise`` (spiral_momentum,
        spiral_step): variance of a sample's gradient along q_1 for the main output, at the mean of
        the chains; ``image_curvature`` and ``image_noise`` (image_mode), the latter at the minimum,
        of all outputs; ``image_top`` (image, top_mode): squared inputs along leading modes;
        ``image_errors`` (image): squared residuals of all outputs; ``image_rate``: eta;
        ``image_loss``: L*.
    """
    import torch

    from sgdescape.core.data import image_sets

    x, y, rho, q, mu = pixels(config.image_set, config.images)
    eta = config.image_step / rho[0]
    betas = np.array(config.spiral_momenta)
    where = validate.device(device)
    to = {"dtype": torch.float32, "device": where}
    inputs, targets = torch.tensor(x, **to), torch.tensor(np.tile(y, len(betas)), **to)
    first = torch.tensor(q[:, 0], **to)
    beta = torch.tensor(np.repeat(betas, 10), **to)
    draws = _batches(config, "spirals", config.chains, config.spiral_steps)
    theta = torch.zeros(config.chains, x.shape[1], 10 * len(betas), **to)
    b = torch.zeros_like(theta)
    place, speed, means = [], [], []
    for batch in draws:
        place.append(first @ theta)
        speed.append(-(first @ b))
        means.append(theta[..., MAIN::10].mean(dim=0))
        chosen = batch.to(where)
        sample, want = inputs[chosen], targets[chosen]
        torch.baddbmm(b * beta, sample.transpose(1, 2), sample @ theta - want,
                      alpha=1 / config.image_batch, out=b)  # fmt: skip
        theta -= eta * b
    shape = (len(draws), config.chains, len(betas), 10)
    order = ("spiral_momentum", "spiral_step", "chain", "output")
    position = torch.stack(place).double().cpu().numpy().reshape(shape).transpose(2, 0, 1, 3)
    velocity = torch.stack(speed).double().cpu().numpy().reshape(shape).transpose(2, 0, 1, 3)
    residual = x @ mu - y
    path = torch.stack(means).permute(2, 0, 1).reshape(-1, x.shape[1]).T
    errors = (inputs @ path).double().cpu().numpy() - y[:, [MAIN]]
    along = (x @ q[:, 0])[:, None] * errors
    start = q[:, 0] @ mu
    found = image_sets.origin(image_sets.load(config.image_set, n=config.images))
    variables = {
        "spiral_position": (order, position - start),
        "spiral_velocity": (order, velocity),
        "spiral_start": ("output", -start),
        "local_noise": (order[:2], along.var(axis=0).reshape(len(betas), -1)),
        "image_curvature": ("image_mode", rho),
        "image_noise": ("image_mode", np.sum(((x @ q) ** 2).T @ residual**2, axis=1) / len(x)),
        "image_top": (("image", "top_mode"), ((x @ q[:, :TOP]) ** 2)),
        "image_errors": (("image",), np.sum(residual**2, axis=1)),
        "image_rate": float(eta),
        "image_loss": 0.5 * float(np.mean(np.sum(residual**2, axis=1))),
    }
    coords = {"spiral_momentum": betas, "spiral_step": np.arange(len(draws))}
    return xr.Dataset(
        variables, coords=coords, attrs={"data": json.dumps({config.image_set: found})}
    )


def image_speed(config, *, device="cpu") -> xr.Dataset:
    """Measure the speed of SGD on the pixels around the minimum, with and without its gradient.

    Args:
        config: see `underdamped_langevin.Config`.
        device: of torch; "auto" is CUDA where there is one.

    Returns:
        ``image_square_step`` and ``image_free_step`` (chain): |delta_k|^2 averaged over steps, of
        SGD and of the noise at the minimum alone.
    """
    import torch

    x, y, rho, _, mu = pixels(config.image_set, config.images)
    eta, beta, where = config.image_step / rho[0], config.momentum, validate.device(device)
    to = {"dtype": torch.float32, "device": where}
    inputs, residual = torch.tensor(x, **to), torch.tensor(x @ mu - y, **to)
    burn_in = int(6 / (1 - beta))
    draws = _batches(config, "speed", config.chains, burn_in + config.speed_steps)
    away = torch.zeros(config.chains, x.shape[1], 10, **to)  # theta - mu
    b = torch.zeros(config.chains, x.shape[1], 20, **to)  # of SGD, and of the noise alone
    totals = np.zeros((2, config.chains))
    for k, batch in enumerate(draws):
        chosen = batch.to(where)
        sample, error = inputs[chosen], residual[chosen]
        both = torch.cat([sample @ away + error, error], dim=2)
        b = beta * b + sample.transpose(1, 2) @ both / config.image_batch
        away -= eta * b[..., :10]
        if k >= burn_in:
            squares = b.square().sum(dim=1, dtype=torch.float64).cpu().numpy()
            totals += squares.reshape(-1, 2, 10).sum(axis=2).T
    totals *= eta**2 / config.speed_steps
    return xr.Dataset(
        {"image_square_step": ("chain", totals[0]), "image_free_step": ("chain", totals[1])}
    )


def _batches(config, purpose, chains, steps):
    """Sample indices (steps, chains, batch): each chain's depend on the seed and itself alone."""
    import torch

    keys = [seeds.derive(config.seed, STEM, purpose, chain) for chain in range(chains)]
    rows = [
        np.random.Generator(np.random.Philox(key=key)).integers(
            config.images, size=(steps, config.image_batch)
        )
        for key in keys
    ]
    return torch.from_numpy(np.stack(rows, axis=1))
