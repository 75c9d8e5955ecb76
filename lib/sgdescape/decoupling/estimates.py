"""How two spectra are compared: distances, ranges of agreement, sizes along directions."""

import numpy as np

from sgdescape.core import validate


def wasserstein(spectrum, reference, *, cut: float = 0.0) -> float:
    r"""Return the mean of :math:`|\log_{10}(\lambda_k/\lambda'_k)|` over ranks, Eq. (wasserstein).

    It is the Wasserstein-1 distance of the two sets of log10 eigenvalues, in decades: in one
    dimension the best transport pairs equal ranks.

    Args:
        spectrum: eigenvalues (N,), descending, positive.
        reference: the other ones (N,), descending, positive.
        cut: keep the ranks whose reference eigenvalue is above this fraction of its largest.

    Returns:
        The distance in decades.

    Raises:
        ValueError: if the shapes differ, or an eigenvalue that is kept is not positive.

    Example:
        >>> wasserstein([10.0, 1.0], [1.0, 0.1])
        1.0
    """
    return float(np.mean(np.abs(_log_ratios(spectrum, reference, cut))) / np.log(10))


def largest_factor(spectrum, reference, *, cut: float = 0.0) -> float:
    """Return the largest factor between eigenvalues of equal rank, at least 1.

    Args:
        spectrum: eigenvalues (N,), descending, positive.
        reference: the other ones (N,), descending, positive.
        cut: as in `wasserstein`.

    Example:
        >>> round(largest_factor([10.0, 1.0], [5.0, 4.0]), 9)
        4.0
    """
    return float(np.exp(np.max(np.abs(_log_ratios(spectrum, reference, cut)))))


def agreement_rank(spectrum, reference, *, factor: float) -> int:
    """Return the last rank k with an eigenvalue at least ``1/factor`` of the reference's.

    All later ones are smaller still. 0 if there is none.

    Args:
        spectrum: eigenvalues (N,), descending.
        reference: the other ones (N,), descending, positive.
        factor: above 1.

    Example:
        >>> agreement_rank([4.0, 2.0, 0.1], [4.0, 2.0, 1.0], factor=2.0)
        2
    """
    inside = np.asarray(spectrum) * factor >= np.asarray(reference)
    return int(np.flatnonzero(inside).max(initial=-1)) + 1


def dimension(spectrum, scale) -> np.ndarray:
    r"""Return :math:`\frac1N\sum_k x\lambda_k/(1+x\lambda_k)`, Eq. (dimension).

    The fraction of eigenvalues above 1/x, with a soft edge: the effective dimension of ridge
    regression, divided by N.

    Args:
        spectrum: eigenvalues (N,), non-negative.
        scale: x > 0, any shape.

    Returns:
        Fractions in (0, 1), of the shape of ``scale``.

    Example:
        >>> float(dimension([1.0, 1.0, 0.0, 0.0], 1.0))
        0.25
    """
    product = np.multiply.outer(np.asarray(scale, dtype=float), np.asarray(spectrum))
    return np.mean(product / (1 + product), axis=-1)


def scale_of(spectrum, fraction) -> np.ndarray:
    """Return the scale x at which `dimension` is a given fraction: its inverse function.

    Args:
        spectrum: eigenvalues (N,), non-negative, more than ``fraction`` N of them positive.
        fraction: in (0, 1), any shape.

    Returns:
        Scales of the shape of ``fraction``.

    Raises:
        ValueError: if a fraction lies outside (0, share of positive eigenvalues).

    Example:
        >>> round(float(scale_of([2.0, 2.0], 0.5)), 9)
        0.5
    """
    values, fraction = validate.finite("spectrum", spectrum), np.asarray(fraction, dtype=float)
    share = np.mean(values > 0)
    if np.any((fraction <= 0) | (fraction >= share)):
        raise ValueError(f"fraction must lie in (0, {share:g}): got {fraction.tolist()}")
    values = values[values > 0]
    # At x = f / (largest (1 - f)) the dimension is at most f, at the other end at least.
    odds = fraction / (1 - fraction)
    low = np.log(odds / values.max())
    high = np.log(fraction / (share - fraction) / values.min()) + 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        below = dimension(values, np.exp(middle)) * share < fraction
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.exp((low + high) / 2)


def direction_ratio(losses, weights) -> np.ndarray:
    r"""Return :math:`\langle\ell g_k^2\rangle/(L h_k) = \sum_\mu\ell_\mu u_{k\mu}^2/L`.

    Eq. (direction): how much noise there is along curvature direction k, against decoupling.

    Args:
        losses: per-sample losses (N,).
        weights: squared components of the Gram matrix' eigenvectors (directions, N), rows sum to 1.

    Returns:
        Ratios (directions,); 1 where loss and slope are uncorrelated.

    Example:
        >>> direction_ratio([1.0, 3.0], [[0.5, 0.5], [0.0, 1.0]])
        array([1. , 1.5])
    """
    return np.asarray(weights) @ np.asarray(losses) / np.mean(losses)


def _log_ratios(spectrum, reference, cut):
    spectrum = validate.finite("spectrum", spectrum)
    reference = validate.finite("reference", reference)
    if spectrum.shape != reference.shape or spectrum.ndim != 1:
        raise ValueError(
            f"both spectra must have the same shape (N,): got {spectrum.shape}, {reference.shape}"
        )
    keep = reference > validate.fraction("cut", cut) * reference[0]
    if np.any(spectrum[keep] <= 0):
        raise ValueError(f"eigenvalues must be positive: {np.sum(spectrum[keep] <= 0)} are not")
    return np.log(spectrum[keep] / reference[keep])
