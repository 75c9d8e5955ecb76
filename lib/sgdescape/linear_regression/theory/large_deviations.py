r"""Escape exponents of discrete SGD for small learning rates: climbs, jumps, the cheapest of both.

Units h = 1 and sigma = 1: inputs x (d,) and labels y are standard normal and independent, the
minimum is at 0, L = (1 + |theta|^2)/2 and c = L/L* = 1 + |theta|^2. Costs are those of one sample:
a probability is exp(-(B/eta) cost). Far climbs and jumps beyond the chapter's needs, other labels
and networks are the subject of chapter `large_deviations`.
"""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door

_HALVINGS = 80  # of an interval of at most 350: below the spacing of floats


@door
def jump_cost(position, displacement):
    r"""Return the cost of moving at once, by one sample of size eta^(-1/2), Eq. (jump).

    .. math:: J(\theta,\Delta)=\theta\cdot\Delta+\sqrt{|\Delta|^2+(\theta\cdot\Delta)^2}

    Args:
        position: theta (..., d), where the jump starts.
        displacement: Delta (..., d).

    Returns:
        (...,).

    Example:
        >>> print(jump_cost([[0.0], [-0.75]], [[1.0], [1.0]]))
        [1.  0.5]
    """
    theta, delta = validate.vectors(position=position, displacement=displacement)
    along = np.sum(theta * delta, axis=-1)
    root = np.hypot(np.linalg.norm(delta, axis=-1), along)
    # towards the minimum the two terms nearly cancel
    other = np.sum(delta**2, axis=-1) / np.where(along < 0, root - along, 1.0)
    return np.where(along < 0, other, along + root)[()]


@door
def quasi_potential(loss_ratio):
    r"""Return V with log t_p = (B/eta) V, the cheapest sequence of a climb and jumps.

    Eq. (quasi-potential): c - 1 up to c = 2; then climb to sinh(w), jump across
    the minimum, and above c = 24.28 jump again. The same in every dimension.

    Args:
        loss_ratio: c, at least 1.

    Raises:
        ValueError: if c is below 1 or not finite.

    Example:
        >>> quasi_potential([1.5, 2.0, 3.0, 100.0]).round(4)
        array([0.5   , 1.    , 1.3618, 4.491 ])
    """
    distance = np.sqrt(validate.each_at_least("loss_ratio", loss_ratio, 1) - 1)
    best, _ = _cheapest(distance.ravel())
    return best.reshape(distance.shape)[()]


@door
def cheapest_path(loss_ratio) -> np.ndarray:
    """Return where the cheapest path to one loss ratio stops, Eq. (quasi-potential).

    Args:
        loss_ratio: c, one number, at least 1.

    Returns:
        Positions (jumps + 1,): the end of the climb, then of each jump; signs alternate, and the
        last is the root of c - 1. Without jumps the end of the climb alone.

    Example:
        >>> cheapest_path(3.0).round(3)
        array([-0.24 ,  1.414])
    """
    distance = np.sqrt(validate.each_at_least("loss_ratio", loss_ratio, 1) - 1).reshape(1)
    _, jumps = _cheapest(distance)
    if not jumps[0]:
        return distance
    first = _first_climb(distance, int(jumps[0]))
    stops = np.array([s[0] for s in _sequence(first, int(jumps[0]))[0]])
    stops[-1] = distance[0]
    return stops * (-1.0) ** np.arange(len(stops) - 1, -1, -1)


def jump_factor() -> float:
    r"""Return z* with z* log z* = z* + 1: a further jump multiplies by -z*.

    Example:
        >>> print(round(jump_factor(), 4))
        3.5911
    """
    return float(np.exp(1 + special.lambertw(np.exp(-1)).real))


def tail_slope() -> float:
    r"""Return the slope of V against log c far out, z*/4.

    Half of Kesten's exponent times eta/B, for small eta.

    Example:
        >>> print(round(tail_slope(), 4))
        0.8978
    """
    return jump_factor() / 4


def _cheapest(distance):
    """Cost and number of jumps of the cheapest path to each distance (n,)."""
    best, jumps = np.where(distance <= 1, distance**2, np.inf), np.zeros(len(distance), int)
    # a sequence that is worth its first jump never ends nearer than the one without a climb
    for count, nearest in enumerate(_nearest_ends(distance.max()), 1):
        # of n possible jumps more than 0.9 n - 3 are used: their factors are close to `jump_factor`
        far = np.flatnonzero((distance > nearest) & (distance < nearest * 40 * 1.15**count))
        if not far.size:
            continue
        stops, costs = _sequence(_first_climb(distance[far], count), count)
        # to the distance itself: rounding left the last stop a little beside it
        cost = np.sum(costs, axis=0) + (distance[far] - stops[-1]) * np.exp(-np.arcsinh(stops[-2]))
        better = cost < best[far]
        best[far[better]], jumps[far[better]] = cost[better], count
    return best, jumps


def _nearest_ends(farthest):
    """Ends of one, two, ... stationary jumps without a climb, below the farthest distance."""
    ends = []
    while True:
        ends.append(float(_sequence(np.zeros(1), len(ends) + 1)[0][-1][0]))
        if ends[-1] >= farthest:
            return ends[:-1]


def _first_climb(distance, jumps):
    """Rapidity w of the climb to sinh(w) after which stationary jumps end at the distances (n,)."""
    low, high = np.zeros(len(distance)), np.arcsinh(distance)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if np.all((middle == low) | (middle == high)):
            break
        beyond = _sequence(middle, jumps)[0][-1] > distance
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return high


def _sequence(first, jumps):
    """Stops (jumps + 1, n) of the stationary sequence after a climb to sinh(first), and costs."""
    stop = np.sinh(first)
    slope, stops, costs = 2 * stop, [stop], [stop**2]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(jumps):
            w = np.arcsinh(stops[-1])
            after = slope * np.exp(w) * np.cosh(w) + np.exp(-w)
            after = np.where(np.isnan(after), np.inf, after)
            slope = np.exp(-w)
            costs.append((after + stops[-1]) * slope)
            stops.append(after)
    return stops, costs
