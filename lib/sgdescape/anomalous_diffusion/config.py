"""Sizes of the experiments of chapter `anomalous_diffusion`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.field_types import check_types


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps.

    Args:
        samples: N of the stationary runs.
        modes: parameters, with curvatures j^(-1/(a - 1)).
        spectrum_exponent: a of their density.
        learning_rate: eta (time a step).
        momentum: beta.
        batch_sizes: S of the stationary runs; the largest is used where one is needed.
        replicas: independent runs.
        burn_in: steps before the first origin.
        origins: times from which displacements are measured.
        origin_spacing: steps between them.
        longest_lag: of displacements.
        lags: number of lags, geometric.
        start_samples: the fixed start is as far off as the minimum of so many other samples.
        near_samples: the same of a start so near that noise moves the weights first.
        window_momentum: beta of the runs from there, a memory well within the windows.
        window_replicas: their number.
        growing: first lag and two last ones of windows that grow.
        window: lags between which exponents are fitted.
        grid_samples: N of the grid of runs.
        grid_modes: parameters.
        grid_rates: eta of the grid.
        grid_sizes: S of the grid.
        grid_momenta: beta of the grid.
        grid_replicas: independent runs of each setting.
        grid_points: times in the second epoch, equally spaced.
        grid_drift: drift over noise in |Delta|^2 after one short epoch.
        order_samples: N of the comparison of samplers.
        order_size: its S.
        order_burn_in: steps before the first origin.
        order_origins: times from which displacements are measured.
        order_replicas: independent runs with each sampler.
        number_samples: N of the runs that differ in it.
        number_rate: their eta, where it is kept; eta N is kept at the middle N.
        number_size: their S.
        number_momentum: their beta.
        memory_momenta: beta of the buffers along free directions; the first is compared with.
        memory_steps: M of their epochs.
        memory_epochs: epochs of their averages, after one more.
        memory_replicas: free directions.
        bowl_modes: parameters of the bowl of equal curvatures.
        bowl_rate: its eta.
        bowl_size: its S.
        bowl_steps: its longest lag.
        seed: of everything.
    """

    samples: int = 4096
    modes: int = 12
    spectrum_exponent: float = 1.5
    learning_rate: float = 0.02
    momentum: float = 0.9
    batch_sizes: tuple[int, ...] = (4, 16)
    replicas: int = 800
    burn_in: int = 3000
    origins: int = 6
    origin_spacing: int = 500
    longest_lag: int = 1024
    lags: int = 25
    start_samples: float = 64.0
    near_samples: float = 512.0
    window_momentum: float = 0.5
    window_replicas: int = 10_000
    growing: tuple[int, int, int] = (32, 128, 1024)
    window: tuple[int, int] = (40, 200)
    grid_samples: int = 2048
    grid_modes: int = 16
    grid_rates: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    grid_sizes: tuple[int, ...] = (2, 4, 8)
    grid_momenta: tuple[float, ...] = (0.6, 0.8, 0.95)
    grid_replicas: int = 1600
    grid_points: int = 17
    grid_drift: float = 1.5
    order_samples: int = 2048
    order_size: int = 16
    order_burn_in: int = 2500
    order_origins: int = 32
    order_replicas: int = 192
    number_samples: tuple[int, ...] = (512, 2048, 8192)
    number_rate: float = 0.02
    number_size: int = 4
    number_momentum: float = 0.8
    memory_momenta: tuple[float, ...] = (0.9, 0.99, 0.999)
    memory_steps: int = 5004
    memory_epochs: int = 2
    memory_replicas: int = 2048
    bowl_modes: int = 12
    bowl_rate: float = 0.1
    bowl_size: int = 32
    bowl_steps: int = 400
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range, and sizes that do not fit together."""
        check_types(self)
        for name, low in _COUNTS.items():
            validate.count(name, getattr(self, name), low=low, high=10**9)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        for name in ("start_samples", "near_samples", "grid_drift"):
            validate.positive(name, getattr(self, name))
        if not 1 < validate.positive("spectrum_exponent", self.spectrum_exponent) < 2:
            raise ValueError(f"spectrum_exponent must lie in (1, 2): got {self.spectrum_exponent}")
        for name, (low, check) in _TUPLES.items():
            _each(name, getattr(self, name), check, low)
        for name in ("momentum", "number_momentum", "window_momentum"):
            validate.fraction(name, getattr(self, name))
        self._stable()
        self._fitting()

    def _stable(self):
        """The largest curvature is 1: eta below 2 (1 + beta)."""
        if not self.learning_rate / (1 - self.momentum) < 2:
            raise ValueError(
                "learning_rate / (1 - momentum), the rate of plain SGD beside it, must be below 2: "
                f"got {self.learning_rate / (1 - self.momentum):.3g}"
            )
        rates = {
            "learning_rate": min(self.momentum, self.window_momentum),
            "bowl_rate": 0.0,
            "number_rate": self.number_momentum,
        }
        for name, beta in rates.items():
            _below(name, getattr(self, name), 2 * (1 + beta))
        for rate in self.grid_rates:
            _below("grid_rates", rate, 2 * (1 + min(self.grid_momenta)))
        largest = self.number_rate * sorted(self.number_samples)[len(self.number_samples) // 2]
        _below(
            "number_rate x middle number_samples / smallest",
            largest / min(self.number_samples),
            2 * (1 + self.number_momentum),
        )

    def _fitting(self):
        for name, modes in (("samples", self.modes), ("grid_samples", self.grid_modes)):
            validate.count(name, getattr(self, name), low=2 * modes)
        validate.count("order_samples", self.order_samples, low=2 * self.modes)
        validate.count("min(number_samples)", min(self.number_samples), low=2 * self.grid_modes)
        for size in self.batch_sizes:
            validate.count("batch_sizes", size, high=self.samples, most="samples")
        for size in self.grid_sizes:
            if self.grid_samples % size:
                raise ValueError(f"grid_sizes must divide {self.grid_samples}: got {size}")
        for samples in self.number_samples:
            if samples % self.number_size:
                raise ValueError(
                    f"number_samples must be multiples of {self.number_size}: got {samples}"
                )
        if self.order_samples % self.order_size or self.order_samples < 2 * self.order_size:
            raise ValueError(
                f"order_size must divide order_samples = {self.order_samples} at least twice: "
                f"got {self.order_size}"
            )
        epoch = self.samples // min(self.batch_sizes)
        validate.count("longest_lag", self.longest_lag, low=epoch)
        if not (len(self.window) == 2 and 1 <= self.window[0] < self.window[1] <= self.longest_lag):
            raise ValueError(
                f"window must be two ascending lags in [1, {self.longest_lag}]: got {self.window!r}"
            )
        first, middle, last = self.growing if len(self.growing) == 3 else (0, 0, 0)
        if not 1 <= first < middle < last <= self.longest_lag:
            raise ValueError(
                f"growing must be three ascending lags in [1, {self.longest_lag}]: "
                f"got {self.growing!r}"
            )


_COUNTS = {
    "samples": 2,
    "modes": 2,
    "replicas": 8,
    "window_replicas": 8,
    "burn_in": 0,
    "origins": 1,
    "origin_spacing": 1,
    "longest_lag": 2,
    "lags": 6,
    "grid_samples": 2,
    "grid_modes": 2,
    "grid_replicas": 4,
    "grid_points": 3,
    "order_samples": 2,
    "order_size": 1,
    "order_burn_in": 0,
    "order_origins": 1,
    "order_replicas": 8,
    "number_size": 1,
    "memory_steps": 2,
    "memory_epochs": 1,
    "memory_replicas": 8,
    "bowl_modes": 1,
    "bowl_size": 1,
    "bowl_steps": 6,
}
"""Whole numbers of `Config`, each with the least that makes sense."""

_TUPLES = {
    "batch_sizes": (2, validate.count),
    "window": (2, validate.count),
    "growing": (3, validate.count),
    "grid_rates": (1, validate.positive),
    "grid_sizes": (1, validate.count),
    "grid_momenta": (1, validate.fraction),
    "number_samples": (2, validate.count),
    "memory_momenta": (2, validate.fraction),
}
"""Its tuples: how many entries at least, and the check of each."""


def _each(name, values, check, low):
    if not isinstance(values, (tuple, list)):
        raise TypeError(f"{name} must be a tuple: got {values!r}")
    if len(values) < low:
        raise ValueError(f"{name} must hold at least {low}: got {values!r}")
    for value in values:
        check(name, value)
    if len(set(values)) < len(values):
        raise ValueError(f"{name} must not repeat a value: got {values!r}")


def _below(name, value, edge):
    if not validate.positive(name, value) < edge:
        raise ValueError(f"{name} must lie in (0, 2 (1 + momentum) = {edge:.3g}): got {value!r}")


QUICK = Config()

PAPER = Config(
    samples=65_536,
    modes=48,
    batch_sizes=(4, 16, 64),
    replicas=2000,
    burn_in=30_000,
    origins=20,
    origin_spacing=2000,
    longest_lag=16_384,
    lags=40,
    start_samples=512.0,
    near_samples=4096.0,
    growing=(32, 512, 16_384),
    grid_samples=65_536,
    grid_modes=96,
    grid_sizes=(8, 16, 32),
    grid_replicas=200,
    grid_points=65,
)
"""Regression at larger sizes, with a grid as wide as the paper's: a factor 100 in learning rate,
4 in the batch size. The paper's own runs are ResNet-18 on ImageNet: see `network_limits`."""
