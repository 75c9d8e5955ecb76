"""Sizes of the experiments of chapter `random_time_change`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

CONVENTIONS = {"Ito": 0.0, "Stratonovich": 0.5, "anti-Ito": 1.0}
"""Name -> where within a step the noise amplitude is taken: 0 start, 1/2 middle, 1 end."""

_COUNTS = {
    "batch_size": (1, 10**9),
    "paths": (10, 10**6),
    "samples": (10, 10**8),
    "passages": (10, 10**8),
    "stationary_samples": (100, 10**8),
    "gibbs_chains": (50, 10**7),
    "gibbs_kept": (1, 10**5),
    "wide": (1, 10**4),
    "runs": (10, 10**7),
    "most": (2, 100),
    "growth_steps": (10, 10**7),
    "groups": (4, 10**5),
    "lives": (10, 10**8),
    "sgd_batch_size": (1, 10**6),
    "seed": (0, 2**63 - 1),
}
_POSITIVE = (
    *("learning_rate", "curvature", "minimum_loss", "start", "path_time", "fine_step", "step"),
    *(
        "law_time",
        "driver_time",
        "bowl_time",
        "passage_step",
        "loss_ratio",
        "longest",
        "stationary_step",
    ),
    *("stationary_time", "gibbs_step", "gibbs_time", "long_step", "long_time", "growth_step"),
    *("frozen_step", "frozen_time", "barrier_height", "sgd_learning_rate"),
)
_LARGEST = 1e6  # of every size that is no count: beyond it nothing here is meant
_ROWS = ("floors", "bowl_curvatures", "bowl_start", "minimum_losses", "shifts", "sgd_dimensions")


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments. "Time" is t of Eq. (12), "tau" the clock of Eq. (13).

    Args:
        learning_rate: eta (time a step of SGD).
        batch_size: B.
        curvature: h of the isotropic bowl.
        minimum_loss: L*.
        start: theta at the start of paths in one dimension.
        path_time: tau at which paths on one Brownian motion are compared (loss x time).
        fine_step: of the reference path (time), path_time a multiple of it by a power of two.
        levels: the coarse grids of tau have 2^low to 2^high cells, those of t eight times more.
        paths: driven by one Brownian motion each.
        samples: of the laws at a fixed time.
        step: of Euler's scheme there (time, or tau).
        law_time: t of the comparison of laws.
        driver_time: tau and t at which the driver is sampled.
        bowl_curvatures: h_i of the valley with unequal curvatures.
        bowl_start: where it starts.
        bowl_time: t at which its loss is sampled.
        passages: runs of each first-passage experiment.
        passage_step: of their scheme (time, or tau).
        loss_ratio: c of their threshold.
        longest: a passage may take (time, and tau): longer is an error.
        stationary_samples: independent samples of each stationary law.
        stationary_step: time step of Eq. (12).
        stationary_time: length of its runs (time).
        gibbs_chains: independent runs of Eq. (14).
        gibbs_step: their tau step.
        gibbs_time: their length (tau), half of it before the first sample: in tau the tails fill
            slowly, only as a power of tau.
        gibbs_kept: samples of each, equally spaced in tau.
        wide: number n of directions with infinite mean loss.
        runs: independent runs there.
        long_step: their time step.
        long_time: their length (time).
        most: largest n whose growth rate is measured.
        growth_step: time step there.
        growth_steps: steps in a group.
        groups: independent groups.
        lives: runs at a global minimum, L* = 0.
        frozen_step: their time step.
        frozen_time: their length (time).
        floors: epsilon added to a loss with L* = 0, falling, at least 3.
        shifts: epsilon added to a positive L*, in units of L*: two values.
        barrier_height: L^s - L* of minima of equal height.
        minimum_losses: L* of these minima: two values, increasing.
        sgd_learning_rate: eta of SGD's own steps far from a minimum.
        sgd_batch_size: B there.
        sgd_dimensions: numbers n of inputs there, increasing.
        seed: of everything, in [0, 2^63).

    All numbers are positive and at most 1e6 where they are no counts; steps divide no time below
    themselves; counts have the ranges that the message of a refusal names.
    """

    learning_rate: float = 0.5
    batch_size: int = 1
    curvature: float = 1.0
    minimum_loss: float = 0.5
    start: float = 2.0
    path_time: float = 0.5
    fine_step: float = 2.0**-13
    levels: tuple[int, int] = (2, 6)
    paths: int = 800
    samples: int = 30_000
    step: float = 0.005
    law_time: float = 1.0
    driver_time: float = 1.0
    bowl_curvatures: tuple[float, ...] = (2.0, 0.5)
    bowl_start: tuple[float, ...] = (1.0, 1.5)
    bowl_time: float = 0.5
    passages: int = 40_000
    passage_step: float = 0.005
    loss_ratio: float = 3.0
    longest: float = 2000.0
    stationary_samples: int = 20_000
    stationary_step: float = 0.01
    stationary_time: float = 10.0
    gibbs_chains: int = 2000
    gibbs_step: float = 0.01
    gibbs_time: float = 320.0
    gibbs_kept: int = 20
    wide: int = 5
    runs: int = 1000
    long_step: float = 0.01
    long_time: float = 64.0
    most: int = 8
    growth_step: float = 2.0**-8
    growth_steps: int = 20_000
    groups: int = 100
    lives: int = 20_000
    frozen_step: float = 2.0**-6
    frozen_time: float = 10.0
    floors: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5)
    shifts: tuple[float, float] = (1e-3, 1e-4)
    barrier_height: float = 1.0
    minimum_losses: tuple[float, float] = (0.125, 0.5)
    sgd_learning_rate: float = 0.1
    sgd_batch_size: int = 1
    sgd_dimensions: tuple[int, ...] = (14, 16, 18, 20, 22)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together, before anything is computed."""
        check_types(self)
        for name, (low, high) in _COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=high)
        for name in _POSITIVE:
            validate.positive(name, getattr(self, name))
            validate.within(name, getattr(self, name), low=0, high=_LARGEST, open_low=True)
        validate.within("loss_ratio", self.loss_ratio, low=1, high=_LARGEST, open_low=True)
        self._check_rows()
        self._check_times()
        # nu of Eq. (index), written out: the experiments import no theory.
        index = self.batch_size / (self.learning_rate * self.curvature) + 1 - self.wide / 2
        if not 0 < index < 1:
            raise ValueError(
                f"wide must give an index nu in (0, 1): n = {self.wide} gives {index:g}, with "
                f"batch_size = {self.batch_size}, learning_rate = {self.learning_rate:g} and "
                f"curvature = {self.curvature:g}"
            )

    def _check_rows(self):
        for name in _ROWS:
            value = validate.row(name, getattr(self, name))
            if any(isinstance(entry, (bool, np.bool_)) for entry in value):
                raise TypeError(f"{name} must hold real numbers: got {value!r}")
            validate.within(name, value, low=-_LARGEST, high=_LARGEST)
            if name != "bowl_start":
                validate.each_positive(name, value)
        for name, least, sign in (("floors", 3, -1), ("shifts", 2, -1), ("minimum_losses", 2, 1)):
            value = getattr(self, name)
            if len(value) < least or np.any(sign * np.diff(value) <= 0):
                way = "increase" if sign > 0 else "fall"
                raise ValueError(f"{name} must hold at least {least} that {way}: got {value}")
        for dimension in self.sgd_dimensions:
            validate.count("sgd_dimensions", dimension, low=2, high=10**6)
        if len(self.sgd_dimensions) < 2 or np.any(np.diff(self.sgd_dimensions) <= 0):
            raise ValueError(f"sgd_dimensions must increase: got {self.sgd_dimensions}")
        if len(self.bowl_curvatures) != len(self.bowl_start):
            raise ValueError(
                f"bowl_start must have one entry for each of bowl_curvatures: got "
                f"{len(self.bowl_start)} for {len(self.bowl_curvatures)}"
            )

    def _check_times(self):
        if not isinstance(self.levels, (tuple, list)) or len(self.levels) != 2:
            raise ValueError(f"levels must be two integers: got {self.levels!r}")
        low = validate.count("levels", self.levels[0], high=20)
        high = validate.count("levels", self.levels[1], low=low + 2, high=24)
        cells = self.path_time / self.fine_step
        if cells % 2 ** (high + 3):
            raise ValueError(
                f"path_time / fine_step must be a multiple of 2^{high + 3} for levels up to "
                f"{high}: got {cells:g}"
            )
        for step, time, least in (
            ("step", "law_time", 1),
            ("step", "driver_time", 1),
            ("step", "bowl_time", 1),
            ("passage_step", "longest", 1),
            ("stationary_step", "stationary_time", 1),
            ("gibbs_step", "gibbs_time", 2 * self.gibbs_kept),
            ("long_step", "long_time", 160),  # nine marks over a factor of 16
            ("frozen_step", "frozen_time", 1),
        ):
            steps = getattr(self, time) / getattr(self, step)
            if not least <= steps <= 1e9:
                raise ValueError(f"{time} / {step} must lie in [{least}, 1e9]: got {steps:g}")
        # Explicit schemes stay stable, in t as on the clock tau, where the drift is grad log L.
        stiffest = max(self.curvature, *self.bowl_curvatures) * max(1.0, 1 / self.minimum_loss)
        for name in ("step", "passage_step", "stationary_step", "gibbs_step", "long_step",
                     "growth_step", "frozen_step", "fine_step"):  # fmt: skip
            if getattr(self, name) * stiffest > 1:
                raise ValueError(
                    f"{name} must be at most {1 / stiffest:g}, one over the largest curvature of L "
                    f"and of log L: got {getattr(self, name):g}"
                )

    @property
    def noise(self) -> dict:
        """Learning rate, batch size and curvature, the arguments of most formulas."""
        return {
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "curvature": self.curvature,
        }


QUICK = Config()

PAPER = Config(
    fine_step=2.0**-15,
    levels=(2, 8),
    paths=1000,
    samples=1_000_000,
    step=0.001,
    passages=400_000,
    passage_step=0.001,
    stationary_samples=200_000,
    stationary_step=0.002,
    gibbs_chains=20_000,
    gibbs_step=0.005,
    runs=10_000,
    long_step=0.002,
    growth_steps=200_000,
    lives=200_000,
    frozen_step=2.0**-8,
)
"""Ten times the samples, finer steps. The paper itself shows no experiment on Eqs. (12)-(14)."""

UNITS = {
    "strong_error": "parameter",
    "strong_step": "loss x time (rows of Eq. (14)), time (rows of Eq. (12))",
    "direct": "parameter",
    "mapped": "parameter",
    "driver_fixed_tau": "(loss x time)^(1/2)",
    "driver_fixed_t": "(loss x time)^(1/2)",
    "bowl_loss": "loss",
    "passage": "time (clock t), loss x time (clock tau)",
    "gibbs": "parameter",
    "stationary": "parameter",
    "long_tau": "loss x time",
    "long_ratio": "1",
    "growth": "1 / time",
    "frozen_tau": "loss x time",
    "operator_density": "1 / parameter",
    "floor_passage": "time",
    "equal_barrier": "time",
    "shifted_passage": "time",
    "sgd_growth": "1 / step",
}
"""Units of the measured variables; time is t = eta x steps."""
