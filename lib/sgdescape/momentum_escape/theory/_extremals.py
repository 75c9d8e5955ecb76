"""The barrier at fixed damping: all extremals that leave the minimum, and where they turn.

The cheapest way to the loss ratio c ends where theta turns, with no tilt left: v = 0 and p_v = 0.
Extremals that leave the minimum fill a surface, so one number names each of them; a scan of that
number gives w(c) as the lower envelope of the turning points, whatever folds and large pushes there
are. Below critical damping the number is an angle of the first state. Above it, nearly all
extremals follow the slow direction (the climb) until they leave it at some point, at a rate too
large to be hit by an angle: the climb itself is tracked by bisection, and they start along it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sgdescape.momentum_escape.theory import _extremals_numba as kernels
from sgdescape.momentum_escape.theory.pushes import Push

START = 0.03  # radius of the first states: w = theta^2 + v^2 there, but for START^4
PRECISION = 1e-9  # relative error of a step
NODE = 1.2  # damping from which extremals are started along the climb
GROWTH = 1e3  # of the distance from the climb, from one place to the next
NEVER = 10**7  # steps of an extremal


@dataclass(frozen=True, eq=False)
class Turns:
    """Turning points without tilt: one row each, in the order along the scan.

    Args:
        excess: theta^2 = c - 1.
        action: w there.
        slope: dw/dc = p_theta / (2 theta).
        scan: number of the extremal.
        order: number of the turn on its extremal, from 0.
    """

    excess: np.ndarray
    action: np.ndarray
    slope: np.ndarray
    scan: np.ndarray
    order: np.ndarray


@lru_cache(maxsize=256)
def turns(push: Push, damping: float, largest: float) -> Turns:
    r"""Return the turning points of all extremals of Eq. (momentum-hamiltonian) up to a loss ratio.

    Their end is that of Eq. (momentum-end): v = 0 without tilt.

    Args:
        push: the law of the pushes.
        damping: zeta > 0.
        largest: c up to which extremals are followed.
    """
    law = (push.squares, push.weights, push.kurtosis, push.diffusion)
    far = 1.3 * np.sqrt(largest - 1) + 0.1
    room = np.empty((int(20 + 10 / damping), 6))

    def follow(y):
        """Turning points without tilt of one extremal: rows theta^2, w, dw/dc, number."""
        found = kernels.turning_points(y, damping, law, far, PRECISION, room, NEVER)
        return [
            (th * th, w, p_theta / (2 * th), order)
            for order, (th, _, p_theta, p_v, w, _) in enumerate(room[:found])
            # at v = 0 either p_v = 0 or the other root of Lambda = 0, which is no end of a way
            if abs(2 * damping * p_v) < 0.3 * abs(_root(th, push))
        ]

    if damping < NODE:
        ends = _refined(_around(damping), lambda a: follow(_first(np.cos(a), np.sin(a))))
    else:
        ends = [follow(y) for y in _along_climb(damping, law, far)]
    rows = [(*row[:3], scan, row[3]) for scan, found in enumerate(ends) for row in found]
    return Turns(*np.array(rows).T)


def _refined(angles, follow, rounds=24):
    """What extremals give, at the angles and where neighbours end too far from each other."""
    angles = list(angles)
    ends = [follow(a) for a in angles]
    for _ in range(rounds):
        wide = [i for i in range(len(angles) - 1) if _far_apart(ends[i], ends[i + 1])]
        for i in reversed(wide[:40]):
            angles.insert(i + 1, (angles[i] + angles[i + 1]) / 2)
            ends.insert(i + 1, follow(angles[i + 1]))
    return ends


def _far_apart(one, other):
    """Whether a turn of an extremal has no close one on the next, near the minimum apart."""
    if len(one) != len(other) and max(e[-1][0] if e else 0.0 for e in (one, other)) > 0.01:
        return True
    both = zip(one[::-1], other[::-1], strict=False)
    return any(abs(np.log(p[0] / q[0])) > 0.3 for p, q in both if p[3] == q[3])


def _root(th, push):
    """The tilt other than 0 at which Lambda vanishes."""
    return 2 * th / (1 + (push.kurtosis - 1) * th**2) if push.diffusion else 2 * th


def lower_envelope(found: Turns, excess):
    """Return w at c - 1, the least over neighbouring extremals, by cubics with the exact slopes.

    Args:
        found: of `turns`.
        excess: c - 1 >= 0, (n,).

    Returns:
        (n,); NaN where no extremal turns.
    """
    excess = np.asarray(excess, dtype=float)
    lowest = np.full(excess.shape, np.nan)
    for a, b in _neighbours(found):
        low, high = sorted((found.excess[a], found.excess[b]))
        inside = (excess >= low) & (excess <= high)
        if inside.any():
            lowest[inside] = np.fmin(lowest[inside], _cubic(found, a, b, excess[inside]))
    small = excess <= START**2  # w = c - 1 there, but for START^4
    lowest[small] = excess[small]
    return lowest


def _neighbours(found):
    """Pairs of turning points on neighbouring extremals, close enough for one cubic."""
    last = {}
    pairs = []
    for i in range(found.excess.size):
        for shift in (0, -1, 1, -2, 2):
            j = last.get((found.scan[i] - 1, found.order[i] + shift))
            if j is not None and abs(np.log(found.excess[i] / found.excess[j])) < 0.7:
                pairs.append((j, i))
        last[found.scan[i], found.order[i]] = i
    return [p for p in pairs if _consistent(found, *p)]


def _consistent(found, a, b):
    """Whether both slopes fit the chord: points of one curve, not of two that pass each other."""
    width = found.excess[b] - found.excess[a]
    if abs(width) < 1e-9:
        return False
    chord = (found.action[b] - found.action[a]) / width
    low, high = sorted((found.slope[a], found.slope[b]))
    loose = 0.1 * (high - low) + 1e-3 + 1e-5 / abs(width)  # the last: noise of close points
    return low - loose <= chord <= high + loose


def _cubic(found, a, b, x):
    width = found.excess[b] - found.excess[a]
    t = (x - found.excess[a]) / width
    return (
        (1 + 2 * t) * (1 - t) ** 2 * found.action[a]
        + t * (1 - t) ** 2 * width * found.slope[a]
        + t**2 * (3 - 2 * t) * found.action[b]
        + t**2 * (t - 1) * width * found.slope[b]
    )


def _first(th, v):
    """A state on the surface of leaving extremals near the minimum: p is the gradient of w.

    Args are in units of START.
    """
    th, v = START * th, START * v
    return np.array([th, v, 2 * th, 2 * v, th * th + v * v])


def _around(damping):
    """Angles of first states on half a circle; the other half is their mirror image."""
    if damping < 1:
        # even in time along a spiral, so that no extremal grows by more than e^0.03 to the next
        turn = np.sqrt(1 - damping**2)
        count = int(np.clip(30 * np.pi * damping / turn, 12, 4000)) + 2
        t = np.linspace(0, np.pi / turn, count)
        th = np.cos(turn * t) - damping / turn * np.sin(turn * t)
        v = -np.sin(turn * t) / turn
        return np.unwrap(np.arctan2(v, th))
    slow = np.arctan(damping - np.sqrt(damping**2 - 1))
    apart = np.geomspace(1e-9, np.pi / 2, 200)
    return slow + np.r_[-apart[::-1], apart]


def _along_climb(damping, law, far):
    """States just off the climb, on both sides, all along it."""
    root = np.sqrt(damping**2 - 1)
    slow, fast = damping - root, damping + root
    gap = np.log(GROWTH) / (fast - slow)  # time between two places
    count = int(np.ceil(slow * gap / 0.05)) + 1
    near, far_off = (_first(1.0, f * slow) for f in (0.6, 1.6))
    low, high = _bisect(near, far_off, damping, law, slow)
    places = [((low + high) / 2, far_off - near, np.geomspace(1e-9, 0.8, 7 * count))]
    factors = np.geomspace(1, GROWTH, count)  # from 1 on: outside the bracket
    last = (*places[0][:2], factors / 1e12)
    while True:
        low, high = (kernels.advance(y, gap, damping, law, 0.1 * PRECISION) for y in (low, high))
        pace = np.array([y[1] / (slow * y[0]) for y in (low, high)])
        if not (np.abs(pace - 1) < 0.4).all() or low[0] > far:
            break
        places.append(((low + high) / 2, high - low, factors))
        low, high = _bisect(low, high, damping, law, slow)
        last = ((low + high) / 2, high - low, factors)
    places.append(last)  # serves all that is beyond
    turned = np.geomspace(0.02, np.pi / 2, 40)
    leave = [
        [_first(np.cos(a), np.sin(a)) for a in np.arctan(slow) + sign * turned] for sign in (1, -1)
    ]
    along = [
        middle + sign * f * apart
        for sign in (1, -1)
        for middle, apart, factors in places
        for f in factors[::-1]
    ]
    half = len(along) // 2
    return leave[0][::-1] + along[:half] + leave[1][::-1] + along[half:]


def _bisect(low, high, damping, law, slow):
    """Two states next to each other, one that lags behind the climb and one that runs ahead."""
    for _ in range(60):
        middle = (low + high) / 2
        if np.abs(high - low).max() < 1e-12 * middle[0]:
            break
        where = kernels.side(middle, damping, law, slow, 0.1 * PRECISION, NEVER)
        if where == 0:
            break
        low, high = (low, middle) if where > 0 else (middle, high)
    return low, high
