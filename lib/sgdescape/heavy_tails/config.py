"""Sizes of the experiments of chapter `heavy_tails`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate


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
        image_strengths: eta max x^2 on the images, above 2.
        repetitions: samples of each known law.
        sample_size: of each.
        estimate_level: of the estimators' intervals.
        seed: of everything.
    """

    rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.3)
    replicas: int = 200_000
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
    image_strengths: tuple[float, ...] = (2.6, 4.5)
    repetitions: int = 60
    sample_size: int = 5000
    estimate_level: float = 0.95
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("rate", "momentum_rate", "chain_end", "data_rate"):
            validate.positive(name, getattr(self, name))
        for name in ("rates", "chain_rates"):
            validate.within(name, getattr(self, name), low=0, open_low=True)
        validate.within("momentum", self.momentum, low=0, high=1, open_low=True)
        validate.within("share", self.share, low=0, high=0.5, open_low=True)
        validate.within("estimate_level", self.estimate_level, low=0, high=1, open_low=True)
        for name, low in {
            "dimension": 2,
            "batch_size": 1,
            "steps": 10,
            "replicas": 10_000,
            "chain_bins": 50,
            "data_sets": 4,
            "data_size": 10,
            "repetitions": 20,
            "sample_size": 500,
        }.items():
            validate.count(name, getattr(self, name), low=low)
        for size in self.data_sizes:
            validate.count("data_sizes", size, low=5)
        validate.within("image_strengths", self.image_strengths, low=2, open_low=True)
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
