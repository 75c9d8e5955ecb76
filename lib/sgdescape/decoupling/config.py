"""Sizes of the experiments of chapter `decoupling`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

FRACTIONS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Effective dimensions, in units of N, at which spectra are compared."""

_COUNTS = {
    "images": (100, 70_000),
    "shuffles": (4, 10_000),
    "networks": (4, 10_000),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment; every count is a number of images unless named.

    Args:
        images: N in [100, 70000], the first ones of MNIST in file order, or a random subset by
            ``image_seed``.
        image_seed: of the random subset, at least 0; None for the first N.
        hidden: units of the hidden layers, between 784 inputs and one output.
        epochs: passes over the data at which the spectra are taken, increasing from 0 or more.
        learning_rate: eta in (0, 1e6) (time a step).
        batch_size: B in [1, images].
        shuffles: random pairings of loss and gradient at each epoch, in [4, 10000].
        directions: leading curvature directions that are looked at one by one, in [1, images].
        halvings: how often the images are cut in halves, to vary N; at least 8 must remain.
        cut: eigenvalues above this fraction of the largest count as large, in [0, 1).
        factor: two eigenvalues within this factor agree, above 1.
        widths: units of both hidden layers of untrained networks, increasing.
        networks: untrained networks of each width, in [4, 10000].
        seed: of the networks, the batches and the shuffles, in [0, 2^63).

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
    shuffles: int = 8
    directions: int = 20
    halvings: int = 4
    cut: float = 0.01
    factor: float = 1.5
    widths: tuple[int, ...] = (25, 100, 400)
    networks: int = 30
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together, before anything is computed."""
        check_types(self)
        for name, (low, high) in _COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=high)
        for name in ("batch_size", "directions"):
            validate.count(name, getattr(self, name), high=self.images, most="images")
        validate.count("halvings", self.halvings, high=int(np.log2(self.images / 8)))
        if self.image_seed is not None:
            validate.count("image_seed", self.image_seed, low=0, high=2**64 - 1)
        validate.positive("learning_rate", self.learning_rate)
        validate.within("learning_rate", self.learning_rate, low=0, high=1e6, open_low=True)
        validate.fraction("cut", self.cut)
        validate.positive("factor", self.factor)
        validate.within("factor", self.factor, low=1, high=1e6, open_low=True)
        for name in ("hidden", "epochs", "widths"):
            validate.row(name, getattr(self, name))
        for units in self.hidden:
            validate.count("hidden", units, high=100_000)
        for epoch in self.epochs:
            validate.count("epochs", epoch, low=0, high=10**6)
        for width in self.widths:
            validate.count("widths", width, high=100_000)
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError(f"widths must increase: got {self.widths}")
        if list(self.epochs) != sorted(set(self.epochs)):
            raise ValueError(f"epochs must increase from 0 or more: got {self.epochs}")


QUICK = Config()

PAPER = Config(images=10_000, shuffles=6)
"""The first 10^4 MNIST images and 500 epochs, Section 5.1 (needs the full data set)."""
