"""Sizes of the experiments of chapter `heavy_tails`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.field_types import check_types

LARGEST = 10**8

COUNTS = {
    "replicas": (10_000, LARGEST),
    "steps": (10, LARGEST),
    "dimension": (2, 1000),
    "batch_size": (1, 10_000),
    "chain_bins": (100, 2000),
    "data_sets": (4, 10_000),
    "data_size": (10, 10_000),
    "repetitions": (20, LARGEST),
    "sample_size": (500, LARGEST),
}
"""Smallest and largest value of whole-number settings."""


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; h = 1, L* = 1/2, c = L/L*.

    Args:
        rates: eta / B of the curves of indices, one input and B = 1.
        replicas: independent runs of SGD of each tail that is sampled.
        steps: of each run, long enough for the stationary law.
        dimension: d of the first sampled tail, without momentum.
        rate: its eta.
        batch_size: its B.
        momentum: beta of the second, one input and B = 1.
        momentum_rate: its eta.
        share: of the largest values that give an index.
        chain_rates: eta of the exact chains, the first with a wave on its tail.
        chain_bins: of the coarser chain.
        chain_end: largest |theta| of the chains.
        data_sizes: N of finite data sets.
        data_sets: number of data sets of each size.
        data_rate: eta on them.
        data_size: N of the data set on which SGD is run.
        data_seed: of this data set, which is part of the statement about it.
        image_strengths: eta max x^2 on the images, above 2.
        repetitions: samples of each known law.
        sample_size: of each.
        estimate_level: of the estimators' intervals.
        seed: of everything.
    """

    rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.3)
    replicas: int = 300_000
    steps: int = 80
    dimension: int = 3
    rate: float = 1.0
    batch_size: int = 4
    momentum: float = 0.5
    momentum_rate: float = 0.5
    share: float = 0.005
    chain_rates: tuple[float, ...] = (0.05, 0.5)
    chain_bins: int = 240
    chain_end: float = 3000.0
    data_sizes: tuple[int, ...] = (10, 30, 100, 300, 1000, 10_000)
    data_sets: int = 40
    data_rate: float = 0.5
    data_size: int = 60
    data_seed: int = 0
    image_strengths: tuple[float, ...] = (2.6, 4.5)
    repetitions: int = 60
    sample_size: int = 5000
    estimate_level: float = 0.95
    seed: int = 0

    def __post_init__(self):
        """Refuse what has the wrong type, lies outside its range or does not fit the rest."""
        check_types(self)
        for name, (low, high) in COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=high)
        for name in ("data_seed", "seed"):
            validate.count(name, getattr(self, name), low=0, high=2**64 - 1)
        limits = {
            "rate": 1.5,
            "momentum_rate": 2.0,
            "data_rate": 1.9,
            "share": 0.5,
            "estimate_level": 1.0,
            "momentum": 1.0,
            "chain_end": 1e6,
        }
        for name, high in limits.items():
            validate.positive(name, getattr(self, name))
            validate.within(name, getattr(self, name), low=1e-6, high=high)
        validate.within("chain_end", self.chain_end, low=2500.0)
        for name, low, high in (
            ("rates", 1e-4, 1.8),
            ("chain_rates", 1e-2, 1.0),
            ("image_strengths", 2.0, 20.0),
        ):
            values = validate.row(name, getattr(self, name))
            validate.within(name, values, low=low, high=high, open_low=True)
        missing = set(self.chain_rates) - set(self.rates)
        if missing:
            raise ValueError(f"chain_rates must be among rates: got {sorted(missing)}")
        for size in validate.row("data_sizes", self.data_sizes):
            validate.count("data_sizes", size, low=5, high=LARGEST)
        if self.share * self.replicas < 100:
            raise ValueError(f"share x replicas must be at least 100: got {self.share:g}")


QUICK = Config()
PAPER = Config(
    replicas=4_000_000,
    steps=200,
    share=0.001,
    chain_bins=800,
    data_sets=400,
    repetitions=2000,
    sample_size=50_000,
)


UNITS = {
    "largest": "parameter",
    "chain_log": "1",
    "data_root": "1",
    "estimate": "1",
}
"""Units of the measured variables."""
