"""Sizes of the run of the narrow ResNet-18 that is kept."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.network_limits.config._rows import RUN, checked


@dataclass(frozen=True)
class Follow:
    """Sizes of the run of the narrow ResNet-18 that is kept; times are in steps.

    Args:
        runs: (eta, beta, S, steps, replicas); the first is also watched in the eigenvectors.
        modes: eigenvectors that are watched.
        images: of the Hessian and of the losses at a point, the first ones.
        iterations: most Hessian products of Lanczos.
        marks: times of a run at which losses and accuracy are taken, both ends included.
        test_images: not used for training.
        batches: sizes of the batches whose noise is measured at the start.
        draws: groups of batches of each; see `measure.narrow`.
        ends: groups of a run's own batches whose noise is measured where it ends.
        plane: half width of the plane in which the losses are drawn.
        plane_points: points along each of its sides.
        seed: of all batches.
    """

    runs: tuple[tuple[float, float, int, int, int], ...] = (
        (0.005, 0.9, 32, 800, 3),
        (0.002, 0.9, 32, 320, 2),
        (0.0125, 0.9, 32, 320, 2),
        (0.005, 0.5, 32, 320, 2),
        (0.005, 0.98, 32, 320, 2),
        (0.005, 0.9, 4, 320, 2),
        (0.005, 0.9, 8, 320, 2),
        (0.005, 0.9, 128, 160, 2),
    )
    modes: int = 16
    images: int = 512
    iterations: int = 96
    marks: int = 6
    test_images: int = 1024
    batches: tuple[int, ...] = (4, 8, 32, 128)
    draws: int = 32
    ends: int = 16
    plane: float = 0.25
    plane_points: int = 7
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        for name, low in _FOLLOW.items():
            validate.count(name, getattr(self, name), low=low, high=10**6)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        validate.positive("plane", self.plane)
        checked("runs", self.runs, True, (*RUN, validate.count, validate.count))
        for size in validate.row("batches", self.batches):
            validate.count("batches", size)
        for row in self.runs:
            if row[3] < 32:
                raise ValueError(f"runs must have at least 32 steps: got {row[3]}")


_FOLLOW = {
    "modes": 2,
    "images": 32,
    "iterations": 4,
    "marks": 2,
    "test_images": 32,
    "draws": 2,
    "ends": 2,
    "plane_points": 3,
}
"""Whole numbers of `Follow`, each with the least that makes sense."""
