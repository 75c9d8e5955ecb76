"""What the noise of Eq. (8) does along one direction: this book's own results, not the papers'.

Linear models exactly, ReLU networks with one hidden layer at a stationary point. Each function is
named in chapter `noise_covariance`, which derives its equation.
"""

import numpy as np
from scipy import integrate, linalg

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def line_noise(slopes, residuals, *, weights=None):
    r"""Return (s0, s1, s2) with :math:`B\,\Sigma_{ee}(z) = s_0 + s_1z + s_2z^2`, Eq. (line-noise).

    Exact for f linear along the line theta* + z e; z is the distance from the minimum on it.

    Args:
        slopes: output derivatives along the line, :math:`g_\mu = \partial_e f_\mu` (N,).
        residuals: y - f at the minimum (N,), orthogonal to the slopes.
        weights: of the samples (N,), sum 1; equal unless given.

    Example:
        >>> print(line_noise([1.0, -1.0], [1.0, 1.0]))
        [1. 0. 0.]
    """
    g, r = validate.finite("slopes", slopes), validate.finite("residuals", residuals)
    if g.ndim != 1 or r.shape != g.shape:
        raise ValueError(f"residuals must be (N,) as slopes: got {r.shape} and {g.shape}")
    w = np.full(g.size, 1 / g.size) if weights is None else _weights(weights, g.size)
    return np.array([w @ (r * g) ** 2, -2 * w @ (r * g**3), w @ g**4 - (w @ g**2) ** 2])


@door
def sgd_moments(start, *, curvature, noise, batch_size, learning_rate, steps):
    r"""Return E[z] and E[z^2] after so many steps of Eq. (3), linear model, without sampling.

    Args:
        start: z at step 0, the distance from the minimum.
        curvature: h, positive.
        noise: (s0, s1, s2) of Eq. (line-noise).
        batch_size: B of batches drawn with replacement.
        learning_rate: eta, positive.
        steps: number of steps k.

    Example:
        >>> sgd_moments(1.0, curvature=1, noise=(0, 0, 0), batch_size=1, learning_rate=0.5, steps=2)
        array([0.25  , 0.0625])
    """
    eta = validate.positive("learning_rate", learning_rate)
    keep = 1 - eta * validate.positive("curvature", curvature)
    s0, s1, s2 = _line(noise) * eta**2 / validate.count("batch_size", batch_size)
    start = float(validate.finite("start", start))
    step = np.array([[1, 0, 0], [0, keep, 0], [s0, s1, keep**2 + s2]])
    steps = validate.count("steps", steps, low=0)
    return (np.linalg.matrix_power(step, steps) @ [1.0, start, start**2])[1:]


@door
def sde_moments(start, *, curvature, noise, batch_size, learning_rate, duration):
    r"""Return E[z] and E[z^2] under :math:`dz = -hz\,dt + \sqrt{\eta\Sigma}\cdot dW`, Eq. (4).

    The Ito moment equations close because Sigma is quadratic in z: a matrix exponential.

    Args:
        start: z at time 0.
        curvature: h, positive.
        noise: (s0, s1, s2) of Eq. (line-noise).
        batch_size: B.
        learning_rate: eta, positive.
        duration: time t = eta k.

    Example:
        >>> kwargs = dict(curvature=1, noise=(0, 0, 0), batch_size=1, learning_rate=0.1)
        >>> sde_moments(1.0, duration=1.0, **kwargs).round(4)
        array([0.3679, 0.1353])
    """
    h = validate.positive("curvature", curvature)
    eta = validate.positive("learning_rate", learning_rate)
    s0, s1, s2 = _line(noise) * eta / validate.count("batch_size", batch_size)
    start = float(validate.finite("start", start))
    duration = validate.non_negative("duration", duration)
    generator = np.array([[0, 0, 0], [0, -h, 0], [s0, s1, s2 - 2 * h]])
    return (linalg.expm(duration * generator) @ [1.0, start, start**2])[1:]


@door
def path_barrier(losses, variances, *, learning_rate) -> float:
    r"""Return :math:`\int 2\,dL/(\eta\Sigma_{ee})`, Eq. (path-barrier), by Simpson's rule.

    Args:
        losses: L along the path, increasing (points,).
        variances: Sigma_ee at the same points, positive (points,).
        learning_rate: eta, positive.

    Raises:
        ValueError: if a variance is not positive, or the losses do not increase.

    Example:
        >>> path_barrier([1.0, 2.0, 3.0], [0.2, 0.2, 0.2], learning_rate=0.1).round(9)
        np.float64(200.0)
    """
    sigma, loss = validate.each_positive("variances", variances), validate.finite("losses", losses)
    if sigma.shape != loss.shape or loss.ndim != 1:
        raise ValueError(f"variances must be {loss.shape} as losses: got {sigma.shape}")
    if np.any(np.diff(loss) <= 0):
        raise ValueError(f"losses must increase along the path: least step {np.diff(loss).min():g}")
    eta = validate.positive("learning_rate", learning_rate)
    return integrate.simpson(2 / (eta * sigma), x=loss)


@door
def mean_share(loss_ratio):
    r"""Return :math:`(\partial_eL)^2/(2Lh_e) = 1-1/c` on a parabola, Eq. (mean-share).

    Args:
        loss_ratio: c = L/L*, at least 1.

    Example:
        >>> mean_share(4.0)
        0.75
    """
    return 1 - 1 / _loss_ratio(loss_ratio)


@door
def kurtosis(slopes, *, weights=None):
    r"""Return :math:`\kappa_e = E[g^4]/E[g^2]^2`, at least 1, Eq. (kurtosis).

    Args:
        slopes: g (N, ...), along the first axis.
        weights: of the samples (N,), sum 1; equal unless given.

    Example:
        >>> float(kurtosis(np.array([0.0, 1.0, 0.0, -1.0])))
        2.0
    """
    slopes = validate.finite("slopes", slopes)
    w = None if weights is None else _weights(weights, len(slopes))
    second, fourth = (np.average(slopes**k, axis=0, weights=w) for k in (2, 4))
    return fourth / validate.each_positive("the mean square of slopes", second) ** 2


@door
def kurtosis_noise(loss_ratio, *, kurtosis):
    r"""Return :math:`B\Sigma_{ee}/(2h_eL^*) = 1+(\kappa_e-1)(c-1)`, Eq. (kurtosis-noise).

    Args:
        loss_ratio: c = L/L*, at least 1.
        kurtosis: kappa_e, at least 1; 2 gives Eq. (6).

    Example:
        >>> kurtosis_noise(3.0, kurtosis=2.0)
        3.0
    """
    return 1 + (_kurtosis(kurtosis) - 1) * (_loss_ratio(loss_ratio) - 1)


@door
def diffusion_barrier(loss_ratio, *, kurtosis):
    r"""Return the diffusion barrier in units of B/(eta h_e), Eq. (diffusion-barrier).

    :math:`\log[1+(\kappa_e-1)(c-1)]/(\kappa_e-1)`, and :math:`c-1` for kappa_e = 1.

    Args:
        loss_ratio: c, at least 1.
        kurtosis: kappa_e, at least 1.

    Example:
        >>> diffusion_barrier(3.0, kurtosis=1.0)
        2.0
    """
    excess, rise = _kurtosis(kurtosis) - 1, _loss_ratio(loss_ratio) - 1.0
    if excess == 0:  # the limit; log1p(x)/x would be 0/0
        return rise
    return np.log1p(excess * rise) / excess


@door
def decoupling_ratio(loss_ratio, *, kurtosis):
    r"""Return E[l g^2] / (E[l] E[g^2]), Eq. (decoupling-ratio): :math:`[1+\kappa_e(c-1)]/c`.

    Args:
        loss_ratio: c = L/L*, at least 1.
        kurtosis: kappa_e, at least 1.

    Example:
        >>> decoupling_ratio(2.0, kurtosis=3.0)
        2.0
    """
    c = _loss_ratio(loss_ratio)
    return (1 + _kurtosis(kurtosis) * (c - 1)) / c


@door
def trace_ratio(loss_ratio, *, kurtosis, directions):
    r"""Return :math:`B\,{\rm Tr}\Sigma/(2Lhd) = 1+(\kappa_e-2)(1-1/c)/d`, Eq. (trace-ratio).

    Args:
        loss_ratio: c, at least 1.
        kurtosis: kappa_e of the inputs.
        directions: d, the number of independent input coordinates.

    Example:
        >>> trace_ratio(2.0, kurtosis=3.0, directions=10)
        1.05
    """
    d = _like(directions, validate.each_whole("directions", directions))
    return 1 + (_kurtosis(kurtosis) - 2) * (1 - 1 / _loss_ratio(loss_ratio)) / d


@door
def residual_block(weight_gradient, output_weight):
    r"""Return the Hessian's residual block of a ReLU unit, Eq. (residual-block).

    It is :math:`\frac1N\sum_\mu[f-y]\,\partial_a\nabla_wf = \nabla_wL/a`: a unit's output weight a
    against its input weights and bias w. With one hidden ReLU layer no other part of the last
    term of Eq. (10) is non-zero.

    Args:
        weight_gradient: gradient of L in w (inputs + 1,), bias last.
        output_weight: a, not zero.

    Raises:
        ValueError: if a is zero: then the block is not determined by the gradient.

    Example:
        >>> residual_block(np.array([0.2, 0.0]), 2.0)
        array([0.1, 0. ])
    """
    a = float(validate.finite("output_weight", output_weight))
    if a == 0:
        raise ValueError("output_weight must not be zero: got 0")
    return validate.finite("weight_gradient", weight_gradient) / a


def _loss_ratio(value):
    return _like(value, validate.each_at_least("loss_ratio", value, 1))


def _kurtosis(value):
    return _like(value, validate.each_at_least("kurtosis", value, 1))  # Cauchy-Schwarz


def _like(value, checked):
    """Plain numbers stay plain."""
    return float(checked) if np.ndim(value) == 0 else checked


def _weights(weights, size):
    w = validate.each_at_least("weights", weights, 0)
    if w.shape != (size,) or abs(w.sum() - 1) > 1e-9:
        raise ValueError(f"weights must sum to 1 over {size} samples: got {w.shape}, {w.sum():g}")
    return w


def _line(noise):
    """Coefficients (s0, s1, s2) of a covariance that is nowhere negative."""
    values = validate.finite("noise", noise)
    if values.shape != (3,):
        raise ValueError(f"noise must be (s0, s1, s2): got shape {values.shape}")
    s0, s1, s2 = values
    if s0 < 0 or s2 < 0 or s1**2 > 4 * s0 * s2 * (1 + 1e-9):
        raise ValueError(f"noise must be non-negative at every z: got {values.tolist()}")
    return values
