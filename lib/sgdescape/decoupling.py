"""Are loss and gradient of a sample decoupled? Both sides of Mori et al., Eq. (7), and a null.

Chapter `decoupling`, Fig. 1 of the paper. Theory first (float64 NumPy, one function an equation),
then the configuration, `run` and the claims. Measurements and figures live in the private package
`sgdescape._decoupling`; they import no theory, so a claim compares two separate routes.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._decoupling import experiment
from sgdescape._decoupling.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._decoupling.figures import *  # noqa: F403  (plot_*)
from sgdescape._decoupling.measures import (  # noqa: F401  (offered here)
    agreement_rank,
    dimension,
    direction_ratio,
    largest_factor,
    scale_of,
    wasserstein,
)
from sgdescape._decoupling.summary import summary  # noqa: F401
from sgdescape.core import provenance, validate

FRACTIONS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Effective dimensions, in units of N, at which spectra are compared."""


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment; every count is a number of images unless named.

    Args:
        images: N, the first ones of MNIST in file order, or a random subset by ``image_seed``.
        image_seed: of the random subset; None for the first N.
        hidden: units of the hidden layers, between 784 inputs and one output.
        epochs: passes over the data at which the spectra are taken, increasing from 0.
        learning_rate: eta (time a step).
        batch_size: B.
        shuffles: random pairings of loss and gradient at each epoch, at least 4.
        directions: leading curvature directions that are looked at one by one.
        halvings: how often the images are cut in halves, to vary N.
        cut: eigenvalues above this fraction of the largest count as large.
        factor: two eigenvalues within this factor agree.
        seed: of the network, the batches and the shuffles.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    images: int = 1500
    image_seed: int | None = None
    hidden: tuple[int, ...] = (100, 100)
    epochs: tuple[int, ...] = (0, 50, 500)
    learning_rate: float = 0.01
    batch_size: int = 100
    shuffles: int = 12
    directions: int = 20
    halvings: int = 4
    cut: float = 0.01
    factor: float = 1.5
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("images", self.images, low=100)
        validate.count("batch_size", self.batch_size, high=self.images)
        validate.count("shuffles", self.shuffles, low=4)
        validate.count("directions", self.directions, high=self.images)
        validate.count("halvings", self.halvings)
        validate.positive("learning_rate", self.learning_rate)
        validate.fraction("cut", self.cut)
        if self.factor <= 1:
            raise ValueError(f"factor must be above 1: got {self.factor}")
        if list(self.epochs) != sorted(set(self.epochs)) or not self.epochs or self.epochs[0] < 0:
            raise ValueError(f"epochs must increase from 0 or more: got {self.epochs}")


QUICK = Config()
PAPER = Config(images=10_000, shuffles=6)
"""The first 10^4 MNIST images and 500 epochs, Section 5.1 (needs the full data set)."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Train the network, measure both spectra and their null, and put the predictions beside them.

    Args:
        config: the sizes.
        device: torch device, for example "cpu" or "cuda".

    Returns:
        At each ``epoch``: ``loss`` and ``output_norm`` = |grad f|^2 (image), ``exact``,
        ``decoupled`` and ``shuffled`` spectra (rank), ``direction_ratio`` (direction),
        ``subset_rank`` (subset_size, subset), and what `predict` adds; ``training_loss``;
        provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = predict(experiment.measure(config, device=device))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the predictions of this module.

    Args:
        dataset: what `experiment.measure` gave.

    Returns:
        A new dataset that also has, at each epoch, ``trace_theory``, ``trace_error``,
        ``log_theory``, ``direction_error`` (direction), and by ``fraction`` the scale shifts
        ``shift_exact``, ``shift_shuffled`` (shuffle) and ``shift_theory``.
    """
    ds = dataset.assign_coords(fraction=list(FRACTIONS))
    rows = {name: [] for name in ("trace_theory", "trace_error", "log_theory", "direction_error")}
    shifts = {name: [] for name in ("shift_theory", "shift_exact", "shift_shuffled")}
    for epoch in ds.epoch.values:
        now = ds.sel(epoch=epoch)
        losses, norms = now.loss.values, now.output_norm.values
        rows["trace_theory"].append(trace_ratio(losses, norms))
        rows["trace_error"].append(trace_error(losses, norms))
        rows["log_theory"].append(mean_log_ratio(losses))
        rows["direction_error"].append(direction_error(losses, now.direction_weight.values))
        base = scale_of(now.decoupled.values, FRACTIONS)
        shifts["shift_theory"].append(scale_shift(losses, FRACTIONS))
        shifts["shift_exact"].append(scale_of(now.exact.values, FRACTIONS) / base)
        shifts["shift_shuffled"].append(
            [scale_of(spectrum, FRACTIONS) / base for spectrum in now.shuffled.values]
        )
    for name, values in rows.items():
        where = ("epoch", "direction") if name == "direction_error" else ("epoch",)
        ds[name] = where, np.array(values)
    for name, values in shifts.items():
        where = ("epoch", "shuffle", "fraction") if name == "shift_shuffled" else None
        ds[name] = where or ("epoch", "fraction"), np.array(values)
    return ds


def trace_ratio(losses, norms) -> float:
    r"""Return the ratio of the traces of both sides of Eq. (7), Eq. (trace-coupling).

    .. math:: \frac{\langle\ell\,|\nabla f|^2\rangle}{L\,\langle|\nabla f|^2\rangle}
              = 1+\frac{{\rm Cov}(\ell,|\nabla f|^2)}{L\,\langle|\nabla f|^2\rangle}

    Args:
        losses: per-sample losses (N,).
        norms: squared norms of the output gradients (N,).

    Example:
        >>> trace_ratio([1.0, 3.0], [2.0, 2.0]), trace_ratio([1.0, 3.0], [1.0, 3.0])
        (1.0, 1.25)
    """
    losses, norms = validate.finite("losses", losses), validate.finite("norms", norms)
    return float(1 + np.cov(losses, norms, bias=True)[0, 1] / (losses.mean() * norms.mean()))


def trace_error(losses, norms) -> float:
    r"""Return the standard deviation of the trace ratio over random pairings, Eq. (trace-pairing).

    :math:`{\rm cv}(\ell)\,{\rm cv}(|\nabla f|^2)/\sqrt{N-1}`, with cv = standard deviation / mean.

    Args:
        losses: per-sample losses (N,), N at least 2.
        norms: squared norms of the output gradients (N,).

    Example:
        >>> trace_error([1.0, 3.0], [2.0, 2.0])
        0.0
    """
    losses, norms = validate.finite("losses", losses), validate.finite("norms", norms)
    spreads = losses.std() / losses.mean() * norms.std() / norms.mean()
    return float(spreads / np.sqrt(len(losses) - 1))


def mean_log_ratio(losses) -> float:
    r"""Return :math:`\frac1N\sum_\mu\ln(\ell_\mu/L)`, Eq. (determinant).

    It is the mean over all ranks of ln(exact / decoupled eigenvalue), whatever the pairing, and
    at most 0, by Jensen's inequality.

    Args:
        losses: per-sample losses (N,), positive.

    Raises:
        ValueError: if a loss is not positive.

    Example:
        >>> round(mean_log_ratio([1.0, 3.0]), 4)  # ln(sqrt(3) / 2)
        -0.1438
    """
    losses = validate.finite("losses", losses)
    if losses.min() <= 0:
        raise ValueError(f"losses must be positive: got a smallest value of {losses.min()}")
    return float(np.mean(np.log(losses / losses.mean())))


def direction_error(losses, weights) -> np.ndarray:
    r"""Return the standard deviation of `direction_ratio` over pairings, Eq. (direction-pairing).

    .. math:: {\rm cv}(\ell)\sqrt{\frac{N}{N-1}\Big(\sum_\mu u_{k\mu}^4-\frac1N\Big)}

    Args:
        losses: per-sample losses (N,).
        weights: squared components of the Gram matrix' eigenvectors (directions, N).

    Example:
        >>> direction_error([1.0, 3.0], [[0.5, 0.5], [0.0, 1.0]])
        array([0. , 0.5])
    """
    losses, weights = validate.finite("losses", losses), validate.finite("weights", weights)
    n = len(losses)
    excess = np.maximum(np.sum(weights**2, axis=1) - 1 / n, 0.0)
    return losses.std() / losses.mean() * np.sqrt(n / (n - 1) * excess)


def scale_shift(losses, fraction) -> np.ndarray:
    r"""Return how far a random pairing moves a spectrum, Eq. (scale-shift).

    .. math:: R(D) = L\,b\,\frac{1-D}{D},\qquad
              \Big\langle\frac{b\,\ell}{1+b\,\ell}\Big\rangle = D

    The exact matrix with independent losses reaches effective dimension D at R(D) times the
    scale of the decoupled one (free multiplicative convolution).

    Args:
        losses: per-sample losses (N,), positive.
        fraction: D in (0, 1), any shape.

    Returns:
        Shifts of the shape of ``fraction``; all are 1 for equal losses, above 1 otherwise.

    Example:
        >>> scale_shift([2.0, 2.0], 0.3).round(6)
        np.float64(1.0)
    """
    fraction = np.asarray(fraction, dtype=float)
    return np.mean(losses) * scale_of(losses, fraction) * (1 - fraction) / fraction
