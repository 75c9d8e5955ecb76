"""Sizes of the experiments of chapter `modified_loss`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps unless said otherwise.

    Args:
        learning_rate: eta of every run.
        momentum: beta of the runs on data, of the edge and of the flat modes.
        batch_size: S.
        strong_batch: S of the run with strong noise.
        weight_decay: lambda of the run with decay.
        samples: N of each data set.
        modes: d of the regression.
        flattest: smallest eigenvalue of its H.
        steepest: largest.
        swirl_curvatures: both eigenvalues, ascending, where Sigma and H do not commute.
        correlation: Sigma_12 / sqrt(Sigma_11 Sigma_22) of the normal noise there.
        epoch_steps: M, steps an epoch of the run with shuffled batches.
        image_samples: N of the regression on Fashion-MNIST, bundled.
        image_modes: its principal components.
        image_rate: eta there.
        replicas: independent runs on data.
        steps: of each, recorded.
        burn_in: steps before.
        keep_every: steps between states kept for pictures and distributions.
        momenta: beta of the rotation.
        step_curvatures: eta h of it.
        edges: eta h of the midpoint's variance, up to the edge of stability 2 (1 + beta).
        entropy_momenta: beta of the entropy production.
        chains: runs of each single mode.
        mode_steps: their steps.
        flat_curvatures: rho of the flat modes.
        times: at which they are looked at.
        walkers: runs of each.
        toy_step: dt of Fig. 3's process (its time).
        toy_steps: number of them.
        toy_chains: runs.
        seed: of everything.
    """

    learning_rate: float = 0.02
    momentum: float = 0.9
    batch_size: int = 32
    strong_batch: int = 2
    weight_decay: float = 0.2
    samples: int = 50_000
    modes: int = 6
    flattest: float = 0.1
    steepest: float = 2.0
    swirl_curvatures: tuple[float, float] = (0.5, 2.0)
    correlation: float = 0.6
    epoch_steps: int = 100
    image_samples: int = 5000
    image_modes: int = 10
    image_rate: float = 0.0025
    replicas: int = 256
    steps: int = 3000
    burn_in: int = 500
    keep_every: int = 10
    momenta: tuple[float, ...] = (0.0, 0.5, 0.9, 0.99)
    step_curvatures: tuple[float, ...] = (0.02, 0.1, 0.5, 1.5)
    edges: tuple[float, ...] = (0.2, 1.0, 2.0, 3.0)
    entropy_momenta: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
    chains: int = 200
    mode_steps: int = 2000
    flat_curvatures: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
    times: tuple[int, ...] = (30, 300, 3000)
    walkers: int = 1000
    toy_step: float = 0.01
    toy_steps: int = 6_000
    toy_chains: int = 400
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.positive("learning_rate", self.learning_rate)
        validate.fraction("momentum", self.momentum)
        if not 0 < self.flattest < self.steepest:
            raise ValueError(
                f"flattest must lie in (0, steepest = {self.steepest}): got {self.flattest}"
            )
        if not 0 < self.swirl_curvatures[0] < self.swirl_curvatures[1]:
            raise ValueError(
                f"swirl_curvatures must be positive and ascending: got {self.swirl_curvatures}"
            )
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation must lie in (-1, 1): got {self.correlation}")
        edge = 2 * (1 + self.momentum)
        if max(self.edges) >= edge:
            raise ValueError(f"edges must lie in (0, {edge:g}): got {max(self.edges)}")
        validate.count("modes", self.modes, low=3)
        validate.count("samples", self.samples, low=1000)
        for name in ("replicas", "chains", "walkers", "toy_chains"):
            validate.count(name, getattr(self, name), low=20)


QUICK = Config()

PAPER = Config(
    modes=30,
    flattest=0.05,
    replicas=2000,
    steps=20_000,
    burn_in=1000,
    keep_every=500,
    chains=2000,
    walkers=10_000,
)
"""The paper's own clouds are of ResNet-18 on ImageNet, 30 modes: see chapter `network_limits`."""
