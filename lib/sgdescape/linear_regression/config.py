"""Sizes of the experiments of chapter `linear_regression`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate

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
        tail_rate: eta of the run into the tail.
        tail_batch: its B.
        tail_ratios: its c.
        far_ratios: c of exact times, far into the same tail.
        data_sets: number of data sets like that of the first passages, d = 1.
        spread_ratio: c at which they are compared.
        barrier_rates: eta, falling, between which barriers are taken from exact times.
        barrier_ratio: their c.
        bins: of exact stationary laws.
        seed: of everything.
    """

    learning_rates: tuple[float, ...] = (1.0, 0.1, 0.01)
    batch_sizes: tuple[int, ...] = (1, 2, 5, 10)
    stationary_samples: int = 100_000
    record_every: int = 100
    records: int = 1000
    replicas: int = 1000
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
    tail_ratios: tuple[float, ...] = (3.0, 6.0, 12.0, 25.0, 50.0)
    far_ratios: tuple[float, ...] = (1000.0, 3000.0, 10000.0)
    data_sets: int = 16
    spread_ratio: float = 2.2
    barrier_rates: tuple[float, ...] = (0.05, 0.035, 0.025)
    barrier_ratio: float = 1.6
    bins: int = 40
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("dimensions", "slow_dimensions"):
            tops = "largest" if name == "dimensions" else "slow_largest"
            if len(getattr(self, name)) != len(getattr(self, tops)):
                raise ValueError(f"{tops} must have one entry for each of {name}")
        for name in ("largest", "slow_largest", "law_ratios", "tail_ratios"):
            if min(getattr(self, name)) <= 1.05:
                raise ValueError(f"{name} must be above 1.05: got {min(getattr(self, name))}")
        validate.count("data_sets", self.data_sets, low=4)
        validate.count("points", self.points, low=6)
        validate.count("runs", self.runs, low=20)
        validate.count("repetitions", self.repetitions, low=50)


QUICK = Config()

PAPER = Config(
    batch_sizes=(1, 2, 5, 10, 20, 50),
    records=10_000,
    replicas=20_000,
    largest=(2.2, 2.5, 4.0, 12.0),
    points=14,
    repetitions=20_000,
    max_steps=4_000_000,
    data_sets=64,
)
"""Sizes of the paper where it states them: N = 10^5 and 10^4 records in Fig. 3a, N = 10^4 and 100
runs in Fig. 3b. Two of three learning rates, batch sizes, d and c are not available to us."""
