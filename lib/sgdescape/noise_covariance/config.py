"""Sizes of the experiments of chapter `noise_covariance`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

_COUNTS = {
    "samples": (2, 1000),
    "hidden": (1, 1000),
    "tested": (1, 1000),
    "groups": (4, 10_000),
    "batches": (4, 10**6),
    "draws": (100, 10**8),
    "line_images": (10, 70_000),
    "images": (10, 70_000),
    "units": (1, 100_000),
    "steps": (1, 10**8),
    "polish": (0, 10**8),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's five experiments; every count is a number of samples unless named.

    Args:
        samples: N images whose batches are drawn for Eq. (8), in [2, 1000].
        hidden: units of the 49-hidden-1 network that gives their gradients, at least 1.
        batch_sizes: B at which the noise's trace is measured, each in [1, samples].
        tested: the B of these whose full covariance is measured.
        groups: independent repetitions behind every sampled interval, at least 4.
        batches: batches of the tested size in each group, at least 4; a quarter of it elsewhere.
        loss_ratios: c = L/L* at which the linear models are sampled, equally spaced from 1.
        draws: samples of a linear model in each group, at least 100.
        law_batch_size: B of the linear models, in [1, draws / 2].
        directions: numbers d of input coordinates, at least 1.
        loss_ratio_d: c of the runs over d, at least 1.
        line_images: N of the one-parameter regression on real data, at least 10.
        learning_rates: eta (time a step) of the comparison of SGD with its SDE, 1/eta whole.
        images: N of the real network 784-units-1, at least 10.
        units: its hidden units, at least 1.
        learning_rate: eta of its training (time a step), in (0, 1e6).
        batch_size: B of its training, in [1, images].
        steps: of SGD, at least 1.
        polish: full-batch steps after it.
        eigenvectors: number of its curvature directions, in [1, images].
        paths: number of these along which it is displaced, in [1, eigenvectors].
        loss_ratios_n: c (parabola) of the displacements, above 1.
        seed: of everything, in [0, 2^63).
    """

    samples: int = 10
    hidden: int = 3
    batch_sizes: tuple[int, ...] = (1, 2, 5, 8, 10)
    tested: int = 5
    groups: int = 60
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
    paths: int = 40
    loss_ratios_n: tuple[float, ...] = (1.2, 1.4, 1.6, 1.75)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together, before anything is computed."""
        check_types(self)
        for name, (low, high) in _COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=high)
        validate.positive("learning_rate", self.learning_rate)
        validate.within("learning_rate", self.learning_rate, low=0, high=1e6, open_low=True)
        validate.positive("loss_ratio_d", self.loss_ratio_d)
        validate.within("loss_ratio_d", self.loss_ratio_d, low=1, high=1e6)
        for name in ("batch_sizes", "loss_ratios", "directions", "learning_rates", "loss_ratios_n"):
            value = validate.row(name, getattr(self, name))
            steps = np.diff(validate.finite(name, value))
            if not (np.all(steps > 0) or np.all(steps < 0)):
                raise ValueError(f"{name} must increase, or decrease, throughout: got {value!r}")
        for size in self.batch_sizes:
            validate.count("batch_sizes", size, high=self.samples, most="samples")
        for size in self.directions:
            validate.count("directions", size, high=10_000)
        validate.within("loss_ratios", self.loss_ratios, low=1, high=1e6)
        validate.within("loss_ratios_n", self.loss_ratios_n, low=1, high=1e6, open_low=True)
        self._check_grids()
        if self.tested not in self.batch_sizes:
            raise ValueError(
                f"tested must be one of batch_sizes = {self.batch_sizes}: got {self.tested!r}"
            )
        validate.count(
            "law_batch_size", self.law_batch_size, high=self.draws // 2, most="draws // 2"
        )
        validate.count("batch_size", self.batch_size, high=self.images, most="images")
        validate.count("eigenvectors", self.eigenvectors, high=self.images, most="images")
        validate.count("paths", self.paths, high=self.eigenvectors, most="eigenvectors")

    def _check_grids(self):
        """What the claims ask of the grids of c and of eta."""
        c, eta = np.array(self.loss_ratios), np.array(self.learning_rates)
        if len(c) < 3 or c[0] != 1 or np.ptp(np.diff(c)) > 1e-9:
            raise ValueError(f"loss_ratios must be equally spaced from 1: got {self.loss_ratios}")
        validate.within("learning_rates", eta, low=0, high=1, open_low=True)
        if len(eta) < 3 or np.any(np.abs(1 / eta - np.round(1 / eta)) > 1e-9):
            raise ValueError(f"1 / learning_rates must be 3 or more integers: got {eta.tolist()}")


QUICK = Config()

PAPER = Config(
    batches=1000, draws=200_000, images=10_000, learning_rate=0.01, steps=100_000, polish=2000
)
"""First 10^4 MNIST images and 784-10-1, as Section 5.3.2 of the paper. How that network was trained
is not available to us; learning rate 0.01 and batch 100 are those of its Section 5.1."""
