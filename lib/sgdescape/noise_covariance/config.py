"""Sizes of the experiments of chapter `noise_covariance`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's five experiments; every count is a number of samples unless named.

    Args:
        samples: N images whose batches are drawn for Eq. (8).
        hidden: units of the 49-hidden-1 network that gives their gradients.
        batch_sizes: B at which the noise's trace is measured, each in [1, samples].
        tested: the B of these whose full covariance is measured.
        groups: independent repetitions behind every sampled interval.
        batches: batches of the tested size in each group; a quarter of it at the other sizes.
        loss_ratios: c = L/L* at which the linear models are sampled, equally spaced from 1.
        draws: samples of a linear model in each group.
        law_batch_size: B of the linear models.
        directions: numbers d of input coordinates.
        loss_ratio_d: c of the runs over d.
        line_images: N of the one-parameter regression on real data.
        learning_rates: eta (time a step) of the comparison of SGD with its SDE, 1/eta whole.
        images: N of the real network 784-units-1.
        units: its hidden units.
        learning_rate: eta of its training (time a step).
        batch_size: B of its training.
        steps: of SGD.
        polish: full-batch steps after it.
        eigenvectors: number of its curvature directions.
        paths: number of these along which it is displaced.
        loss_ratios_n: c (parabola) of the displacements.
        seed: of everything.
    """

    samples: int = 10
    hidden: int = 3
    batch_sizes: tuple[int, ...] = (1, 2, 5, 8, 10)
    tested: int = 5
    groups: int = 40
    batches: int = 160
    loss_ratios: tuple[float, ...] = tuple(np.arange(1.0, 4.01, 0.25).tolist())
    draws: int = 20_000
    law_batch_size: int = 4
    directions: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    loss_ratio_d: float = 3.0
    line_images: int = 500
    learning_rates: tuple[float, ...] = tuple(2.0**-k for k in range(2, 11))
    images: int = 2000
    units: int = 10
    learning_rate: float = 0.02
    batch_size: int = 100
    steps: int = 5000
    polish: int = 100
    eigenvectors: int = 40
    paths: int = 10
    loss_ratios_n: tuple[float, ...] = (1.5, 2.0, 2.5, 3.0)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for size in self.batch_sizes:
            validate.count("batch_sizes", size, high=self.samples)
        validate.one_of("tested", self.tested, self.batch_sizes)
        validate.count("groups", self.groups, low=4)
        validate.count("paths", self.paths, high=self.eigenvectors)
        validate.count("eigenvectors", self.eigenvectors, high=self.images)


QUICK = Config()

PAPER = Config(
    batches=1000, draws=200_000, images=10_000, learning_rate=0.01, steps=100_000, polish=2000
)
"""First 10^4 MNIST images and 784-10-1, as Section 5.3.2 of the paper. How that network was trained
is not available to us; learning rate 0.01 and batch 100 are those of its Section 5.1."""
