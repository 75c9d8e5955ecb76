"""Appendix B of Mori et al., second half: the current over the saddle, Eqs. (30)-(40).

Temperatures are T_i = eta h_i*/B, one an outlier direction; U = log L; the clock is tau.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def transverse_factor(y, *, temperature, curvature_saddle, saddle_loss):
    r"""Return :math:`\exp[-\frac{B}{\eta h_i^*}\frac{h_i^s}{2L(\theta^s)}z_i^2]`, Eq. (30).

    Args:
        y: position z_i across the axis, any shape.
        temperature: T_i, positive.
        curvature_saddle: h_i^s, positive.
        saddle_loss: L(theta^s), positive.

    Example:
        >>> float(transverse_factor(0.0, temperature=1.0, curvature_saddle=1.0, saddle_loss=1.0))
        1.0
    """
    stiffness = validate.each_positive(
        "curvature_saddle", curvature_saddle
    ) / validate.each_positive("saddle_loss", saddle_loss)
    return np.exp(
        -stiffness
        * np.square(validate.finite("y", y))
        / (2 * validate.each_positive("temperature", temperature))
    )


@door
def product_current(axis_current, factors):
    r"""Return :math:`J_e(z_\perp,z_e) = J_e(z_e)\prod_{i\neq e}(\text{factor})`, Eq. (32).

    Args:
        axis_current: J_e on the axis.
        factors: those of Eq. (30), one array a transverse direction.

    Example:
        >>> float(product_current(2.0, [0.5, 0.5]))
        0.5
    """
    current = validate.finite("axis_current", axis_current)
    for factor in factors:
        current = current * validate.each_at_least("factors", factor, 0)
    return current[()]


@door
def transverse_width(*, temperature, curvature_saddle, saddle_loss):
    r"""Return :math:`(2\pi\eta h_i^*L(\theta^s)/(Bh_i^s))^{1/2}`, a factor of Eq. (33).

    Args:
        temperature: T_i = eta h_i*/B, positive.
        curvature_saddle: h_i^s, positive.
        saddle_loss: L(theta^s), positive.

    Example:
        >>> width = transverse_width(temperature=0.5, curvature_saddle=np.pi, saddle_loss=1.0)
        >>> float(width.round(9))
        1.0
    """
    loss = validate.each_positive("saddle_loss", saddle_loss)
    h = validate.each_positive("curvature_saddle", curvature_saddle)
    return np.sqrt(2 * np.pi * validate.each_positive("temperature", temperature) * loss / h)


@door
def axis_density(log_rise, integral_beyond, *, current, temperature):
    r"""Return the density whose current on the axis is constant, Eq. (34).

    .. math:: P(z) = \frac{J_e}{T}\,e^{-U(z)/T}\int_z^{z^c}e^{U/T}dz'

    Args:
        log_rise: U(z) - U(0), any shape.
        integral_beyond: the integral of exp((U - U(0))/T) from z to the end.
        current: J_e.
        temperature: T_e, positive.
    """
    temperature = validate.each_positive("temperature", temperature)
    decay = np.exp(-validate.finite("log_rise", log_rise) / temperature)
    beyond = validate.each_at_least("integral_beyond", integral_beyond, 0)
    return validate.finite("current", current) / temperature * decay * beyond


@door
def axis_current(integral, *, temperature):
    r"""Return :math:`J_e/P(0)` from the integral over the barrier, Eq. (35).

    .. math:: J_e\int_0^{z_e^c}e^{BU_e/\eta h_e^*}dz \sim
              \frac{\eta h_e^*}{B}e^{BU_e(0)/\eta h_e^*}P(0)

    Args:
        integral: of exp((U - U(0))/T) from 0 to z_e^c.
        temperature: T_e, positive.

    Example:
        >>> float(axis_current(4.0, temperature=0.5))
        0.125
    """
    return validate.each_positive("temperature", temperature) / validate.each_positive(
        "integral", integral
    )


@door
def saddle_integral(loss_ratio, *, temperature, curvature_saddle, saddle_loss):
    r"""Return the integral over the barrier for weak noise, in units of exp(U(0)/T), Eq. (36).

    .. math:: \Big(\frac{2\pi\eta h_e^*L(\theta^s)}{B|h_e^s|}\Big)^{1/2}
              \Big[\frac{L(\theta^s)}{L(\theta^*)}\Big]^{B/\eta h_e^*}

    Args:
        loss_ratio: c, at least 1.
        temperature: T_e, positive.
        curvature_saddle: h_e^s, negative.
        saddle_loss: L(theta^s), positive.
    """
    h = -validate.each_negative("curvature_saddle", curvature_saddle)
    width = transverse_width(temperature=temperature, curvature_saddle=h, saddle_loss=saddle_loss)
    return width * validate.each_at_least("loss_ratio", loss_ratio, 1) ** (1 / temperature)


@door
def weak_axis_current(loss_ratio, *, temperature, curvature_saddle, saddle_loss):
    r"""Return :math:`J_e/P(0)` on the axis for weak noise, Eq. (37).

    .. math:: \Big(\frac{\eta h_e^*|h_e^s|}{2\pi BL(\theta^s)}\Big)^{1/2}
              e^{-B\Delta U/\eta h_e^*},\qquad \Delta U = \log\frac{L(\theta^s)}{L(\theta^*)}

    Args:
        loss_ratio: c, at least 1.
        temperature: T_e, positive.
        curvature_saddle: h_e^s, negative.
        saddle_loss: L(theta^s), positive.
    """
    h = -validate.each_negative("curvature_saddle", curvature_saddle)
    c = validate.each_at_least("loss_ratio", loss_ratio, 1)
    temperature = validate.each_positive("temperature", temperature)
    loss = validate.each_positive("saddle_loss", saddle_loss)
    return np.sqrt(temperature * h / (2 * np.pi * loss)) * c ** (-1 / temperature)


@door
def outflow(current, widths):
    r"""Return :math:`\mathcal J \sim J_e\prod_{i\neq e}(\text{width})`, Eqs. (33) and (38).

    Args:
        current: J_e on the axis, for Eq. (38) that of Eq. (37).
        widths: factors of Eq. (33), one a transverse direction; none in one dimension.

    Example:
        >>> float(outflow(0.5, [2.0, 3.0]))
        3.0
    """
    return validate.finite("current", current) * np.prod(
        validate.each_positive("widths", widths) if len(widths) else 1.0
    )


@door
def rate_with_curvatures(
    loss_ratio, *, learning_rate, batch_size, curvatures_minimum, curvatures_saddle
):
    r"""Return the escape rate before the curvatures are set equal, Eq. (39).

    .. math:: \kappa = \frac{\sqrt{h_e^*|h_e^s|}}{2\pi}
              \prod_{i\neq e}\sqrt{\frac{h_i^*}{h_i^s}}\,
              \Big[\frac{L(\theta^s)}{L(\theta^*)}\Big]^{n/2-1}e^{-B\Delta U/\eta h_e^*}

    With h_i^s = h_i* for i unlike e this is Eq. (40), which is Eq. (15).

    Args:
        loss_ratio: c, at least 1, any shape.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        curvatures_minimum: h_i* (n,), that of the escape direction first, positive.
        curvatures_saddle: h_i^s (n,), the first negative, the others positive.

    Example:
        >>> rate = rate_with_curvatures(2.0, learning_rate=0.5, batch_size=1,
        ...     curvatures_minimum=[1.0, 4.0], curvatures_saddle=[-1.0, 1.0])
        >>> float((np.pi * rate).round(9))
        0.25
    """
    c = validate.each_at_least("loss_ratio", loss_ratio, 1)
    here = np.atleast_1d(validate.each_positive("curvatures_minimum", curvatures_minimum))
    there = np.atleast_1d(validate.finite("curvatures_saddle", curvatures_saddle))
    if here.shape != there.shape:
        raise ValueError(f"curvatures must match: got shapes {here.shape} and {there.shape}")
    validate.each_negative("curvatures_saddle[0]", there[0])
    if len(there) > 1:
        validate.each_positive("curvatures_saddle[1:]", there[1:])
    batch_size = validate.each_whole("batch_size", batch_size)
    exponent = batch_size / (validate.each_positive("learning_rate", learning_rate) * here[0])
    transverse = np.sqrt(np.prod(here[1:] / there[1:]))
    prefactor = np.sqrt(-here[0] * there[0]) / (2 * np.pi) * transverse
    return prefactor * c ** (len(here) / 2 - 1 - exponent)
