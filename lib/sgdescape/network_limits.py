"""The limiting dynamics of networks: a small one, completely known, then a ResNet-18.

Chapter `network_limits`. Theory (float64 NumPy, nothing fitted), measurements, claims and figures
live in the private package `sgdescape._network_limits`; what the book uses is offered here. The
measurements import no theory, so a claim compares two separate routes.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import xarray as xr

from sgdescape._network_limits import (
    claims,
    epoch_claims,
    experiments,
    further_claims,
    residual,
    residual_claims,
)
from sgdescape._network_limits.claims import (  # noqa: F401  (offered here)
    claim_constant_speed,
    claim_covariance_growth,
    claim_equipartition,
    claim_frozen,
    claim_frozen_equipartition,
    claim_isotropic,
    claim_midpoint,
    claim_negative_lobe,
    claim_noise_is_hessian,
    claim_ring_decay,
    claim_ring_period,
    claim_rotation,
    claim_speed,
    claim_speed_sweep,
    claim_velocities,
)
from sgdescape._network_limits.epoch_claims import (  # noqa: F401  (offered here)
    claim_epoch_factor,
    claim_equipartition_epochs,
    claim_excess,
    claim_excess_epochs,
    claim_force,
    claim_force_epochs,
    claim_force_identity,
    claim_not_isotropic,
)
from sgdescape._network_limits.figures import *  # noqa: F403  (plot_*)
from sgdescape._network_limits.further_claims import (  # noqa: F401  (offered here)
    claim_exponent,
    claim_exponent_batch,
    claim_exponent_epochs,
    claim_exponent_later,
    claim_exponent_sweep,
    claim_gaussian,
    claim_mean_point,
    claim_modified_loss,
    claim_path_noise,
    claim_step_kurtosis,
    claim_strong_equipartition,
    claim_strong_speed,
    claim_weight_decay,
)
from sgdescape._network_limits.residual_claims import (  # noqa: F401  (offered here)
    claim_imagenet,
    claim_resnet_batch,
    claim_resnet_full,
    claim_resnet_mode,
    claim_resnet_norm,
    claim_resnet_ring,
    claim_resnet_speed,
    resnet_equipartition,
)
from sgdescape._network_limits.residual_figures import *  # noqa: F403  (plot_*)
from sgdescape._network_limits.summary import summary  # noqa: F401  (offered here)
from sgdescape._network_limits.theory import (  # noqa: F401  (offered here)
    areal_rate,
    autocorrelation,
    critical_curvature,
    crossover_curvature,
    displacement,
    equipartition,
    excess_loss,
    filtered_variance,
    impulse,
    moments,
    noise_ratio,
    ring,
    speed,
)
from sgdescape.core import provenance, validate


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
        snapshots: points of each run at which the whole data's loss is taken.
        modes: eigenvectors that are watched.
        top: the last of them, counted from the largest curvature.
        sweep: (eta, beta, S) of short runs.
        short_steps: of each of them.
        short_replicas: of each of them.
        swing_rate: eta of the run in which many modes oscillate.
        swing_momentum: its beta.
        swing_batch: its S.
        swing_steps: its length.
        swing_lags: longest lag of its autocorrelation.
        strong: (eta, beta, S) with a noise too strong for the laws of a bowl.
        strong_steps: length of these runs.
        strong_replicas: their number.
        strong_decay: lambda of the run with large weight decay.
        decay_rate: its eta.
        decay_steps: its length.
        decay_low: first of the modes watched there, counted from the largest curvature.
        decay_top: last of them; they are spread evenly.
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
    snapshots: int = 2
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
    swing_steps: int = 1536
    swing_lags: int = 240
    strong: tuple[float, float, int] = (0.04, 0.9, 32)
    strong_steps: int = 2048
    strong_replicas: int = 2
    strong_decay: float = 0.01
    decay_rate: float = 0.01
    decay_steps: int = 1536
    decay_low: int = 400
    decay_top: int = 700
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
        (0.005, 0.5, 32, 50),
    )
    residual_ring: tuple[float, float, int, float] = (0.1, 0.9, 6, 0.02)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("modes", self.modes, low=12, high=self.top)
        validate.count("burn_in", self.burn_in, low=320, high=self.steps - 512)
        validate.count("replicas", self.replicas, low=4)
        validate.count("short_replicas", self.short_replicas, low=4)
        validate.count("swing_lags", self.swing_lags, high=self.swing_steps - self.burn_in - 64)


QUICK = Config()
PAPER = Config(
    replicas=64,
    steps=20480,
    swing_steps=8192,
    strong_replicas=8,
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
"""The paper's default point and its neighbours, on CIFAR-10 (the authors' E9) in place of ImageNet;
the small network with more and longer runs. Needs a GPU."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.
        device: of the ResNet-18; the small network lives on the CPU.

    Returns:
        What the functions of `experiments` and `residual.measure` measure, with
        hyper-parameters and provenance.
    """
    start = time.perf_counter()
    setting = experiments.prepare(config)
    first = experiments.spectrum(config, setting)
    measured = (
        experiments.stationary,
        experiments.sweep,
        experiments.swing,
        experiments.strong,
        experiments.ringing,
        experiments.landscape,
    )
    with ThreadPoolExecutor(2) as pool:  # each has draws of its own: the order does not matter
        made = [
            pool.submit(residual.measure, config, device=str(validate.device(device))),
            *(pool.submit(part, config, setting) for part in measured),
            pool.submit(experiments.decayed, config),
        ]
        parts = [first, *(part.result() for part in made)]
    attrs = first.attrs
    dataset = xr.merge(parts, combine_attrs="drop")
    dataset.attrs |= attrs
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


CLAIMS = (*claims.CLAIMS, *epoch_claims.CLAIMS, *further_claims.CLAIMS, *residual_claims.CLAIMS)
