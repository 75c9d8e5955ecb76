"""Sizes of the chapter's experiments, of the book and of the paper."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.field_types import check_types
from sgdescape.network_limits.config._rows import RUN, checked

_IMAGE_SETS = ("fashion_mnist", "mnist", "cifar10")


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Args:
        samples: N of the small network's task.
        label_noise: share of its labels drawn at random.
        network_seed: of its data, teacher and initial weights.
        weight_decay: lambda.
        learning_rate: eta of the main runs.
        momentum: beta of the main runs.
        batch_size: S of the main runs.
        replicas: independent runs of each.
        steps: of each, burn-in included.
        burn_in: steps that averages leave out.
        snapshots: points of each run after the burn-in at which the whole data's loss is taken.
        early_snapshots: the same before it, from which flat modes are seen on their way.
        modes: eigenvectors that are watched.
        top: the last of them, counted from the largest curvature.
        sweep: (eta, beta, S) of short runs.
        short_steps: of each of them.
        short_replicas: of each of them.
        swing_rate: eta of the run in which many modes oscillate.
        swing_momentum: its beta.
        swing_batch: its S.
        swing_burn: its steps that averages leave out.
        swing_steps: its length.
        swing_replicas: independent runs of it.
        swing_lags: longest lag of its autocorrelation.
        strong: (eta, beta, S) with a noise too strong for the laws of a bowl.
        strong_steps: length of these runs.
        strong_replicas: their number.
        strong_decay: lambda of the run with large weight decay.
        decay_rate: its eta.
        decay_steps: its length.
        decay_replicas: independent runs of it.
        decay_low: first of the modes watched there, counted from the largest curvature.
        decay_top: last of them; they are spread evenly.
        memory: (eta, beta, S, epochs) of runs whose memory is a part of an epoch.
        memory_replicas: their number.
        fit: (eta, beta, S) of training on labels that can be fitted, without weight decay.
        fit_samples: N of it.
        fit_steps: its length.
        fit_marks: steps of it at which loss and speed are taken.
        fit_replicas: independent runs of it.
        power_vectors: vectors of the block power iteration.
        power_iterations: its length.
        ring_rate: eta of full-batch descent after a kick.
        ring_momentum: its beta.
        ring_steps: its length.
        ring_kick: length of the kick along each mode, in units of the weights.
        ring_modes: number of modes kicked at once.
        plane: half width of the plane in which the loss is drawn.
        plane_points: points along each of its sides.
        residual_dataset: of the ResNet-18.
        residual_images: N of it.
        residual_width: channels of its first stage; 64 in the paper.
        residual_schedule: (eta, epochs) of its training, if no checkpoint is kept.
        residual_hessian_images: images of its Hessian.
        residual_modes: eigenvectors taken.
        residual_iterations: most Hessian products of Lanczos.
        residual_batches: batches from which the noise at fixed weights is taken.
        residual_runs: (eta, beta, S, steps) of each run, with replacement.
        residual_ring: (eta, beta, steps, kick) of full-batch descent after a kick along the first
            eigenvector, on the images of the Hessian.
        seed: of all batches.
    """

    samples: int = 16384
    label_noise: float = 0.2
    network_seed: int = 0
    weight_decay: float = 1e-3
    learning_rate: float = 0.005
    momentum: float = 0.9
    batch_size: int = 64
    replicas: int = 20
    steps: int = 1792
    burn_in: int = 512
    snapshots: int = 5
    early_snapshots: int = 3
    modes: int = 60
    top: int = 200
    sweep: tuple[tuple[float, float, int], ...] = (
        (0.005, 0.9, 64),
        (0.005, 0.9, 128),
        (0.01, 0.9, 128),
        (0.01, 0.8, 64),
        (0.0025, 0.9, 32),
        (0.01, 0.5, 32),
    )
    short_steps: int = 576
    short_replicas: int = 12
    swing_rate: float = 0.0025
    swing_momentum: float = 0.98
    swing_batch: int = 128
    swing_burn: int = 320
    swing_steps: int = 1280
    swing_replicas: int = 20
    swing_lags: int = 240
    strong: tuple[float, float, int] = (0.04, 0.9, 32)
    strong_steps: int = 2048
    strong_replicas: int = 8
    strong_decay: float = 0.01
    decay_rate: float = 0.01
    decay_steps: int = 1536
    decay_replicas: int = 20
    decay_low: int = 400
    decay_top: int = 700
    memory: tuple[float, float, int, int] = (4e-6, 0.999, 4, 2)
    memory_replicas: int = 8
    fit: tuple[float, float, int] = (0.1, 0.9, 16)
    fit_samples: int = 256
    fit_steps: int = 6000
    fit_marks: int = 10
    fit_replicas: int = 8
    power_vectors: int = 30
    power_iterations: int = 10
    ring_rate: float = 0.05
    ring_momentum: float = 0.97
    ring_steps: int = 120
    ring_kick: float = 0.02
    ring_modes: int = 8
    plane: float = 0.08
    plane_points: int = 13
    residual_dataset: str = "fashion_mnist"
    residual_images: int = 1024
    residual_width: int = 4
    residual_schedule: tuple[tuple[float, int], ...] = ((0.05, 35), (0.01, 20), (0.002, 20))
    residual_hessian_images: int = 128
    residual_modes: int = 2
    residual_iterations: int = 12
    residual_batches: int = 24
    residual_runs: tuple[tuple[float, float, int, int], ...] = (
        (0.005, 0.9, 32, 90),
        (0.005, 0.5, 32, 90),
    )
    residual_ring: tuple[float, float, int, float] = (0.1, 0.9, 6, 0.02)
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range, and sizes that do not fit together."""
        check_types(self)
        for name, low in _COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=10**9)
        validate.one_of("residual_dataset", self.residual_dataset, _IMAGE_SETS)
        for name in ("network_seed", "seed"):
            validate.count(name, getattr(self, name), low=0, high=2**64 - 1)
        for name in _POSITIVE:
            validate.positive(name, getattr(self, name))
        for name in ("label_noise", "momentum", "swing_momentum", "ring_momentum"):
            validate.fraction(name, getattr(self, name))
        for name, (size, fields) in _ROWS.items():
            checked(name, getattr(self, name), size, fields)
        validate.count("modes", self.modes, high=self.top, most="top")
        validate.count("burn_in", self.burn_in, low=320, high=self.steps - 512, most="steps - 512")
        validate.count(
            "swing_lags",
            self.swing_lags,
            high=self.swing_steps - self.swing_burn - 64,
            most="swing_steps - swing_burn - 64",
        )
        validate.count(
            "decay_low", self.decay_low, low=0, high=self.decay_top - 1, most="decay_top - 1"
        )
        validate.count("ring_modes", self.ring_modes, high=self.modes, most="modes")
        sizes = (self.batch_size, self.memory[2], *(row[2] for row in self.sweep))
        for size in sizes:
            if self.samples % size:
                raise ValueError(f"batch_size must divide samples = {self.samples}: got {size}")


_COUNTS = {
    "samples": 1000,
    "batch_size": 1,
    "replicas": 4,
    "steps": 832,
    "snapshots": 2,
    "early_snapshots": 1,
    "modes": 12,
    "top": 12,
    "short_steps": 96,
    "short_replicas": 4,
    "swing_batch": 1,
    "swing_burn": 1,
    "swing_steps": 66,
    "swing_replicas": 4,
    "swing_lags": 1,
    "strong_steps": 128,
    "strong_replicas": 2,
    "decay_steps": 3,
    "decay_replicas": 2,
    "decay_top": 1,
    "memory_replicas": 2,
    "fit_samples": 32,
    "fit_steps": 256,
    "fit_marks": 3,
    "fit_replicas": 2,
    "power_vectors": 2,
    "power_iterations": 1,
    "ring_steps": 4,
    "ring_modes": 1,
    "plane_points": 4,
    "residual_images": 128,
    "residual_width": 1,
    "residual_hessian_images": 1,
    "residual_modes": 1,
    "residual_iterations": 2,
    "residual_batches": 2,
}
"""Whole numbers of `Config`, each with the least that makes sense."""

_POSITIVE = (
    "weight_decay",
    "learning_rate",
    "swing_rate",
    "strong_decay",
    "decay_rate",
    "ring_rate",
    "ring_kick",
    "plane",
)

_ROWS = {
    "sweep": (True, RUN),
    "strong": (False, RUN),
    "memory": (False, (*RUN, validate.count)),
    "fit": (False, RUN),
    "residual_schedule": (True, (validate.positive, validate.count)),
    "residual_runs": (True, (*RUN, validate.count)),
    "residual_ring": (
        False,
        (validate.positive, validate.fraction, validate.count, validate.positive),
    ),
}
"""Settings that are tuples, many or one, with the check of each number."""


QUICK = Config()

PAPER = Config(
    replicas=64,
    decay_replicas=64,
    steps=20480,
    swing_steps=8192,
    strong_replicas=32,
    residual_dataset="cifar10",
    residual_images=50_000,
    residual_width=64,
    residual_schedule=((0.1, 30), (0.01, 30), (0.001, 20), (0.0001, 20)),
    residual_hessian_images=40_960,
    residual_modes=30,
    residual_iterations=200,
    residual_batches=200,
    residual_ring=(1e-3, 0.9, 200, 0.02),
    residual_runs=tuple(
        (eta, beta, size, 8000)
        for eta, beta, size in (
            (1e-4, 0.9, 256),
            (1e-5, 0.9, 256),
            (1e-3, 0.9, 256),
            (1e-4, 0.9, 128),
            (1e-4, 0.9, 512),
            (1e-4, 0.8, 256),
            (1e-4, 0.99, 256),
            (1e-4, 0.999, 256),
        )
    ),
)
"""The paper's default point and its neighbours, on CIFAR-10, as in one of the authors' own tests,
in place of ImageNet; the small network with more and longer runs. Needs a GPU."""
