"""Sizes of the experiments of chapter `large_deviations`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's exact chains and runs; c = L/L*, times t = eta k.

    Args:
        rates: eta/B of the chains with Gaussian inputs, each half of the one before.
        ratios: their c, one input.
        far_rates: eta of chains with one input to larger c, each half of the one before.
        far_ratios: their c.
        batch_sizes: B of a second set of chains with one input.
        batch_ratios: their c.
        dimensions: d of a third set, B = 1.
        dimension_rates: eta of these, each half of the one before.
        dimension_ratios: their c.
        laws: input laws of a fourth set.
        law_ratios: their c.
        tail_rates: eta at which Kesten's exponent is taken.
        variances: sigma^2 of the circle.
        circle_rates: eta/B of its chains, each half of the one before, for each sigma^2.
        run_variance: sigma^2 of real SGD on the circle.
        run_rate: eta/B of these runs.
        run_batches: their B.
        runs: number of runs for each B.
        max_steps: after which a run is given up, and counted as censored.
        rare_variance: sigma^2 of the circle where a rare passage is split.
        rare_rate: eta of it.
        rare_batch: B of it.
        rare_steps: within which the passage is asked for.
        rare_replicas: of a repetition of the splitting.
        rare_repetitions: independent ones.
        plane_variance: sigma^2 of the circle with further directions, above 1.19.
        plane_rates: eta/B of its chains with one further direction, each half of the one before.
        plane_run_rate: eta/B of real SGD there, B = 4.
        plane_dimensions: n of these runs.
        plane_runs: number of runs for each n.
        camel_scale: sigma of the noise on the three-hump camel, of normal and of skewed noise.
        camel_rates: eta of the runs with normal noise, falling.
        camel_runs: number of runs for each.
        camel_odds: one value of the skewed noise in so many is large, a power of two.
        skewed_rates: eta of the runs with it, out of the right and out of the left well.
        skewed_runs: number of runs for each.
        path_ratios: c of the thresholds before which the last steps are kept.
        path_rates: eta of these runs.
        paths: number of runs.
        kept_steps: of each.
        seed: of the runs.
    """

    rates: tuple[float, ...] = (0.1, 0.05, 0.025)
    ratios: tuple[float, ...] = (1.3, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
    far_rates: tuple[float, ...] = (0.1, 0.05, 0.025)
    far_ratios: tuple[float, ...] = (20.0, 40.0, 100.0, 400.0, 2000.0, 10_000.0)
    batch_sizes: tuple[int, ...] = (4,)
    batch_ratios: tuple[float, ...] = (1.3, 1.5, 3.0)
    dimensions: tuple[int, ...] = (2, 5)
    dimension_rates: tuple[float, ...] = (0.2, 0.1, 0.05)
    dimension_ratios: tuple[float, ...] = (1.3, 1.5, 2.5, 3.0)
    laws: tuple[str, ...] = ("rademacher", "uniform", "laplace")
    law_ratios: tuple[float, ...] = (1.3, 1.5, 2.0, 3.0, 4.0)
    tail_rates: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    variances: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    circle_rates: tuple[tuple[float, ...], ...] = (
        (0.2, 0.1, 0.05),
        (0.1, 0.05, 0.025),
        (0.2, 0.1, 0.05),
        (0.1, 0.05, 0.025),
        (0.1, 0.05, 0.025),
        (0.2, 0.1, 0.05),
    )
    run_variance: float = 4.0
    run_rate: float = 0.125
    run_batches: tuple[int, ...] = (1, 4)
    runs: int = 1000
    max_steps: int = 1_000_000
    rare_variance: float = 8.0
    rare_rate: float = 0.1
    rare_batch: int = 4
    rare_steps: int = 60
    rare_replicas: int = 400
    rare_repetitions: int = 48
    plane_variance: float = 8.0
    plane_rates: tuple[float, ...] = (0.2, 0.1, 0.05)
    plane_run_rate: float = 0.1
    plane_dimensions: tuple[int, ...] = (5,)
    plane_runs: int = 10_000
    camel_scale: float = 4.0
    camel_rates: tuple[float, ...] = (
        *(0.0294, 0.0226, 0.0183, 0.0154, 0.0133),
        *(0.0117, 0.01045, 0.00944, 0.0086),
    )
    camel_runs: int = 120
    camel_odds: int = 8
    skewed_rates: tuple[tuple[float, ...], tuple[float, ...]] = (
        (0.0144, 0.0115, 0.0096, 0.0082),
        (0.0268, 0.0215, 0.0179, 0.0153),
    )
    skewed_runs: int = 800
    path_ratios: tuple[float, float] = (1.3, 4.0)
    path_rates: tuple[float, float] = (0.04, 0.2)
    paths: int = 200
    kept_steps: int = 81
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        check_types(self)
        for name in ("ratios", "far_ratios", "batch_ratios", "dimension_ratios", "law_ratios"):
            validate.within(name, getattr(self, name), low=1.05)
            if np.any(np.diff(getattr(self, name)) <= 0):
                raise ValueError(f"{name} must increase: got {getattr(self, name)}")
        validate.within("variances", self.variances, low=0, open_low=True)
        if len(self.circle_rates) != len(self.variances):
            raise ValueError(
                f"circle_rates must have one entry for each of {len(self.variances)} variances: "
                f"got {len(self.circle_rates)}"
            )
        names = ("rates", "far_rates", "dimension_rates", "tail_rates", "plane_rates")
        rows = [(name, getattr(self, name)) for name in names]
        for name, rates in (*rows, *(("circle_rates", row) for row in self.circle_rates)):
            values = validate.within(name, rates, low=0, open_low=True)
            if len(values) < 3 or not np.allclose(values[1:] * 2, values[:-1]):
                raise ValueError(
                    f"{name} must be three or more, each half of the last: got {rates}"
                )
        validate.count("runs", self.runs, low=50)
        validate.count("plane_runs", self.plane_runs, low=50)
        validate.within("plane_variance", self.plane_variance, low=1.19)
        if self.plane_run_rate not in self.plane_rates:
            raise ValueError(
                f"plane_run_rate must be one of plane_rates = {self.plane_rates}: "
                f"got {self.plane_run_rate!r}"
            )
        self._check_camel()
        for n in self.plane_dimensions:
            validate.count("plane_dimensions", n, low=2)
        validate.count("max_steps", self.max_steps)
        for name in ("batch_sizes", "run_batches"):
            for batch in getattr(self, name):
                validate.count(name, batch)
        validate.within("path_ratios", self.path_ratios, low=1, open_low=True)
        validate.count("paths", self.paths, low=10)
        validate.count("kept_steps", self.kept_steps, low=2)
        validate.within("path_rates", self.path_rates, low=0, open_low=True)
        for name in ("run_rate", "run_variance", "rare_rate", "rare_variance"):
            validate.positive(name, getattr(self, name))
        for name, low in (("rare_batch", 1), ("rare_steps", 1), ("rare_replicas", 10),
                          ("rare_repetitions", 4)):  # fmt: skip
            validate.count(name, getattr(self, name), low=low)
        validate.count("seed", self.seed, low=0)

    def _check_camel(self):
        validate.positive("camel_scale", self.camel_scale)
        rows = [("camel_rates", self.camel_rates)]
        rows += [("skewed_rates", row) for row in self.skewed_rates]
        for name, rates in rows:
            values = validate.within(name, rates, low=0, open_low=True)
            if len(values) < 3 or np.any(np.diff(values) >= 0) or values[0] >= 0.05:
                raise ValueError(
                    f"{name} must be three or more, falling from below 0.05: got {rates}"
                )
        if len(set(map(len, self.skewed_rates))) > 1:
            raise ValueError(f"skewed_rates must be as many on both sides: {self.skewed_rates}")
        validate.count("camel_runs", self.camel_runs, low=50)
        validate.count("skewed_runs", self.skewed_runs, low=50)
        odds = validate.count("camel_odds", self.camel_odds, low=2, high=2**16)
        if odds.bit_count() != 1:
            raise ValueError(f"camel_odds must be a power of two: got {odds}")


QUICK = Config()
PAPER = Config(
    rates=(0.1, 0.05, 0.025, 0.0125),
    far_rates=(0.1, 0.05, 0.025, 0.0125),
    batch_sizes=(2, 4, 16),
    dimension_rates=(0.2, 0.1, 0.05, 0.025),
    variances=(0.1, *QUICK.variances),
    circle_rates=((0.2, 0.1, 0.05), *QUICK.circle_rates),
    runs=20_000,
    camel_runs=2000,
    skewed_runs=5000,
    plane_rates=(0.16, 0.08, 0.04),
    plane_run_rate=0.08,
    plane_dimensions=(2, 5),
    plane_runs=40_000,
)
"""Smaller learning rates, larger losses, more runs; no paper made these experiments."""
