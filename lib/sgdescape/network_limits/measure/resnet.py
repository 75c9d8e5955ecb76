"""A narrow ResNet-18 on Fashion-MNIST: the same measurements where only products are affordable.

Which network it is, and how it was trained, says `resnet_checkpoint`.
"""

from dataclasses import asdict

import numpy as np
import torch
import xarray as xr
from torch import nn

from sgdescape.core.random import seeds
from sgdescape.core.spectra import products
from sgdescape.core.training import recorder, sgd
from sgdescape.network_limits.measure import resnet_checkpoint as checkpoint
from sgdescape.network_limits.measure import stages


def measure(config, *, device="cpu", store=None) -> xr.Dataset:
    """Measure spectrum, noise, speed, phase space and norms around the checkpoint.

    Args:
        config: of `network_limits`; its fields that begin with ``residual``.
        device: where the network lives.
        store: folder in which the trained weights, the eigenvectors and each run are kept as soon
            as they are there, and found again; None keeps nothing.
    """
    recipe = checkpoint.Recipe(
        dataset=config.residual_dataset,
        images=config.residual_images,
        width=config.residual_width,
        schedule=config.residual_schedule,
    )
    images = checkpoint.images_of(recipe, device=device)
    keep = stages.Stages(store, measure, device, asdict(recipe))
    start = keep.dataset(
        "weights",
        lambda: xr.Dataset({"theta": ("weight", checkpoint.load(recipe, device=device))}),
    )
    theta = torch.from_numpy(start.theta.values).to(device)
    model = checkpoint.network(recipe, device=device)
    checkpoint.put(model, theta)
    sizes = {name: getattr(config, f"residual_{name}") for name in _SPECTRUM}
    sizes["batch_size"] = config.residual_runs[0][2]
    found = keep.dataset("spectrum", lambda: _spectrum(config, recipe, model, images), sizes)
    vectors = torch.from_numpy(found.residual_vectors.values).to(device).double()
    ring = _ring(config, recipe, model, theta, images, vectors[:, 0])
    found = found.drop_vars("residual_vectors").merge(_noise(config, model, images)).merge(ring)
    sizes |= {"longest": longest(config), "seed": config.seed}
    runs = [
        keep.dataset(
            f"run {k}",
            lambda k=k, at=at: _run(config, recipe, model, theta, images, vectors, at, k),
            sizes | {"setting": at},
        )
        for k, at in enumerate(config.residual_runs)
    ]
    found = found.merge(xr.concat(runs, "residual_run"))
    found["residual_at"] = ("residual_run", "value"), np.array(config.residual_runs, float)
    return found


_SPECTRUM = ("hessian_images", "modes", "iterations")
"""Fields on which the eigenvectors depend."""


def _spectrum(config, recipe, model, images):
    """Top eigenpairs in BatchNorm's train mode, by batches as in the runs; other modes beside."""
    part = slice(0, config.residual_hessian_images)
    inputs, targets = images.inputs[part], images.soft()[part]
    size = sum(p.numel() for p in model.parameters())
    batch = config.residual_runs[0][2]

    def product(mode, chunk):
        return products.hessian_product(
            model, inputs, targets, loss=sgd.cross_entropy, batch_norm=mode, chunk=chunk
        )

    model.train()
    _statistics(model, images)  # for eval mode
    pairs = products.lanczos(
        product("train", batch),
        size,
        k=config.residual_modes,
        max_iter=config.residual_iterations,
        tol=1e-3,
        dtype=torch.float32,
        device=inputs.device,
    )
    first = pairs.eigenvectors[:, 0].float()
    other = {"train, batches": float(pairs.eigenvalues[0])}
    for name, mode, chunk in (("train, all", "train", None), ("eval", "eval", None)):
        other[name] = float(first.double() @ product(mode, chunk)(first).double())
    whole = products.hessian_product(
        model,
        images.inputs,
        images.soft(),
        loss=sgd.cross_entropy,
        batch_norm="train",
        chunk=batch,
    )
    other["all images"] = float(first.double() @ whole(first).double())
    return xr.Dataset(
        {
            "residual_curvature": ("residual_mode", pairs.eigenvalues.numpy()),
            "residual_residual": ("residual_mode", pairs.residuals.numpy()),
            "residual_vectors": (
                ("weight", "residual_mode"),
                pairs.eigenvectors.cpu().numpy(),
            ),
            "residual_mode_curvature": ("norm_mode", list(other.values())),
        },
        coords={"norm_mode": list(other)},
    )


@torch.no_grad()
def _statistics(model, images):
    """Set BatchNorm's running statistics to those of all images."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain average
    for part in images.inputs.split(256):
        model(part)


def _noise(config, model, images):
    """Variance of the batch gradient at fixed weights, and the loss by batches of some sizes."""
    generator = torch.Generator().manual_seed(_seed(config, "resnet noise"))
    size, count = config.residual_runs[0][2], config.residual_batches
    total, squares = 0.0, []
    for _ in range(count):
        index = torch.randint(0, len(images.labels), (size,), generator=generator)
        pull = checkpoint.gradient(model, images, index, generator)
        total = total + pull
        squares.append(float(pull @ pull))
    spread = (np.array(squares) - float(total @ total) / count**2) * count / (count - 1)
    losses = _batch_losses(model, images.inputs[:1024], images.soft()[:1024])
    return losses.assign(residual_noise=("draw", size * spread))


@torch.no_grad()
def _batch_losses(model, inputs, targets):
    """Loss of the same images in batches of several sizes, also in groups that all sizes share."""
    model.train()
    sizes, group = (4, 8, 32, 128), 32
    rows = []
    for size in sizes:
        pairs = zip(inputs.split(size), targets.split(size), strict=True)
        rows.append(torch.cat([sgd.cross_entropy(model(x), y) for x, y in pairs]).double())
    grouped = [row.view(-1, group).mean(1).numpy() for row in rows]
    return xr.Dataset(
        {
            "residual_batch_loss": ("norm_batch", [float(row.mean()) for row in rows]),
            "residual_group_loss": (("norm_batch", "norm_group"), np.array(grouped)),
        },
        coords={"norm_batch": list(sizes)},
    )


def _ring(config, recipe, model, theta, images, direction):
    """Kick the weights along a direction and follow full-batch descent, the checkpoint at rest.

    The checkpoint's own gradient is taken off, as it is no minimum: a tilt changes no curvature.
    Images and batches are those of the Hessian.
    """
    eta, beta, steps, kick = config.residual_ring
    part, size = slice(0, config.residual_hessian_images), config.residual_runs[0][2]
    inputs, targets = images.inputs[part], images.soft()[part]

    def force(weights):
        checkpoint.put(model, weights.float())
        model.zero_grad()
        for x, y in zip(inputs.split(size), targets.split(size), strict=True):
            (sgd.cross_entropy(model(x), y).sum() / len(inputs)).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()]).double()

    model.train()
    unit, origin = direction / direction.norm(), theta.double()
    tilt = force(origin)
    track, share = np.ones((2, int(steps) + 1)), np.ones((2, int(steps) + 1))
    for side, sign in enumerate((1, -1)):
        place, buffer = sign * kick * unit, torch.zeros_like(unit)
        for k in range(1, int(steps) + 1):
            pull = force(origin + place) - tilt + recipe.weight_decay * place
            buffer = beta * buffer + pull
            place = place - eta * buffer
            along = float(place @ unit)
            track[side, k] = sign * along / kick
            share[side, k] = along**2 / float(place @ place)
    dims = ("ring_side", "residual_ring_step")
    return xr.Dataset({"residual_ring": (dims, track), "residual_ring_share": (dims, share)})


def _run(config, recipe, model, theta, images, vectors, setting, stream):
    eta, beta, size, steps = setting
    checkpoint.put(model, theta)
    model.train()
    generator = torch.Generator().manual_seed(_seed(config, "resnet run", stream))
    optimiser = torch.optim.SGD(
        model.parameters(), lr=eta, momentum=beta, weight_decay=recipe.weight_decay
    )
    record = recorder.Recorder(model, directions=vectors)
    record(0)
    losses = np.full(longest(config), np.nan)
    for k in range(int(steps)):
        index = torch.randint(0, recipe.images, (int(size),), generator=generator)
        losses[k] = checkpoint.step(model, images, index, optimiser, generator)
        if not np.isfinite(losses[k]):
            raise FloatingPointError(
                f"the ResNet's run {stream} (learning_rate {eta:g}, momentum {beta:g}, batch_size "
                f"{size}) diverged at step {k + 1}"
            )
        record(k + 1)
    path = record.path()
    tensors = list(path.tensors)
    shapes = {name: p.dim() for name, p in model.named_parameters()}
    invariant = np.array([shapes[name] == 4 for name in tensors])  # every convolution has its norm
    empty = longest(config) - int(steps)

    def fill(values):
        return np.pad(values, [(0, empty), *[(0, 0)] * (values.ndim - 1)], constant_values=np.nan)

    return xr.Dataset(
        {
            "residual_position": (
                ("residual_step", "residual_mode"),
                fill(path.positions[1:, 0]),
            ),
            "residual_move": (("residual_step", "residual_mode"), fill(path.moves[1:])),
            "residual_speed": ("residual_step", fill(path.square_move[1:].sum(1))),
            "residual_distance": ("residual_step", fill(path.square_distance[1:, 0])),
            "residual_loss": ("residual_step", losses),
            "residual_norm": ("residual_step", fill(path.square_norm[1:, invariant].sum(1))),
            "residual_norm_speed": (
                "residual_step",
                fill(path.square_move[1:, invariant].sum(1)),
            ),
            "residual_radial": ("residual_step", fill(path.position_move[1:, invariant].sum(1))),
        }
    )


def longest(config) -> int:
    """Return the number of steps of the longest run."""
    return max(int(setting[3]) for setting in config.residual_runs)


def _seed(config, purpose, index=0):
    return seeds.derive(config.seed, "network_limits", purpose, index)
