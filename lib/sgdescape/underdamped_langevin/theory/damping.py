"""Rates of one mode in continuous time, and the curvature at which it stops to oscillate.

h = rho + lambda is the curvature of the mode with weight decay; time is t = eta k.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def damping_rate(*, learning_rate, momentum):
    """Return gamma = (1 - beta) / (eta (1 + beta)), Eq. (phase-rates).

    Args:
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).

    Returns:
        gamma (1/time): amplitudes of underdamped modes fall as e^{-gamma t}, whatever h is.

    Example:
        >>> round(float(1 / (1e-5 * damping_rate(learning_rate=1e-5, momentum=0.9))), 6)
        19.0
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    return (1 - beta) / (eta * (1 + beta))


@door
def angular_frequency(curvature, *, learning_rate, momentum, weight_decay=0.0):
    """Return omega = sqrt(2 h / (eta (1 + beta))), Eq. (phase-rates), undamped.

    Args:
        curvature: rho >= 0, any shape.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        omega (radians per time), of the broadcast shape.
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    return np.sqrt(2 * validate.stiffness(curvature, weight_decay) / (eta * (1 + beta)))


@door
def damping_ratio(curvature, *, learning_rate, momentum, weight_decay=0.0):
    """Return zeta = gamma / omega, Eq. (phase-rates): below 1 the mode oscillates.

    Args:
        curvature: rho >= 0, any shape, not 0 together with the weight decay.
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        zeta, of the broadcast shape.

    Example:
        >>> damping_ratio(919.6, learning_rate=1e-5, momentum=[0.9, 0.99, 0.999]).round(3)
        array([0.535, 0.052, 0.005])
    """
    h = validate.stiffness(curvature, weight_decay, zero=False)
    at = {"learning_rate": learning_rate, "momentum": momentum}
    return damping_rate(**at) / angular_frequency(h, **at)


@door
def critical_curvature(*, learning_rate, momentum):
    """Return the h at which a mode stops to oscillate, Eq. (phase-critical).

    rho_c = (1 - beta)^2 / (2 eta (1 + beta)). It is h = rho + lambda, the curvature with weight
    decay, that is compared to it: underdamped if and only if h > rho_c. The discrete iteration
    has the band `autoregression.oscillating_band` instead.

    Args:
        learning_rate: eta > 0 (time a step).
        momentum: beta in [0, 1).

    Returns:
        rho_c (loss/parameter^2), of the broadcast shape.

    Example:
        >>> float(critical_curvature(learning_rate=1e-4, momentum=0.9).round(1))
        26.3
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    return (1 - beta) ** 2 / (2 * eta * (1 + beta))


@door
def critical_momentum(curvature, *, learning_rate, weight_decay=0.0):
    """Return the beta at which a mode is critically damped, Eq. (phase-critical) solved for beta.

    1 - beta = -eta h + sqrt((eta h)^2 + 4 eta h), about 2 sqrt(eta h) for small eta h.

    Args:
        curvature: rho >= 0, any shape.
        learning_rate: eta > 0 (time a step).
        weight_decay: lambda >= 0; h = rho + lambda.

    Returns:
        beta; the mode oscillates above it. Negative for eta h > 1/2: it oscillates for every beta.
    """
    eta, _ = validate.optimiser(learning_rate, 0.0)
    x = eta * validate.stiffness(curvature, weight_decay)
    return 1 + x - np.sqrt(x * x + 4 * x)
