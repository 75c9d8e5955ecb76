"""Formulas of chapter `decoupling`: theory."""

import numpy as np

from sgdescape.core import validate
from sgdescape.decoupling.estimates import scale_of


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
