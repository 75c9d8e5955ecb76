"""Sizes of the experiments of chapter `noise_strength`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.data import image_sets
from sgdescape.core.networks import models


@dataclass(frozen=True)
class Config:
    """Sizes of the training runs; every replica has its own images, weights and batches.

    Args:
        images: number N of training images; None for all there are.
        hidden: units of the three hidden layers of the fully connected network (MLP).
        stacks: (filters, convolutions) of each stack of the convolutional network (CNN).
        pool: the CNN's images are averaged over pool x pool pixels first; 1 leaves them.
        cnn_data: data set of the CNN, a name of `core.data.image_sets`; the MLP has Fashion-MNIST.
        learning_rate: eta, time a step.
        batch_size: B, images.
        mlp_epochs: training time of the MLP, in epochs.
        cnn_epochs: training time of the CNN, in epochs.
        marks: number of epochs at which the noise is measured, evenly spaced in log(epoch).
        replicas: independent runs of every network and loss.
        seed: of everything.
    """

    images: int | None = 200
    hidden: tuple[int, ...] = (100, 100, 100)
    stacks: tuple[tuple[int, int], ...] = ((8, 1), (16, 1))
    pool: int = 2
    cnn_data: str = "fashion_mnist"
    learning_rate: float = 0.1
    batch_size: int = 100
    mlp_epochs: int = 700
    cnn_epochs: int = 120
    marks: int = 22
    replicas: int = 3
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        for name in ("pool", "batch_size", "mlp_epochs", "cnn_epochs"):
            validate.count(name, getattr(self, name))
        if self.images is not None:
            validate.count(
                "batch_size", self.batch_size, high=validate.count("images", self.images)
            )
        validate.count("marks", self.marks, low=5)
        validate.count("replicas", self.replicas, low=2)
        validate.positive("learning_rate", self.learning_rate)
        validate.one_of("cnn_data", self.cnn_data, image_sets.NAMES)


QUICK = Config()

PAPER = Config(
    images=None,
    hidden=models.PAPER_MLP_FASHION[1:-1],
    stacks=models.PAPER_CNN,
    pool=1,
    cnn_data="cifar10",
    mlp_epochs=200,
    cnn_epochs=200,
    marks=60,
    replicas=3,
)
"""Networks, data, learning rate and batch size of Section 5.2. Its number of epochs, and the
learning rates of Appendix D, are not available to us: 200 epochs and eta = 0.1 are our choice."""
