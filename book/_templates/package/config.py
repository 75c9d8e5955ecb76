"""Sizes of the experiments of chapter `template_trial`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment; the curvature is 1, the noise of a step has variance 1.

    Args:
        learning_rates: eta of the runs, each in (0, 2).
        replicas: independent runs at each, at least 20.
        steps: of each run, at least 1.
        seed: of all random numbers.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    learning_rates: tuple[float, ...] = (0.1, 0.3, 1.0)
    replicas: int = 20_000
    steps: int = 200
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        validate.within("learning_rates", self.learning_rates, low=0, high=2, open_low=True)
        validate.count("replicas", self.replicas, low=20)
        validate.count("steps", self.steps)
        validate.count("seed", self.seed, low=0)


QUICK = Config()
PAPER = Config(replicas=1_000_000, steps=1000)
