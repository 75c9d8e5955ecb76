r"""The quasi-potential on a grid in the plane, by dynamic programming.

.. math:: V(x)=\min_y\big[V(y)+\ell(x,x-y)\big]

with y on rings of grid points around x, V linear between neighbours on a ring (as in ordered-line
methods, Dahiya and Cameron 2018), and straight jumps from anywhere where they are allowed.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["plane_potential"]

_RINGS = (1, 2, 5)  # radii in grid spacings: small ones for the edges and the start
_PARTS = 4  # places between neighbours on a ring
_EDGE = 1e-12


@door
def plane_potential(cost, first, second, *, start, jump=None, rings=_RINGS):
    r"""Return the quasi-potential from a grid point, on a grid.

    Args:
        cost: l (...,), cost of a short step as a function of (position, displacement) (..., 2);
            `step_cost` of a Hamiltonian, or a closed form.
        first: grid of the first coordinate (m,), evenly spaced.
        second: grid of the second coordinate (n,), evenly spaced.
        start: indices (i, j) of the point that costs nothing.
        jump: J (...,), cost of a jump as a function of (position, displacement); None for none.
        rings: radii in grid points; errors fall with the spacing and grow with the radius squared.

    Returns:
        V (m, n).

    Example:
        >>> x = np.linspace(-1, 1, 21)
        >>> size = lambda a: np.linalg.norm(a, axis=-1)
        >>> ou = lambda x, v: size(x) * size(v) + np.sum(x * v, axis=-1)  # drift -x, noise 1
        >>> v = plane_potential(ou, x, x, start=(10, 10))
        >>> print(v[20, 10].round(1), v[20, 20].round(1))
        1.0 2.0
    """
    x, y = (validate.finite(n, g) for n, g in (("first", first), ("second", second)))
    shape = (x.size, y.size)
    start = [
        validate.count(f"start[{i}]", k, low=0, high=n - 1)
        for i, (k, n) in enumerate(zip(start, shape, strict=True))
    ]
    rings = [validate.count("rings", radius) for radius in validate.row("rings", rings)]
    values = np.full(shape, np.inf)
    values[tuple(start)] = 0.0
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    spacing = np.array([x[1] - x[0], y[1] - y[0]])
    moves = [
        (a, b, s, _table(cost, grid, spacing, (1 - s) * np.array(a) + s * np.array(b)))
        for radius in rings
        for a, b in _segments(radius)
        for s in np.arange(_PARTS) / _PARTS
    ]
    while True:
        old = values.copy()
        for a, b, s, table in moves:
            near, other = _shifted(values, a), _shifted(values, b)
            between = near if s == 0 else (1 - s) * near + s * other
            values = np.minimum(values, between + table)
        if jump is not None:
            values = np.minimum(values, _jumped(values, grid, jump))
        finite = np.isfinite(values)
        if np.array_equal(finite, np.isfinite(old)) and np.all(
            old[finite] - values[finite] <= _EDGE * (1 + values[finite])
        ):
            return values


def _segments(radius):
    """Pairs of neighbouring offsets on the square ring of a radius, all the way round."""
    k = np.arange(-radius, radius)
    ring = [(-radius, i) for i in k] + [(i, radius) for i in k]
    ring += [(radius, -i) for i in k] + [(-i, -radius) for i in k]
    ring = [tuple(int(c) for c in offset) for offset in ring]
    return list(zip(ring, ring[1:] + ring[:1], strict=True))


def _table(cost, grid, spacing, offset):
    """Cost of arriving at each grid point from offset (in grid points), by the midpoint rule."""
    back = offset * spacing
    return cost(grid + back / 2, np.broadcast_to(-back, grid.shape))


def _shifted(values, offset):
    """Values at each point plus an offset, infinite outside the grid."""
    i, j = offset
    m, n = values.shape
    result = np.full((m, n), np.inf)
    to = (slice(max(-i, 0), m - max(i, 0)), slice(max(-j, 0), n - max(j, 0)))
    origin = (slice(max(i, 0), m + min(i, 0)), slice(max(j, 0), n + min(j, 0)))
    result[to] = values[origin]
    return result


def _jumped(values, grid, jump):
    """Least cost of a jump from anywhere to each point."""
    points, cost = grid.reshape(-1, 2), values.ravel()
    known = np.isfinite(cost)
    best = np.full(len(points), np.inf)
    for begin in range(0, len(points), 256):
        ends = points[begin : begin + 256]
        hops = jump(points[known][:, None], ends[None] - points[known][:, None])
        best[begin : begin + 256] = np.min(cost[known][:, None] + hops, axis=0)
    return best.reshape(values.shape)
