"""A narrow ResNet-18 on Fashion-MNIST: the same measurements where only products are affordable.

Labels are drawn anew in every batch, so that the noise does not vanish when the images are learnt:
with probability 1 - noise the image's own class, else one of ten at random. Its loss over all
labels is the cross-entropy with soft targets, whose Hessian is taken.
"""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import nn

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.networks import checkpoints, resnet
from sgdescape.core.random import seeds
from sgdescape.core.spectra import products
from sgdescape.core.training import recorder, sgd

BUNDLED = "network_limits_resnet.npz"
SHA256 = "ff074abe64b44d5c9633a3f4cd81ec54f114694a072f53d3b9f2e0a16bda628c"


@dataclass(frozen=True)
class Recipe:
    """How the checkpoint is made: SGD with momentum 0.9, epochs shuffled, BatchNorm in train mode.

    Args:
        dataset: a name of `core.data.image_sets` with square images.
        images: N, the first ones.
        width: channels of the first stage; 64 in the paper.
        noise: share of labels drawn at random, anew in every batch.
        batch_size: S of the training.
        weight_decay: lambda.
        schedule: (learning rate, epochs) one after the other.
        seed: of initial weights, order and labels.
    """

    dataset: str = "fashion_mnist"
    images: int = 1024
    width: int = 4
    noise: float = 0.25
    batch_size: int = 32
    weight_decay: float = 1e-3
    schedule: tuple[tuple[float, int], ...] = ((0.05, 35), (0.01, 20), (0.002, 20))
    seed: int = 0


@dataclass(frozen=True)
class Images:
    """Standardised images (N, c, h, w), their classes (N,) and the share of random labels."""

    inputs: torch.Tensor
    labels: torch.Tensor
    noise: float

    def soft(self) -> torch.Tensor:
        """Return the probabilities (N, 10) of the labels that are drawn."""
        own = nn.functional.one_hot(self.labels, 10).to(self.inputs.dtype)
        return (1 - self.noise) * own + self.noise / 10

    def draw(self, index, generator) -> torch.Tensor:
        """Draw labels (S,) for some images."""
        labels = self.labels[index]
        random = torch.randint(0, 10, labels.shape, generator=generator, device="cpu")
        swap = torch.rand(labels.shape, generator=generator, device="cpu") < self.noise
        return torch.where(swap.to(labels.device), random.to(labels.device), labels)


def images_of(recipe: Recipe, *, device="cpu") -> Images:
    """Return the recipe's images with mean 0 and variance 1 over all pixels."""
    found = image_sets.load(recipe.dataset, n=recipe.images, task="one_hot", images=True)
    inputs = (found.inputs - found.inputs.mean()) / found.inputs.std()
    return Images(inputs.to(device), found.labels.to(device), recipe.noise)


def network(recipe: Recipe, *, device="cpu") -> nn.Module:
    """Return the untrained network."""
    channels = 3 if recipe.dataset == "cifar10" else 1
    return resnet.resnet18(
        "cifar", seed=recipe.seed, width=recipe.width, in_channels=channels, device=device
    )


def pretrain(recipe: Recipe, *, device="cpu") -> np.ndarray:
    """Return the weights (P,) float32 after the recipe's schedule.

    The recipe's seed is used as it stands: the bundled weights were made so.
    """
    model, images = network(recipe, device=device), images_of(recipe, device=device)
    generator = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=1.0, momentum=0.9, weight_decay=recipe.weight_decay
    )
    for rate, epochs in recipe.schedule:
        for group in optimiser.param_groups:
            group["lr"] = rate
        for _ in range(epochs):
            order = torch.randperm(recipe.images, generator=generator)
            for index in order.split(recipe.batch_size):
                step(model, images, index.to(images.labels.device), optimiser, generator)
    vector = nn.utils.parameters_to_vector(model.parameters())
    return vector.detach().cpu().numpy()


def load(recipe: Recipe, *, device="cpu") -> np.ndarray:
    """Return the bundled weights of a recipe, or train now if there are none."""
    kept = checkpoints.bundled(BUNDLED, sha256=SHA256, recipe=Recipe)
    return kept[recipe]["theta"] if recipe in kept else pretrain(recipe, device=device)


def measure(config, *, device="cpu") -> xr.Dataset:
    """Measure spectrum, noise, speed, phase space and norms around the checkpoint.

    Args:
        config: of `network_limits`; its fields that begin with ``residual``.
        device: where the network lives.
    """
    recipe = Recipe(
        dataset=config.residual_dataset,
        images=config.residual_images,
        width=config.residual_width,
        schedule=config.residual_schedule,
    )
    images = images_of(recipe, device=device)
    theta = torch.from_numpy(load(recipe, device=device)).to(device)
    model = network(recipe, device=device)
    put(model, theta)
    found = _spectrum(config, recipe, model, images)
    vectors = torch.from_numpy(found.residual_vectors.values).to(device)
    ring = _ring(config, recipe, model, theta, images, vectors[:, 0])
    found = found.drop_vars("residual_vectors").merge(_noise(config, model, images)).merge(ring)
    runs = [
        _run(config, recipe, model, theta, images, vectors, setting, k)
        for k, setting in enumerate(config.residual_runs)
    ]
    found = found.merge(xr.concat(runs, "residual_run"))
    found["residual_at"] = ("residual_run", "value"), np.array(config.residual_runs, float)
    return found


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
                pairs.eigenvectors.double().cpu().numpy(),
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
        pull = gradient(model, images, index, generator)
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
        put(model, weights.float())
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
    put(model, theta)
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
        losses[k] = step(model, images, index, optimiser, generator)
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


def step(model, images, index, optimiser, generator) -> float:
    """Make one step of SGD on some images, their labels drawn anew; return the loss before it."""
    optimiser.zero_grad(set_to_none=False)
    labels = images.draw(index, generator)
    loss = nn.functional.cross_entropy(model(images.inputs[index]), labels)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def gradient(model, images, index, generator) -> torch.Tensor:
    """Return the gradient (P,) of one batch, its labels drawn anew, in float64."""
    labels = images.draw(index, generator)
    model.zero_grad()
    nn.functional.cross_entropy(model(images.inputs[index]), labels).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()]).double()


def put(model, theta) -> None:
    """Give a network the weights (P,)."""
    validate.count("theta", len(theta), low=sum(p.numel() for p in model.parameters()))
    nn.utils.vector_to_parameters(theta.clone(), model.parameters())


def _seed(config, purpose, index=0):
    return seeds.derive(config.seed, "network_limits", purpose, index)
