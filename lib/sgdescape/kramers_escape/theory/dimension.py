"""The dimension that enters the escape rate, for unequal curvatures: WKB along the path.

With weak noise the density is K exp(-Phi B/eta); near the escape axis its exponent is a parabola
across it, of width set by g (`riccati`), and its amplitude K changes along the path. Equal
curvatures give g = 1 and a constant K: then, and only then, does every direction count as one.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.kramers_escape.landscape import Landscape, axis_profile

_ENDS = (-30.0, 90.0)  # of log(u/(1-u)): from the minimum to the saddle


@dataclass(frozen=True)
class PathWidths:
    """The transverse parabola and the amplitude along the escape axis.

    Attributes:
        position: z_e, from the minimum to the saddle (points,).
        width: g_j of Eq. (riccati), one row a direction (n - 1, points).
        log_amplitude: log K/K(0) of Eq. (amplitude) (points,).
    """

    position: np.ndarray
    width: np.ndarray
    log_amplitude: np.ndarray


@door
def riccati(width, *, ratio, steepness):
    r"""Return g' = dg/ds along the escape axis, s = log(L/L*), Eq. (riccati).

    .. math:: q(s)\,(g'-g+\rho)+\rho\,(g^2-g) = 0,\qquad q = \frac{(\partial_eL)^2}{2h_e^*L}

    Args:
        width: g, any shape.
        ratio: rho = h_j*/h_e*, positive.
        steepness: q, positive; on a parabola q = 1 - exp(-s).

    Example:
        >>> float(riccati(1.0, ratio=0.5, steepness=0.3))
        0.5
    """
    rho = validate.each_positive("ratio", ratio)
    g = validate.finite("width", width)
    q = validate.each_positive("steepness", steepness)
    return _regular(g, rho, q)[0] / (2 * q)


@door
def amplitude_slope(width, *, ratio, steepness):
    r"""Return :math:`d\log K/ds = \rho\,(1-g)/(2q)` of one direction, Eq. (amplitude).

    Args:
        width: g, any shape.
        ratio: rho = h_j*/h_e*, positive.
        steepness: q, positive.

    Example:
        >>> float(amplitude_slope(1.5, ratio=0.5, steepness=0.25))
        -0.5
    """
    rho = validate.each_positive("ratio", ratio)
    q = validate.each_positive("steepness", steepness)
    return _regular(validate.finite("width", width), rho, q)[1] / (2 * q)


def _regular(g, rho, q):
    """Return 2 q dg/ds and 2 q d log K/ds, finite at both ends of the path, where q = 0."""
    return 2 * q * (g - rho) - 2 * rho * (g**2 - g), rho * (1 - g)


@door
def path_widths(landscape: Landscape, *, points: int = 400) -> PathWidths:
    """Integrate Eqs. (riccati) and (amplitude) from the minimum to the saddle.

    The variable is log(u/(1 - u)) with u = z/z_s, in which both ends are at infinity and the
    equations are smooth. The loss separates, so the transverse curvatures are constant.

    Args:
        landscape: with at least one transverse direction.
        points: of the result.

    Raises:
        ValueError: if g reaches zero: from there it falls to minus infinity (a caustic), and the
            axis is not even locally the most probable path. It needs a direction stiffer than the
            escape direction and a high saddle. A path far from the axis is cheaper already
            before: see `detour.off_axis`.
        RuntimeError: if the integration fails.
    """
    h, z_s, r = landscape.curvature_minimum, landscape.saddle, landscape.ratio
    height = h * z_s**2 / landscape.minimum_loss
    rho = np.array(landscape.transverse) / h
    validate.count("transverse directions", len(rho))

    def slopes(position, state):
        u = 1 / (1 + math.exp(-position))
        rise, slope, _ = axis_profile(r, u)
        steepness = height * slope**2 / (2 * (1 + height * rise))  # q of Eq. (riccati)
        widths, amplitudes = _regular(state[:-1], rho, steepness)
        return np.append(widths, amplitudes.sum()) / (1 - (1 - r) * u)

    def confined(position, state):
        return np.min(state[:-1])

    confined.terminal = True
    where = np.linspace(*_ENDS, points)
    start = np.append(np.ones(len(rho)), 0.0)
    options = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-11, "t_eval": where}
    found = solve_ivp(slopes, _ENDS, start, events=confined, **options)
    if found.status == 1:
        stiffest = landscape.transverse[int(np.argmin(found.y_events[0][0][:-1]))]
        raise ValueError(
            f"transverse curvature {stiffest:g} bends the most probable path off the axis at loss "
            f"ratio {landscape.loss_ratio:g}: no effective dimension on the axis"
        )
    if not found.success:
        raise RuntimeError(f"no solution along the path: {found.message}")
    return PathWidths(z_s / (1 + np.exp(-where)), found.y[:-1], found.y[-1])


@door
def path_amplitude(landscape: Landscape) -> float:
    """Return K(saddle)/K(minimum), the factor that Eq. (15) lacks, Eq. (path-rate).

    Args:
        landscape: with a separable loss.

    Example:
        >>> round(path_amplitude(Landscape(transverse=(1.0,))), 9)
        1.0
    """
    if not landscape.transverse:
        return 1.0
    return float(np.exp(path_widths(landscape).log_amplitude[-1]))


@door
def path_dimension(landscape: Landscape) -> float:
    r"""Return :math:`n_{\rm eff} = n + 2\log(K^s/K^*)/\log c`, Eq. (path-dimension).

    With it in place of n, Eq. (15) is the rate of a separable loss of unequal curvatures.

    Args:
        landscape: with a separable loss.

    Example:
        >>> round(path_dimension(Landscape(transverse=(1.0, 1.0))), 9)
        3.0
    """
    gain = np.log(path_amplitude(landscape)) / np.log(landscape.loss_ratio)
    return float(landscape.dimension + 2 * gain)


@door
def focusing_threshold(ratio: float, *, curvature_saddle: float = -0.5) -> float:
    """Return the loss ratio above which g reaches zero before the saddle: a caustic.

    One transverse direction. From there on the axis is not even locally the cheapest path; that
    a path far from it is cheaper happens before, see `detour.axis_threshold`.

    Args:
        ratio: rho = h_j*/h_e*, above 1.
        curvature_saddle: h_e^s in units of h_e*, in [-1, -1/2].

    Raises:
        ValueError: for a ratio of 1 or below: g stays positive.

    Example:
        >>> round(focusing_threshold(4.0), 2)
        8.47
    """
    rho = validate.positive("ratio", ratio)
    if rho <= 1:
        raise ValueError(f"ratio must be above 1: got {ratio}")
    return _focusing_threshold(float(rho), float(curvature_saddle))


@functools.cache
def _focusing_threshold(ratio, curvature_saddle):
    low, high = 0.0, math.log(2.0)
    while _confined(ratio, high, curvature_saddle):
        low, high = high, 2 * high
    while high - low > 1e-4:
        middle = (low + high) / 2
        inside = _confined(ratio, middle, curvature_saddle)
        low, high = (middle, high) if inside else (low, middle)
    return math.exp(high)


def _confined(ratio, log_ratio, curvature_saddle):
    """Whether g stays positive on the way to the saddle."""
    shape = Landscape(
        loss_ratio=float(np.exp(log_ratio)),
        curvature_saddle=curvature_saddle,
        transverse=(ratio,),
    )
    try:
        path_widths(shape)
    except ValueError:
        return False
    return True


@door
def tail_dimension(ratios):
    r"""Return n_eff of a parabolic valley for large loss ratio, Eq. (tail-dimension).

    .. math:: n_{\rm eff} = 1+\sum_{j\ne e}\tfrac12\big[1+\rho_j-\sqrt{(1-\rho_j)(1+3\rho_j)}\big]

    Args:
        ratios: rho_j = h_j/h_e in (0, 1], the transverse directions on the last axis.

    Raises:
        ValueError: for a ratio outside (0, 1]: the escape axis of a bowl is its stiffest.

    Example:
        >>> tail_dimension([[1.0], [0.5]]).round(6)
        array([2.      , 1.190983])
    """
    rho = validate.each_positive("ratios", ratios)
    if np.any(rho > 1):
        raise ValueError(f"ratios must lie in (0, 1]: got {rho.max():g}")
    return 1 + 0.5 * np.sum(1 + rho - np.sqrt((1 - rho) * (1 + 3 * rho)), axis=-1)
