r"""Kesten's index with momentum: a random product of 2 x 2 matrices, by its moment operator.

Far from the minimum a step of one parameter is, with S the mean of x^2 over the batch and h = 1,
:math:`v'=\beta v-\eta S\theta,\ \theta'=\theta+v'`. Lengths of a product are no longer products of
independent numbers: the direction :math:`e_\varphi` of :math:`(\theta,v/\sqrt\eta)` is remembered.
The growth of the s-th moment is the largest eigenvalue of an operator on functions of the angle.
"""

import numpy as np
from scipy import interpolate, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.heavy_tails.theory._panels import graded
from sgdescape.heavy_tails.theory._roots import moment_root
from sgdescape.heavy_tails.theory.radius import INPUTS, radius_law

_NATS = 50.0
_SWEEPS, _FEW = 40, 4  # in logarithms, before the matrix is made; enough from a good guess
_NEAR = 2.0  # nats of change in a sweep: a guess that is farther off would lose entries that count
_STENCIL = np.arange(-3, 5)  # Lagrange interpolation through 8 neighbours


@door
def log_growth(
    power, *, learning_rate, momentum, batch_size=1, inputs="gaussian", angles=None
) -> float:
    r"""Return :math:`\log k(s)`, growth of :math:`E\|M_n\cdots M_1e\|^s`, Eq. (tail-operator).

    .. math:: (P_sf)(\varphi)=E\big[\|Me_\varphi\|^sf(\varphi')\big],\quad
              k(s)=\text{its spectral radius}

    Collocation on equal angles (Lagrange interpolation, exact quadrature over the batch).

    Args:
        power: s, at least 0.
        learning_rate: eta, positive.
        momentum: beta in (0, 1).
        batch_size: B.
        inputs: "gaussian", "uniform" or "laplace", of variance 1.
        angles: number of collocation points; grows with s unless given.

    Returns:
        The logarithm of the spectral radius.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> exact = second_moment_growth(learning_rate=0.3, momentum=0.5)
        >>> abs(log_growth(2.0, learning_rate=0.3, momentum=0.5) - exact) < 1e-9
        True
    """
    s = validate.non_negative("power", power)
    _arguments(learning_rate, momentum, batch_size, inputs)
    n = angles or _angles(s)
    return _growth(s, learning_rate, momentum, batch_size, inputs, np.zeros(n))[0]


@door
def lyapunov_momentum(*, learning_rate, momentum, batch_size=1, inputs="gaussian") -> float:
    r"""Return the Lyapunov exponent :math:`\lim\frac1n\log\|M_n\cdots M_1\|`, Eq. (tail-lyapunov).

    Args:
        learning_rate: eta, positive.
        momentum: beta in (0, 1).
        batch_size: B.
        inputs: as in `log_growth`.

    Returns:
        The derivative of log k(s) at s = 0, from the invariant law of the angle.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> lyapunov_momentum(learning_rate=0.1, momentum=0.9) < 0
        True
    """
    _arguments(learning_rate, momentum, batch_size, inputs)
    logs, log_r, place = _step_nodes(0.0, learning_rate, momentum, batch_size, inputs, 512)
    operator, mean_log = _matrix(logs, place), (np.exp(logs) * log_r).sum(axis=1)
    # at s = 0 the matrix is stochastic: its powers forget where they began
    power, change = operator, mean_log
    while np.ptp(change) > 1e-11:
        power = power @ power
        power /= power.sum(axis=1, keepdims=True)
        change = power @ mean_log
    return float(change.mean())


@door
def momentum_root(*, learning_rate, momentum, batch_size=1, inputs="gaussian") -> float:
    r"""Return the root s > 0 of k(s) = 1: P(|theta| > r) ~ r^-s, d = 1, Eq. (tail-operator).

    Args:
        learning_rate: eta, positive.
        momentum: beta in (0, 1).
        batch_size: B.
        inputs: one of "gaussian", "uniform", "rademacher", "laplace", of variance 1.

    Returns:
        The root; infinite where no product of steps can grow, so that no power law exists.

    Raises:
        ValueError: if an argument lies outside its range, no stationary law exists, or the root is
            too large to be resolved.

    Example:
        >>> print(round(momentum_root(learning_rate=0.5, momentum=0.5), 3))
        1.609
    """
    settings = dict(
        learning_rate=learning_rate, momentum=momentum, batch_size=batch_size, inputs=inputs
    )
    _arguments(**settings)
    if inputs == "rademacher":
        if learning_rate >= 2 * (1 + momentum):
            raise ValueError(
                f"learning_rate must be below 2 (1 + momentum) = {2 * (1 + momentum):g} for "
                f"rademacher inputs: got {learning_rate:g}"
            )
        return np.inf
    rate = lyapunov_momentum(**settings)
    if rate >= 0:
        raise ValueError(
            f"learning_rate must allow a stationary law (negative Lyapunov exponent): got "
            f"{learning_rate:g}, with exponent {rate:.3g} a step at momentum {momentum:g}"
        )
    if inputs == "uniform" and largest_growth(learning_rate=learning_rate, momentum=momentum) <= 0:
        return np.inf
    guess = 4 * batch_size * (1 - momentum) / learning_rate
    shape = np.zeros(256)  # the eigenfunction's logarithm over s: a good guess at the next s

    def growth(s):
        nonlocal shape
        with np.errstate(all="ignore"):
            value, new = _growth(s, learning_rate, momentum, batch_size, inputs, shape)
        if not np.isfinite(value):
            raise ValueError(
                f"learning_rate / batch_size is too small: at {learning_rate:g} / {batch_size}, "
                f"momentum {momentum:g}, moments of order {s:.0f} leave floating point"
            )
        shape = new
        return value

    first = min(max(guess / 4, 1.0), 1000.0)
    root = moment_root(growth, start=first, largest=5e3, tolerance=1e-9)
    if np.isinf(root):
        raise ValueError(
            f"learning_rate / batch_size is too small: the index of the norm is above 5,000 at "
            f"learning_rate {learning_rate:g}, momentum {momentum:g}, batch_size {batch_size}"
        )
    return root


@door
def largest_growth(*, learning_rate, momentum, largest_square=3.0, steps=4000) -> float:
    r"""Return the fastest growth a step of any product of the matrices with 0 <= S <= S_max.

    The logarithm of their joint spectral radius, by iteration of
    :math:`V(\varphi)\leftarrow\max_S[\log\|Me_\varphi\|+V(\varphi')]`. It is never negative: with
    S = 0 a resting theta stays where it is. Growth below 1e-4 a step counts as none.

    Args:
        learning_rate: eta.
        momentum: beta in (0, 1).
        largest_square: S_max, 3 for uniform inputs.
        steps: of the iteration.

    Example:
        >>> largest_growth(learning_rate=0.1, momentum=0.1)
        0.0
    """
    eta, beta = validate.positive("learning_rate", learning_rate), momentum
    validate.within("momentum", momentum, low=0, high=1)
    validate.non_negative("largest_square", largest_square)
    validate.count("steps", steps, low=2)
    n = 1024
    phi = np.pi * np.arange(n) / n
    # M e is linear in S: the fastest product uses the two ends, or turns; a few values between
    squares = largest_square * np.linspace(0, 1, 9)
    log_r, angle = _step(phi, squares, eta, beta)
    place = angle * n / np.pi
    left = np.floor(place).astype(int) % n
    share = place - np.floor(place)
    value, record = np.zeros(n), []
    for _ in range(steps):
        new = (log_r + (1 - share) * value[left] + share * value[(left + 1) % n]).max(axis=1)
        record.append(new.max() - value.max())
        value = new
    rate = float(np.mean(record[steps // 2 :]))
    return rate if rate > 1e-4 else 0.0


@door
def second_moment_growth(*, learning_rate, momentum, batch_size=1, fourth_moment=3.0) -> float:
    r"""Return log k(2) exactly, the largest eigenvalue of :math:`E[M\otimes M]`, Eq. (tail-second).

    Args:
        learning_rate: eta.
        momentum: beta.
        batch_size: B.
        fourth_moment: E x^4.

    Example:
        >>> print(round(second_moment_growth(learning_rate=0.1, momentum=0.0), 6))
        -0.18633
    """
    a, beta = validate.optimiser(learning_rate, momentum, single=True)
    validate.each_whole("batch_size", batch_size)
    validate.each_at_least("fourth_moment", fourth_moment, 1)
    square = 1 + (fourth_moment - 1) / batch_size  # E S^2
    # (theta^2, theta v, v^2) -> the same, averaged over S
    matrix = np.array(
        [
            [1 - 2 * a + a**2 * square, 2 * beta * (1 - a), beta**2],
            [-a + a**2 * square, beta * (1 - 2 * a), beta**2],
            [a**2 * square, -2 * a * beta, beta**2],
        ]
    )
    return float(np.log(np.max(np.abs(np.linalg.eigvals(matrix)))))


def _arguments(learning_rate, momentum, batch_size, inputs):
    validate.positive("learning_rate", learning_rate)
    if not 0 < validate.fraction("momentum", momentum):
        raise ValueError(f"momentum must lie in (0, 1): got {momentum}")
    validate.count("batch_size", batch_size)
    validate.one_of("inputs", inputs, INPUTS)


def _angles(s):
    """Enough points for functions whose logarithm varies by s over the circle."""
    return int(min(max(256, 2 * s), 2048))


def _step(phi, squares, eta, beta):
    """Log length and angle (angles, squares) of M e, in coordinates (theta, v / sqrt(eta))."""
    theta, speed = np.cos(phi)[:, None], np.sin(phi)[:, None]
    new_speed = beta * speed - np.sqrt(eta) * squares * theta
    new_theta = theta + np.sqrt(eta) * new_speed
    log_r = np.log(new_theta**2 + new_speed**2) / 2
    return log_r, np.arctan2(new_speed, new_theta) % np.pi


def _step_nodes(s, eta, beta, b, inputs, n):
    """Log weights and log lengths (angles, nodes) of a step, and where it leads, in grid steps."""
    law, a = radius_law(b, inputs), eta / b
    end = law.breaks[-1]
    if not np.isfinite(end):
        far = np.sqrt(2 * s + b + 1 / a) + 14
        end = far if inputs == "gaussian" else 3 * s + 4 * np.sqrt(b) + 2 / np.sqrt(a) + 60
    breaks = sorted({x for x in (*law.breaks, 1 / np.sqrt(a)) if x < end} | {end})
    r, weight = panels(graded(breaks, width=0.5, levels=8))
    log_weight = np.log(weight) + law.log_density(r)
    log_r, angle = _step(np.pi * np.arange(n) / n, r**2 / b, eta, beta)
    return log_weight + np.zeros_like(log_r), log_r, angle * n / np.pi


def _growth(s, eta, beta, b, inputs, shape):
    """log k(s), and log f / s on the grid, from a guess of it.

    The operator acts on f / e^(s shape), which hardly varies: without that the entries of its
    matrix span more than floating point at large s.
    """
    n = max(shape.size, _angles(s))
    shape = _periodic(shape)(np.arange(n) * shape.size / n)
    logs, log_r, place = _step_nodes(s, eta, beta, b, inputs, n)
    logs = logs + s * log_r
    log_f = s * shape
    for sweep in range(_SWEEPS):
        raised = logs + _periodic(log_f)(place)
        new = special.logsumexp(raised, axis=1)
        change = np.ptp(new - log_f)
        log_f = new - new.mean()
        keep = np.any(raised > new[:, None] - 2 * _NATS, axis=0)
        logs, place = logs[:, keep], place[:, keep]
        if change < (0.5 if sweep < _FEW else _NEAR):
            break
    raised = logs + _periodic(log_f)(place) - log_f[:, None]
    scale = float(special.logsumexp(raised, axis=1).max())
    return float(np.log(_radius(_matrix(raised - scale, place))) + scale), log_f / max(s, 1e-3)


def _periodic(values):
    """Cubic spline of values on the grid of angles, as a function of the place in grid steps."""
    n = values.size
    closed = np.append(values, values[0])
    return interpolate.CubicSpline(np.arange(n + 1), closed, bc_type="periodic")


def _matrix(logs, place):
    """Matrix (angles, angles) of the weighted sum over nodes of interpolated values."""
    n = logs.shape[0]
    rows, columns = np.nonzero(logs > logs.max(axis=1, keepdims=True) - _NATS)
    left = np.floor(place[rows, columns]).astype(np.int64)
    values = np.exp(logs[rows, columns])[:, None] * _lagrange(place[rows, columns] - left)
    cells = rows[:, None] * n + (left[:, None] + _STENCIL) % n
    return np.bincount(cells.ravel(), values.ravel(), minlength=n * n).reshape(n, n)


def _lagrange(share):
    """Weights (points, stencil) of the interpolation at ``share`` in [0, 1) past the node 0."""
    weights = np.ones((*share.shape, _STENCIL.size))
    for i, node in enumerate(_STENCIL):
        for other in _STENCIL[_STENCIL != node]:
            weights[..., i] *= (share - other) / (node - other)
    return weights


def _radius(matrix, squarings=40):
    """Largest eigenvalue of a positive operator by repeated squaring.

    Weak damping makes the second eigenvalue almost as large: an iteration would take 1e5 steps.
    """
    power = matrix
    for _ in range(squarings):
        vector = power.sum(axis=1)
        image = matrix @ vector
        # Collatz and Wielandt: the eigenvalue lies between the smallest and the largest ratio
        ratios = image[vector > 0] / vector[vector > 0]
        if np.ptp(ratios) < 1e-11 * np.max(np.abs(ratios)):
            break
        power = power @ power
        power /= np.abs(power).max()
    return float(np.median(ratios))


__all__ = [
    "largest_growth",
    "log_growth",
    "lyapunov_momentum",
    "momentum_root",
    "second_moment_growth",
]
