"""Stationary law and current of any linear Langevin equation: the decomposition A = (D + Q) U.

dz = -A (z - zbar) dt + sqrt(2 D / kappa) dW, Eq. (modified-process), with D >= 0, singular or not.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sgdescape.core import validate
from sgdescape.core.doors import door


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The parts of A = (D + Q) U with U = B^-1, all (n, n)."""

    drift: np.ndarray  # A
    diffusion: np.ndarray  # D, symmetric, not negative
    shape: np.ndarray  # B: kappa times the stationary covariance
    precision: np.ndarray  # U = B^-1, symmetric
    circulation: np.ndarray  # Q = A B - D, antisymmetric


@door
def shape(drift, diffusion) -> np.ndarray:
    """Return B with A B + B A^T = 2 D by Bartels and Stewart's method, Eq. (modified-lyapunov).

    Args:
        drift: A (n, n), eigenvalues with positive real parts.
        diffusion: D (n, n), symmetric.

    Returns:
        (n, n), symmetric.

    Raises:
        ValueError: for other shapes, a D that is not symmetric, or a drift that is not stable.

    Example:
        >>> shape([[2.0]], [[3.0]])
        array([[1.5]])
    """
    a, d = _matrices(drift, diffusion)
    found = linalg.solve_continuous_lyapunov(a, 2 * d)
    return (found + found.T) / 2


@door
def shape_by_kronecker(drift, diffusion) -> np.ndarray:
    """Return the same B from n^2 linear equations, Eq. (modified-lyapunov): a second way.

    Args:
        drift: A (n, n).
        diffusion: D (n, n).

    Returns:
        (n, n).

    Raises:
        ValueError: as `shape`.
    """
    a, d = _matrices(drift, diffusion)
    one = np.eye(len(a))
    flat = np.linalg.solve(np.kron(a, one) + np.kron(one, a), 2 * d.ravel())
    return flat.reshape(d.shape)


@door
def decompose(drift, diffusion) -> Decomposition:
    r"""Return A = (D + Q) U, Eq. (modified-decomposition), of Eq. (modified-process).

    The density exp(-kappa Psi) with Psi = z^T U z / 2 then solves Eq. (modified-fokker-planck).

    Args:
        drift: A (n, n), eigenvalues with positive real parts.
        diffusion: D (n, n), symmetric; singular if noise enters some directions only.

    Returns:
        The parts.

    Raises:
        ValueError: as `shape`, or if some direction gets no noise at all (B is singular).

    Example:
        >>> decompose([[1.0, 2.0], [-2.0, 1.0]], np.eye(2)).circulation
        array([[ 0.,  2.],
               [-2.,  0.]])
    """
    a, d = _matrices(drift, diffusion)
    b = shape(a, d)
    low, *_, high = np.linalg.eigvalsh(b) if len(b) > 1 else (b[0, 0], b[0, 0])
    if low <= 1e-13 * abs(high):
        raise ValueError(
            f"noise must reach every direction: B has eigenvalues {low:.3g}..{high:.3g}"
        )
    q = a @ b - d
    return Decomposition(a, d, b, np.linalg.inv(b), (q - q.T) / 2)


@door
def eigenbasis_circulation(drift, diffusion) -> np.ndarray:
    """Return Q for a *symmetric* A: Q_ij = D_ij (a_i - a_j) / (a_i + a_j), Eq. (modified-toy).

    Args:
        drift: A (n, n), symmetric, eigenvalues a_i > 0.
        diffusion: D (n, n).

    Returns:
        Q (n, n), in the coordinates of the arguments; the indices above are A's eigenvectors'.

    Raises:
        ValueError: as `shape`, or if A is not symmetric.
    """
    a, d = _matrices(drift, diffusion)
    if not np.allclose(a, a.T):
        raise ValueError(f"drift must be symmetric: it differs by {np.abs(a - a.T).max():.3g}")
    values, vectors = np.linalg.eigh(a)
    ratio = np.subtract.outer(values, values) / np.add.outer(values, values)
    return vectors @ (vectors.T @ d @ vectors * ratio) @ vectors.T


@door
def modified_loss(displacement, parts: Decomposition) -> np.ndarray:
    """Return Psi = (z - zbar)^T U (z - zbar) / 2, Eq. (modified-current).

    Args:
        displacement: z - zbar (..., n).
        parts: of `decompose`.

    Returns:
        (...,): the stationary density is proportional to exp(-kappa Psi).
    """
    z = validate.finite("displacement", displacement)
    return 0.5 * np.einsum("...i,ij,...j->...", z, parts.precision, z)


@door
def probability_velocity(displacement, parts: Decomposition) -> np.ndarray:
    """Return J / p = -Q U (z - zbar), Eq. (modified-current): mean velocity of the probability.

    Args:
        displacement: z - zbar (..., n).
        parts: of `decompose`.

    Returns:
        (..., n), a time.
    """
    z = validate.finite("displacement", displacement)
    return -z @ (parts.circulation @ parts.precision).T


@door
def areal_rates(parts: Decomposition, *, temperature=1.0) -> np.ndarray:
    """Return E[z_i dz_j - z_j dz_i] / dt = 2 Q_ij / kappa, Eq. (modified-area).

    Args:
        parts: of `decompose`.
        temperature: 1 / kappa.

    Returns:
        (n, n), antisymmetric; positive means counter-clockwise in the plane (i, j).
    """
    return 2 * validate.positive("temperature", temperature) * parts.circulation


@door
def entropy_rate(parts: Decomposition) -> float:
    """Return tr(D^-1 Q U Q^T), the entropy production a time when no variable is a velocity.

    Eq. (modified-entropy-even): kappa E[J^T D^-1 J / p^2].

    Args:
        parts: of `decompose`, with D of full rank.

    Raises:
        ValueError: if D is singular: then some variable is a velocity and has to be reversed.
    """
    d = parts.diffusion
    if np.linalg.matrix_rank(d) < len(d):
        raise ValueError("diffusion must have full rank where every variable is even in time")
    q = parts.circulation
    return float(np.trace(np.linalg.solve(d, q @ parts.precision @ q.T)))


def _matrices(drift, diffusion):
    a, d = validate.finite("drift", drift), validate.finite("diffusion", diffusion)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"drift must be a square matrix: got shape {a.shape}")
    if d.shape != a.shape:
        raise ValueError(f"diffusion must have the drift's shape {a.shape}: got {d.shape}")
    if not np.allclose(d, d.T, atol=1e-12 * np.abs(d).max()):
        raise ValueError(f"diffusion must be symmetric: it differs by {np.abs(d - d.T).max():.3g}")
    slowest = np.linalg.eigvals(a).real.min()
    if slowest <= 0:
        raise ValueError(f"drift must have eigenvalues of positive real part: got {slowest:.3g}")
    return a, d
