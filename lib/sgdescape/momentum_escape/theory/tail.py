"""Far out: how the barrier grows with log c at every damping, and the tail index with it."""

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.large_deviations import tail_slope as without_momentum

WEAK = 2.0
"""4/(kurtosis - 1), the slope of `weak_friction` for normal inputs."""

_REACH = 20.0  # in log |v/theta|: what lies beyond is below 1e-9 of the integral
_FAR = 1e3  # |v/theta| from which the root is close to its expansion, and exp(m) overflows
_LEVELS = 12


@door
def tail_slope(damping):
    r"""Return A(zeta) = lim w(c; zeta)/log c for normal inputs, Eq. (momentum-far).

    The tail index of the loss, a of P(L > c L*) ~ c^(-a), is A/T as T -> 0 at fixed damping: 2 at
    weak friction, Kesten's slope 0.898 at strong friction.

    Args:
        damping: zeta >= 0, infinity allowed.

    Returns:
        A, to eight digits or more.

    Raises:
        ValueError: if the damping is negative or not a number.

    Example:
        >>> print(np.round(tail_slope([0.0, 0.1, 1.0, np.inf]), 4))
        [2.     1.8865 1.0503 0.8978]
    """
    zeta = validate.real("damping", damping)
    bad = ~(zeta >= 0)
    if zeta.size == 0 or bad.any():
        value = float(zeta[bad].flat[0]) if zeta.size else None
        raise ValueError(f"damping must be at least 0, infinity allowed: got {value}")
    values = np.array([_at(float(z)) for z in zeta.flat]).reshape(zeta.shape)
    return float(values) if values.ndim == 0 else values


def _at(zeta):
    if zeta < 1e-3:  # corrections are of order zeta^2
        return WEAK - (WEAK - _slope(1e-3)) * (zeta / 1e-3) ** 2
    if zeta > 1e3:  # and of 1/zeta^2
        end = without_momentum()
        return end + (_slope(1e3) - end) * (1e3 / zeta) ** 2
    return _slope(zeta)


def _slope(zeta):
    return optimize.brentq(_turn, 0.5, 2.5, args=(zeta,), xtol=1e-13)


def _turn(slope, zeta):
    """What G gains on one turn: the integral of G' - 2 A t/(1 + t^2) over all t = v/theta."""
    kinks = np.log(2 * zeta * np.array([1, 1 + 4 * slope]))  # of G' at negative t
    steps = 0.5 ** np.arange(_LEVELS)
    edges = [np.linspace(-_REACH, _REACH, 41), kinks]
    edges += [k + side * steps for k in kinks for side in (-1, 1)]
    u, weight = panels(np.unique(np.clip(np.concatenate(edges), -_REACH, _REACH)))
    t = np.exp(u)  # pairs of t and -t: each diverges alone, the subtracted term drops out
    return float(weight @ (t * (_gradient(t, slope, zeta) + _gradient(-t, slope, zeta))))


def _gradient(t, slope, zeta):
    """G'(t), the smaller root of Eq. (momentum-far-field): theta p_u of the falling branch."""
    b, m = t * (t + 2 * zeta), 8 * slope * zeta * t
    far = np.abs(t) > _FAR * (1 + zeta)
    near = np.where(far, 1.0, b + m)
    # with x = 1 + 4 zeta G' the field is m - b (x - 1) - log x = 0
    with np.errstate(divide="ignore"):
        rising = special.wrightomega(near + np.log(np.abs(b))).real
    falling = special.lambertw(np.where(b < 0, b * np.exp(np.minimum(near, 0)), 0)).real
    guess = np.log1p(np.where(far, m / (b + 1), 0))
    x = np.where(far, guess, near - np.where(b > 0, rising, falling))  # log x
    for _ in range(4):  # Newton: far out the closed form has lost its digits
        x = x + (m - b * np.expm1(x) - x) / (b * np.exp(x) + 1)
    return np.expm1(x) / (4 * zeta)
