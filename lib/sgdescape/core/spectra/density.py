"""Traces and densities of eigenvalues of symmetric matrices known only by their products.

Both are averages over random probes, with a standard error; the steps are those of `lanczos`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.spectra import _krylov as krylov
from sgdescape.core.spectra._krylov import MatVec

__all__ = [
    "Quadrature",
    "TraceEstimate",
    "quadrature_sum",
    "smoothed_density",
    "spectral_density",
    "trace",
]


@dataclass(frozen=True)
class TraceEstimate:
    """A Hutchinson estimate: ``value``, its ``standard_error``, and the number of ``probes``."""

    value: float
    standard_error: float
    probes: int


@dataclass(frozen=True)
class Quadrature:
    """Stochastic Lanczos quadrature of a spectral density.

    Attributes:
        nodes: (probes, steps) Ritz values, float64.
        weights: (probes, steps), each row sums to 1.
        size: dimension of the matrix.
    """

    nodes: np.ndarray
    weights: np.ndarray
    size: int


@door
def trace(
    matvec: MatVec,
    size: int,
    *,
    probes: int,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> TraceEstimate:
    """Hutchinson's estimate of a trace, E[zᵀ A z] with Rademacher z.

    Its variance is 2 Σ_{i≠j} A_ij² / probes: none for a diagonal matrix.

    Args:
        matvec: v (size,) -> A v (size,).
        size: dimension of the matrix.
        probes: number of random vectors, at least 2 (one gives no standard error).
        seed: of the probes.
        dtype: of the probes.
        device: of the probes.

    Returns:
        The estimate with its standard error.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if there are fewer than 2 probes.

    Example:
        >>> trace(lambda v: torch.tensor([1.0, 2.0, 3.0], dtype=v.dtype) * v, 3, probes=2)
        TraceEstimate(value=6.0, standard_error=0.0, probes=2)
    """
    size, probes = validate.count("size", size), validate.count("probes", probes, low=2)
    dtype, device = krylov.basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))
    draws = np.empty(probes)
    for index in range(probes):
        probe = _rademacher(size, generator, dtype, device)
        draws[index] = torch.dot(probe.double(), krylov.image_of(matvec, probe).double())
        if not np.isfinite(draws[index]):
            raise ValueError(f"matvec must return finite values: NaN or infinite at probe {index}")
    error = draws.std(ddof=1) / np.sqrt(probes)
    return TraceEstimate(float(draws.mean()), float(error), probes)


@door
def spectral_density(
    matvec: MatVec,
    size: int,
    *,
    steps: int = 60,
    probes: int = 10,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> Quadrature:
    """Stochastic Lanczos quadrature of the density of eigenvalues.

    Tr f(A) ≈ size · mean over probes of Σ_j w_j f(θ_j) (Golub and Welsch 1969; Ubaru, Chen and
    Saad 2017). Exact in f up to degree 2 steps - 1 for each probe.

    Args:
        matvec: v (size,) -> A v (size,), symmetric.
        size: dimension of the matrix.
        steps: Lanczos steps a probe; reduced to size if larger.
        probes: Rademacher vectors, at least 2.
        seed: of the probes.
        dtype: of the probes.
        device: of the probes.

    Returns:
        Nodes and weights; see `quadrature_sum` and `smoothed_density`.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if steps or probes are too few, or A v is not finite.

    Example:
        >>> a = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        >>> density = spectral_density(lambda v: a * v, 3, probes=2)
        >>> print(round(quadrature_sum(density, np.square).value, 9))  # 1 + 4 + 9
        14.0
    """
    size, probes = validate.count("size", size), validate.count("probes", probes, low=2)
    steps = min(validate.count("steps", steps), size)
    dtype, device = krylov.basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))
    nodes, weights = np.zeros((probes, steps)), np.zeros((probes, steps))
    basis = torch.empty(steps, size, dtype=dtype, device=device)
    for index in range(probes):
        basis[0] = _rademacher(size, generator, dtype, device) / np.sqrt(size)
        diagonal, off = [], []
        for step in range(1, steps + 1):
            alpha, beta, rest = krylov.extend(matvec, basis[:step])
            diagonal.append(alpha)
            off.append(beta)
            if step == steps or beta <= krylov.breakdown(diagonal, off, dtype):
                break  # after a breakdown the quadrature is already exact for this probe
            basis[step] = rest / beta
        values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off[:-1])
        nodes[index, : len(values)] = values
        weights[index, : len(values)] = vectors[0] ** 2
    return Quadrature(nodes, weights, size)


@door
def quadrature_sum(
    quadrature: Quadrature, function: Callable[[np.ndarray], np.ndarray]
) -> TraceEstimate:
    """Estimate Tr f(A) = Σ_i f(λ_i), with its standard error over the probes."""
    used = quadrature.weights > 0
    values = np.where(used, function(np.where(used, quadrature.nodes, 1.0)), 0.0)
    draws = quadrature.size * (quadrature.weights * values).sum(1)
    error = draws.std(ddof=1) / np.sqrt(len(draws))
    return TraceEstimate(float(draws.mean()), float(error), len(draws))


@door
def smoothed_density(quadrature: Quadrature, grid: np.ndarray, *, width: float) -> np.ndarray:
    """Density of eigenvalues on a grid, broadened by a Gaussian; integrates to 1.

    Args:
        quadrature: result of `spectral_density`.
        grid: points (m,).
        width: standard deviation of the Gaussian, in the units of the eigenvalues.

    Returns:
        Density (m,), averaged over the probes.

    Raises:
        TypeError: if width is no number.
        ValueError: if width is not positive or the grid is not finite.
    """
    width, grid = validate.positive("width", width), validate.finite("grid", grid)
    distance = (grid[:, None, None] - quadrature.nodes) / width
    kernel = np.exp(-0.5 * distance**2) / (width * np.sqrt(2 * np.pi))
    return (kernel * quadrature.weights).sum(2).mean(1)


def _rademacher(size, generator, dtype, device):
    signs = torch.randint(0, 2, (size,), generator=generator)
    return (2 * signs - 1).to(dtype=dtype, device=device)
