"""Climbs and jumps on a line: the cheapest sequence between the points of a grid.

A Hamiltonian that is finite only on a bounded domain of momenta allows jumps at a finite cost. In
one dimension the quasi-potential is then a shortest path: along the line, where going down is free,
or straight from any point to any other.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = [
    "CLIMB",
    "JUMP",
    "LinePotential",
    "line_potential",
    "refined_cost",
]

CLIMB, JUMP = "climb", "jump"


@dataclass(frozen=True)
class LinePotential:
    """Quasi-potential on a grid, and how each point is reached; see `line_potential`."""

    points: np.ndarray  # (n,) increasing
    values: np.ndarray  # (n,) cost from the start
    before: np.ndarray  # (n,) index of the point before on the cheapest path, -1 at the start
    jumped: np.ndarray  # (n,) bool: whether that step is a jump

    def path(self, stop: int) -> list[tuple[str, float]]:
        """Return the legs to the point with index ``stop``: (kind, where it ends)."""
        legs, at = [], int(stop)
        while self.before[at] >= 0:
            kind = JUMP if self.jumped[at] else CLIMB
            if kind == JUMP or not legs or legs[-1][0] == JUMP:
                legs.append((kind, float(self.points[at])))
            at = int(self.before[at])
        return legs[::-1]


@door
def line_potential(points, *, rightward, leftward, jump=None, start) -> LinePotential:
    r"""Return the cheapest cost of reaching each grid point by climbs and jumps.

    .. math:: V(x)=\min\Big\{\min_y V(y)+\int_y^x p\,dx,\ \min_y\big[V(y)+J(y,x-y)\big]\Big\}

    Args:
        points: x (n,), increasing.
        rightward: cost of moving from each point to the next on its right (n - 1,), 0 downhill.
        leftward: cost of moving from each point (but the first) to the next on its left (n - 1,).
        jump: J from point (row) to point (column) (n, n); None where there are no jumps.
        start: index of the point that costs nothing.

    Raises:
        ValueError: for shapes that do not fit, or negative costs.

    Example:
        >>> x = np.array([0.0, 1.0, 2.0])
        >>> jump = 1.5 * np.abs(x - x[:, None])
        >>> found = line_potential(x, rightward=[1.0, 3.0], leftward=[0, 0], jump=jump, start=0)
        >>> found.values.tolist(), found.path(2)
        ([0.0, 1.0, 2.5], [('climb', 1.0), ('jump', 2.0)])
    """
    x = validate.finite("points", points)
    n = x.size
    right = validate.within("rightward", rightward, low=0)
    left = validate.within("leftward", leftward, low=0)
    if x.ndim != 1 or np.any(np.diff(x) <= 0) or right.shape != (n - 1,) or left.shape != (n - 1,):
        raise ValueError(
            f"points must increase, with one cost between neighbours: got {x.shape}, "
            f"{right.shape}, {left.shape}"
        )
    hop = None if jump is None else validate.real("jump", jump)
    if hop is not None and (hop.shape != (n, n) or not np.all(hop >= 0)):
        raise ValueError(f"jump must be ({n}, {n}), not negative nor NaN: got shape {hop.shape}")
    start = validate.count("start", start, low=0, high=n - 1)
    values, before, jumped = np.full(n, np.inf), np.full(n, -1), np.zeros(n, bool)
    values[start] = 0.0
    while True:
        old = values.copy()
        _walk(values, before, jumped, right, left)
        if hop is not None:
            total = values[:, None] + hop
            origin = np.argmin(total, axis=0)
            cost = total[origin, np.arange(n)]
            better = cost < values * (1 - 1e-12)
            values[better], before[better], jumped[better] = cost[better], origin[better], True
        if np.array_equal(old, values):
            return LinePotential(x, values, before, jumped)


def _walk(values, before, jumped, right, left):
    """Move along the line in both directions, in place."""
    for k in range(len(right)):
        if values[k] + right[k] < values[k + 1] * (1 - 1e-12):
            values[k + 1], before[k + 1], jumped[k + 1] = values[k] + right[k], k, False
    for k in range(len(left) - 1, -1, -1):
        if values[k + 1] + left[k] < values[k] * (1 - 1e-12):
            values[k], before[k], jumped[k] = values[k + 1] + left[k], k + 1, False


@door
def refined_cost(legs, *, start, climb, jump) -> tuple[float, list[tuple[str, float]]]:
    """Return the cost of a sequence of legs after moving its stops off the grid, and the legs.

    The last stop stays where it is.

    Args:
        legs: as `LinePotential.path` gives them.
        start: x where the first leg starts.
        climb: cost of climbing from one position to another, a function of (from, to).
        jump: cost of jumping, a function of (from, to).

    Example:
        >>> legs = [("climb", 0.4), ("jump", 2.0)]
        >>> cost, legs = refined_cost(
        ...     legs, start=0.0, climb=lambda a, b: b**2 - a**2, jump=lambda a, b: b - a
        ... )
        >>> print(round(cost, 6), round(legs[0][1], 4))
        1.75 0.5
    """
    start = float(validate.finite("start", start))
    kinds, stops = [kind for kind, _ in legs], np.array([stop for _, stop in legs])

    def total(inner):
        ends = np.concatenate([[start], inner, stops[-1:]])
        pairs = zip(kinds, ends[:-1], ends[1:], strict=True)
        return sum((jump if kind == JUMP else climb)(a, b) for kind, a, b in pairs)

    if not np.isfinite(first := float(total(stops[:-1]))):
        raise ValueError(f"climb and jump must give finite costs along the legs: got {first}")
    if len(stops) < 2:
        return first, legs
    options = {"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000}
    found = optimize.minimize(total, stops[:-1], method="Nelder-Mead", options=options)
    inner = [*found.x.tolist(), float(stops[-1])]
    return float(found.fun), list(zip(kinds, inner, strict=True))
