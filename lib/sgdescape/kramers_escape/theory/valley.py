"""Appendix B of Mori et al., first half: the valley, Eqs. (18)-(29).

Temperatures are T_i = eta h_i*/B, one an outlier direction; U = log L; the clock is tau.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def displacement(coordinates, *, minimum, eigenvectors):
    r"""Return :math:`\theta = \theta^* + \sum_i z_i v_i`, Eq. (18).

    Args:
        coordinates: z (..., n).
        minimum: theta* (P,).
        eigenvectors: v_i in rows (n, P), orthonormal.

    Example:
        >>> displacement([2.0], minimum=np.zeros(2), eigenvectors=np.array([[0.6, 0.8]]))
        array([1.2, 1.6])
    """
    shift = validate.finite("coordinates", coordinates) @ validate.finite(
        "eigenvectors", eigenvectors
    )
    return validate.finite("minimum", minimum) + shift


@door
def mixed_log_curvature(first_slope, second_slope, *, loss):
    r"""Return :math:`\partial_i\partial_jU = -\partial_iL\,\partial_jL/L^2`, i unlike j, Eq. (19).

    This is what a separable loss gives; a separable log-loss would need zero.

    Args:
        first_slope: derivative of L along z_i, any shape.
        second_slope: derivative of L along z_j.
        loss: L, positive.

    Example:
        >>> float(mixed_log_curvature(1.0, 2.0, loss=2.0))
        -0.5
    """
    slopes = validate.finite("first_slope", first_slope) * validate.finite(
        "second_slope", second_slope
    )
    return -slopes / validate.each_positive("loss", loss) ** 2


@door
def log_curvature(curvature, *, loss):
    r"""Return :math:`\partial_i^2U = h_i/L` where the slope vanishes, Eqs. (20) and (23).

    Args:
        curvature: h_i* at the minimum, Eq. (20), or h_i^s at the saddle, Eq. (23).
        loss: L there, positive.

    Example:
        >>> float(log_curvature(3.0, loss=0.5))
        6.0
    """
    return validate.finite("curvature", curvature) / validate.each_positive("loss", loss)


@door
def probability_current(slope, density, density_slope, *, temperature):
    r"""Return :math:`J_i = -(\partial_iU)P - \frac{\eta h_i^*}{B}\partial_iP`, Eqs. (22) and (31).

    Args:
        slope: derivative of U along z_i, any shape.
        density: P.
        density_slope: derivative of P along z_i.
        temperature: T_i = eta h_i*/B, positive.

    Example:
        >>> float(probability_current(2.0, 0.5, -2.0, temperature=0.5))
        0.0
    """
    temperature = validate.each_positive("temperature", temperature)
    drift = validate.finite("slope", slope) * validate.each_at_least("density", density, 0)
    return -drift - temperature * validate.finite("density_slope", density_slope)


@door
def rate_from_currents(outflow, mass, *, minimum_loss):
    r"""Return :math:`\kappa = L(\theta^*)\,\mathcal J/\mathcal P`, Eq. (24).

    Args:
        outflow: probability leaving the valley per unit of tau.
        mass: probability in the valley, same normalisation.
        minimum_loss: L*, because tau = L* t while the path stays near the minimum.

    Example:
        >>> float(rate_from_currents(0.2, 0.5, minimum_loss=0.5))
        0.2
    """
    ratio = validate.finite("outflow", outflow) / validate.each_positive("mass", mass)
    return validate.each_positive("minimum_loss", minimum_loss) * ratio


@door
def flux_free_slope(slope, density, *, temperature):
    r"""Return :math:`\partial_iP = -\frac{B}{\eta h_i^*}(\partial_iU)P`, Eq. (25).

    Args:
        slope: derivative of U along z_i, any shape.
        density: P.
        temperature: T_i, positive.

    Example:
        >>> float(flux_free_slope(2.0, 0.5, temperature=0.5))
        -2.0
    """
    drift = validate.finite("slope", slope) * validate.each_at_least("density", density, 0)
    return -drift / validate.each_positive("temperature", temperature)


@door
def quasi_stationary(rises, *, temperatures):
    r"""Return :math:`P/P(0) = \exp[-\sum_i\frac{B}{\eta h_i^*}(U_i(z_i)-U_i(0))]`, Eq. (26).

    Args:
        rises: U_i(z_i) - U_i(0), one array a direction, of shapes that broadcast.
        temperatures: T_i, one a direction.

    Example:
        >>> float(quasi_stationary([1.0, 2.0], temperatures=[1.0, 2.0]).round(6))
        0.135335
    """
    temperatures = validate.each_positive("temperatures", temperatures)
    return np.exp(
        -sum(validate.finite("rises", u) / t for u, t in zip(rises, temperatures, strict=True))
    )


@door
def valley_mass(density, *weights):
    r"""Return :math:`\mathcal P = \int_V P\,dz` by quadrature, Eq. (27).

    Args:
        density: P at the nodes (m_1, ..., m_n).
        weights: quadrature weights of each direction (m_i,).

    Example:
        >>> float(valley_mass(np.ones((2, 2)), np.ones(2), np.ones(2)))
        4.0
    """
    density = validate.finite("density", density)
    for weight in reversed(weights):
        density = density @ validate.finite("weights", weight)
    return density


@door
def factor_integral(*, learning_rate, batch_size, minimum_loss):
    r"""Return :math:`(2\pi\eta L(\theta^*)/B)^{1/2}`, each factor of the mass, Eq. (28).

    Args:
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        minimum_loss: L*, positive.

    Example:
        >>> float(factor_integral(learning_rate=0.5, batch_size=1, minimum_loss=1 / np.pi).round(9))
        1.0
    """
    eta = validate.each_positive("learning_rate", learning_rate)
    loss = validate.each_positive("minimum_loss", minimum_loss)
    return np.sqrt(2 * np.pi * eta * loss / validate.each_whole("batch_size", batch_size))


@door
def well_mass(*, learning_rate, batch_size, minimum_loss, dimension):
    r"""Return :math:`\mathcal P/P(0) = (2\pi\eta L(\theta^*)/B)^{n/2}`, Eq. (29).

    Args:
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        minimum_loss: L*, positive.
        dimension: n, at least 1.
    """
    one = factor_integral(
        learning_rate=learning_rate, batch_size=batch_size, minimum_loss=minimum_loss
    )
    return one ** validate.each_at_least("dimension", dimension, 1)
