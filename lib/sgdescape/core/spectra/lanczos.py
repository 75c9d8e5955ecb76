"""Eigenvalues, traces and densities of symmetric matrices known only by their products.

Lanczos keeps its whole basis and orthogonalises against it twice a step. Memory is
``max_iter`` vectors; in return there are no ghost eigenvalues (Paige 1976) and the residuals it
reports are true ones. Vectors live as rows of one matrix, so a step costs two matrix-vector
products and no loop over the basis.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = [
    "EigenResult",
    "Quadrature",
    "TraceEstimate",
    "lanczos",
    "quadrature_sum",
    "smoothed_density",
    "spectral_density",
    "trace",
]

MatVec = Callable[[Tensor], Tensor]

CHECK_EVERY = 3  # steps between convergence checks: a check is cheap, but not free


@dataclass(frozen=True)
class EigenResult:
    """Leading eigenpairs.

    Attributes:
        eigenvalues: (k,), descending, float64.
        eigenvectors: (size, k), orthonormal columns.
        residuals: (k,) ||A v - λ v||, float64; for products in single precision they stop being
            true below about 1e-6 of the largest eigenvalue.
        converged: (k,) bool, residual <= tol times the largest |eigenvalue| seen.
        iterations: products with the matrix that were used.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor
    residuals: Tensor
    converged: Tensor
    iterations: int


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
def lanczos(
    matvec: MatVec,
    size: int,
    *,
    k: int,
    max_iter: int | None = None,
    tol: float = 1e-8,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> EigenResult:
    """Largest eigenvalues of a symmetric matrix and their eigenvectors.

    Args:
        matvec: v (size,) -> A v (size,), symmetric. For the smallest eigenvalues give -A.
        size: dimension of the matrix.
        k: number of eigenpairs, in [1, size].
        max_iter: most products with A; None for min(size, 10 k + 50).
        tol: residual asked for, relative to the largest |eigenvalue|.
        seed: of the random start.
        dtype: of the basis.
        device: of the basis.

    Returns:
        The eigenpairs, with residuals and ``converged``; not an error when some have not.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if k or max_iter does not fit the size, or A v is not finite.

    Example:
        >>> a = torch.diag(torch.tensor([1.0, 5.0, 3.0], dtype=torch.float64))
        >>> print(lanczos(lambda v: a @ v, 3, k=2).eigenvalues.numpy().round(9))
        [5. 3.]
    """
    size = validate.count("size", size)
    k = validate.count("k", k, high=size)
    max_iter = min(size, 10 * k + 50) if max_iter is None else max_iter
    max_iter = validate.count("max_iter", max_iter, low=k, high=size)
    tol = validate.positive("tol", tol)
    dtype, device = _basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))

    basis = torch.empty(max_iter, size, dtype=dtype, device=device)
    basis[0] = _normal(size, generator, basis)
    diagonal, off = [], []
    for step in range(1, max_iter + 1):
        alpha, beta, rest = _extend(matvec, basis[:step])
        diagonal.append(alpha)
        off.append(beta)
        if step == max_iter or (step >= k and step % CHECK_EVERY == 0):
            values, vectors, residuals = _ritz(diagonal, off, k)
            scale = np.abs(values).max()
            if (residuals <= tol * scale).all():
                break
        if step == max_iter:
            break
        if beta <= _breakdown(diagonal, off, dtype):
            # An invariant subspace: go on from a fresh direction orthogonal to it, or repeated
            # eigenvalues would be missed.
            off[-1] = 0.0
            rest = _orthogonalise(_normal(size, generator, basis), basis[:step])
            beta = _norm(rest)
        basis[step] = rest / beta
    top = np.argsort(values)[::-1][:k].copy()
    coefficients = torch.as_tensor(vectors[:, top], dtype=dtype, device=device)
    return EigenResult(
        eigenvalues=torch.from_numpy(values[top]),
        eigenvectors=basis[:step].T @ coefficients,
        residuals=torch.from_numpy(residuals[::-1].copy()),
        converged=torch.from_numpy((residuals <= tol * scale)[::-1].copy()),
        iterations=step,
    )


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
    dtype, device = _basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))
    draws = np.empty(probes)
    for index in range(probes):
        probe = _rademacher(size, generator, dtype, device)
        draws[index] = torch.dot(probe.double(), _image(matvec, probe).double())
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
    dtype, device = _basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))
    nodes, weights = np.zeros((probes, steps)), np.zeros((probes, steps))
    basis = torch.empty(steps, size, dtype=dtype, device=device)
    for index in range(probes):
        basis[0] = _rademacher(size, generator, dtype, device) / np.sqrt(size)
        diagonal, off = [], []
        for step in range(1, steps + 1):
            alpha, beta, rest = _extend(matvec, basis[:step])
            diagonal.append(alpha)
            off.append(beta)
            if step == steps or beta <= _breakdown(diagonal, off, dtype):
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


def _extend(matvec, basis):
    """One Lanczos step from the last row: (vᵀ A v, norm of what is new, what is new)."""
    image = _image(matvec, basis[-1])
    alpha = float(basis[-1] @ image)
    rest = _orthogonalise(image, basis)
    beta = _norm(rest)
    if not np.isfinite(alpha + beta):
        raise ValueError(f"matvec must return finite values: NaN or infinite at step {len(basis)}")
    return alpha, beta, rest


def _image(matvec, vector):
    """A v in the precision of v, refused where it is no vector of the same length."""
    image = matvec(vector)
    if not isinstance(image, torch.Tensor) or image.is_complex():
        kind = getattr(image, "dtype", type(image).__name__)
        raise TypeError(f"matvec must return a real tensor: got {kind}")
    if image.shape != vector.shape:
        shape = tuple(image.shape)
        raise ValueError(f"matvec must return shape {tuple(vector.shape)}: got {shape}")
    return image.to(vector.dtype)


def _norm(vector):
    """|v|, also where the squares of its entries leave the range of its precision."""
    norm = float(torch.linalg.vector_norm(vector))
    limits = torch.finfo(vector.dtype)
    if limits.tiny**0.5 / limits.eps < norm < limits.max**0.5:
        return norm
    largest = float(vector.abs().max())
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(vector / largest))


def _basis_of(dtype, device):
    """Precision and place of the vectors, refused where no eigenvalue can be had in them."""
    if dtype not in (torch.float32, torch.float64):
        raise TypeError(f"dtype must be torch.float32 or torch.float64: got {dtype!r}")
    return dtype, validate.device(device)


def _orthogonalise(vector, basis):
    # Classical Gram-Schmidt twice is orthogonal to round-off ("twice is enough").
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def _ritz(diagonal, off, k):
    """Ritz values (all), vectors, and the residuals of the k largest, ascending."""
    values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off[:-1])
    return values, vectors, off[-1] * np.abs(vectors[-1, -k:])


def _breakdown(diagonal, off, dtype):
    scale = max(abs(a) + b for a, b in zip(diagonal, off, strict=True))
    return 100 * torch.finfo(dtype).eps * scale


def _normal(size, generator, like):
    draw = torch.randn(size, generator=generator, dtype=torch.float64)
    return (draw / torch.linalg.vector_norm(draw)).to(like)


def _rademacher(size, generator, dtype, device):
    signs = torch.randint(0, 2, (size,), generator=generator)
    return (2 * signs - 1).to(dtype=dtype, device=device)
