"""Leading eigenvalues of symmetric matrices known only by their products.

Lanczos keeps its whole basis and orthogonalises against it twice a step. Memory is
``max_iter`` vectors; in return there are no ghost eigenvalues (Paige 1976) and the residuals it
reports are true ones. Vectors live as rows of one matrix, so a step costs two matrix-vector
products and no loop over the basis.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.spectra import _krylov as krylov
from sgdescape.core.spectra._krylov import MatVec

__all__ = [
    "EigenResult",
    "lanczos",
]


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
    dtype, device = krylov.basis_of(dtype, device)
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0))

    basis = torch.empty(max_iter, size, dtype=dtype, device=device)
    basis[0] = _normal(size, generator, basis)
    diagonal, off = [], []
    for step in range(1, max_iter + 1):
        alpha, beta, rest = krylov.extend(matvec, basis[:step])
        diagonal.append(alpha)
        off.append(beta)
        if step == max_iter or (step >= k and step % CHECK_EVERY == 0):
            values, vectors, residuals = _ritz(diagonal, off, k)
            scale = np.abs(values).max()
            if (residuals <= tol * scale).all():
                break
        if step == max_iter:
            break
        if beta <= krylov.breakdown(diagonal, off, dtype):
            # An invariant subspace: go on from a fresh direction orthogonal to it, or repeated
            # eigenvalues would be missed.
            off[-1] = 0.0
            rest = krylov.orthogonalise(_normal(size, generator, basis), basis[:step])
            beta = krylov.norm(rest)
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


def _ritz(diagonal, off, k):
    """Ritz values (all), vectors, and the residuals of the k largest, ascending."""
    values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off[:-1])
    return values, vectors, off[-1] * np.abs(vectors[-1, -k:])


def _normal(size, generator, like):
    draw = torch.randn(size, generator=generator, dtype=torch.float64)
    return (draw / torch.linalg.vector_norm(draw)).to(like)
