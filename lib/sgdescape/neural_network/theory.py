"""Directions of a spectrum counted, and slopes and noise of a linear model; nothing measured."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
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


@door
def participation_ratio(spectrum) -> float:
    r"""Return :math:`n=1/\sum_ip_i^2` with :math:`p_i=h_i/\sum_jh_j`, Eq. (45).

    Args:
        spectrum: eigenvalues h_i, non-negative, not all zero.

    Example:
        >>> participation_ratio([2.0, 2.0, 0.0])
        2.0
    """
    return float(1 / np.sum(_weights(spectrum) ** 2))


@door
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


@door
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


@door
def escape_slope(exponent, *, dimension):
    r"""Return the slope :math:`\frac{B}{\eta h^*}+1-\frac n2` of log t_p, Eq. (network-slope).

    Args:
        exponent: B / (eta h*), positive.
        dimension: n.

    Example:
        >>> float(escape_slope(8.5, dimension=3))
        8.0
    """
    exponent = validate.each_positive("exponent", exponent)
    return exponent + 1 - validate.each_positive("dimension", dimension) / 2


@door
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
    ratio = validate.each_at_least("trace_ratio", trace_ratio, 1)
    share = np.asarray(ratio / (2 * validate.each_positive("exponent", exponent)))
    return np.where(share < 1, 1 / np.where(share < 1, 1 - share, 1.0), np.inf)[()]


@door
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
    ratio, curvature = validate.finite("ratio", ratio), validate.finite("curvature", curvature)
    own = kurtosis - np.eye(len(kurtosis))
    return 2 * curvature * (ratio * losses[0] + own @ losses[1:])


def _weights(spectrum):
    h = validate.finite("spectrum", spectrum)
    if h.min() < 0 or h.sum() == 0:
        raise ValueError(f"spectrum must be non-negative and not zero: got a smallest {h.min():g}")
    return h / h.sum()
