"""Formulas of chapter `random_time_change`: the clock, the log landscape, stationary laws.

Time t is that of Eq. (12), in which a step of SGD lasts the learning rate; tau is that of Eq. (13).
The bowl is L = L* + sum_i h_i z_i^2 / 2; "isotropic" means that all n curvatures equal h.
"""

import numpy as np
from scipy.integrate import cumulative_trapezoid

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.validate import each_at_least, each_between, each_positive, each_whole


@door
def temperature(*, learning_rate, batch_size, curvature):
    r"""Return :math:`T = \eta h^*/B`, the temperature of Eq. (41) for an isotropic bowl.

    Args:
        learning_rate: eta, positive (time a step); all three broadcast.
        batch_size: B, a whole number of at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> float(temperature(learning_rate=0.5, batch_size=1, curvature=1.0))
        0.5
    """
    eta, h = each_positive("learning_rate", learning_rate), each_positive("curvature", curvature)
    return eta * h / each_whole("batch_size", batch_size)


@door
def diffusion(loss, hessian, *, learning_rate, batch_size):
    r"""Return :math:`\frac{2\eta L}{B}H(\theta^*)`, the covariance of Eq. (12) per unit of t.

    Args:
        loss: L(theta), non-negative; broadcasts with ``hessian``.
        hessian: H(theta*) (P, P), or its eigenvalues.
        learning_rate: eta, positive.
        batch_size: B, a whole number of at least 1.

    Example:
        >>> diffusion(2.0, np.array([4.0, 1.0]), learning_rate=0.5, batch_size=4)
        array([2. , 0.5])
    """
    eta, level = each_positive("learning_rate", learning_rate), each_at_least("loss", loss, 0)
    batch, hessian = each_whole("batch_size", batch_size), validate.finite("hessian", hessian)
    return 2 * eta * level * hessian / batch


@door
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
    loss = each_at_least("loss", loss, 0)
    return cumulative_trapezoid(loss, dx=validate.positive("step", step), initial=0)


@door
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
    return internal_time(1 / each_positive("loss", loss), step=step)


@door
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
    level = each_at_least("loss", loss, 0) + validate.non_negative("epsilon", epsilon)
    return (
        -validate.finite("gradient", gradient) / each_positive("loss + epsilon", level)[..., None]
    )


@door
def log_barrier(loss_saddle, loss_minimum):
    r"""Return :math:`U^s - U^* = \log\frac{L(\theta^s)}{L(\theta^*)}`, Eq. (log-barrier).

    Args:
        loss_saddle: L at the saddle, at least that at the minimum; both broadcast.
        loss_minimum: L at the minimum, positive.

    Example:
        >>> round(float(log_barrier(1.0, 0.1)), 4)
        2.3026
    """
    ratio = each_positive("loss_saddle", loss_saddle) / each_positive("loss_minimum", loss_minimum)
    return np.log(each_at_least("loss_saddle / loss_minimum", ratio, 1))


@door
def stationary_exponent(*, learning_rate, batch_size, curvature):
    r"""Return the exponent of :math:`P_{ss}\propto L^{-\phi}`, Eq. (17) of Mori et al.

    .. math:: \phi = 1 + \frac{B}{\eta h^*}

    Args:
        learning_rate: eta, positive (time a step); all three broadcast.
        batch_size: B, a whole number of at least 1.
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


@door
def convention_exponent(point, *, learning_rate, batch_size, curvature):
    r"""Return :math:`\phi_\alpha = 1 - \alpha + B/(\eta h^*)`, Eq. (conventions).

    Args:
        point: alpha in [0, 1]: 0 Ito, 1/2 Stratonovich, 1 anti-Ito.
        learning_rate: eta, positive; all broadcast.
        batch_size: B, a whole number of at least 1.
        curvature: h*, positive.

    Raises:
        ValueError: if one lies outside its range.

    Example:
        >>> [float(convention_exponent(a, learning_rate=0.5, batch_size=1, curvature=1.0))
        ...  for a in (0, 0.5, 1)]
        [3.0, 2.5, 2.0]
    """
    alpha = each_between("point", point, 0, 1)
    noise = {"learning_rate": learning_rate, "batch_size": batch_size, "curvature": curvature}
    return stationary_exponent(**noise) - alpha


@door
def gibbs_density(loss, *, temperature):
    r"""Return :math:`e^{-U/T} = L^{-1/T}`, the stationary law in tau up to a factor, Eq. (41).

    Args:
        loss: L, positive.
        temperature: T, positive.

    Example:
        >>> gibbs_density(2.0, temperature=0.5).item()
        0.25
    """
    return each_positive("loss", loss) ** (-1 / validate.positive("temperature", temperature))


@door
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
    values, clock = validate.finite("values", values), validate.finite("clock", clock)
    if np.any(np.diff(clock, axis=-1) < 0) or np.any(clock[..., -1] <= clock[..., 0]):
        raise ValueError(f"clock must increase along its last axis: got {clock.tolist()}")
    return np.trapezoid(values, clock, axis=-1) / (clock[..., -1] - clock[..., 0])


@door
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
    weight = each_at_least("density", density, 0) / each_positive("loss", loss)
    total = float(np.sum(weight * each_positive("volume", volume)))
    mean_loss = 1 / validate.positive("the integral of density / loss", total)
    return mean_loss * weight, mean_loss
