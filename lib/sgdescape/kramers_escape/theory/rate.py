"""Formulas of chapter `kramers_escape`: rate."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def escape_rate(
    loss_ratio,
    *,
    learning_rate,
    batch_size,
    curvature_minimum,
    curvature_saddle,
    effective_dimension,
):
    r"""Return the escape rate of Theorem 4.7 per unit of t = eta x steps, Eq. (15).

    .. math:: \kappa = \frac{\sqrt{h_e^*|h_e^s|}}{2\pi}\left[\frac{L(\theta^s)}{L(\theta^*)}
              \right]^{-\left(\frac{B}{\eta h_e^*}+1-\frac n2\right)}

    The mean time until a path is beyond the saddle is 1/kappa, until it first reaches the saddle
    1/(2 kappa). All arguments broadcast. It holds for weak noise, eta h_e*/B small, and for
    transverse curvatures equal to h_e*; for others put `path_dimension` in place of n. With
    n >= `critical_effective_dimension` it no longer falls with the loss ratio.

    Args:
        loss_ratio: c = L(saddle)/L(minimum), at least 1.
        learning_rate: eta, positive, time a step.
        batch_size: B, a whole number, at least 1.
        curvature_minimum: h_e*, positive: Hessian eigenvalue at the minimum along the path.
        curvature_saddle: h_e^s, negative: the negative Hessian eigenvalue at the saddle.
        effective_dimension: n, at least 1: the escape direction counts.

    Returns:
        kappa, shape of the arguments broadcast together, unit of the curvatures.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one is outside its range or not finite; the message gives value and range.

    Example:
        >>> rate = escape_rate(2.0, learning_rate=0.1, batch_size=1, curvature_minimum=1.0,
        ...                    curvature_saddle=-1.0, effective_dimension=[1, 2])
        >>> (2 * np.pi * rate * 2**10).round(6)
        array([0.707107, 1.      ])
    """
    c = validate.each_at_least("loss_ratio", loss_ratio, 1)
    h = validate.each_positive("curvature_minimum", curvature_minimum)
    down = -validate.each_negative("curvature_saddle", curvature_saddle)
    n = validate.each_at_least("effective_dimension", effective_dimension, 1)
    batch_size = validate.each_whole("batch_size", batch_size)
    exponent = batch_size / (validate.each_positive("learning_rate", learning_rate) * h) + 1 - n / 2
    return np.sqrt(h * down) / (2 * np.pi) * c**-exponent


@door
def critical_effective_dimension(*, learning_rate, batch_size, curvature):
    r"""Return :math:`n_c = 2\big(\frac{B}{\eta h_e^*}+1\big)`, Eq. (16).

    With n below it the stationary law of an isotropic valley is normalisable; with n above it
    nothing holds the parameters near the minimum. All arguments broadcast.

    Args:
        learning_rate: eta, positive.
        batch_size: B, a whole number, at least 1.
        curvature: h_e*, positive.

    Returns:
        n_c, above 2.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one is outside its range or not finite.

    Example:
        >>> float(critical_effective_dimension(learning_rate=0.1, batch_size=1, curvature=1.0))
        22.0
    """
    eta = validate.each_positive("learning_rate", learning_rate)
    h = validate.each_positive("curvature", curvature)
    return 2 * (validate.each_whole("batch_size", batch_size) / (eta * h) + 1)


@door
def growth_rate(dimension, *, learning_rate, batch_size, curvature):
    r"""Return the mean growth of log |z| per t far out in an isotropic bowl, Eq. (growth).

    .. math:: \lambda = \frac{\eta h^2}{2B}\,(n-n_c)

    Args:
        dimension: n, at least 1, any shape.
        learning_rate: eta, positive.
        batch_size: B, a whole number, at least 1.
        curvature: h, positive.

    Example:
        >>> float(growth_rate(4, learning_rate=0.5, batch_size=1, curvature=1.0))
        -0.5
    """
    n = validate.each_at_least("dimension", dimension, 1)
    critical = critical_effective_dimension(
        learning_rate=learning_rate, batch_size=batch_size, curvature=curvature
    )
    return np.asarray(learning_rate) * np.square(curvature) / (2 * batch_size) * (n - critical)
