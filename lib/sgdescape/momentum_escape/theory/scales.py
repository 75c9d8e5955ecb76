"""Two numbers of SGD with momentum: damping and temperature; and where it is stable."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def damping(*, learning_rate, momentum, curvature):
    r"""Return zeta = (1 - beta) / sqrt(2 eta h (1 + beta)), Eq. (momentum-scales).

    Below 1 the weights swing around the minimum, above they creep. Kunin et al. (their gamma over
    twice omega); any argument may be an array.

    Args:
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        curvature: h > 0 of the direction.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> print(round(float(damping(learning_rate=0.01, momentum=0.9, curvature=1.0)), 3))
        0.513
    """
    eta, beta, h = _pace(learning_rate, momentum, curvature)
    return (1 - beta) / np.sqrt(2 * eta * h * (1 + beta))


@door
def temperature(*, learning_rate, momentum, batch_size, curvature):
    r"""Return T = eta h / (S (1 - beta)), Eq. (momentum-scales).

    The chance of a state is exp(-w/T); without momentum, T is eta h / S.

    Args:
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        curvature: h > 0 of the direction.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> print(round(float(temperature(
        ...     learning_rate=0.01, momentum=0.9, batch_size=2, curvature=1.0)), 3))
        0.05
    """
    eta, beta, h = _pace(learning_rate, momentum, curvature)
    return eta * h / (validate.within("batch_size", batch_size, low=1) * (1 - beta))


@door
def settings(temperature, damping, *, batch_size=1.0):
    r"""Return eta h and beta that give a temperature and a damping, Eq. (momentum-settings).

    Args:
        temperature: T > 0.
        damping: zeta > 0, at most 1 / sqrt(2 S T), where beta = 0.
        batch_size: S > 0; a number below 1 stands for no real batch.

    Returns:
        ``(step, momentum)``, step = eta h.

    Raises:
        ValueError: if beta would be negative.

    Example:
        >>> step, beta = settings(0.05, 0.513, batch_size=2)
        >>> print(round(float(step), 3), round(float(beta), 2))
        0.01 0.9
    """
    t = validate.within("temperature", temperature, low=0, open_low=True)
    zeta = validate.within("damping", damping, low=0, open_low=True)
    s = validate.within("batch_size", batch_size, low=0, open_low=True)
    x = 2 * s * t * zeta**2
    if np.any(x > 1 + 1e-12):
        raise ValueError(
            f"2 S T zeta^2 must be at most 1, where momentum is 0: got {float(np.max(x)):.4g}"
        )
    friction = 2 * x / (1 + x)
    return s * t * friction, 1 - friction


@door
def stable_step(*, momentum, batch_size, kurtosis=3.0):
    r"""Return the largest eta h with finite second moments, Eq. (momentum-stability).

    One direction, fresh inputs; exact for discrete SGD. Small batches: 2 S (1 - beta)/(kurtosis -
    1), that is T = 2/(kurtosis - 1); large ones: 2 (1 + beta).

    Args:
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        kurtosis: E x^4 / (E x^2)^2 >= 1 of the inputs.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> float(stable_step(momentum=0.0, batch_size=1))
        0.6666666666666666
    """
    beta = validate.within("momentum", momentum, low=0, high=1)
    s = validate.within("batch_size", batch_size, low=1)
    k = validate.within("kurtosis", kurtosis, low=1) - 1
    return 2 * (1 + beta) / (1 + k * (1 + beta) / (s * (1 - beta)))


@door
def second_moment_radius(step, *, momentum, batch_size, kurtosis=3.0):
    """Return the growth factor of second moments a step: `stable_step` is where it is 1.

    Args:
        step: eta h > 0, a number.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        kurtosis: of the inputs.

    Example:
        >>> at = dict(momentum=0.9, batch_size=4)
        >>> print(round(second_moment_radius(float(stable_step(**at)), **at), 9))
        1.0
    """
    a = float(validate.within("step", step, low=0, open_low=True))
    beta = float(validate.within("momentum", momentum, low=0, high=1))
    validate.each_whole("batch_size", batch_size)
    validate.each_at_least("kurtosis", kurtosis, 1)
    spread = a**2 * (kurtosis - 1) / batch_size
    f = 1 + beta - a
    # of (theta_k^2, theta_k theta_{k-1}, theta_{k-1}^2): theta' = (f + noise) theta - beta theta_
    matrix = np.array([[f**2 + spread, -2 * beta * f, beta**2], [f, -beta, 0], [1, 0, 0]])
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _pace(learning_rate, momentum, curvature):
    return (
        *validate.optimiser(learning_rate, momentum),
        validate.within("curvature", curvature, low=0, open_low=True),
    )
