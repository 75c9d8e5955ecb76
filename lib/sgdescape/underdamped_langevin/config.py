"""Sizes of the experiments of chapter `underdamped_langevin`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types
from sgdescape.underdamped_langevin.measure.correlations import GROUPS
from sgdescape.underdamped_langevin.measure.single_modes import PAPER_MOMENTUM, PAPER_RATE

LARGEST = 10**8
"""Of every count: beyond what a machine holds, but not beyond what an integer does."""

IMAGE_SETS = ("fashion_mnist", "mnist", "cifar10")
"""What regression may be done on."""

PAPER_EDGE = 2 * (1 + PAPER_MOMENTUM) / PAPER_RATE
"""Curvature at which the paper's default setting is unstable."""

COUNTS = {
    "samples": 100,
    "batch_size": 1,
    "replicas": GROUPS,
    "burn_in": 100,
    "records": 10,
    "growth_points": 2,
    "growth_last": 2,
    "growth_replicas": GROUPS,
    "lags": 10,
    "kick_steps": 10,
    "kick_replicas": 2,
    "sweep_steps": 1,
    "sweep_replicas": 2,
    "free_steps": 1,
    "free_replicas": 2,
    "edge_replicas": 2,
    "paper_replicas": GROUPS,
    "paper_steps": 600,
    "paper_lags": 61,
    "images": 100,
    "image_batch": 1,
    "spiral_steps": 20,
    "chains": 8,
    "speed_steps": 1,
}
"""Smallest value of each field that counts something."""


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Counts have the least values of `COUNTS`, and at most `LARGEST`; momenta lie in [0, 1 - 1e-6],
    learning rates below the stability edge 2 (1 + beta) / h_max.

    Args:
        curvatures: of the synthetic regression's inputs (loss/parameter^2), at least 8, falling.
        samples: N of it.
        learning_rate: eta (time a step).
        momentum: beta.
        batch_size: S.
        replicas: chains, at least 40.
        burn_in: steps before a chain counts as stationary.
        records: steps recorded after that.
        growth_points: steps at which the covariance that grows from 0 is recorded, at most.
        growth_last: the last of them.
        growth_replicas: chains there, at least 40.
        lags: of the autocorrelation (steps).
        kick: initial displacement of the kicked chains in stationary standard deviations, up to
            1e6.
        kick_steps: their length.
        kick_replicas: their number.
        sweep_rates: other eta.
        sweep_sizes: other S.
        sweep_momenta: other beta.
        sweep_steps: steps averaged at each setting.
        sweep_replicas: chains at each setting.
        free_steps: steps averaged of the noise without gradient.
        free_replicas: chains of it.
        edges: eta h / (2 (1 + beta)) of single modes in (0, 1); 1 is the stability edge.
        edge_momenta: their beta.
        edge_replicas: their number.
        paper_curvatures: q_1 and q_30 of the paper's ResNet-18.
        paper_replicas: chains of each, at least 40.
        paper_steps: their length.
        paper_lags: of their autocorrelation.
        image_set: a name of `core.data.image_sets`.
        images: N of it, the first ones.
        image_batch: S there.
        image_step: eta rho_1 there, in (0, 2).
        spiral_momenta: beta of the spirals.
        spiral_steps: steps.
        chains: of both experiments on images.
        speed_steps: steps averaged for the speed on images.
        order_rates: eta of the order of the modified equation, 1 / n with whole n >= 2.
        seed: of everything.
    """

    curvatures: tuple[float, ...] = tuple(np.geomspace(1.0, 0.02, 8).round(4).tolist())
    samples: int = 4096
    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 32
    replicas: int = 400
    burn_in: int = 600
    records: int = 1000
    growth_points: int = 26
    growth_last: int = 150
    growth_replicas: int = 4000
    lags: int = 120
    kick: float = 30.0
    kick_steps: int = 150
    kick_replicas: int = 800
    sweep_rates: tuple[float, ...] = (0.0125, 0.025, 0.1, 0.2)
    sweep_sizes: tuple[int, ...] = (2, 4, 8, 16, 64)
    sweep_momenta: tuple[float, ...] = (0.0, 0.5, 0.8, 0.95, 0.98, 0.99)
    sweep_steps: int = 300
    sweep_replicas: int = 200
    free_steps: int = 300
    free_replicas: int = 100
    edges: tuple[float, ...] = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
    edge_momenta: tuple[float, ...] = (0.0, 0.5, 0.9)
    edge_replicas: int = 60
    paper_curvatures: tuple[float, ...] = (52.8, 8.73)
    paper_replicas: int = 480
    paper_steps: int = 60_000
    paper_lags: int = 200
    image_set: str = "fashion_mnist"
    images: int = 5000
    image_batch: int = 64
    image_step: float = 0.0092
    spiral_momenta: tuple[float, ...] = (0.9, 0.99, 0.999)
    spiral_steps: int = 392
    chains: int = 32
    speed_steps: int = 250
    order_rates: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    seed: int = 0

    def __post_init__(self):
        """Refuse what has the wrong type, lies outside its range or does not fit the rest."""
        check_types(self)
        for name, low in COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=LARGEST)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        validate.one_of("image_set", self.image_set, IMAGE_SETS)
        rho = self._numbers("curvatures", least=8)
        if np.any(np.diff(rho) >= 0) or not 0 < rho[-1] < rho[0] <= 1e6:
            raise ValueError(f"curvatures must fall, within (0, 1e6]: got {self.curvatures}")
        edge = 2 * (1 + self._momentum("momentum", self.momentum)) / rho[0]
        for name in ("sweep_momenta", "edge_momenta", "spiral_momenta"):
            for beta in validate.row(name, getattr(self, name)):
                self._momentum(name, beta)
        lowest = min(self.momentum, *self.sweep_momenta)
        validate.positive("learning_rate", self.learning_rate)
        validate.within("learning_rate", self.learning_rate, low=0, high=2 * (1 + lowest) / rho[0])
        validate.within("sweep_rates", self._numbers("sweep_rates"), low=0, high=edge)
        for size in validate.row("sweep_sizes", self.sweep_sizes):
            validate.count("sweep_sizes", size, high=LARGEST)
        validate.within("edges", self._numbers("edges"), low=0, open_low=True, high=1)
        paper = self._numbers("paper_curvatures", least=2)
        validate.within("paper_curvatures", paper, low=0, open_low=True, high=PAPER_EDGE)
        validate.within("image_step", self.image_step, low=0, open_low=True, high=2)
        validate.between("kick", self.kick, 0, 1e6)
        orders = self._numbers("order_rates", least=2)
        if np.any(np.abs(np.round(1 / orders) - 1 / orders) > 1e-9) or orders.max() > 0.5:
            raise ValueError(f"order_rates must be 1 / n, n >= 2 whole: got {self.order_rates}")
        if not (self.lags < self.records and self.paper_lags < self.paper_steps):
            raise ValueError(
                f"lags must be below records = {self.records} and paper_lags below paper_steps = "
                f"{self.paper_steps}: got {self.lags} and {self.paper_lags}"
            )

    def _numbers(self, name, least=1):
        """Return a field of positive numbers as an array."""
        return validate.each_positive(name, validate.row(name, getattr(self, name), least=least))

    def _momentum(self, name, beta):
        """Return a momentum below 1 by enough that a run forgets its start in millions of steps."""
        return validate.between(name, beta, 0, 1 - 1e-6)


QUICK = Config()

PAPER = Config(
    replicas=4000,
    kick_replicas=8000,
    sweep_steps=3000,
    sweep_replicas=1000,
    free_steps=3000,
    paper_replicas=1200,
    image_set="cifar10",
    images=50_000,
    image_batch=512,
    chains=256,
    speed_steps=2000,
)
"""The data set and the batch size of the paper's linear regression (Fig. 2), with more chains; its
eta rho_1 = 0.0092 and number of steps are in both configurations."""
