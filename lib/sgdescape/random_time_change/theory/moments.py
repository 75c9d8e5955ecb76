"""Exact averages of Eq. (12) in chapter `random_time_change`: loss, driver, passage times."""

import numpy as np
from scipy.linalg import expm

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.quadrature import passage
from sgdescape.core.validate import each_at_least, each_between, each_positive, each_whole
from sgdescape.random_time_change.theory.clock import temperature as noise_temperature


@door
def mean_loss_curve(times, start, *, curvatures, minimum_loss, learning_rate, batch_size, point=0):
    r"""Return :math:`\langle L(\theta_t)\rangle` of Eq. (12) on any bowl, Eq. (moments).

    The second moments obey a closed linear system; it is solved by matrix exponentials.

    Args:
        times: t (times,), non-negative.
        start: z at t = 0 (n,).
        curvatures: h_i (n,), positive.
        minimum_loss: L*, non-negative.
        learning_rate: eta, positive.
        batch_size: B, a whole number of at least 1.
        point: alpha of the convention, in [0, 1].

    Returns:
        Mean loss (times,).

    Example:
        >>> bowl = {"curvatures": [1.0], "minimum_loss": 0.5}
        >>> mean_loss_curve([0.0, 50.0], [1.0], **bowl, learning_rate=0.5, batch_size=1).round(6)
        array([1.      , 0.666667])
    """
    h, z = each_positive("curvatures", curvatures), validate.finite("start", start)
    floor = validate.non_negative("minimum_loss", minimum_loss)
    noise = each_positive("learning_rate", learning_rate) / each_whole("batch_size", batch_size)
    if h.ndim != 1 or z.shape != h.shape:
        raise ValueError(f"start must have one entry a curvature: got {z.shape} for {h.shape}")
    alpha, n = float(each_between("point", point, 0, 1)), len(h)
    system = np.zeros((n + 1, n + 1))  # d/dt of (z_1^2, ..., z_n^2, 1)
    system[:n, :n] = np.diag(-2 * h * (1 - alpha * noise * h)) + noise * np.outer(h, h)
    system[:n, n] = 2 * noise * h * floor
    moments = [expm(system * t) @ np.append(z**2, 1.0) for t in each_at_least("times", times, 0)]
    return floor + np.array(moments)[:, :n] @ h / 2


@door
def driver_kurtosis(time, start, *, minimum_loss, learning_rate, batch_size, curvature):
    r"""Return :math:`\langle M_t^4\rangle/(3\langle M_t^2\rangle^2)`, Eq. (driver), 1 if normal.

    M is the integral of sqrt(L) . dW up to a *fixed t*. On a one-dimensional bowl the moments of
    z and M up to any degree obey a closed linear system; it is solved by a matrix exponential.

    Args:
        time: t, positive.
        start: z at t = 0.
        minimum_loss: L*, non-negative; positive for a start at 0, where nothing else moves z.
        learning_rate: eta, positive.
        batch_size: B, a whole number of at least 1.
        curvature: h, positive.

    Example:
        >>> noise = {"learning_rate": 1e-9, "batch_size": 1, "curvature": 1.0}
        >>> round(driver_kurtosis(1.0, 0.0, minimum_loss=0.5, **noise), 6)
        1.0
    """
    t = float(
        noise_temperature(learning_rate=learning_rate, batch_size=batch_size, curvature=curvature)
    )
    powers = [(i, j) for i in range(5) for j in range(5 - i)]  # of z^i M^j
    system = np.zeros((len(powers), len(powers)))
    loss = ((0, validate.non_negative("minimum_loss", minimum_loss)), (2, curvature / 2))
    for row, (i, j) in enumerate(powers):
        system[row, row] -= curvature * i
        for di, dj, factor in (
            (2, 0, t * i * (i - 1)),
            (0, 2, j * (j - 1) / 2),
            (1, 1, np.sqrt(2 * t) * i * j),
        ):
            for power, part in loss if factor else ():
                system[row, powers.index((i - di + power, j - dj))] += factor * part
    start, time = float(validate.finite("start", start)), validate.positive("time", time)
    if start == 0:
        validate.positive("minimum_loss", minimum_loss)
    monomials = np.array([start**i * (j == 0) for i, j in powers])
    moments = expm(system * time) @ monomials
    second, fourth = (moments[powers.index((0, k))] for k in (2, 4))
    return float(fourth / (3 * second**2))


@door
def passage_means(loss_ratio, *, temperature, curvature, minimum_loss):
    r"""Return the mean passage times in t and in tau from the minimum to c L*, Eq. (passage).

    One dimension, Eq. (12), both sides of the bowl; a = 1/T:

    .. math:: \langle t_p\rangle
              = \frac{2a}h\int_0^{\sqrt{c-1}}dy\,(1+y^2)^a\int_0^ydx\,(1+x^2)^{-1-a}

    For tau the inner power is -a and the factor L* is added: drift and diffusion over L. As c
    grows, the first grows as c^nu: with L* = epsilon this is Eq. (floor).

    Args:
        loss_ratio: c above 1, a number.
        temperature: T, positive.
        curvature: h, positive.
        minimum_loss: L*, positive.

    Returns:
        Mean of t_p (time) and of tau_p (loss x time).

    Example:
        >>> t, tau = passage_means(1.0001, temperature=0.5, curvature=1.0, minimum_loss=0.5)
        >>> round(tau / t, 3)  # the loss hardly moves
        0.5
    """
    c = float(validate.finite("loss_ratio", loss_ratio))
    if c <= 1:
        raise ValueError(f"loss_ratio must be above 1: got {c}")
    a = 1 / validate.positive("temperature", temperature)
    h = validate.positive("curvature", curvature)
    floor = validate.positive("minimum_loss", minimum_loss)
    # z in units of sqrt(2 L*/h); the clock tau goes L times as fast as t
    tick = {"t": lambda y: 1 + 0 * y, "tau": lambda y: floor * (1 + y**2)}
    found = [
        passage(
            lambda y, rate=rate: -h * y / rate(y),
            lambda y, rate=rate: h / (2 * a) * (1 + y**2) / rate(y),
            0.0,
            left=0.0,  # reflects: both sides are alike
            right=float(np.sqrt(c - 1)),
        )
        for rate in tick.values()
    ]
    return found[0].time, found[1].time
