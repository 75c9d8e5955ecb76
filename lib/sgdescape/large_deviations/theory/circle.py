r"""The circle model: a true barrier, and four theories of it.

f = x_1 cos(theta) + x_2 sin(theta), y = x_1 + sigma eps, all standard normal: L = 1 - cos(theta) +
sigma^2/2, one minimum a turn, saddles half-way, and a Gauss-Newton term of 1 everywhere. Costs are
those of one sample: a probability is exp(-(B/eta) cost).
"""

import numpy as np
from scipy import optimize

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.quasi_potential.line import line_potential, refined_cost

_POINTS = 801  # of the grid on which climbs and jumps are told apart
THEORIES = ("sgd", "paper", "covariance", "arrhenius")
"""Of `circle_potential`: SGD's climb, the paper's noise, exact covariance, constant noise."""


@door
def circle_loss(angle, noise_variance):
    r"""Return L = 1 - cos(theta) + sigma^2/2, Eq. (circle-loss).

    Args:
        angle: theta.
        noise_variance: sigma^2, positive.

    Example:
        >>> print(circle_loss(np.pi, 2.0))
        3.0
    """
    return 1 - np.cos(validate.finite("angle", angle)) + _noise(noise_variance) / 2


@door
def circle_potential(angle, noise_variance, *, theory="sgd"):
    r"""Return V(theta) of a climb from 0 under one theory, Eqs. (circle-climb), (circle-rivals).

    Args:
        angle: theta in [-pi, pi].
        noise_variance: sigma^2, positive.
        theory: one of `THEORIES`.

    Example:
        >>> [float(circle_potential(np.pi, 2.0, theory=name).round(3)) for name in THEORIES]
        [1.351, 1.099, 0.936, 2.0]
    """
    theta, variance = np.broadcast_arrays(
        validate.within("angle", angle, low=-np.pi, high=np.nextafter(np.pi, 4)),
        _noise(noise_variance),
    )
    rise, name = 1 - np.cos(theta), validate.one_of("theory", theory, THEORIES)
    if name == "sgd":
        sigma = np.sqrt(variance)
        return (2 / sigma * np.arctan(rise / sigma))[()]
    if name == "paper":
        return np.log1p(2 * rise / variance)[()]
    if name == "arrhenius":
        return (2 * rise / variance)[()]
    # in u = 1 - cos: 2L + L'^2 = sigma^2 + 4u - u^2, a quadratic
    root = np.sqrt(variance + 4)
    return (2 / root * (np.arctanh((rise - 2) / root) + np.arctanh(2 / root)))[()]


@door
def circle_climb(noise_variance):
    r"""Return the barrier of SGD without jumps, (2/sigma) arctan(2/sigma), Eq. (circle-climb).

    Args:
        noise_variance: sigma^2, positive.

    Example:
        >>> print(circle_climb(2.0).round(4))
        1.351
    """
    sigma = np.sqrt(_noise(noise_variance))
    return (2 / sigma * np.arctan(2 / sigma))[()]


@door
def circle_jump_cost(angle, displacement, noise_variance):
    r"""Return the cost of one sample that moves theta at once, Eq. (circle-jump).

    .. math:: J=\frac{|\Delta|}{\sqrt{2L}\mp L'},\qquad \Delta\gtrless0

    Args:
        angle: theta, where the jump starts.
        displacement: Delta.
        noise_variance: sigma^2, positive.

    Example:
        >>> print(circle_jump_cost(0.0, np.pi, 1.0).round(4))
        3.1416
    """
    theta, delta = validate.finite("angle", angle), validate.finite("displacement", displacement)
    slope, root = np.sin(theta), np.sqrt(2 * circle_loss(theta, noise_variance))
    against = np.sign(delta) * slope
    # root - against where they cancel: (2L - L'^2)/(root + against)
    least = (root**2 - slope**2) / (root + np.abs(slope))
    return (np.abs(delta) / np.where(against > 0, least, root + np.abs(slope)))[()]


@door
def circle_barrier(noise_variance):
    r"""Return the barrier of SGD from 0 to |theta| = pi, the cheapest sequence of climbs and jumps.

    Eqs. (circle-climb), (circle-jump): the climb alone while the noise is strong.

    Args:
        noise_variance: sigma^2, positive.

    Example:
        >>> print(circle_barrier([2.0, 0.25]).round(4))
        [1.351  3.3065]
    """
    variance = _noise(noise_variance)
    found = [circle_path(v)[0] for v in variance.ravel()]
    return np.array(found).reshape(variance.shape)[()]


@door
def circle_path(noise_variance: float) -> tuple[float, list[tuple[str, float]]]:
    """Return the barrier of `circle_barrier` and its legs, (kind, angle at the end).

    Args:
        noise_variance: sigma^2, one positive number.

    Example:
        >>> circle_path(2.0)[1]
        [('climb', 3.141592653589793)]
    """
    variance = float(_noise(noise_variance))
    sigma = np.sqrt(variance)
    half = sigma * np.sinh(np.linspace(0, np.arcsinh(np.pi / sigma), _POINTS // 2 + 1))
    half[-1] = np.pi
    x = np.concatenate([-half[:0:-1], half])
    climb = np.diff(circle_potential(x, variance))
    hop = circle_jump_cost(x[:, None], x - x[:, None], variance)
    up, down = np.maximum(climb, 0), np.maximum(-climb, 0)
    grid = line_potential(x, rightward=up, leftward=down, jump=hop, start=x.size // 2)
    cost, legs = refined_cost(
        grid.path(x.size - 1),
        start=0.0,
        climb=lambda a, b: _climb(a, b, variance),
        jump=lambda a, b: float(circle_jump_cost(a, b - a, variance)),
    )
    direct = float(circle_climb(variance))
    return (cost, legs) if cost < direct else (direct, [("climb", float(np.pi))])


def circle_crossover() -> float:
    r"""Return sigma^2 below which a jump across the valley is cheaper than the climb alone.

    There the least of V(a) + J(a, b - a) - V(b), for a < 0 < b, changes its sign: Eqs.
    (circle-climb), (circle-jump).

    Example:
        >>> 1 < circle_crossover() < 1.5
        True
    """

    def gain(variance):
        def saved(ends):
            a, b = np.clip(ends, -np.pi, np.pi)
            jump = circle_jump_cost(a, b - a, variance)
            return float(jump + circle_potential(a, variance) - circle_potential(b, variance))

        start = [-0.36, 1.88]  # where the jump begins and ends at sigma^2 = 1
        options = {"xatol": 1e-10, "fatol": 1e-14}
        return optimize.minimize(saved, start, method="Nelder-Mead", options=options).fun

    return float(optimize.brentq(gain, 0.8, 1.6, xtol=1e-9))


def _climb(start, stop, variance):
    """Cost of moving along the circle, free where the loss falls."""
    ends = circle_potential(np.clip([start, 0.0, stop], -np.pi, np.pi), variance)
    if start * stop < 0:  # down to the minimum first
        return float(ends[2])
    return float(max(ends[2] - ends[0], 0.0))


def _noise(noise_variance):
    return validate.within("noise_variance", noise_variance, low=0, open_low=True)
