"""How a real network escapes, with every ingredient measured: Figs 3c and 6 of Mori et al.

Chapter `neural_network`. Theory first (float64 NumPy, one function an equation), then the
configuration, `run` and `predict`; checkpoints, measurements, claims and figures are in the private
package `sgdescape._neural_network`.
"""

import time
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._neural_network import measurement
from sgdescape._neural_network.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._neural_network.estimates import (  # noqa: F401  (offered here)
    local_slopes,
    mean_times,
    window,
)
from sgdescape._neural_network.figures import *  # noqa: F403  (plot_*)
from sgdescape._neural_network.results import load as load_result  # noqa: F401
from sgdescape._neural_network.summary import large_summary, summary  # noqa: F401
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the experiment.

    Args:
        images: N, the first ones of the data set in file order.
        hidden: units of each hidden layer of the network, all equal.
        exponents: B / (eta h*), which sets eta at each batch size; an odd number of them.
        batches: batch sizes B, ascending; equal exponents are pairs of equal eta / B.
        replicas: runs of each (exponent, batch size).
        thresholds: loss ratios c = L / L(theta*), ascending.
        watch: time t = eta x steps for which a run is watched, in units of 1 / h*.
        directions: leading eigenvectors of (44) that are looked at one by one.
        hessian_directions: of these, how many are compared with the Hessian.
        bins: groups of the other eigenvalues, in the bowl.
        bowl_paths: simulated paths of each bowl.
        continuous_paths: paths of the continuous-time bowl.
        coarse: leading directions kept in it, and groups of the others.
        bowl_step: its time step, in units of 1 / h*.
        path_threshold: loss ratio at which escaping runs are looked at.
        path_replicas: number of those runs.
        control_replicas: runs of each other network.
        looks: steps between two evaluations of the loss, ascending from 1.
        seed: of all batches and bowls; the checkpoints have their own.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    images: int = 5000
    hidden: tuple[int, ...] = (10,)
    exponents: tuple[float, ...] = (6.0, 8.5, 12.0)
    batches: tuple[int, ...] = (2, 4, 8)
    replicas: int = 36
    thresholds: tuple[float, ...] = tuple(np.round(np.geomspace(1.1, 5.0, 23), 3).tolist())
    watch: float = 1500.0
    directions: int = 12
    hessian_directions: int = 5
    bins: int = 8
    bowl_paths: int = 80
    continuous_paths: int = 128
    coarse: int = 5
    bowl_step: float = 0.05
    path_threshold: float = 2.3
    path_replicas: int = 4
    control_replicas: int = 32
    looks: tuple[int, ...] = (1, 10, 100)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        validate.count("images", self.images, low=100)
        validate.count("directions", self.directions, low=2, high=self.images // 2)
        validate.count("hessian_directions", self.hessian_directions, high=self.directions)
        for name in ("bins", "path_replicas", "coarse"):
            validate.count(name, getattr(self, name))
        for name in ("replicas", "bowl_paths", "continuous_paths", "control_replicas"):
            validate.count(name, getattr(self, name), low=2)
        for name in ("watch", "bowl_step"):
            validate.positive(name, getattr(self, name))
        for name, shortest in (("exponents", 1), ("batches", 2), ("thresholds", 5), ("looks", 1)):
            values = getattr(self, name)
            ascending = list(values) == sorted(set(values))
            if len(values) < shortest or not ascending or values[0] <= 0:
                raise ValueError(
                    f"{name} must hold at least {shortest} positive ascending numbers: got {values}"
                )
        for name in ("thresholds", "path_threshold"):
            if np.min(getattr(self, name)) <= 1:
                raise ValueError(f"{name} must be above 1: got {getattr(self, name)}")
        if len(self.exponents) % 2 == 0:
            raise ValueError(f"exponents must be odd in number: got {self.exponents}")

    @property
    def middle(self) -> float:
        """The middle one of the exponents."""
        return self.exponents[len(self.exponents) // 2]


QUICK = Config()
PAPER = Config(
    images=10_000,
    batches=(1, 2, 4, 8),
    replicas=1000,
    control_replicas=1000,
    bowl_paths=4000,
    continuous_paths=4000,
    coarse=40,
    bowl_step=0.02,
    watch=3600.0,
    path_replicas=50,
)
"""The first 10^4 MNIST images and ten times the runs of Section 5.3.2. The paper's learning rates,
batch sizes, pre-training and h* are not available to us: these exponents are our choice."""


def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Measure the minimum and the escapes, and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the runs that escape: "cpu" for numba, or a CUDA device.
        executor: of the runs; `runner.processes()` to use all cores by processes, None computes in
            this one, by numba's threads.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        Passages in steps by (exponent, batch_size, replica, threshold), those of the bowls in t by
        (law, exponent, batch_size, path, threshold), the minimum by direction, the other networks
        by case, and what `predict` adds; provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = predict(measurement.measure(config, device=device, executor=executor, store=store))
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the predictions of this module beside them.

    Args:
        dataset: what `measurement.measure` gave.

    Returns:
        A new dataset with ``mean_loss`` (exponent), Eq. (raised-loss); the dimensions
        ``participation`` and ``entropy``, Eq. (45), and ``outlier_dimension``; and, for each
        ``dimension`` of these three, ``line_slope`` (dimension, exponent).
    """
    ds = dataset.copy()
    h = ds.spectrum.values
    numbers = {
        "outlier_dimension": outlier_dimension(h),
        "participation": participation_ratio(h),
        "entropy": entropy_number(h),
    }
    ratio = ds.attrs["trace"] / float(ds.curvature[0])
    ds["mean_loss"] = ("exponent",), raised_loss(ds.exponent.values, trace_ratio=ratio)
    lines = [escape_slope(ds.exponent.values, dimension=n) for n in numbers.values()]
    ds["line_slope"] = ("dimension", "exponent"), np.array(lines)
    ds = ds.assign_coords(dimension=list(numbers))
    ds.attrs |= numbers
    return ds


def gauss_newton_spectrum(gram) -> np.ndarray:
    r"""Return the non-zero eigenvalues of :math:`\frac1N\sum_\mu C_f^{(\mu)}`, Eq. (44).

    In descending order.

    Args:
        gram: K = J J^T (N, N); the eigenvalues are those of K / N.

    Example:
        >>> gauss_newton_spectrum(np.diag([2.0, 6.0])).tolist()
        [3.0, 1.0]
    """
    gram = validate.finite("gram", gram)
    return np.linalg.eigvalsh(gram)[::-1] / len(gram)


def participation_ratio(spectrum) -> float:
    r"""Return :math:`n=1/\sum_ip_i^2` with :math:`p_i=h_i/\sum_jh_j`, Eq. (45).

    Args:
        spectrum: eigenvalues h_i, non-negative, not all zero.

    Example:
        >>> participation_ratio([2.0, 2.0, 0.0])
        2.0
    """
    return float(1 / np.sum(_weights(spectrum) ** 2))


def entropy_number(spectrum) -> float:
    r"""Return :math:`n=\exp(-\sum_ip_i\log p_i)`, the other reading, Eq. (entropy-number).

    Args:
        spectrum: as in `participation_ratio`.

    Example:
        >>> round(entropy_number([2.0, 2.0, 0.0]), 12)
        2.0
    """
    p = _weights(spectrum)
    p = p[p > 0]
    return float(np.exp(-np.sum(p * np.log(p))))


def outlier_dimension(spectrum) -> float:
    r"""Return n_eff of unequal curvatures at large c, Eq. (outlier-dimension).

    .. math:: n_{\rm eff}=1+\sum_{j\ne e}\tfrac12\Big[1+\rho_j-\sqrt{(1-\rho_j)(1+3\rho_j)}\Big],
              \qquad \rho_j=h_j/h_e

    Args:
        spectrum: eigenvalues, non-negative; e is the largest.

    Example:
        >>> outlier_dimension([1.0, 1.0]), round(outlier_dimension([1.0, 0.5]), 3)
        (2.0, 1.191)
    """
    rho = np.sort(_weights(spectrum))[::-1]
    rho = rho[1:] / rho[0]
    return float(1 + 0.5 * np.sum(1 + rho - np.sqrt((1 - rho) * (1 + 3 * rho))))


def escape_slope(exponent, *, dimension):
    r"""Return the slope :math:`\frac{B}{\eta h^*}+1-\frac n2` of log t_p, Eq. (network-slope).

    Args:
        exponent: B / (eta h*), positive.
        dimension: n.

    Example:
        >>> escape_slope(8.5, dimension=3)
        8.0
    """
    if np.any(np.asarray(exponent) <= 0):
        raise ValueError(f"exponent must be positive: got {exponent!r}")
    return exponent + 1 - dimension / 2


def raised_loss(exponent, *, trace_ratio):
    r"""Return the mean loss over L* in a quadratic valley, Eq. (raised-loss).

    .. math:: \frac{\bar L}{L^*}=\Big(1-\frac{\eta\,{\rm Tr}H}{2B}\Big)^{-1}

    Args:
        exponent: B / (eta h*), positive.
        trace_ratio: Tr H / h*, at least 1.

    Returns:
        Infinity where there is no stationary mean.

    Example:
        >>> float(raised_loss(4.0, trace_ratio=4.0))
        2.0
    """
    if np.any(np.asarray(exponent) <= 0) or np.any(np.asarray(trace_ratio) < 1):
        raise ValueError(
            "exponent must be positive and trace_ratio at least 1: "
            f"got {exponent!r} and {trace_ratio!r}"
        )
    share = np.asarray(trace_ratio / (2 * np.asarray(exponent, dtype=float)))
    return np.where(share < 1, 1 / np.where(share < 1, 1 - share, 1.0), np.inf)[()]


def direction_noise(losses, *, ratio, kurtosis, curvature):
    r"""Return B times the noise along each direction of a linear model, Eq. (direction-noise).

    .. math:: B\,\Sigma_{ee}=2h_e\Big[\rho_eL^*+\sum_j(\kappa_{ej}-\delta_{ej})L_j\Big]

    Args:
        losses: (L*, L_1, ..., L_k), of the minimum and of each direction.
        ratio: rho_e (k,).
        kurtosis: kappa_ej (k, k).
        curvature: h_e (k,).

    Example:
        >>> direction_noise([1.0, 2.0], ratio=[1.0], kurtosis=[[2.0]], curvature=[3.0]).tolist()
        [18.0]
    """
    losses, kurtosis = validate.finite("losses", losses), validate.finite("kurtosis", kurtosis)
    own = kurtosis - np.eye(len(kurtosis))
    return 2 * np.asarray(curvature) * (np.asarray(ratio) * losses[0] + own @ losses[1:])


def _weights(spectrum):
    h = validate.finite("spectrum", spectrum)
    if h.min() < 0 or h.sum() == 0:
        raise ValueError(f"spectrum must be non-negative and not zero: got a smallest {h.min():g}")
    return h / h.sum()
