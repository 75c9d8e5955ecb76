"""Formulas of chapter `random_time_change`: clock, log landscape, stationary laws, one index.

Time t is that of Eq. (12), in which a step of SGD lasts the learning rate; tau is that of Eq. (13).
The bowl is L = L* + sum_i h_i z_i^2 / 2; "isotropic" means that all n curvatures equal h.
"""

import numpy as np
from scipy import stats
from scipy.integrate import cumulative_trapezoid, quad
from scipy.linalg import expm
from scipy.special import betainc, betaln

from sgdescape.core import validate

CONVENTIONS = {"Ito": 0.0, "Stratonovich": 0.5, "anti-Ito": 1.0}
"""Name -> where within a step the noise amplitude is taken: 0 start, 1/2 middle, 1 end."""


def temperature(*, learning_rate, batch_size, curvature):
    r"""Return :math:`T = \eta h^*/B`, the temperature of Eq. (41) for an isotropic bowl.

    Args:
        learning_rate: eta, positive (time a step); all three broadcast.
        batch_size: B, at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> float(temperature(learning_rate=0.5, batch_size=1, curvature=1.0))
        0.5
    """
    eta, h = positive("learning_rate", learning_rate), positive("curvature", curvature)
    return eta * h / at_least("batch_size", batch_size, 1)


def diffusion(loss, hessian, *, learning_rate, batch_size):
    r"""Return :math:`\frac{2\eta L}{B}H(\theta^*)`, the covariance of Eq. (12) per unit of t.

    Args:
        loss: L(theta), non-negative; broadcasts with ``hessian``.
        hessian: H(theta*) (P, P), or its eigenvalues.
        learning_rate: eta, positive.
        batch_size: B, at least 1.

    Example:
        >>> diffusion(2.0, np.array([4.0, 1.0]), learning_rate=0.5, batch_size=4)
        array([2. , 0.5])
    """
    eta = positive("learning_rate", learning_rate)
    return 2 * eta * at_least("loss", loss, 0) * hessian / at_least("batch_size", batch_size, 1)


def internal_time(loss, *, step):
    r"""Return :math:`\tau(t) = \int_0^t L(\theta_s)\,ds` along a path, Eq. (13), trapezoid rule.

    Args:
        loss: L on an equidistant grid of t (..., times), non-negative.
        step: distance of the grid points, positive (time).

    Returns:
        tau (..., times), 0 at the first point (loss x time).

    Example:
        >>> internal_time([1.0, 1.0, 3.0], step=0.5).tolist()
        [0.0, 0.5, 1.5]
    """
    loss = at_least("loss", loss, 0)
    return cumulative_trapezoid(loss, dx=validate.positive("step", step), initial=0)


def physical_time(loss, *, step):
    r"""Return :math:`t(\tau) = \int_0^\tau du/L(\tilde\theta_u)`, the inverse of Eq. (13).

    Args:
        loss: L on an equidistant grid of tau (..., times), positive.
        step: distance of the grid points, positive (loss x time).

    Returns:
        t (..., times), 0 at the first point (time).

    Example:
        >>> physical_time([1.0, 1.0, 0.5], step=0.5).tolist()
        [0.0, 0.5, 1.25]
    """
    return internal_time(1 / positive("loss", loss), step=step)


def log_drift(gradient, loss, *, epsilon=0.0):
    r"""Return :math:`-\nabla\log(L+\epsilon)`, the drift of Eq. (14).

    Args:
        gradient: nabla L (..., P).
        loss: L (...), non-negative, positive where ``epsilon`` is 0.
        epsilon: added to the loss (Section 3.2 of the paper), non-negative.

    Example:
        >>> log_drift(np.array([[1.0, 2.0]]), np.array([0.5]))
        array([[-2., -4.]])
    """
    level = at_least("loss", loss, 0) + validate.non_negative("epsilon", epsilon)
    return -np.asarray(gradient) / positive("loss + epsilon", level)[..., None]


def log_barrier(loss_saddle, loss_minimum):
    r"""Return :math:`U^s - U^* = \log\frac{L(\theta^s)}{L(\theta^*)}`, Eq. (log-barrier).

    Args:
        loss_saddle: L at the saddle, at least that at the minimum; both broadcast.
        loss_minimum: L at the minimum, positive.

    Example:
        >>> round(float(log_barrier(1.0, 0.1)), 4)
        2.3026
    """
    ratio = positive("loss_saddle", loss_saddle) / positive("loss_minimum", loss_minimum)
    return np.log(at_least("loss_saddle / loss_minimum", ratio, 1))


def stationary_exponent(*, learning_rate, batch_size, curvature):
    r"""Return the exponent of :math:`P_{ss}\propto L^{-\phi}`, Eq. (17) of Mori et al.

    .. math:: \phi = 1 + \frac{B}{\eta h^*}

    Args:
        learning_rate: eta, positive (time a step); all three broadcast.
        batch_size: B, at least 1.
        curvature: h*, all curvatures of the bowl, positive.

    Returns:
        phi, dimensionless.

    Raises:
        ValueError: if one lies outside its range or is not finite.

    Example:
        >>> float(stationary_exponent(learning_rate=0.1, batch_size=1, curvature=1.0))
        11.0
    """
    t = temperature(learning_rate=learning_rate, batch_size=batch_size, curvature=curvature)
    return 1 + 1 / t


def convention_exponent(point, *, learning_rate, batch_size, curvature):
    r"""Return :math:`\phi_\alpha = 1 - \alpha + B/(\eta h^*)`, Eq. (conventions).

    Args:
        point: alpha in [0, 1]: 0 Ito, 1/2 Stratonovich, 1 anti-Ito.
        learning_rate: eta, positive; all broadcast.
        batch_size: B, at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> [float(convention_exponent(a, learning_rate=0.5, batch_size=1, curvature=1.0))
        ...  for a in (0, 0.5, 1)]
        [3.0, 2.5, 2.0]
    """
    alpha = within("point", point, 0, 1)
    noise = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    return stationary_exponent(**noise) - alpha


def gibbs_density(loss, *, temperature):
    r"""Return :math:`e^{-U/T} = L^{-1/T}`, the stationary law in tau up to a factor, Eq. (41).

    Args:
        loss: L, positive.
        temperature: T, positive.

    Example:
        >>> gibbs_density(2.0, temperature=0.5).item()
        0.25
    """
    return positive("loss", loss) ** (-1 / validate.positive("temperature", temperature))


def time_average(values, *, clock):
    r"""Return :math:`\frac1{s}\int_0^s f\,d(\text{clock})`, the long-time average of Eq. (42).

    Args:
        values: f along a path (..., times).
        clock: t or tau at the same points (..., times), increasing from 0.

    Returns:
        Averages (...), trapezoid rule.

    Example:
        >>> float(time_average([0.0, 1.0, 1.0], clock=[0.0, 1.0, 3.0]))
        0.8333333333333334
    """
    clock = validate.finite("clock", clock)
    return np.trapezoid(values, clock, axis=-1) / (clock[..., -1] - clock[..., 0])


def change_clock(density, loss, *, volume):
    r"""Return :math:`P_{ss} = \frac{\bar L}{L}\tilde P_{ss}` and :math:`\bar L`, Eq. (43).

    Args:
        density: stationary law in tau (cells,), integrates to 1.
        loss: L in the cells (cells,), positive.
        volume: of the cells (cells,), or a number.

    Returns:
        The law in t (cells,) and the mean loss, :math:`\bar L = 1/\int\tilde P_{ss}/L`.

    Example:
        >>> p, mean = change_clock(np.array([0.5, 0.5]), np.array([1.0, 3.0]), volume=1.0)
        >>> p.tolist(), mean
        ([0.75, 0.25], 1.5)
    """
    weight = np.asarray(density) / positive("loss", loss)
    mean_loss = 1 / float(np.sum(weight * volume))
    return mean_loss * weight, mean_loss


def stability_index(dimension, *, learning_rate, batch_size, curvature):
    r"""Return :math:`\nu = \phi - \frac n2 = \frac{B}{\eta h^*} + 1 - \frac n2`, Eq. (index).

    Args:
        dimension: n, at least 1; all broadcast.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> stability_index([1, 4, 6], learning_rate=0.5, batch_size=1, curvature=1.0).tolist()
        [2.5, 1.0, 0.0]
    """
    noise = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    return stationary_exponent(**noise) - at_least("dimension", dimension, 1) / 2


def loss_law(exponent, dimension):
    r"""Return the law of :math:`L^*/L` if :math:`P\propto L^{-\phi}` in n dimensions, Eq. (loss-law).

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
    n = validate.count("dimension", dimension)
    if not exponent > n / 2:
        raise ValueError(f"exponent must be above dimension / 2 = {n / 2}: got {exponent}")
    return stats.beta(exponent - n / 2, n / 2)


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
    phi = clock + 1 / validate.positive("temperature", temperature)
    tail = phi - 1 - validate.count("dimension", dimension) / 2
    return (phi - 1) / tail if tail > 0 else float("inf")


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
    alpha = within("point", point, 0, 1)
    return h * t * (at_least("dimension", dimension, 1) / 2 + alpha - 1 - 1 / t)


def clock_power(index):
    r"""Return the power of t with which tau grows in the long run: max(1, 1/nu), Eq. (clock-power).

    Args:
        index: nu, positive.

    Example:
        >>> clock_power([2.5, 0.5]).tolist()
        [1.0, 2.0]
    """
    return np.maximum(1.0, 1 / positive("index", index))


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


def mean_loss_curve(times, start, *, curvatures, minimum_loss, learning_rate, batch_size, point=0):
    r"""Return :math:`\langle L(\theta_t)\rangle` of Eq. (12) on any bowl, Eq. (moments).

    The second moments obey a closed linear system; it is solved by matrix exponentials.

    Args:
        times: t (times,), non-negative.
        start: z at t = 0 (n,).
        curvatures: h_i (n,), positive.
        minimum_loss: L*, non-negative.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        point: alpha of the convention, in [0, 1].

    Returns:
        Mean loss (times,).

    Example:
        >>> bowl = {"curvatures": [1.0], "minimum_loss": 0.5}
        >>> mean_loss_curve([0.0, 50.0], [1.0], **bowl, learning_rate=0.5, batch_size=1).round(6)
        array([1.      , 0.666667])
    """
    h, z = positive("curvatures", curvatures), validate.finite("start", start)
    floor = validate.non_negative("minimum_loss", minimum_loss)
    noise = positive("learning_rate", learning_rate) / at_least("batch_size", batch_size, 1)
    alpha, n = float(within("point", point, 0, 1)), len(h)
    system = np.zeros((n + 1, n + 1))  # d/dt of (z_1^2, ..., z_n^2, 1)
    system[:n, :n] = np.diag(-2 * h * (1 - alpha * noise * h)) + noise * np.outer(h, h)
    system[:n, n] = 2 * noise * h * floor
    moments = [expm(system * t) @ np.append(z**2, 1.0) for t in at_least("times", times, 0)]
    return floor + np.array(moments)[:, :n] @ h / 2


def driver_kurtosis(time, start, *, minimum_loss, learning_rate, batch_size, curvature):
    r"""Return :math:`\langle M_t^4\rangle/(3\langle M_t^2\rangle^2)`, Eq. (driver), 1 if normal.

    M is the integral of sqrt(L) . dW up to a *fixed t*. On a one-dimensional bowl the moments of
    z and M up to any degree obey a closed linear system; it is solved by a matrix exponential.

    Args:
        time: t, positive.
        start: z at t = 0.
        minimum_loss: L*, non-negative.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        curvature: h, positive.

    Example:
        >>> noise = {"learning_rate": 1e-9, "batch_size": 1, "curvature": 1.0}
        >>> round(driver_kurtosis(1.0, 0.0, minimum_loss=0.5, **noise), 6)
        1.0
    """
    t = float(temperature(learning_rate=learning_rate, batch_size=batch_size, curvature=curvature))
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
    monomials = np.array([float(start) ** i * (j == 0) for i, j in powers])
    moments = expm(system * validate.positive("time", time)) @ monomials
    second, fourth = (moments[powers.index((0, k))] for k in (2, 4))
    return float(fourth / (3 * second**2))


def passage_means(loss_ratio, *, temperature, curvature, minimum_loss):
    r"""Return the mean passage times in t and in tau from the minimum to c L*, Eq. (passage).

    One dimension, Eq. (12), both sides of the bowl; a = 1/T:
    :math:`\langle t_p\rangle = \frac{2a}h\int_0^{\sqrt{c-1}}dy\,(1+y^2)^a\int_0^ydz\,(1+z^2)^{-1-a}`.

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
    h, floor = validate.positive("curvature", curvature), positive("minimum_loss", minimum_loss)
    means = []
    for power in (1 + a, a):  # of (1 + z^2) in the inner integral, an incomplete beta function
        means.append(quad(lambda y, p=power: (1 + y**2) ** a * _inner(y, p), 0, np.sqrt(c - 1))[0])
    return 2 * a / h * means[0], float(2 * a * floor / h * means[1])


def _inner(y, power):
    """Integral of (1 + z^2)^-power over [0, y]."""
    if power > 0.5:
        full = np.exp(betaln(0.5, power - 0.5)) / 2
        return full * betainc(0.5, power - 0.5, y**2 / (1 + y**2))
    return quad(lambda z: (1 + z**2) ** -power, 0, y)[0]


def positive(name, values):
    """Return a float64 array if all its entries are finite and above zero."""
    array = validate.finite(name, values)
    if np.any(array <= 0):
        raise ValueError(f"{name} must be positive: least is {array.min()}")
    return array


def at_least(name, values, low):
    """Return a float64 array if all its entries are finite and at least ``low``."""
    array = validate.finite(name, values)
    if np.any(array < low):
        raise ValueError(f"{name} must be at least {low}: least is {array.min()}")
    return array


def within(name, values, low, high):
    """Return a float64 array if all its entries lie in [low, high]."""
    array = validate.finite(name, values)
    if np.any((array < low) | (array > high)):
        raise ValueError(f"{name} must lie in [{low}, {high}]: got {values}")
    return array
