"""Sizes of the experiments of chapter `neural_network`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment.

    Args:
        images: N, the first ones of the data set in file order, at least 100.
        hidden: units of each hidden layer of the network, all equal.
        exponents: B / (eta h*), which sets eta at each batch size; ascending, odd in number.
        batches: batch sizes B, ascending, two at least; equal exponents are pairs of equal eta / B.
        replicas: runs of each (exponent, batch size), at least 2.
        thresholds: loss ratios c = L / L(theta*), ascending, above 1, five at least.
        watch: time t = eta x steps for which a run is watched, in units of 1 / h*.
        directions: leading eigenvectors of (44) that are looked at one by one.
        hessian_directions: of these, how many are compared with the Hessian.
        bins: groups of the other eigenvalues, in the bowl.
        bowl_paths: simulated paths of each bowl.
        continuous_paths: paths of the continuous-time bowl.
        coarse: leading directions kept in it, and groups of the others.
        bowl_step: its time step, in units of 1 / h*.
        path_threshold: loss ratio at which escaping runs are looked at.
        path_replicas: number of those runs whose curvatures there are computed.
        motion_replicas: number of all of them, whose displacement there is taken.
        control_replicas: runs of each other network.
        looks: steps between two evaluations of the loss, ascending from 1.
        seed: of all batches and bowls; the checkpoints have their own.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    images: int = 5000
    hidden: tuple[int, ...] = (10,)
    exponents: tuple[float, ...] = (6.0, 8.5, 12.0)
    batches: tuple[int, ...] = (2, 4, 8)
    replicas: int = 36
    thresholds: tuple[float, ...] = tuple(np.round(np.geomspace(1.1, 5.0, 23), 3).tolist())
    watch: float = 1500.0
    directions: int = 12
    hessian_directions: int = 5
    bins: int = 8
    bowl_paths: int = 80
    continuous_paths: int = 128
    coarse: int = 5
    bowl_step: float = 0.05
    path_threshold: float = 2.3
    path_replicas: int = 8
    motion_replicas: int = 96
    control_replicas: int = 32
    looks: tuple[int, ...] = (1, 10, 100)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        check_types(self)
        validate.count("images", self.images, low=100)
        validate.count(
            "directions", self.directions, low=2, high=self.images // 2, most="images // 2"
        )
        validate.count(
            "hessian_directions", self.hessian_directions, high=self.directions, most="directions"
        )
        for name in ("bins", "motion_replicas", "coarse"):
            validate.count(name, getattr(self, name))
        validate.count(
            "path_replicas", self.path_replicas, high=self.motion_replicas, most="motion_replicas"
        )
        for name in ("replicas", "bowl_paths", "continuous_paths", "control_replicas"):
            validate.count(name, getattr(self, name), low=2)
        validate.count("seed", self.seed, low=0, high=2**63)
        for name in ("watch", "bowl_step"):
            validate.positive(name, getattr(self, name))
        if self.bowl_step > self.watch:
            raise ValueError(
                f"bowl_step must be at most watch = {self.watch:g}: got {self.bowl_step:g}"
            )
        for name, shortest in (("exponents", 1), ("thresholds", 5)):
            self._ascending(name, shortest, validate.positive)
        for name, shortest in (("batches", 2), ("looks", 1)):
            self._ascending(name, shortest, validate.count)
        if self.batches[-1] > self.images:
            raise ValueError(f"batches must be at most images = {self.images}: got {self.batches}")
        if not isinstance(self.hidden, tuple) or not self.hidden:
            raise ValueError(f"hidden must be a tuple of units, not empty: got {self.hidden!r}")
        if len({validate.count("units in hidden", units) for units in self.hidden}) > 1:
            raise ValueError(f"hidden layers must have one width: got {self.hidden}")
        validate.positive("path_threshold", self.path_threshold)
        for name in ("thresholds", "path_threshold"):
            if np.min(getattr(self, name)) <= 1:
                raise ValueError(f"{name} must be above 1: got {getattr(self, name)}")
        if len(self.exponents) % 2 == 0:
            raise ValueError(f"exponents must be odd in number: got {self.exponents}")

    def _ascending(self, name, shortest, check):
        """Refuse a field that is no tuple of so many ascending numbers."""
        values = getattr(self, name)
        if not isinstance(values, tuple) or len(values) < shortest:
            raise ValueError(f"{name} must hold at least {shortest} numbers: got {values!r}")
        for value in values:
            check(name, value)
        if list(values) != sorted(set(values)):
            raise ValueError(f"{name} must be ascending: got {values}")

    @property
    def middle(self) -> float:
        """The middle one of the exponents."""
        return self.exponents[len(self.exponents) // 2]


QUICK = Config()

PAPER = Config(
    images=10_000,
    batches=(1, 2, 4, 8),
    replicas=1000,
    control_replicas=1000,
    bowl_paths=4000,
    continuous_paths=4000,
    coarse=40,
    bowl_step=0.02,
    watch=3600.0,
    path_replicas=50,
    motion_replicas=200,
)
"""The first 10^4 MNIST images and ten times the runs of Section 5.3.2. The paper's learning rates,
batch sizes, pre-training and h* are not available to us: these exponents are our choice."""
