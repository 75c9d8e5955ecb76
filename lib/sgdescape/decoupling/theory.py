"""What decoupling and random pairings predict for the two sides of Mori et al., Eq. (7).

Every function takes losses, gradient norms, eigenvector weights or a spectrum and returns what is
expected of the exact matrix; how two spectra are compared is in `estimates`.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def trace_ratio(losses, norms) -> float:
    r"""Return the ratio of the traces of both sides of Eq. (7), Eq. (trace-coupling).

    .. math:: \frac{\langle\ell\,|\nabla f|^2\rangle}{L\,\langle|\nabla f|^2\rangle}
              = 1+\frac{{\rm Cov}(\ell,|\nabla f|^2)}{L\,\langle|\nabla f|^2\rangle}

    Args:
        losses: per-sample losses (N,).
        norms: squared norms of the output gradients (N,).

    Raises:
        ValueError: if the shapes differ, a number is negative, or all losses or norms are 0.

    Example:
        >>> trace_ratio([1.0, 3.0], [2.0, 2.0]), trace_ratio([1.0, 3.0], [1.0, 3.0])
        (1.0, 1.25)
    """
    losses, norms = _pair(losses, norms)
    return float(1 + np.cov(losses, norms, bias=True)[0, 1] / (losses.mean() * norms.mean()))


@door
def trace_error(losses, norms) -> float:
    r"""Return the standard deviation of the trace ratio over random pairings, Eq. (trace-pairing).

    :math:`{\rm cv}(\ell)\,{\rm cv}(|\nabla f|^2)/\sqrt{N-1}`, with cv = standard deviation / mean.

    Args:
        losses: per-sample losses (N,), N at least 2.
        norms: squared norms of the output gradients (N,).

    Raises:
        ValueError: as `trace_ratio`, and for fewer than 2 samples.

    Example:
        >>> trace_error([1.0, 3.0], [2.0, 2.0])
        0.0
    """
    losses, norms = _pair(losses, norms)
    _several(losses)
    spreads = losses.std() / losses.mean() * norms.std() / norms.mean()
    return float(spreads / np.sqrt(len(losses) - 1))


@door
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
    losses = validate.each_positive("losses", losses)
    return float(np.mean(np.log(losses / losses.mean())))


@door
def direction_error(losses, weights) -> np.ndarray:
    r"""Return the standard deviation of `direction_ratio` over pairings, Eq. (direction-pairing).

    .. math:: {\rm cv}(\ell)\sqrt{\frac{N}{N-1}\Big(\sum_\mu u_{k\mu}^4-\frac1N\Big)}

    Args:
        losses: per-sample losses (N,).
        weights: squared components of the Gram matrix' eigenvectors (directions, N).

    Returns:
        Standard deviations (directions,).

    Raises:
        ValueError: for fewer than 2 losses, negative numbers or other shapes.

    Example:
        >>> direction_error([1.0, 3.0], [[0.5, 0.5], [0.0, 1.0]])
        array([0. , 0.5])
    """
    losses, weights = _samples("losses", losses), validate.each_at_least("weights", weights, 0)
    n = _several(losses)
    if weights.ndim != 2 or weights.shape[1] != n:
        raise ValueError(f"weights must be (directions, {n}): got {weights.shape}")
    excess = np.maximum(np.sum(weights**2, axis=1) - 1 / n, 0.0)
    return losses.std() / losses.mean() * np.sqrt(n / (n - 1) * excess)


@door
def dimension(spectrum, scale) -> np.ndarray:
    r"""Return :math:`\frac1N\sum_k x\lambda_k/(1+x\lambda_k)`, Eq. (dimension).

    The fraction of eigenvalues above 1/x, with a soft edge: the effective dimension of ridge
    regression, divided by N.

    Args:
        spectrum: eigenvalues (N,), non-negative.
        scale: x > 0, any shape.

    Returns:
        Fractions in (0, 1), of the shape of ``scale``.

    Raises:
        ValueError: if an eigenvalue is negative or a scale not positive.

    Example:
        >>> float(dimension([1.0, 1.0, 0.0, 0.0], 1.0))
        0.25
    """
    values = validate.each_at_least("spectrum", spectrum, 0)
    product = np.multiply.outer(validate.each_positive("scale", scale), values)
    return np.mean(product / (1 + product), axis=-1)


@door
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
    values = validate.each_at_least("spectrum", spectrum, 0)
    fraction = validate.finite("fraction", fraction)
    if not np.any(values > 0):
        raise ValueError("spectrum must hold a positive eigenvalue: got none")
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


@door
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

    Raises:
        ValueError: if a loss is negative, or a fraction outside (0, share of positive losses).

    Example:
        >>> scale_shift([2.0, 2.0], 0.3).round(6)
        np.float64(1.0)
    """
    losses, fraction = _samples("losses", losses), validate.finite("fraction", fraction)
    return np.mean(losses) * scale_of(losses, fraction) * (1 - fraction) / fraction


def _samples(name, values):
    values = validate.each_at_least(name, values, 0)
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional: got shape {values.shape}")
    validate.positive(f"the mean of {name}", values.mean())
    return values


def _pair(losses, norms):
    losses, norms = _samples("losses", losses), _samples("norms", norms)
    if losses.shape != norms.shape:
        raise ValueError(f"losses and norms must be paired: got {losses.shape}, {norms.shape}")
    return losses, norms


def _several(losses):
    if len(losses) < 2:
        raise ValueError(f"losses must hold at least 2 samples: got {len(losses)}")
    return len(losses)
