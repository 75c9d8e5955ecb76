"""The landing page: one small experiment for each paper, and the explorer of the escape barrier.

Everything here is a preview on one quadratic direction, fast enough for a first page; the chapters
derive, test and bound what it shows.
"""

from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr
from scipy.signal import lfilter
from scipy.stats import chi2

from sgdescape.core import plotting, validate
from sgdescape.core.explorer import Axes, explorer_html
from sgdescape.core.field_types import check_types
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.linear_regression import (
    linear_barrier_time,
    mean_first_passage_time,
    paper_slope,
    quasi_potential,
)
from sgdescape.noise_covariance import diffusion_barrier
from sgdescape.underdamped_langevin.theory import oscillator


@dataclass(frozen=True)
class Config:
    """Sizes of the two previews.

    Attributes:
        learning_rate: step length of the escape preview.
        batch_size: samples a step of the escape preview.
        replicas: independent runs of each preview.
        steps: longest escape run, in steps; later passages are censored.
        thresholds: loss ratios c = L/L* whose first passage is timed.
        momenta: momentum coefficients of the spirals.
        spiral_steps: length of a spiral, in steps.
        seed: seed of all random numbers.
    """

    learning_rate: float = 0.1
    batch_size: int = 1
    replicas: int = 1000
    steps: int = 40_000
    thresholds: tuple[float, ...] = (1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9)
    momenta: tuple[float, ...] = (0.9, 0.99, 0.999)
    spiral_steps: int = 392
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that no preview can be made with."""
        check_types(self)
        validate.positive("learning_rate", self.learning_rate)
        for name in ("batch_size", "steps", "spiral_steps"):
            validate.count(name, getattr(self, name))
        validate.count("replicas", self.replicas, low=2)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        validate.within("thresholds", self.thresholds, low=1, open_low=True)
        validate.within("momenta", self.momenta, low=0, high=1)


QUICK = Config()

# The largest eigenvalue and the settings of the linear regression in the authors' published code.
SPIRAL_CURVATURE = 919.6
SPIRAL_LEARNING_RATE = 1e-5
SPIRAL_BATCH_SIZE = 512


def spiral(steps, *, momentum, start=1.0):
    """Mean position and velocity of SGD with momentum on one mode: a damped oscillator.

    The mean of the underdamped Langevin equation on a quadratic loss, `underdamped_langevin.mean`.

    Args:
        steps (array): step numbers k at which to evaluate.
        momentum (float): beta in [0, 1).
        start (float): initial distance from the minimum; the initial velocity is zero.

    Returns:
        tuple of arrays: position and velocity, time in units of t = eta k.
    """
    state = oscillator.mean(
        steps,
        SPIRAL_CURVATURE,
        start,
        learning_rate=SPIRAL_LEARNING_RATE,
        momentum=momentum,
        discrete=False,
    )
    return state[..., 0], state[..., 1]


def run(config: Config) -> xr.Dataset:
    """Both previews: first-passage times of SGD, and ensembles of SGD with momentum.

    Args:
        config: sizes and seed.

    Returns:
        xarray.Dataset: ``passage_time`` with its interval over ``threshold`` (t = eta k), and the
        means ``position`` and ``velocity`` over (``momentum``, ``step``).
    """
    times, low, high = _escape(config)
    position, velocity = _spirals(config)
    return xr.Dataset(
        {
            "passage_time": ("threshold", times, {"units": "t = eta k"}),
            "passage_time_low": ("threshold", low, {"units": "t = eta k"}),
            "passage_time_high": ("threshold", high, {"units": "t = eta k"}),
            "position": (("momentum", "step"), position, {"units": "start distance"}),
            "velocity": (("momentum", "step"), velocity, {"units": "start distance / t"}),
        },
        coords={
            "threshold": list(config.thresholds),
            "momentum": list(config.momenta),
            "step": np.arange(config.spiral_steps + 1),
        },
        attrs={"config": provenance.to_json(asdict(config))},
    )


def _escape(config, block=500):
    """Mean first-passage times, intervals exact for exponential times; censored runs count."""
    rng = np.random.Generator(np.random.Philox(key=seeds.derive(config.seed, "intro", "escape")))
    theta = np.zeros(config.replicas)
    passage = np.full((len(config.thresholds), config.replicas), config.steps)
    shape = (block, config.batch_size, config.replicas)
    record = np.zeros(config.replicas)
    for start in range(0, config.steps, block):
        inputs, labels = rng.standard_normal(shape), rng.standard_normal(shape)
        highest = np.empty((block, config.replicas))
        for step in range(block):
            x, y = inputs[step], labels[step]
            theta -= config.learning_rate * (x * (x * theta - y)).mean(0)
            record = np.maximum(record, theta * theta)
            highest[step] = record
        for j, threshold in enumerate(config.thresholds):
            first = (highest < threshold - 1).sum(0)  # steps of this block before the passage
            waiting = passage[j] == config.steps
            passage[j, waiting & (first < block)] = (start + first + 1)[waiting & (first < block)]
    passed = (passage < config.steps).sum(1)
    total = passage.sum(1) * config.learning_rate
    tail = (1 - LEVEL) / 2
    low = 2 * total / chi2.ppf(1 - tail, 2 * passed + 2)
    high = 2 * total / chi2.ppf(tail, 2 * passed)
    return total / passed, low, high


def _spirals(config):
    """Mean (theta, v) of an ensemble of noisy momentum SGD on one mode, started at distance one."""
    rng = np.random.Generator(np.random.Philox(key=seeds.derive(config.seed, "intro", "spirals")))
    eta, h, steps = SPIRAL_LEARNING_RATE, SPIRAL_CURVATURE, config.spiral_steps
    positions, velocities = [], []
    for beta in config.momenta:
        kicks = eta * rng.standard_normal((config.replicas, steps)) * np.sqrt(h / SPIRAL_BATCH_SIZE)
        drive = np.concatenate([np.ones((config.replicas, 1)), -kicks], axis=1)
        drive[:, 1] += -beta  # theta_0 = theta_{-1} = 1: the buffer starts empty
        # x_{k+1} = (1 + beta - eta h) x_k - beta x_{k-1} - eta n_k is a linear filter of the kicks
        theta = lfilter([1.0], [1.0, -(1 + beta - eta * h), beta], drive, axis=1).mean(0)
        positions.append(theta)
        velocities.append(np.diff(theta, prepend=1.0) / eta)
    return np.array(positions), np.array(velocities)


def plot_escape(dataset, ax):
    """Draw first-passage times of SGD against the loss ratio, with the three theories.

    Args:
        dataset: result of `run`.
        ax: matplotlib axes.

    Returns:
        the axes.
    """
    config = provenance.settings(dataset)
    rates = {"learning_rate": config.learning_rate, "batch_size": config.batch_size}
    ratio = dataset.threshold.values
    fine = np.linspace(ratio[0], ratio[-1], 60)
    time = dataset.passage_time.values
    slope = paper_slope(dimension=1, **rates)
    middle = min(3, len(ratio) - 1)  # the slope is predicted, not the prefactor
    for index, (label, times) in enumerate(
        {
            "the paper's slope": time[middle] * (fine / ratio[middle]) ** slope,
            "the paper's SDE, exact": mean_first_passage_time(fine, dimension=1, **rates),
            "additive noise, exact": linear_barrier_time(fine, dimension=1, **rates),
        }.items()
    ):
        dashes = {"ls": "--" if index == 0 else "-"}  # the only one with a free prefactor
        plotting.theory(ax, fine, times, label=label, **plotting.line(index), **dashes)
    low, high = dataset.passage_time_low.values, dataset.passage_time_high.values
    plotting.points(ax, ratio, time, low, high, label="SGD")
    ax.set(xlabel="loss ratio $c = L/L^*$", ylabel=r"mean first-passage time ($\eta k$)")
    plotting.log_axes(ax)
    ax.set_xticks(
        [1.1, 1.2, 1.4, 1.6, 1.8], labels=["1.1", "1.2", "1.4", "1.6", "1.8"], minor=False
    )
    ax.minorticks_off()
    ax.legend()
    return ax


def plot_spirals(dataset, ax):
    """Draw the mean motion of SGD with momentum in phase space, points on the theory's spirals.

    Args:
        dataset: result of `run`.
        ax: matplotlib axes.

    Returns:
        the axes.
    """
    scale = 1e-3
    for index, momentum in enumerate(dataset.momentum.values):
        position, velocity = spiral(
            np.linspace(0, dataset.step.values[-1], 4000), momentum=momentum
        )
        plotting.theory(ax, position, scale * velocity, **plotting.line(index))
        mean = dataset.sel(momentum=momentum).isel(step=slice(0, None, 6))
        style = plotting.points_style(index) | {"ms": 3, "label": rf"$\beta={momentum:g}$"}
        plotting.points(ax, mean.position, scale * mean.velocity, **style)
    ax.set(
        xlabel=r"position $\theta - \theta^*$ (start = 1)",
        ylabel=r"velocity $v$ ($10^3$ per unit of $\eta k$)",
    )
    ax.legend(loc="upper right")
    return ax


def barrier_explorer(largest_ratio: float = 3.0) -> str:
    """Return the explorer of the escape barrier: that of the diffusion moves, that of SGD does not.

    The slider is the kurtosis of the inputs, one input. The moving curve is the barrier of the
    diffusion with SGD's exact covariance, `noise_covariance.diffusion_barrier`; SGD itself has
    `linear_regression.quasi_potential` (Gaussian inputs; up to c = 2 any with tails no heavier).

    Args:
        largest_ratio: right end of the axis of c, above 1.
    """
    ratio = np.linspace(1, validate.positive("largest_ratio", largest_ratio), 81)
    kurtoses = [float(k) for k in np.arange(1, 6.01, 0.25)]

    def reading(kurtosis):
        here, paper = (float(diffusion_barrier(2.0, kurtosis=k)) for k in (kurtosis, 2))
        own = float(quasi_potential(2.0))
        return (
            f"Kurtosis {kurtosis:.2f}: at c = 2 the barrier of the diffusion is {here:.2f}, the "
            f"paper's logarithm {paper:.2f}; SGD's own is {own:.2f} unless tails are heavier than "
            "Gaussian."
        )

    return explorer_html(
        Axes(
            ratio,
            largest_ratio - 1,
            "loss ratio c = L/L*",
            "barrier × ηh*/B",
            "Escape barrier against the loss ratio. The moving curve, the diffusion's, starts "
            "below the paper's logarithm and reaches the straight line at kurtosis 1. SGD's own "
            "barrier is a fixed curve that follows the straight line up to 2 and bends below it.",
        ),
        {kurtosis: diffusion_barrier(ratio, kurtosis=kurtosis) for kurtosis in kurtoses},
        slider="Input kurtosis κ",
        start=3.0,
        readings={kurtosis: reading(kurtosis) for kurtosis in kurtoses},
        references={
            "c − 1": ratio - 1,
            "SGD itself": quasi_potential(ratio),
            "log c (paper)": diffusion_barrier(ratio, kurtosis=2.0),
        },
    )
