"""Sizes of the experiments of chapter `modified_loss`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

LARGEST = 10**8
"""Of every count: beyond what a machine holds, but not beyond what an integer does."""

COUNTS = {
    "batch_size": 1,
    "strong_batch": 1,
    "samples": 1000,
    "modes": 3,
    "epoch_steps": 2,
    "image_samples": 100,
    "image_modes": 2,
    "replicas": 20,
    "steps": 100,
    "burn_in": 0,
    "keep_every": 1,
    "chains": 20,
    "mode_steps": 10,
    "walkers": 20,
    "toy_steps": 10,
    "toy_chains": 20,
    "arrow_steps": 10,
    "arrow_runs": 20,
}
"""Smallest value of each field that counts something."""


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps unless said otherwise.

    Counts have the least values of `COUNTS`, and at most `LARGEST`; momenta lie in [0, 1 - 1e-6],
    learning rates below the edge of stability 2 (1 + beta) / h_max.

    Args:
        learning_rate: eta of every run but these:
        fast_rate: eta of the run with large steps, where the force shows in the rotation.
        momentum: beta of the runs on data, of the edge and of the flat modes.
        batch_size: S.
        strong_batch: S of the run with strong noise.
        weight_decay: lambda of the run with decay.
        samples: N of each data set.
        modes: d of the regression.
        flattest: smallest eigenvalue of its H.
        steepest: largest.
        swirl_curvatures: both eigenvalues, ascending, where Sigma and H do not commute.
        correlation: Sigma_12 / sqrt(Sigma_11 Sigma_22) of the normal noise there.
        epoch_steps: M, steps an epoch of the run with shuffled batches.
        image_samples: N of the regression on Fashion-MNIST, bundled.
        image_modes: its principal components.
        image_rate: eta there.
        replicas: independent runs on data.
        steps: of each, recorded.
        burn_in: steps before.
        keep_every: steps between states kept for pictures and distributions.
        momenta: beta of the rotation.
        step_curvatures: eta h of it.
        edges: eta h of the midpoint's variance, up to the edge of stability 2 (1 + beta).
        entropy_momenta: beta of the entropy production.
        chains: runs of each single mode.
        mode_steps: their steps.
        flat_curvatures: rho of the flat modes.
        times: at which they are looked at.
        walkers: runs of each.
        toy_step: dt of Fig. 3's process (its time).
        toy_steps: number of them.
        toy_chains: runs.
        arrow_batches: S of the runs in one direction, ascending.
        arrow_rate: eta h there, in (0, 1).
        arrow_momentum: beta there.
        arrow_steps: steps averaged there.
        arrow_runs: runs of each.
        seed: of everything.
    """

    learning_rate: float = 0.02
    fast_rate: float = 0.2
    momentum: float = 0.9
    batch_size: int = 32
    strong_batch: int = 2
    weight_decay: float = 0.2
    samples: int = 50_000
    modes: int = 6
    flattest: float = 0.1
    steepest: float = 2.0
    swirl_curvatures: tuple[float, float] = (0.5, 2.0)
    correlation: float = 0.6
    epoch_steps: int = 100
    image_samples: int = 5000
    image_modes: int = 10
    image_rate: float = 0.0025
    replicas: int = 256
    steps: int = 3000
    burn_in: int = 500
    keep_every: int = 10
    momenta: tuple[float, ...] = (0.0, 0.5, 0.9, 0.99)
    step_curvatures: tuple[float, ...] = (0.02, 0.1, 0.5, 1.5)
    edges: tuple[float, ...] = (0.2, 1.0, 2.0, 3.0)
    entropy_momenta: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
    chains: int = 200
    mode_steps: int = 2000
    flat_curvatures: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
    times: tuple[int, ...] = (30, 300, 3000)
    walkers: int = 3000
    toy_step: float = 0.01
    toy_steps: int = 6_000
    toy_chains: int = 400
    arrow_batches: tuple[int, ...] = (2, 4, 8, 16, 32)
    arrow_rate: float = 0.1
    arrow_momentum: float = 0.5
    arrow_steps: int = 3000
    arrow_runs: int = 1000
    seed: int = 0

    def __post_init__(self):
        """Refuse what has the wrong type, lies outside its range or does not fit the rest."""
        check_types(self)
        for name, low in COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=LARGEST)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        beta = validate.between("momentum", self.momentum, 0, 1 - 1e-6)
        validate.between("arrow_momentum", self.arrow_momentum, 0, 1 - 1e-6)
        for name in ("momenta", "entropy_momenta"):
            for value in validate.row(name, getattr(self, name)):
                validate.between(name, value, 0, 1 - 1e-6)
        edge = 2 * (1 + beta)  # of eta h
        validate.within("steepest", self.steepest, low=0, open_low=True, high=1e6)
        decay = validate.between("weight_decay", self.weight_decay, 0, 1e6)
        for name in ("learning_rate", "fast_rate"):
            limit = edge / (self.steepest + decay)
            validate.within(name, getattr(self, name), low=0, open_low=True, high=limit)
        validate.within("image_rate", self.image_rate, low=0, open_low=True, high=1e3)
        validate.within("arrow_rate", self.arrow_rate, low=0, open_low=True, high=1)
        validate.between("toy_step", self.toy_step, 1e-6, 0.1)
        validate.positive("flattest", self.flattest)
        validate.within("flattest", self.flattest, low=0, high=self.steepest)
        swirl = self._numbers("swirl_curvatures", edge / self.learning_rate, least=2)
        if swirl.size != 2 or not swirl[0] < swirl[1]:
            raise ValueError(f"swirl_curvatures must be two, ascending: got {swirl.tolist()}")
        validate.within("correlation", self.correlation, low=-1, open_low=True, high=1)
        self._numbers("edges", edge)
        lowest = 2 * (1 + min(self.momenta))
        self._numbers("step_curvatures", lowest)
        self._numbers("flat_curvatures", edge / self.learning_rate)
        for name, least in (("times", 1), ("arrow_batches", 2)):
            for value in validate.row(name, getattr(self, name), least=least):
                validate.count(name, value, high=LARGEST)
        if self.keep_every >= self.steps:
            raise ValueError(f"keep_every must lie in [1, {self.steps - 1}]: got {self.keep_every}")
        if self.samples <= self.modes or self.epoch_steps * self.batch_size <= self.modes:
            raise ValueError(f"modes must be below the number of samples: got {self.modes}")

    def _numbers(self, name, high, least=1):
        """Return a field of numbers in (0, high) as an array."""
        values = validate.row(name, getattr(self, name), least=least)
        return validate.within(name, values, low=0, open_low=True, high=high)


QUICK = Config()

PAPER = Config(
    modes=30,
    flattest=0.05,
    replicas=2000,
    steps=20_000,
    burn_in=1000,
    keep_every=500,
    chains=2000,
    walkers=30_000,
    arrow_runs=10_000,
)
"""The paper's own clouds are of ResNet-18 on ImageNet, 30 modes: see chapter `network_limits`."""
