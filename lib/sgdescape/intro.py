"""The landing page: one small experiment for each paper, and the explorer of the escape barrier.

Everything here is a preview on one quadratic direction, fast enough for a first page; the chapters
derive, test and bound what it shows.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import special
from scipy.signal import lfilter
from scipy.stats import chi2

from sgdescape.core import plotting, validate
from sgdescape.core.explorer import Axes, explorer_html
from sgdescape.core.stats.intervals import LEVEL
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


QUICK = Config()

# The largest eigenvalue and the settings of the linear regression in the authors' published code.
SPIRAL_CURVATURE = 919.6
SPIRAL_LEARNING_RATE = 1e-5
SPIRAL_BATCH_SIZE = 512


def power_law_time(loss_ratio, *, learning_rate, batch_size, dimension, curvature=1.0):
    """Escape time of the first paper up to a constant: c^(B/(eta h) + 1 - n/2).

    Source: Mori et al., Theorem 4.7.

    Args:
        loss_ratio (array): c = L/L* at the threshold, at least 1.
        learning_rate (float): eta.
        batch_size (int): B.
        dimension (int): effective dimension n.
        curvature (float): h* at the minimum.

    Returns:
        array: time in arbitrary units, shape of ``loss_ratio``.

    Example:
        >>> round(float(power_law_time(2.0, learning_rate=0.1, batch_size=1, dimension=2)), 3)
        1024.0
    """
    a = _batches_a_rate(batch_size, learning_rate)
    exponent = a / validate.positive("curvature", curvature) + 1 - dimension / 2
    return _loss_ratio(loss_ratio) ** exponent


def diffusion_time(loss_ratio, *, learning_rate, batch_size):
    """Exact mean first-passage time of the paper's SDE on L = (1 + theta^2)/2, from its minimum.

    With a = B/eta, drift -theta and diffusion coefficient (1 + theta^2)/(2a), the backward
    equation gives t = 2a int_0^sqrt(c-1) dy (1+y^2)^a int_0^y dz (1+z^2)^(-a-1).

    Args:
        loss_ratio (array): c at the threshold, at least 1.
        learning_rate (float): eta.
        batch_size (int): B.

    Returns:
        array: mean time in units of t = eta k, shape of ``loss_ratio``.
    """
    a = _batches_a_rate(batch_size, learning_rate)
    # the inner integral is an incomplete beta function of y^2 / (1 + y^2)
    scale = special.beta(0.5, a + 0.5) / 2
    return (
        2
        * a
        * _integral_to_threshold(
            lambda y: (1 + y**2) ** a * scale * special.betainc(0.5, a + 0.5, y**2 / (1 + y**2)),
            loss_ratio,
        )
    )


def linear_barrier_time(loss_ratio, *, learning_rate, batch_size):
    """Exact mean first-passage time for additive noise, of the strength it has at the minimum.

    The diffusion coefficient is 1/(2a) everywhere, and the barrier is a(c - 1), linear in the loss:
    t = 2a int_0^sqrt(c-1) dy exp(a y^2) int_0^y dz exp(-a z^2).

    Args:
        loss_ratio (array): c at the threshold, at least 1.
        learning_rate (float): eta.
        batch_size (int): B.

    Returns:
        array: mean time in units of t = eta k, shape of ``loss_ratio``.
    """
    a = _batches_a_rate(batch_size, learning_rate)
    scale = np.sqrt(np.pi / a) / 2
    return (
        2
        * a
        * _integral_to_threshold(
            lambda y: np.exp(a * y**2) * scale * special.erf(np.sqrt(a) * y), loss_ratio
        )
    )


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
        attrs={"learning_rate": config.learning_rate, "batch_size": config.batch_size},
    )


def _batches_a_rate(batch_size, learning_rate):
    """B / eta, the inverse of the noise's strength."""
    rate = validate.positive("learning_rate", learning_rate)
    return validate.count("batch_size", batch_size) / rate


def _loss_ratio(loss_ratio):
    ratios = validate.finite("loss_ratio", loss_ratio)
    if (ratios < 1).any():
        raise ValueError(f"loss_ratio must be at least 1: got {ratios.min()}")
    return ratios


def _integral_to_threshold(integrand, loss_ratio, nodes=200):
    """Integral of a smooth function of theta from the minimum to each threshold, Gauss-Legendre."""
    edge = np.sqrt(_loss_ratio(loss_ratio) - 1)[..., None]
    positions, weights = np.polynomial.legendre.leggauss(nodes)
    return np.sum(weights * integrand(edge * (positions + 1) / 2), axis=-1) * edge[..., 0] / 2


def _escape(config, block=500):
    """Mean first-passage times, intervals exact for exponential times; censored runs count."""
    rng = np.random.Generator(np.random.Philox(key=config.seed))
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
    rng = np.random.Generator(np.random.Philox(key=config.seed + 1))
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
    rates = {name: dataset.attrs[name] for name in ("learning_rate", "batch_size")}
    ratio = dataset.threshold.values
    fine = np.linspace(ratio[0], ratio[-1], 60)
    time = dataset.passage_time.values
    power_law = power_law_time(fine, dimension=1, **rates)
    anchor = time[3] / power_law_time(ratio[3], dimension=1, **rates)
    for index, (label, times) in enumerate(
        {
            "the paper's slope": anchor * power_law,
            "the paper's SDE, exact": diffusion_time(fine, **rates),
            "additive noise, exact": linear_barrier_time(fine, **rates),
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


def barrier_explorer(largest_ratio: float = 5.0) -> str:
    """Return the explorer of the escape barrier: the input kurtosis moves it between two laws.

    Args:
        largest_ratio: right end of the axis of c.
    """
    ratio = np.linspace(1, largest_ratio, 81)
    kurtoses = [float(k) for k in np.arange(1, 6.01, 0.25)]

    def barrier(kurtosis):
        return diffusion_barrier(ratio, kurtosis=kurtosis)

    def reading(kurtosis):
        here, log, linear = (float(diffusion_barrier(3.0, kurtosis=k)) for k in (kurtosis, 2, 1))
        return (
            f"Kurtosis {kurtosis:.2f}: the barrier at c = 3 is {here:.2f}; "
            f"the paper's logarithm is {log:.2f} there, the linear barrier {linear:.2f}."
        )

    return explorer_html(
        Axes(
            ratio,
            largest_ratio - 1,
            "loss ratio c = L/L*",
            "barrier × ηh*/B",
            "Escape barrier against the loss ratio. The moving curve starts between the paper's "
            "logarithm and the axis and reaches the linear barrier at kurtosis 1.",
        ),
        {kurtosis: barrier(kurtosis) for kurtosis in kurtoses},
        slider="Input kurtosis κ",
        start=3.0,
        readings={kurtosis: reading(kurtosis) for kurtosis in kurtoses},
        references={"c − 1": barrier(1.0), "log c (paper)": barrier(2.0)},
    )
