"""The trained narrow ResNet-18 that the chapter measures: its recipe, images, weights and one step.

Labels are drawn anew in every batch, so that the noise does not vanish when the images are learnt:
with probability 1 - noise the image's own class, else one of ten at random. Its loss over all
labels is the cross-entropy with soft targets, whose Hessian is taken.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.networks import checkpoints, resnet

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
