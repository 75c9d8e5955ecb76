"""Random time change: SGD's noise made additive by a clock, Eqs. (12)-(14) and (17), App. C.

Chapter `random_time_change`. The formulas, the simulations, the claims and the figures live in the
private package `sgdescape._random_time_change`; simulations use no formula under test.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import beta

from sgdescape._random_time_change import (
    experiments,
    index,
    moments,
    operators,
    paths,
    theory,
)
from sgdescape._random_time_change.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._random_time_change.figures import *  # noqa: F403  (plot_*)
from sgdescape._random_time_change.index import (  # noqa: F401  (offered here)
    clock_power,
    frozen_clock,
    growth_rate,
    loss_law,
    mean_loss_ratio,
    stability_index,
)
from sgdescape._random_time_change.moments import (  # noqa: F401  (offered here)
    driver_kurtosis,
    mean_loss_curve,
    passage_means,
)
from sgdescape._random_time_change.summary import summary  # noqa: F401  (offered here)
from sgdescape._random_time_change.theory import (  # noqa: F401  (offered here)
    CONVENTIONS,
    change_clock,
    convention_exponent,
    diffusion,
    gibbs_density,
    internal_time,
    log_barrier,
    log_drift,
    physical_time,
    stationary_exponent,
    temperature,
    time_average,
)
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments. "Time" is t of Eq. (12), "tau" the clock of Eq. (13).

    Args:
        learning_rate: eta (time a step of SGD).
        batch_size: B.
        curvature: h of the isotropic bowl.
        minimum_loss: L*.
        start: theta at the start of paths in one dimension.
        path_time: tau at which paths on one Brownian motion are compared (loss x time).
        fine_step: of the reference path (time), path_time a multiple of it by a power of two.
        levels: the coarse grids of tau have 2^low to 2^high cells, those of t eight times more.
        paths: driven by one Brownian motion each.
        samples: of the laws at a fixed time.
        step: of Euler's scheme there (time, or tau).
        law_time: t of the comparison of laws.
        driver_time: tau and t at which the driver is sampled.
        bowl_curvatures: h_i of the valley with unequal curvatures.
        bowl_start: where it starts.
        bowl_time: t at which its loss is sampled.
        passages: runs of each first-passage experiment.
        passage_step: of their scheme (time, or tau).
        loss_ratio: c of their threshold.
        longest: a passage may take (time, and tau): longer is an error.
        stationary_samples: independent samples of each stationary law.
        stationary_step: time step of Eq. (12).
        stationary_time: length of its runs (time).
        gibbs_chains: independent runs of Eq. (14).
        gibbs_step: their tau step.
        gibbs_time: their length (tau), half of it before the first sample: in tau the tails fill
            slowly, only as a power of tau.
        gibbs_kept: samples of each, equally spaced in tau.
        wide: number n of directions with infinite mean loss.
        runs: independent runs there.
        long_step: their time step.
        long_time: their length (time).
        most: largest n whose growth rate is measured.
        growth_step: time step there.
        growth_steps: steps in a group.
        groups: independent groups.
        lives: runs at a global minimum, L* = 0.
        frozen_step: their time step.
        frozen_time: their length (time).
        floors: epsilon added to a loss with L* = 0.
        seed: of everything.
    """

    learning_rate: float = 0.5
    batch_size: int = 1
    curvature: float = 1.0
    minimum_loss: float = 0.5
    start: float = 2.0
    path_time: float = 0.5
    fine_step: float = 2.0**-13
    levels: tuple[int, int] = (2, 6)
    paths: int = 800
    samples: int = 30_000
    step: float = 0.005
    law_time: float = 1.0
    driver_time: float = 1.0
    bowl_curvatures: tuple[float, ...] = (2.0, 0.5)
    bowl_start: tuple[float, ...] = (1.0, 1.5)
    bowl_time: float = 0.5
    passages: int = 40_000
    passage_step: float = 0.005
    loss_ratio: float = 3.0
    longest: float = 2000.0
    stationary_samples: int = 20_000
    stationary_step: float = 0.01
    stationary_time: float = 10.0
    gibbs_chains: int = 2000
    gibbs_step: float = 0.01
    gibbs_time: float = 320.0
    gibbs_kept: int = 20
    wide: int = 5
    runs: int = 1000
    long_step: float = 0.01
    long_time: float = 64.0
    most: int = 8
    growth_step: float = 2.0**-8
    growth_steps: int = 20_000
    groups: int = 100
    lives: int = 20_000
    frozen_step: float = 2.0**-6
    frozen_time: float = 10.0
    floors: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("learning_rate", "curvature", "minimum_loss", "path_time", "step"):
            validate.positive(name, getattr(self, name))
        validate.count("batch_size", self.batch_size)
        validate.count("groups", self.groups, low=4)
        low, high = self.levels
        cells = self.path_time / self.fine_step
        validate.count("levels", low)
        validate.count("levels", high, low=low + 2)
        if cells % 2 ** (high + 3):
            raise ValueError(
                f"path_time / fine_step must be a multiple of 2^{high + 3}: got {cells}"
            )
        if self.loss_ratio <= 1:
            raise ValueError(f"loss_ratio must be above 1: got {self.loss_ratio}")
        if len(self.bowl_curvatures) != len(self.bowl_start):
            raise ValueError(
                f"bowl_start must have one entry a curvature: got {len(self.bowl_start)} "
                f"for {len(self.bowl_curvatures)}"
            )
        index = self.noise_index(self.wide)
        if not 0 < index < 1:
            raise ValueError(f"wide must give an index nu in (0, 1): n = {self.wide} gives {index}")

    def noise_index(self, dimension: int) -> float:
        """Return nu of the isotropic bowl in ``dimension`` directions."""
        return float(index.stability_index(dimension, **self.noise))

    @property
    def noise(self) -> dict:
        """Learning rate, batch size and curvature, the arguments of most formulas."""
        return {
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "curvature": self.curvature,
        }


QUICK = Config()
PAPER = Config(
    fine_step=2.0**-15,
    levels=(2, 8),
    paths=1000,
    samples=1_000_000,
    step=0.001,
    passages=400_000,
    passage_step=0.001,
    stationary_samples=200_000,
    stationary_step=0.002,
    gibbs_chains=20_000,
    gibbs_step=0.005,
    runs=10_000,
    long_step=0.002,
    growth_steps=200_000,
    lives=200_000,
    frozen_step=2.0**-8,
)
"""Ten times the samples, finer steps. The paper itself shows no experiment on Eqs. (12)-(14)."""


UNITS = {
    "strong_error": "parameter",
    "strong_step": "loss x time (rows of Eq. (14)), time (rows of Eq. (12))",
    "direct": "parameter",
    "mapped": "parameter",
    "driver_fixed_tau": "(loss x time)^(1/2)",
    "driver_fixed_t": "(loss x time)^(1/2)",
    "bowl_loss": "loss",
    "passage": "time (clock t), loss x time (clock tau)",
    "gibbs": "parameter",
    "stationary": "parameter",
    "long_tau": "loss x time",
    "long_ratio": "1",
    "growth": "1 / time",
    "frozen_tau": "loss x time",
    "operator_density": "1 / parameter",
    "floor_passage": "time",
}
"""Units of the measured variables; time is t = eta x steps."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all simulations of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only recorded: everything here runs on the processor.

    Returns:
        A dataset with what `paths`, `experiments` and `operators` return, what `predict` adds, and
        provenance in the attributes.
    """
    start = time.perf_counter()
    parts = (
        paths.strong_errors(config),
        paths.law_at_time(config),
        experiments.passages(config),
        experiments.stationary_samples(config),
        experiments.infinite_mean(config),
        experiments.growth(config),
        experiments.frozen(config),
        operators.stationary_laws(config),
        operators.laws_at_time(config),
        operators.regularised(config),
    )
    dataset = predict(xr.merge(parts), config)
    for name, units in UNITS.items():
        dataset[name].attrs["units"] = units
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset, config: Config) -> xr.Dataset:
    """Return the measurements with what the formulas of this chapter say about each.

    Args:
        dataset: what the experiments measured.
        config: with which they ran.

    Returns:
        A new dataset with the variables ``*_theory``, and the sizes that claims need in the
        attributes.
    """
    ds = dataset.copy()
    noise, t = config.noise, float(theory.temperature(**config.noise))
    bowl_noise = {k: noise[k] for k in ("learning_rate", "batch_size")}
    ds["phi_theory"] = (
        "convention",
        [
            float(theory.convention_exponent(theory.CONVENTIONS[c], **noise))
            for c in ds.convention.values
        ],
    )
    ds["phi_wide_theory"] = float(theory.stationary_exponent(**noise))
    ds["gibbs_theory"] = float(np.log(theory.gibbs_density(np.exp(-1.0), temperature=t)))
    ds["mean_loss_theory"] = (
        "clock",
        [index.mean_loss_ratio(1, temperature=t, clock=k) for k in (0, 1)],
    )
    ds["bowl_loss_theory"] = (
        "convention",
        [
            moments.mean_loss_curve(
                [config.bowl_time],
                config.bowl_start,
                curvatures=config.bowl_curvatures,
                minimum_loss=config.minimum_loss,
                point=point,
                **bowl_noise,
            )[0]
            for point in theory.CONVENTIONS.values()
        ],
    )
    ds["kurtosis_theory"] = moments.driver_kurtosis(
        config.driver_time, config.start, minimum_loss=config.minimum_loss, **noise
    )
    ds["passage_theory"] = (
        "clock",
        list(
            moments.passage_means(
                config.loss_ratio,
                temperature=t,
                curvature=config.curvature,
                minimum_loss=config.minimum_loss,
            )
        )[::-1],
    )
    scale = np.sqrt(2 * config.minimum_loss / config.curvature)
    ratio = 1 + (ds.cell.values / scale) ** 2
    exponents = [float(ds.gibbs_theory), *ds.phi_theory.values]
    exact = np.array([ratio**-p / (scale * beta(0.5, p - 0.5)) for p in exponents])
    ds["operator_theory"] = ("law", "cell"), exact
    ds["operator_error"] = abs(ds.operator_density / ds.operator_theory - 1).where(
        ds.cell**2 < 100 * scale**2
    )
    ds["clock_power_theory"] = float(index.clock_power(config.noise_index(config.wide)))
    rates = {
        name: index.growth_rate(
            ds.dimension.values, temperature=t, curvature=config.curvature, point=point
        )
        for name, point in theory.CONVENTIONS.items()
    }
    ds["growth_theory"] = (("convention", "dimension"), np.array(list(rates.values())))
    law = index.frozen_clock(1.0, index=config.noise_index(1), temperature=t)
    ds["frozen_theory"] = float(law.expect(lambda x: 1 / x))
    ds["floor_theory"] = -config.noise_index(1)
    ds.attrs |= {
        "temperature": t,
        "minimum_loss": config.minimum_loss,
        "curvature": config.curvature,
        "wide": config.wide,
        "law_time": config.law_time,
        "driver_time": config.driver_time,
        "loss_ratio": config.loss_ratio,
    }
    return ds
