"""Where the runs start: networks trained until their loss stands still, kept with the package.

"Stands still" is measured: over the time that one escape run is watched, the mean loss would fall
by less than a given share, at the rate at which it fell between the last two blocks of training.
"""

from dataclasses import dataclass

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.networks import checkpoints, models

BUNDLED = "neural_network.npz"
SHA256 = "d3ff52f09fa9d63fb6403668f66efa72e6d113490b698a8d4ee5c34322f0763f"


@dataclass(frozen=True)
class Recipe:
    """How a checkpoint is made.

    Args:
        dataset: a name of `core.data.image_sets`, parity task.
        images: N, the first ones in file order.
        hidden: units of each hidden layer, all equal.
        seed: of the initial weights and of the batches.
        learning_rate: eta of the pre-training.
        batch_size: B of the pre-training.
        block: steps in a block, over which the loss is averaged.
        drift: largest share by which the loss may fall in ``duration``.
        duration: t, the time for which escape runs are watched, in units of t = eta x steps.
        most_blocks: at which training is given up as not stationary.
    """

    dataset: str = "mnist"
    images: int = 5000
    hidden: tuple[int, ...] = (10,)
    seed: int = 0
    learning_rate: float = 0.01
    batch_size: int = 100
    block: int = 10_000
    drift: float = 0.02
    duration: float = 20.0
    most_blocks: int = 100

    def __post_init__(self):
        """Refuse values outside their range."""
        validate.one_of("dataset", self.dataset, image_sets.NAMES)
        for name in ("images", "block", "batch_size"):
            validate.count(name, getattr(self, name))
        for name in ("learning_rate", "drift", "duration"):
            validate.positive(name, getattr(self, name))
        validate.count("most_blocks", self.most_blocks, low=2)


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with the record of its training.

    Args:
        recipe: how it was made.
        theta: parameters (P,), float32, ordered as `model.parameters()`.
        block_losses: mean training loss of each block (blocks,).
        fall: share by which the loss would fall in ``recipe.duration``, from the last two blocks.
    """

    recipe: Recipe
    theta: np.ndarray
    block_losses: np.ndarray
    fall: float

    @property
    def steps(self) -> int:
        """Length of the pre-training."""
        return len(self.block_losses) * self.recipe.block


def recipes(config) -> dict:
    """Return the checkpoint recipes of a configuration: case -> recipe, the main one first."""
    # h* is above 75 where there is one hidden layer: the time watched is at most `duration`; with
    # two it is smaller, but all runs are over in a tenth of that
    common = {"images": config.images, "hidden": config.hidden, "duration": config.watch / 75}
    wider = tuple(2 * h for h in config.hidden)
    return {
        "main": Recipe(**common),
        "second seed": Recipe(**common, seed=1),
        "twice as wide": Recipe(**common | {"hidden": wider}),
        "two hidden layers": Recipe(**common | {"hidden": 2 * config.hidden}),
        "Fashion-MNIST": Recipe(**common, dataset="fashion_mnist"),
    }


class NotStationaryError(RuntimeError):
    """The loss still falls after the last block; ``checkpoint`` is how far training came."""

    def __init__(self, message, checkpoint):
        super().__init__(message)
        self.checkpoint = checkpoint


def load(recipe: Recipe) -> Checkpoint:
    """Return the checkpoint of a recipe: the bundled one, or made now if there is none.

    Raises:
        NotStationaryError: if the loss does not come to rest.
        ValueError: if the bundled file is corrupt.
    """
    return bundled().get(recipe) or pretrain(recipe)


def bundled() -> dict[Recipe, Checkpoint]:
    """Return the checkpoints that are kept with the package, checked by their SHA-256."""
    kept = checkpoints.bundled(BUNDLED, sha256=SHA256, recipe=Recipe)
    return {
        recipe: Checkpoint(recipe, **arrays, fall=fall(arrays["block_losses"], recipe))
        for recipe, arrays in kept.items()
    }


def store(path, made) -> str:
    """Write checkpoints to one file without pickles; return its SHA-256."""
    return checkpoints.store(
        path, {c.recipe: {"theta": c.theta, "block_losses": c.block_losses} for c in made}
    )


def pretrain(recipe: Recipe, *, progress=None) -> Checkpoint:
    """Train from Glorot initial weights until the loss stands still.

    Args:
        recipe: the recipe.
        progress: called with (block, loss, fall) after each block; None for silence.

    Raises:
        NotStationaryError: if that takes more than ``recipe.most_blocks`` blocks.
    """
    images = images_of(recipe)
    model = models.mlp((images.inputs.shape[1], *recipe.hidden, 1), seed=recipe.seed)
    problem = ensembles.problem(model, images.inputs, images.targets)
    losses = []
    for block in range(recipe.most_blocks):
        made = ensembles.run(
            problem,
            learning_rate=recipe.learning_rate,
            batch_size=recipe.batch_size,
            max_steps=recipe.block,
            first_step=block * recipe.block,
            replicas=range(1),
            seed=recipe.seed,
            record_every=1,
        )
        losses.append(float(made.losses.mean()))
        model = network(recipe, made.theta[0])
        problem = ensembles.problem(model, images.inputs, images.targets, gram=problem.gram)
        rate = fall(losses, recipe)
        if progress is not None:
            progress(block, losses[-1], rate)
        if rate <= recipe.drift:
            break
    theta = made.theta[0].astype(np.float32)
    found = Checkpoint(recipe, theta, np.array(losses), rate)
    if rate > recipe.drift:
        raise NotStationaryError(
            f"after {found.steps} steps the loss still falls by {rate:.2g} in t = "
            f"{recipe.duration:g}: drift must be at most {recipe.drift:g}",
            found,
        )
    return found


def fall(block_losses, recipe: Recipe) -> float:
    """Return the share by which the loss falls in ``recipe.duration``, from the last two blocks.

    Infinite before there are two.
    """
    if len(block_losses) < 2:
        return float("inf")
    rate = np.log(block_losses[-2] / block_losses[-1]) / (recipe.block * recipe.learning_rate)
    return float(rate * recipe.duration)


def images_of(recipe: Recipe):
    """Return the training images and parity targets of a recipe, float64."""
    return image_sets.load(recipe.dataset, n=recipe.images, dtype=torch.float64)


def network(recipe: Recipe, theta):
    """Return the network with these parameters (P,), float64."""
    model = models.mlp((784, *recipe.hidden, 1), seed=0, dtype=torch.float64)
    vector = torch.as_tensor(np.asarray(theta, dtype=np.float64))
    torch.nn.utils.vector_to_parameters(vector, model.parameters())
    return model
