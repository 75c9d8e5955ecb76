"""Sizes of the experiments of chapter `linear_regression`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

KURTOSES = {"rademacher": 1.0, "uniform": 1.8, "gaussian": 3.0, "laplace": 6.0}
"""Kurtosis of each input law."""


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps, c = L/L*.

    Args:
        learning_rates: eta of the stationary laws (time a step).
        batch_sizes: B of the stationary laws.
        stationary_samples: N of the one long run.
        record_every: steps between its records.
        records: of the one long run.
        replicas: independent runs on fresh samples.
        states: kept of each at the largest learning rate, 1/eta steps apart; fewer at small ones.
        learning_rate: eta of the first passages.
        batch_size: B of the first passages.
        dimensions: d.
        largest: c of the highest threshold for each d.
        points: thresholds for each d, geometric in c - 1 from 0.1.
        samples: N of the first passages.
        runs: number of runs on these samples.
        repetitions: number of runs on fresh samples.
        max_steps: steps after which a run is given up, and counted as censored.
        slow_rate: a smaller eta.
        slow_dimensions: d at that rate.
        slow_largest: highest c for each of them.
        law_ratios: c of the comparison of input laws, one input.
        tail_rate: eta of exact times far out.
        tail_batch: their B.
        far_ratios: their c.
        zero_rate: eta of the runs from a minimum of zero loss.
        zero_batch: their B.
        zero_starts: their distances from it at the start, in units of the one they may reach.
        zero_runs: runs from each.
        data_sets: number of data sets like that of the first passages, d = 1.
        spread_ratio: c at which they are compared.
        barrier_rates: eta, falling, between which barriers are taken from exact times.
        barrier_ratio: their c.
        jump_rates: eta, falling, between which exponents beyond c = 2 are taken.
        jump_ratios: their c, among them 3 and 10.
        bins: of exact stationary laws.
        seed: of everything.
    """

    learning_rates: tuple[float, ...] = (1.0, 0.1, 0.01)
    batch_sizes: tuple[int, ...] = (1, 2, 5, 10)
    stationary_samples: int = 100_000
    record_every: int = 100
    records: int = 10_000
    replicas: int = 2500
    states: int = 400
    learning_rate: float = 0.1
    batch_size: int = 1
    dimensions: tuple[int, ...] = (1, 2, 5, 10)
    largest: tuple[float, ...] = (2.0, 2.3, 3.5, 8.0)
    points: int = 10
    samples: int = 10_000
    runs: int = 100
    repetitions: int = 1500
    max_steps: int = 100_000
    slow_rate: float = 0.05
    slow_dimensions: tuple[int, ...] = (1, 10)
    slow_largest: tuple[float, ...] = (1.4, 1.85)
    law_ratios: tuple[float, ...] = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
    tail_rate: float = 1.0
    tail_batch: int = 4
    far_ratios: tuple[float, ...] = (1000.0, 3000.0, 10000.0)
    zero_rate: float = 1.0
    zero_batch: int = 2
    zero_starts: tuple[float, ...] = (0.5, 0.25, 0.125, 0.0625)
    zero_runs: int = 400_000
    data_sets: int = 16
    spread_ratio: float = 2.2
    barrier_rates: tuple[float, ...] = (0.05, 0.035, 0.025)
    barrier_ratio: float = 1.6
    jump_rates: tuple[float, ...] = (0.1, 0.05, 0.025)
    jump_ratios: tuple[float, ...] = (1.3, 1.6, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
    bins: int = 40
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that are outside their range or do not fit together."""
        check_types(self)
        for name, low in _LEAST.items():
            validate.count(name, getattr(self, name), low=low)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        for name in ("batch_sizes", "dimensions", "slow_dimensions"):
            for number in _several(name, getattr(self, name)):
                validate.count(name, number)
        for name in ("learning_rate", "slow_rate", "tail_rate", "zero_rate"):
            validate.positive(name, getattr(self, name))
        for name in ("learning_rates", "barrier_rates", "jump_rates"):
            rates = validate.each_positive(name, _several(name, getattr(self, name)))
            if name != "learning_rates" and (len(rates) < 3 or np.any(np.diff(rates) >= 0)):
                raise ValueError(f"{name} must be 3 or more and fall: got {tuple(rates)}")
        for name in ("largest", "slow_largest", "law_ratios"):
            validate.within(name, _several(name, getattr(self, name)), low=1.05, open_low=True)
        for name in ("far_ratios", "jump_ratios"):
            ratios = validate.within(name, _several(name, getattr(self, name)), low=1.05)
            if len(ratios) < 3 or np.any(np.diff(ratios) <= 0):
                raise ValueError(f"{name} must be 3 or more and increase: got {tuple(ratios)}")
        starts = validate.each_positive("zero_starts", _several("zero_starts", self.zero_starts))
        if len(starts) < 2 or starts[0] >= 1 or np.any(np.diff(starts) >= 0):
            raise ValueError(f"zero_starts must be 2 or more below 1 and fall: got {tuple(starts)}")
        for name in ("barrier_ratio", "spread_ratio"):
            validate.within(name, validate.positive(name, getattr(self, name)), low=1.05)
        for name, tops in (("dimensions", "largest"), ("slow_dimensions", "slow_largest")):
            if len(getattr(self, name)) != len(getattr(self, tops)):
                raise ValueError(f"{tops} must have one entry for each of {name}")
            if 1 not in getattr(self, name):
                raise ValueError(f"{name} must hold 1: got {getattr(self, name)}")
        if self.samples <= max(self.dimensions) or max(self.batch_sizes) > self.stationary_samples:
            raise ValueError(
                "samples must exceed every dimension and stationary_samples every batch size: got "
                f"{self.samples} and {self.stationary_samples}"
            )


_LEAST = {
    "stationary_samples": 10,
    "record_every": 1,
    "records": 10,
    "replicas": 51,  # blocks of the estimates
    "states": 10,
    "batch_size": 1,
    "points": 6,
    "samples": 10,
    "runs": 20,
    "repetitions": 50,
    "max_steps": 1,
    "tail_batch": 1,
    "zero_batch": 1,
    "zero_runs": 100,
    "data_sets": 4,
    "bins": 8,
}
"""Smallest allowed value of each whole number."""


def _several(name, values):
    """The values if they are a sequence that is not empty."""
    if not isinstance(values, tuple | list) or not values:
        raise ValueError(f"{name} must hold one value or more: got {values!r}")
    return values


QUICK = Config()

PAPER = Config(
    batch_sizes=(1, 2, 5, 10, 20, 50),
    replicas=20_000,
    largest=(2.2, 2.5, 4.0, 12.0),
    points=14,
    repetitions=20_000,
    max_steps=4_000_000,
    data_sets=64,
)
"""Sizes of the paper where it states them: N = 10^5 and 10^4 records in Fig. 3a, N = 10^4 and 100
runs in Fig. 3b. Two of three learning rates, batch sizes, d and c are not available to us."""
