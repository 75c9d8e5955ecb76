"""Sizes of the experiments of chapter `decoupling`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate

FRACTIONS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Effective dimensions, in units of N, at which spectra are compared."""


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment; every count is a number of images unless named.

    Args:
        images: N, the first ones of MNIST in file order, or a random subset by ``image_seed``.
        image_seed: of the random subset; None for the first N.
        hidden: units of the hidden layers, between 784 inputs and one output.
        epochs: passes over the data at which the spectra are taken, increasing from 0.
        learning_rate: eta (time a step).
        batch_size: B.
        shuffles: random pairings of loss and gradient at each epoch, at least 4.
        directions: leading curvature directions that are looked at one by one.
        halvings: how often the images are cut in halves, to vary N.
        cut: eigenvalues above this fraction of the largest count as large.
        factor: two eigenvalues within this factor agree.
        seed: of the network, the batches and the shuffles.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    images: int = 1500
    image_seed: int | None = None
    hidden: tuple[int, ...] = (100, 100)
    epochs: tuple[int, ...] = (0, 50, 500)
    learning_rate: float = 0.01
    batch_size: int = 100
    shuffles: int = 12
    directions: int = 20
    halvings: int = 4
    cut: float = 0.01
    factor: float = 1.5
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("images", self.images, low=100)
        validate.count("batch_size", self.batch_size, high=self.images)
        validate.count("shuffles", self.shuffles, low=4)
        validate.count("directions", self.directions, high=self.images)
        validate.count("halvings", self.halvings)
        validate.positive("learning_rate", self.learning_rate)
        validate.fraction("cut", self.cut)
        if self.factor <= 1:
            raise ValueError(f"factor must be above 1: got {self.factor}")
        if list(self.epochs) != sorted(set(self.epochs)) or not self.epochs or self.epochs[0] < 0:
            raise ValueError(f"epochs must increase from 0 or more: got {self.epochs}")


QUICK = Config()

PAPER = Config(images=10_000, shuffles=6)
"""The first 10^4 MNIST images and 500 epochs, Section 5.1 (needs the full data set)."""
