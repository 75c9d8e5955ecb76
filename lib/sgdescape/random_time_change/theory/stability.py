"""What the index nu of chapter `random_time_change` decides on the isotropic bowl.

L = L* + h |z|^2 / 2 in n dimensions, T = eta h / B; nu = phi - n/2 with the phi of Eq. (17).
"""

import numpy as np
from scipy import stats
from scipy.special import roots_genlaguerre

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.validate import each_between, each_positive, each_whole
from sgdescape.random_time_change.theory.clock import stationary_exponent
from sgdescape.random_time_change.theory.clock import temperature as temperature_of


@door
def stability_index(dimension, *, learning_rate, batch_size, curvature):
    r"""Return :math:`\nu = \phi - \frac n2 = \frac{B}{\eta h^*} + 1 - \frac n2`, Eq. (index).

    Args:
        dimension: n, at least 1; all broadcast.
        learning_rate: eta, positive.
        batch_size: B, a whole number of at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> stability_index([1, 4, 6], learning_rate=0.5, batch_size=1, curvature=1.0).tolist()
        [2.5, 1.0, 0.0]
    """
    noise = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    return stationary_exponent(**noise) - each_whole("dimension", dimension) / 2


@door
def loss_law(exponent, dimension):
    r"""Return the law of L*/L under :math:`P\propto L^{-\phi}` in n dimensions, Eq. (loss-law).

    It is Beta with parameters phi - n/2 and n/2.

    Args:
        exponent: phi, above n/2.
        dimension: n, at least 1.

    Returns:
        A frozen `scipy.stats.beta`.

    Raises:
        ValueError: if the law cannot be normalised.

    Example:
        >>> loss_law(3.0, 2).mean().item()
        0.6666666666666666
    """
    n, exponent = validate.count("dimension", dimension), validate.positive("exponent", exponent)
    if not exponent > n / 2:
        raise ValueError(f"exponent must be above dimension / 2 = {n / 2}: got {exponent}")
    return stats.beta(exponent - n / 2, n / 2)


@door
def mean_loss_ratio(dimension, *, temperature, clock=1):
    r"""Return the stationary mean of L/L* in t (clock = 1) or in tau (clock = 0), Eq. (mean-loss).

    Args:
        dimension: n, at least 1.
        temperature: T, positive.
        clock: 1 for exponent 1 + 1/T, 0 for the exponent 1/T of the internal time.

    Returns:
        (phi - 1)/(phi - 1 - n/2), infinite where phi - n/2 <= 1.

    Example:
        >>> mean_loss_ratio(1, temperature=0.5), mean_loss_ratio(4, temperature=0.5)
        (1.3333333333333333, inf)
    """
    validate.one_of("clock", clock, (0, 1))
    phi = clock + 1 / validate.positive("temperature", temperature)
    tail = phi - 1 - validate.count("dimension", dimension) / 2
    return (phi - 1) / tail if tail > 0 else float("inf")


@door
def growth_rate(dimension, *, temperature, curvature, point=0.0):
    r"""Return the mean rate :math:`-hT(\nu - \alpha)` of log|z| in t far away, Eq. (growth).

    Args:
        dimension: n, at least 1; broadcasts.
        temperature: T, positive.
        curvature: h, positive.
        point: alpha of the convention, in [0, 1].

    Example:
        >>> growth_rate([1, 6, 8], temperature=0.5, curvature=1.0).tolist()
        [-1.25, 0.0, 0.5]
    """
    t, h = validate.positive("temperature", temperature), validate.positive("curvature", curvature)
    alpha = each_between("point", point, 0, 1)
    return h * t * (each_whole("dimension", dimension) / 2 + alpha - 1 - 1 / t)


@door
def sgd_growth_rate(dimension, *, learning_rate, batch_size, curvature):
    r"""Return the mean of log(\|z'\|/\|z\|) in a step of SGD far from a minimum, Eq. (sgd-growth).

    .. math:: \tfrac12\Big\langle\log\Big[(1-\eta hs)^2+\tfrac{(\eta h)^2s}{B}\chi^2_{n-1}\Big]
              \Big\rangle,\qquad Bs\sim\chi^2_B

    Regression on n independent Gaussian inputs of variance h, B fresh samples a step; by Gauss
    quadrature over both chi-squares.

    Args:
        dimension: n, whole numbers of at least 2 (any shape).
        learning_rate: eta, positive (time a step).
        batch_size: B, a whole number of at least 1.
        curvature: h, positive.

    Returns:
        Rates a step, of the shape of ``dimension``.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> noise = {"learning_rate": 0.1, "batch_size": 1, "curvature": 1.0}
        >>> (sgd_growth_rate([18, 19], **noise) > 0).tolist()
        [False, True]
    """
    n = each_whole("dimension", dimension, 2)
    b = validate.count("batch_size", batch_size)
    step = validate.positive("learning_rate", learning_rate) * validate.positive(
        "curvature", curvature
    )
    half, weight = _chi_square(b)
    share = half / b
    rates = []
    for count in n.ravel():
        across, other = _chi_square(int(count) - 1)
        square = (1 - step * share[:, None]) ** 2 + step**2 * share[:, None] / b * across
        rates.append(0.5 * weight @ np.log(square) @ other)
    return np.reshape(rates, n.shape)


def _chi_square(freedom, nodes=120):
    """Values and weights of Gauss quadrature over a chi-square law."""
    values, weights = roots_genlaguerre(nodes, freedom / 2 - 1)
    return 2 * values, weights / weights.sum()


@door
def sgd_critical_dimension(*, learning_rate, batch_size, curvature):
    r"""Return :math:`n = \frac{2B}{\eta h} - B - 1`, Eq. (sgd-critical), for steps of SGD itself.

    Regression on n independent Gaussian inputs of variance h: beyond it the mean loss is infinite,
    and up to O(eta h) single paths run away.

    Args:
        learning_rate: eta, positive; all broadcast.
        batch_size: B, a whole number of at least 1.
        curvature: h, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> round(float(sgd_critical_dimension(learning_rate=0.1, batch_size=1, curvature=1.0)), 9)
        18.0
    """
    noise = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    return 2 / temperature_of(**noise) - each_whole("batch_size", batch_size) - 1


@door
def clock_power(index):
    r"""Return the power of t with which tau grows in the long run: max(1, 1/nu), Eq. (clock-power).

    Args:
        index: nu, positive.

    Example:
        >>> clock_power([2.5, 0.5]).tolist()
        [1.0, 2.0]
    """
    return np.maximum(1.0, 1 / each_positive("index", index))


@door
def frozen_clock(distance, *, index, temperature):
    r"""Return the law of :math:`\tau(\infty)` at a global minimum with L* = 0, Eq. (frozen-clock).

    :math:`\tau(\infty) = |z_0|^2 / (4T\gamma)` with a Gamma(nu, 1) number gamma.

    Args:
        distance: |z_0| from the minimum, positive.
        index: nu, positive.
        temperature: T, positive.

    Returns:
        A frozen `scipy.stats.invgamma`, in units of loss x time.

    Example:
        >>> round(frozen_clock(1.0, index=2.5, temperature=0.5).mean().item(), 6)
        0.333333
    """
    t = validate.positive("temperature", temperature)
    scale = validate.positive("distance", distance) ** 2 / (4 * t)
    return stats.invgamma(validate.positive("index", index), scale=scale)
