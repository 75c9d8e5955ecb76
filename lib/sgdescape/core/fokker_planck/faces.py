"""Jump rates across the faces of a grid, one axis at a time; see
`sgdescape.core.fokker_planck.operators`.

Arrays are (places along the axis, lanes): a lane is one line of cells along the axis.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Axis", "Jumps", "axis_edges", "axis_rates", "bernoulli", "diagonal_rates", "on_grid"]

NODES, WEIGHTS = (
    0.5 * (v + s) for v, s in zip(np.polynomial.legendre.leggauss(3), (1, 0), strict=True)
)
SHORTEST = 1e-6  # distance to a boundary, in units of the distance between two centres


@dataclass(frozen=True)
class Axis:
    """Cells along one axis."""

    edges: np.ndarray  # (cells + 1,)
    centres: np.ndarray  # (cells,)
    widths: np.ndarray  # (cells,)
    first: str  # boundary at the least value
    last: str  # at the largest

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.centres)

    @property
    def periodic(self) -> bool:
        """Whether the last cell has the first for neighbour."""
        return self.first == "periodic"

    @property
    def uniform(self) -> bool:
        """Whether all widths are equal to rounding."""
        return bool(np.ptp(self.widths) <= 1e-9 * self.widths.max())


@dataclass(frozen=True)
class Jumps:
    """Rates of jumps between places of a grid and out of it."""

    sources: tuple[np.ndarray, ...]  # index arrays (jumps,)
    targets: tuple[np.ndarray, ...]
    rates: np.ndarray  # (jumps,)
    lossy: tuple[np.ndarray, ...]  # index arrays (exits,)
    loss: np.ndarray  # (exits,)


@door
def axis_edges(name, edges, first, last, *, names) -> Axis:
    """Return the cells between edges, checked."""
    edges = validate.finite(name, edges)
    if edges.ndim != 1 or edges.size < 3:
        raise ValueError(f"{name} must be at least 3 numbers in a row: got shape {edges.shape}")
    if np.any(np.diff(edges) <= 0):
        raise ValueError(f"{name} must increase: least difference {np.diff(edges).min()}")
    for side, kind in zip(names, (first, last), strict=True):
        validate.one_of(side, kind, ("reflecting", "absorbing", "periodic"))
    if (first == "periodic") != (last == "periodic"):
        raise ValueError(f"{names[0]} and {names[1]} must both be periodic: got {first}, {last}")
    axis = Axis(edges, 0.5 * (edges[1:] + edges[:-1]), np.diff(edges), first, last)
    if axis.periodic and axis.cells < 3:
        raise ValueError(f"{name} must make at least 3 cells if periodic: got {axis.cells}")
    return axis


@door
def on_grid(name, values, shape, *, low=None) -> np.ndarray:
    """Return values broadcast to a shape; refuse what is not finite, not real or below ``low``."""
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers: got {values.dtype}")
    try:
        values = np.broadcast_to(values, shape)
    except ValueError:
        raise ValueError(f"{name} must have shape {shape} or less: got {values.shape}") from None
    validate.finite(name, values)
    if low is not None and values.min() < low:
        raise ValueError(f"{name} must be at least {low}: least is {values.min()}")
    return values


@door
def bernoulli(w) -> tuple[np.ndarray, np.ndarray]:
    r"""Return :math:`\mathcal B(-w)` and :math:`\mathcal B(w) = w/(e^w-1)`, both >= 0.

    Example:
        >>> bernoulli(np.array([0.0, 800.0, -800.0]))
        (array([  1., 800.,   0.]), array([  1.,   0., 800.]))
    """
    w = validate.finite("w", w)
    size = np.abs(w)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        small = np.where(size > 0, size / np.expm1(size), 1.0)
    return np.where(w > 0, small + size, small), np.where(w > 0, small, small + size)


def axis_rates(drift, diffusion, axis: Axis, *, outside, level=None) -> Jumps:
    """Return the jumps along one axis.

    Args:
        drift: function of z (places, lanes), the component along the axis.
        diffusion: likewise.
        axis: the cells.
        outside: bool (cells, lanes), cells that absorb.
        level: function of z, >= 0 where the process is gone: the boundary lies at its zero; None:
            at the faces of the cells outside.
    """
    lanes = outside.shape[1]
    inside = ~outside
    x = axis.centres
    here, there = np.arange(axis.cells - 1), np.arange(1, axis.cells)
    x0, x1 = x[here], x[there]
    if axis.periodic:
        here, there = np.append(here, axis.cells - 1), np.append(there, 0)
        x0 = np.append(x0, x[-1])
        x1 = np.append(x1, axis.edges[-1] + x[0] - axis.edges[0])
    up, down = _fitted(drift, diffusion, x0, x1, x[there], lanes)
    volume = axis.widths[:, None]
    pair = inside[here] & inside[there]
    face, lane = np.nonzero(pair)
    i, j = here[face], there[face]
    sources = (np.concatenate([i, j]), np.concatenate([lane, lane]))
    targets = (np.concatenate([j, i]), np.concatenate([lane, lane]))
    rates = np.concatenate([(up / volume[here])[pair], (down / volume[there])[pair]])
    exits = []
    for near, far, start, stop in ((here, there, x0, x1), (there, here, x1, x0)):
        face, lane = np.nonzero(inside[near] & outside[far])
        if face.size:
            shift = x[near[face]] - start[face]  # of a period, or nothing
            a, b = start[face] + shift, stop[face] + shift
            if level is None:
                half = 0.5 * axis.widths[near[face]] * np.sign(b - a)
                share = half / (b - a)
            else:
                share = _crossing(level, a, b, lane, lanes)
            out = _exit(drift, diffusion, a, a + share * (b - a), lane, lanes)
            exits.append((near[face], lane, out / axis.widths[near[face]]))
    for kind, cell, edge in ((axis.first, 0, axis.edges[0]), (axis.last, -1, axis.edges[-1])):
        if kind == "absorbing":
            lane = np.flatnonzero(inside[cell])
            a = np.full(lane.size, x[cell])
            out = _exit(drift, diffusion, a, np.full(lane.size, edge), lane, lanes)
            place = np.full(lane.size, cell % axis.cells)
            exits.append((place, lane, out / axis.widths[cell]))
    exits = exits or [(_NONE, _NONE, _ZERO)]
    place, lane, loss = (np.concatenate(v) for v in zip(*exits, strict=True))
    return Jumps(sources, targets, rates, (place, lane), loss)


_NONE, _ZERO = np.zeros(0, dtype=int), np.zeros(0)


def diagonal_rates(d_xx, d_yy, d_xy, x: Axis, y: Axis, *, outside) -> tuple[float, Jumps]:
    """Return the ratio of widths and the jumps to diagonal neighbours that carry D_xy."""
    if not (x.uniform and y.uniform):
        raise ValueError("edges_x and edges_y must be uniform if D_xy is not zero")
    if x.periodic or y.periodic:
        raise ValueError("boundaries must not be periodic if D_xy is not zero")
    ratio = x.widths[0] / y.widths[0]
    size = np.abs(d_xy)
    inside = ~outside
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(size > 0, size / d_yy, 0.0)[inside].max(initial=0.0)
        most = np.where(size > 0, d_xx / size, np.inf)[inside].min(initial=np.inf)
    if not least * (1 - 1e-12) <= ratio <= most * (1 + 1e-12):
        raise ValueError(
            f"cell widths must have a ratio dx/dy in [{least:.4g}, {most:.4g}], for D_xy to keep "
            f"rates positive: got {ratio:.4g}"
        )
    rate = size / (x.widths[0] * y.widths[0])
    found = [[], [], [], [], []]
    for step in (1, -1):
        i, j = np.nonzero(inside & (size > 0))
        k, m = i + step, j + step * np.sign(d_xy[i, j]).astype(int)
        there = (k >= 0) & (k < x.cells) & (m >= 0) & (m < y.cells)
        exits = _leaves(k, x) | _leaves(m, y)
        i, j, k, m, exits = *(v[there | exits] for v in (i, j, k, m)), exits[there | exits]
        gone = exits.copy()
        gone[~exits] = outside[k[~exits], m[~exits]]
        found[0].append(np.stack([i, j])[:, ~gone])
        found[1].append(np.stack([k, m])[:, ~gone])
        found[2].append(rate[i, j][~gone])
        found[3].append(np.stack([i, j])[:, gone])
        found[4].append(rate[i, j][gone])
    s, t, r, lossy, loss = (np.concatenate(v, axis=-1) for v in found)
    return float(ratio), Jumps(tuple(s), tuple(t), r, tuple(lossy), loss)


def _leaves(index, axis):
    low, high = axis.first == "absorbing", axis.last == "absorbing"
    return ((index < 0) & low) | ((index >= axis.cells) & high)


def _fitted(drift, diffusion, x0, x1, x1_home, lanes):
    """Rates times width, up and down, between two columns of points (faces,)."""

    def column(function, z):
        return function(np.broadcast_to(z[:, None], (len(z), lanes)))

    d0, d1 = column(diffusion, x0), column(diffusion, x1_home)
    w, least = 0.0, np.minimum(d0, d1)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        z = x0 + node * (x1 - x0)
        d = column(diffusion, z)
        least = np.minimum(least, d)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            w = w + weight * column(drift, z) / d
    length = (x1 - x0)[:, None]
    middle = column(drift, 0.5 * (x0 + x1))
    return _rates(w * length, d0, d1, middle, np.abs(length), np.sign(length), least)


def _rates(w, d0, d1, drift, distance, sign, least):
    # Where D = 0 a central difference could make rates negative: upwind.
    plain = (least > 0) & np.isfinite(w)
    up, down = bernoulli(np.where(plain, w, 0.0))
    up = np.where(plain, up * d0, d0 + np.maximum(sign * drift, 0) * distance) / distance
    down = np.where(plain, down * d1, d1 + np.maximum(-sign * drift, 0) * distance) / distance
    return up, down


def _exit(drift, diffusion, a, b, lane, lanes):
    """Rate times width of leaving from a to an absorbing point b (exits,)."""

    def at(function, z):
        full = np.broadcast_to(z[:, None], (len(z), lanes))
        return function(full)[np.arange(len(z)), lane]

    d0 = at(diffusion, a)
    w, least = 0.0, d0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        z = a + node * (b - a)
        d = at(diffusion, z)
        least = np.minimum(least, d)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            w = w + weight * at(drift, z) / d
    middle = at(drift, 0.5 * (a + b))
    return _rates(w * (b - a), d0, d0, middle, np.abs(b - a), np.sign(b - a), least)[0]


def _crossing(level, a, b, lane, lanes):
    """Share of the way from a (inside) to b (outside) at which level reaches zero, by halving."""
    low, high = np.zeros(len(a)), np.ones(len(a))
    for _ in range(50):
        share = 0.5 * (low + high)
        z = np.broadcast_to((a + share * (b - a))[:, None], (len(a), lanes))
        gone = level(z)[np.arange(len(a)), lane] >= 0
        low, high = np.where(gone, low, share), np.where(gone, share, high)
    return np.maximum(high, SHORTEST)
