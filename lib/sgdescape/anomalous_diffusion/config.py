"""Sizes of the experiments of chapter `anomalous_diffusion`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate


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
    replicas: int = 320
    burn_in: int = 3000
    origins: int = 6
    origin_spacing: int = 500
    longest_lag: int = 1024
    lags: int = 25
    start_samples: float = 64.0
    window: tuple[int, int] = (40, 200)
    grid_samples: int = 2048
    grid_modes: int = 16
    grid_rates: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    grid_sizes: tuple[int, ...] = (2, 4, 8)
    grid_momenta: tuple[float, ...] = (0.6, 0.8, 0.95)
    grid_replicas: int = 400
    grid_points: int = 17
    grid_drift: float = 1.5
    order_samples: int = 2048
    order_size: int = 16
    order_burn_in: int = 2500
    order_origins: int = 32
    order_replicas: int = 192
    bowl_modes: int = 12
    bowl_rate: float = 0.1
    bowl_size: int = 32
    bowl_steps: int = 400
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("lags", self.lags, low=6)
        validate.count("replicas", self.replicas, low=8)
        validate.count("grid_replicas", self.grid_replicas, low=4)
        if len(self.batch_sizes) < 2:
            raise ValueError(f"batch_sizes must be two or more: got {self.batch_sizes!r}")
        for size in self.grid_sizes:
            if self.grid_samples % size:
                raise ValueError(f"grid_sizes must divide {self.grid_samples}: got {size}")
        if self.order_samples % self.order_size:
            raise ValueError(f"order_size must divide {self.order_samples}: got {self.order_size}")


QUICK = Config()

PAPER = Config(
    samples=65_536,
    modes=48,
    batch_sizes=(4, 16, 64),
    replicas=2000,
    burn_in=30_000,
    origins=20,
    origin_spacing=2000,
    longest_lag=10_000,
    lags=40,
    start_samples=512.0,
    grid_samples=65_536,
    grid_modes=96,
    grid_sizes=(8, 16, 32),
    grid_replicas=200,
    grid_points=65,
)
"""Regression at larger sizes, with a grid as wide as the paper's: a factor 100 in learning rate,
4 in the batch size. The paper's own runs are ResNet-18 on ImageNet: see `network_limits`."""
