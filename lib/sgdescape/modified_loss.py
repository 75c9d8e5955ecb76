"""The modified loss of SGD with momentum, its phase-space currents, and what they are not.

Chapter `modified_loss`, after Kunin et al. Theory (float64 NumPy, no sampling), measurements,
claims and figures live in the private package `sgdescape._modified_loss`; the measurements import
no theory, so a claim compares two separate routes.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._modified_loss import experiments, proof, toys  # noqa: F401  (proof: offered here)
from sgdescape._modified_loss.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._modified_loss.decomposition import (  # noqa: F401  (offered here)
    Decomposition,
    areal_rates,
    decompose,
    eigenbasis_circulation,
    entropy_rate,
    modified_loss,
    probability_velocity,
    shape,
    shape_by_kronecker,
)
from sgdescape._modified_loss.figures import *  # noqa: F403  (plot_*)
from sgdescape._modified_loss.minibatch import minibatch_moments  # noqa: F401
from sgdescape._modified_loss.phase_space import (  # noqa: F401  (offered here)
    Covariance,
    circulation,
    covariance,
    discrete_covariance,
    half_step,
    phase_loss,
    process,
)
from sgdescape._modified_loss.relations import (  # noqa: F401  (offered here)
    areal_rate,
    decay_factor,
    equipartition_curvature,
    excess_loss,
    midpoint_variance,
    shuffled_equipartition,
    variance_growth,
)
from sgdescape._modified_loss.reversal import (  # noqa: F401  (offered here)
    current_strength,
    entropy_by_lyapunov,
    entropy_by_spectrum,
    entropy_production,
)
from sgdescape._modified_loss.summary import summary  # noqa: F401  (offered here)
from sgdescape.core import provenance, validate


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


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs on data, "cpu" or "cuda".

    Returns:
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    parts = (
        experiments.regression(config, device=device),
        experiments.swirl(config, device=device),
        experiments.epochs(config, device=device),
        experiments.images(config, device=device),
        toys.modes(config),
        toys.toy(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in (
        "learning_rate",
        "momentum",
        "batch_size",
        "epoch_steps",
        "image_rate",
        "strong_batch",
        "weight_decay",
        "correlation",
    ):
        measured.attrs[name] = getattr(config, name)
    measured["entropy_noise"] = ("axis", "other_axis"), toys.correlated(config)
    measured["minibatch_variance"] = ("run", "mode"), _exact(config)
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with ``level`` and ``level_decayed`` (mode), Var theta for Sigma = sigma^2 H;
        ``speed`` (mode), Var v; ``equipartition_step`` (mode), E[delta^2] / Var theta;
        ``area_ratio`` and ``turn_ratio``, areal rate over E[delta^2]; ``excess`` (run, replica);
        ``epoch_ratio`` (mode), what equipartition gives for shuffled epochs over rho;
        ``image_circulation`` (image_mode, other_image_mode) and ``image_spread`` (image_mode);
        ``kept_psi`` and ``plane_psi`` (state), kappa Psi; ``entropy_*`` (entropy_momentum), four
        ways; ``edge_formula``; ``growth_exact`` (time, flat_mode); and as attributes the numbers of
        the process of Fig. 3 and of the run with noise that does not commute with H.
    """
    return _predict_modes(_predict_regression(dataset))


def _predict_regression(dataset):
    ds, a = dataset.copy(), dataset.attrs
    eta, beta, size = (a[k] for k in ("learning_rate", "momentum", "batch_size"))
    rho, pace = ds.curvature.values, {"learning_rate": eta, "momentum": beta}
    one = {**pace, "batch_size": size}
    ds["level"] = "mode", midpoint_variance(rho, rho, **one)  # sigma^2 = 2 L* = 1
    factor = decay_factor(rho, weight_decay=a["weight_decay"])
    ds["level_decayed"] = "mode", factor * ds.level.values
    free = covariance(rho, np.diag(rho), **one)
    ds["speed"] = "mode", np.diag(free.velocity)
    ds["area_ratio"] = "mode", areal_rate(np.ones_like(rho), curvature=rho, **pace)
    # E[delta^2] / Var theta of each mode
    ds["equipartition_step"] = "mode", rho / equipartition_curvature(1.0, 1.0, **pace)
    ds["excess"] = (
        ("run", "replica"),
        excess_loss(ds.square_step.sum("mode").transpose("run", "replica").values, **pace),
    )
    # Psi with the data's own Sigma, through the general decomposition
    drift, diffusion, kappa = process(rho, ds.noise.values, **one)
    parts = decompose(drift, diffusion)
    state = np.hstack([ds.kept_midpoint.values, ds.kept_velocity.values])
    ds["kept_psi"] = "state", kappa * modified_loss(state, parts)
    pair = [0, rho.size - 1]
    parts = decompose(*process(rho[pair], np.diag(rho[pair]), **one)[:2])
    plane = np.hstack([ds.kept_midpoint.values[:, pair], np.zeros((len(state), 2))])
    ds["plane_psi"] = "state", kappa * modified_loss(plane, parts)
    ds["epoch_ratio"] = (
        "mode",
        shuffled_equipartition(rho, steps_per_epoch=a["epoch_steps"], **pace),
    )
    ds.attrs["current"] = current_strength(rho, **pace)
    ds.attrs["commuting_production"] = abs(entropy_production(rho, np.diag(rho), **one))
    return ds


def _predict_modes(dataset):
    ds, a = dataset.copy(), dataset.attrs
    eta, beta, size = (a[k] for k in ("learning_rate", "momentum", "batch_size"))
    one = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    h, noise = ds.swirl_curvature.values, ds.swirl_noise.values
    ds.attrs["swirl_circulation"] = float(circulation(h, noise, **one)[0, 1])
    ds.attrs["swirl_production"] = entropy_production(h, noise, **one)
    ds.attrs["swirl_current"] = current_strength(h, learning_rate=eta, momentum=beta)
    h_image, noise_image = ds.image_curvature.values, ds.image_noise.values
    pace = {**one, "learning_rate": a["image_rate"]}
    where = ("image_mode", "other_image_mode")
    ds["image_circulation"] = where, circulation(h_image, noise_image, **pace)
    spread = np.sqrt(np.diag(discrete_covariance(h_image, noise_image, **pace).position))
    ds["image_spread"] = "image_mode", spread
    ds.attrs["image_production"] = entropy_production(h_image, noise_image, **pace)
    ds.attrs["image_current"] = current_strength(
        h_image, learning_rate=a["image_rate"], momentum=beta
    )
    # no inertia: eta -> 0 at fixed eta / (1 - beta), where the bracket keeps h_1 + h_2 alone
    slow = {"learning_rate": eta / 1000 / (1 - beta), "momentum": 0.0, "batch_size": size}
    ds.attrs["swirl_circulation_overdamped"] = float(circulation(h, noise, **slow)[0, 1]) * 1e6
    ds.attrs["swirl_production_overdamped"] = entropy_production(h, noise, **slow) * 1000
    ratios = [
        areal_rate(np.ones(ds.step_curvature.size), curvature=ds.step_curvature / eta,
                   learning_rate=eta, momentum=float(m))
        for m in ds.momentum
    ]  # fmt: skip
    ds["turn_ratio"] = ("momentum", "step_curvature"), np.array(ratios)
    ds["edge_formula"] = "edge", midpoint_variance(ds.edge / eta, 1.0, **one)
    noise = ds.entropy_noise.values
    rows = {"exact": [], "continuous": [], "spectrum": [], "work": []}
    for m in ds.entropy_momentum.values:
        at = {**one, "momentum": float(m)}
        rows["exact"].append(entropy_production(h, noise, **at))
        rows["continuous"].append(entropy_production(h, noise, discrete=False, **at))
        rows["spectrum"].append(entropy_by_spectrum(h, noise, **at))
        rows["work"].append(entropy_by_lyapunov(h, noise, **at))
    for name, values in rows.items():
        ds[f"entropy_{name}"] = "entropy_momentum", np.array(values)
    flat = ds.flat_mode.values
    ds["growth_exact"] = ("time", "flat_mode"), variance_growth(ds.time, flat, flat, **one)
    ds["growth_level"] = "flat_mode", midpoint_variance(flat, flat, **one)
    parts = decompose(toys.TOY_DRIFT, toys.TOY_DIFFUSION)
    ds.attrs["toy_rate"] = float(areal_rates(parts)[0, 1])
    ds.attrs["toy_production"] = entropy_rate(parts)
    return ds


def _exact(config):
    """Exact variances of theta of the three runs on the data, without sampling."""
    data = experiments.regression_data(config)
    at = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    size = config.batch_size
    return np.array(
        [
            np.diag(minibatch_moments(data, batch_size=s, weight_decay=decay, **at)[0])
            for s, decay in ((size, 0.0), (config.strong_batch, 0.0), (size, config.weight_decay))
        ]
    )
