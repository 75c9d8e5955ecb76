"""Sizes of the experiments of chapter `underdamped_langevin`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.underdamped_langevin.measure import regression as experiments


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Args:
        curvatures: of the synthetic regression's inputs (loss/parameter^2), falling.
        samples: N of it.
        learning_rate: eta (time a step).
        momentum: beta.
        batch_size: S.
        replicas: chains; a multiple of 40.
        burn_in: steps before a chain counts as stationary.
        records: steps recorded after that.
        spacing: steps between the records of the correlations of position and velocity.
        growth_points: steps at which the covariance that grows from 0 is recorded, at most.
        growth_last: the last of them.
        growth_replicas: chains there; a multiple of 40.
        lags: of the autocorrelation (steps).
        kick: initial displacement of the kicked chains, in stationary standard deviations.
        kick_steps: their length.
        kick_replicas: their number.
        sweep_rates: other eta.
        sweep_sizes: other S.
        sweep_momenta: other beta.
        sweep_steps: steps averaged at each setting.
        sweep_replicas: chains at each setting.
        free_steps: steps averaged of the noise without gradient.
        free_replicas: chains of it.
        edges: eta h / (2 (1 + beta)) of single modes; 1 is the stability edge.
        edge_momenta: their beta.
        edge_replicas: their number.
        paper_curvatures: q_1 and q_30 of the paper's ResNet-18.
        paper_replicas: chains of each; a multiple of 40.
        paper_steps: their length.
        paper_lags: of their autocorrelation.
        images: N of Fashion-MNIST.
        image_batch: S there.
        image_step: eta rho_1 there.
        spiral_momenta: beta of the spirals.
        spiral_steps: steps.
        chains: of both experiments on images.
        speed_steps: steps averaged for the speed on images.
        order_rates: eta of the order of the modified equation.
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
    spacing: int = 10
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
    paper_replicas: int = 120
    paper_steps: int = 20_000
    paper_lags: int = 200
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
        """Refuse sizes that do not fit together."""
        for name in ("replicas", "growth_replicas", "paper_replicas"):
            validate.count(name, getattr(self, name), low=experiments.GROUPS)
            if getattr(self, name) % experiments.GROUPS:
                raise ValueError(f"{name} must be a multiple of {experiments.GROUPS}")
        if not self.lags < self.records or not self.paper_lags < self.paper_steps:
            raise ValueError("lags must be below the number of records")
        validate.count("chains", self.chains, low=8)
        validate.count("burn_in", self.burn_in, low=100)
        validate.positive("image_step", self.image_step)


QUICK = Config()

PAPER = Config(
    replicas=4000,
    kick_replicas=8000,
    sweep_steps=3000,
    sweep_replicas=1000,
    free_steps=3000,
    paper_replicas=1200,
    images=60_000,
    image_batch=512,
    chains=256,
    speed_steps=2000,
)
"""The batch size of the paper's linear regression (Fig. 2) and a whole image set, with more chains.
The paper's own data set there is CIFAR-10; its eta rho_1 = 0.0092 and number of steps are in both
configurations."""
