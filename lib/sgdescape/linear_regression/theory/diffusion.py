"""Mean first-passage times of diffusions in a quadratic bowl, exact, in logarithms where large.

The bowl is L = L* + (h/2)|z|^2 in d dimensions and the clock starts at its bottom. With u = c - 1
the noise of Eq. (12) is proportional to 1 + u; that of a linear barrier is constant.
"""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels

_NODES = 40  # in a panel
_PANELS = 24  # dyadic towards the threshold: barriers up to 2^24 times the noise are resolved


@door
def mean_first_passage_time(
    loss_ratio, *, dimension, learning_rate, batch_size, curvature=1.0
) -> np.ndarray:
    r"""Return the exact mean first-passage time of Eq. (12) to L = c L*, Eq. (passage-time).

    .. math:: t_p = \frac{a}{2h}\int_0^{c-1}\!du\,u^{-d/2}(1+u)^a
              \int_0^u\!dv\,v^{d/2-1}(1+v)^{-a-1}, \qquad a = \frac{B}{\eta h}

    for d equal curvatures h, started at the minimum. Arguments broadcast.

    Args:
        loss_ratio: c = L/L* at the threshold, at least 1.
        dimension: d, whole, at least 1.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        curvature: h, positive.

    Returns:
        Time t = eta k, in units of 1/curvature; infinite above 1e308 (then use
        `log_mean_first_passage_time`).

    Raises:
        ValueError: for an argument outside its range.

    Example:
        >>> t = mean_first_passage_time([1.5, 3], dimension=2, learning_rate=0.1, batch_size=1)
        >>> print(t.round(2))
        [  10.59 4714.19]
    """
    log_time = log_mean_first_passage_time(
        loss_ratio,
        dimension=dimension,
        learning_rate=learning_rate,
        batch_size=batch_size,
        curvature=curvature,
    )
    with np.errstate(over="ignore"):
        return np.exp(log_time)


@door
def log_mean_first_passage_time(
    loss_ratio, *, dimension, learning_rate, batch_size, curvature=1.0
) -> np.ndarray:
    r"""Return the logarithm of Eq. (passage-time), which does not overflow.

    In s = log(1 + u) the inner integral is a hypergeometric function with positive terms,
    :math:`t_p = \frac{a}{dh}\int_0^{\log c} {}_2F_1(1, a+1; \frac d2+1; 1-e^{-s})\,ds`.

    Args:
        loss_ratio: c, at least 1; minus infinity is returned for 1.
        dimension: d.
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> t = log_mean_first_passage_time(2, dimension=1, learning_rate=1e-4, batch_size=1)
        >>> print(t.round(2))
        6927.44
    """
    ratio, d, a, h = _arguments(loss_ratio, dimension, learning_rate, batch_size, curvature)
    top = np.log(ratio)

    def log_inner(s):
        return _log_hypergeometric(s, a[..., None], d[..., None] / 2)

    return np.log(a / (d * h)) + _log_integral(log_inner, top)


@door
def asymptotic_passage_time(
    loss_ratio, *, dimension, learning_rate, batch_size, curvature=1.0
) -> np.ndarray:
    r"""Return the weak-noise form of Eq. (passage-time), Eq. (passage-asymptotic).

    .. math:: t_p \simeq \frac{a}{a+1}\,\frac{\mathrm B(\frac d2, a+1-\frac d2)}{2h}\,
              \frac{c^{a+1}(c-1)^{-d/2}}{1-\frac{d\,c}{2(a+2)(c-1)}}

    Args:
        loss_ratio: c, above 1 by several times 1/a.
        dimension: d, below 2(a + 1).
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Returns:
        Time; NaN where the bracket is not positive, which is too close to the minimum.

    Example:
        >>> t = asymptotic_passage_time(3, dimension=2, learning_rate=0.1, batch_size=1)
        >>> print(t.round(0))
        4601.0
    """
    ratio, d, a, h = _arguments(loss_ratio, dimension, learning_rate, batch_size, curvature)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = ratio - 1
        bracket = 1 - d * ratio / (2 * (a + 2) * u)
        beta = special.betaln(d / 2, np.where(a + 1 > d / 2, a + 1 - d / 2, np.nan))
        log_time = beta + (a + 1) * np.log(ratio) - d / 2 * np.log(u)
        time = a / (a + 1) / (2 * h) * np.exp(log_time) / bracket
    return np.where(bracket > 0, time, np.nan)


@door
def local_slope(loss_ratio, *, dimension, learning_rate, batch_size, curvature=1.0) -> np.ndarray:
    r"""Return :math:`d\log t_p/d\log c \simeq a+1-\frac d2\frac c{c-1}`, Eq. (passage-slope).

    The exponent of Eq. (15) is its limit for c >> 1.

    Args:
        loss_ratio: c, above 1.
        dimension: d.
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> print(local_slope(3.0, dimension=10, learning_rate=0.1, batch_size=1))
        3.5
    """
    ratio, d, a, _ = _arguments(loss_ratio, dimension, learning_rate, batch_size, curvature)
    with np.errstate(divide="ignore"):
        return a + 1 - d / 2 * ratio / (ratio - 1)


@door
def paper_slope(*, dimension, learning_rate, batch_size, curvature=1.0) -> np.ndarray:
    r"""Return :math:`B/(\eta h)+1-d/2`, the dashed lines of Fig. 3b: the exponent of Eq. (15).

    Args:
        dimension: d.
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> print(paper_slope(dimension=10, learning_rate=0.1, batch_size=1))
        6.0
    """
    _, d, a, _ = _arguments(1.0, dimension, learning_rate, batch_size, curvature)
    return a + 1 - d / 2


@door
def linear_barrier_time(
    loss_ratio, *, dimension, learning_rate, batch_size, curvature=1.0
) -> np.ndarray:
    r"""Return the exact mean first-passage time with the minimum's noise, Eq. (linear-barrier).

    .. math:: t_p = \frac{a}{2h}\int_0^{c-1}\!du\,u^{-d/2}e^{au}\int_0^u\!dv\,v^{d/2-1}e^{-av}

    An Ornstein-Uhlenbeck process: its barrier a(c - 1) is linear in the loss.

    Args:
        loss_ratio: c, at least 1.
        dimension: d.
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Returns:
        Time; infinite above 1e308.

    Example:
        >>> t = linear_barrier_time(2, dimension=1, learning_rate=0.1, batch_size=1)
        >>> print(t.round(0))
        6546.0
    """
    ratio, d, a, h = _arguments(loss_ratio, dimension, learning_rate, batch_size, curvature)

    def log_inner(u):
        return _log_kummer(a[..., None] * u, d[..., None] / 2)

    with np.errstate(over="ignore", divide="ignore"):
        return np.exp(np.log(a / (d * h)) + _log_integral(log_inner, ratio - 1))


@door
def kurtosis_passage_time(loss_ratio, *, kurtosis, learning_rate, batch_size, curvature=1.0):
    r"""Return the mean first-passage time of Eq. (4), one input of this kurtosis, exact covariance.

    The noise is proportional to :math:`1+(\kappa-1)(c-1)`, Eq. (kurtosis-noise); rescaling u gives
    Eq. (passage-time) at :math:`\eta(\kappa-1)` and loss ratio :math:`1+(\kappa-1)(c-1)`,
    Eq. (kurtosis-passage).

    Args:
        loss_ratio: c, at least 1.
        kurtosis: at least 1: 1 is the linear barrier, 2 the paper's SDE, 3 Gaussian inputs.
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> t = kurtosis_passage_time(2, kurtosis=3, learning_rate=0.1, batch_size=1)
        >>> print(t.round(1))
        192.4
    """
    excess = validate.finite("kurtosis", kurtosis) - 1
    learning_rate = validate.each_positive("learning_rate", learning_rate)
    if np.any(excess < 0):
        raise ValueError(f"kurtosis must be at least 1: got {np.min(excess) + 1}")
    common = {"dimension": 1, "batch_size": batch_size, "curvature": curvature}
    if np.all(excess == 0):
        return linear_barrier_time(loss_ratio, learning_rate=learning_rate, **common)
    ratio = 1 + excess * (validate.finite("loss_ratio", loss_ratio) - 1)
    return mean_first_passage_time(ratio, learning_rate=excess * learning_rate, **common)


def _log_integral(log_integrand, top):
    """Log of the integral from 0 to ``top``: Gauss-Legendre on panels halving towards the top.

    Not `core.fokker_planck.quadrature.passage`: there the inner integral is built up numerically
    for one setting at a time; here it is known in closed form, in any dimension, and whole arrays
    of settings are integrated at once.
    """
    edges = np.append(0.0, 1 - 0.5 ** np.arange(1, _PANELS + 1))
    share, weight = panels(np.append(edges, 1.0), _NODES)
    top = np.asarray(top, dtype=float)
    with np.errstate(divide="ignore"):
        logs = log_integrand(top[..., None] * share) + np.log(weight)
        return np.log(top) + special.logsumexp(logs, axis=-1)


def _log_hypergeometric(s, a, half_dimension):
    """Log of 2F1(1, a + 1; p + 1; 1 - exp(-s)), p = d/2: a series, or the incomplete beta function.

    The series has positive terms and converges fast below the mean of the beta distribution
    (p, q = a + 1 - p); above it the incomplete beta function is not small.
    """
    p = half_dimension
    s, a, p = np.broadcast_arrays(s, a, p)
    w, q = -np.expm1(-s), a + 1 - p
    series = (q <= 0) | (w * (a + 3) <= p + 1)
    result = np.empty(s.shape)
    if series.any():
        result[series] = np.log(_series(w[series], a[series] + 1, p[series] + 1))
    rest = ~series
    if rest.any():
        w, p, q, s = w[rest], p[rest], q[rest], s[rest]
        inner = special.betaln(p, q) + np.log(special.betainc(p, q, w))
        result[rest] = np.log(p) - p * np.log(w) + q * s + inner
    return result


def _log_kummer(z, half_dimension):
    """Log of 1F1(1; p + 1; z), z >= 0: a series, or the incomplete gamma function."""
    z, p = np.broadcast_arrays(z, half_dimension)
    result = np.empty(z.shape)
    series = z <= p + 1
    if series.any():
        result[series] = np.log(_series(z[series], None, p[series] + 1))
    rest = ~series
    if rest.any():
        z, p = z[rest], p[rest]
        inner = special.gammaln(p) + np.log(special.gammainc(p, z))
        result[rest] = np.log(p) - p * np.log(z) + z + inner
    return result


def _series(w, top, bottom):
    """Sum of (top)_k/(bottom)_k w^k, or of w^k/(bottom)_k for top = None, to round-off."""
    term, total = np.ones_like(w), np.ones_like(w)
    for k in range(1_000_000):
        term = term * w * (1.0 if top is None else top + k) / (bottom + k)
        total = total + term
        if np.all(term <= 1e-17 * total):
            return total
    raise FloatingPointError(f"series not summed after 1,000,000 terms, w up to {np.max(w)}")


def _arguments(loss_ratio, dimension, learning_rate, batch_size, curvature):
    """Checked arguments (c, d, a = B/(eta h), h), broadcast against each other."""
    ratio = validate.finite("loss_ratio", loss_ratio)
    if np.any(ratio < 1):
        raise ValueError(f"loss_ratio must be at least 1: got {ratio.min()}")
    d, b = validate.finite("dimension", dimension), validate.finite("batch_size", batch_size)
    for name, values in (("dimension", d), ("batch_size", b)):
        if np.any(values < 1) or np.any(values != np.round(values)):
            raise ValueError(f"{name} must be a whole number, at least 1: got {values}")
    eta = validate.finite("learning_rate", learning_rate)
    h = validate.finite("curvature", curvature)
    for name, values in (("learning_rate", eta), ("curvature", h)):
        if np.any(values <= 0):
            raise ValueError(f"{name} must be positive: got {values.min()}")
    return np.broadcast_arrays(ratio, d, b / (eta * h), h)
