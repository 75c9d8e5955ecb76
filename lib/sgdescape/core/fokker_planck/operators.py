r"""Fokker-Planck operators by finite volumes, in one and two dimensions.

For the Ito process :math:`dx = a\,dt + \sqrt{2D(x)}\,dW` the current is
:math:`J = aP - \partial(DP)`. Across each face it is taken as constant together with a/D
(Scharfetter and Gummel's exponential fitting, for the unknown DP):
:math:`J = [\mathcal B(-w)D_iP_i - \mathcal B(w)D_{i+1}P_{i+1}]/(x_{i+1}-x_i)` with
:math:`w = \int a/D\,dx` from centre to centre (three-point Gauss quadrature) and Bernoulli's
function :math:`\mathcal B(w) = w/(e^w-1)`. Hence jump rates that are never negative, columns that
sum to zero, no cell Peclet number to respect, an error of second order in the cell width and, in
one dimension without current, the stationary density exact at the centres but for the quadrature;
Chang and Cooper's scheme is the same thing for a noise that does not depend on x. Where D
vanishes (position in phase space) it becomes the upwind scheme, of first order.
"""

import numpy as np

from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.faces import Axis, axis_edges, axis_rates, diagonal_rates, on_grid
from sgdescape.core.fokker_planck.generators import (
    Generator,
    QuasiStationary,
    absorb,
    committor,
    escape_rate,
    from_rates,
    mean_first_passage,
    prepare,
    quasi_stationary,
    spectral_gap,
    stationary,
)

__all__ = [
    "Generator",
    "QuasiStationary",
    "absorb",
    "committor",
    "currents",
    "escape_rate",
    "mean_first_passage",
    "on_parts",
    "operator_1d",
    "operator_2d",
    "prepare",
    "quasi_stationary",
    "spectral_gap",
    "stationary",
]


@door
def operator_1d(
    drift, diffusion, edges, *, left="reflecting", right="reflecting", absorbing=None
) -> Generator:
    r"""Return the generator of :math:`dx = a\,dt + \sqrt{2D(x)}\,dW` (Ito) on cells of an interval.

    Args:
        drift: function a(x), on arrays of any shape.
        diffusion: function D(x) >= 0, likewise; not the square root of it.
        edges: of the cells, increasing (cells + 1,), of any spacing.
        left: "reflecting", "absorbing" (at the edge itself) or "periodic", with ``right``.
        right: likewise.
        absorbing: cells that absorb, bool (cells,); or a function f(x) that is >= 0 where the
            process is gone: then the boundary lies at its zero, also inside a cell.

    Returns:
        The generator of cell probabilities; times are in the unit of 1 / a's time.

    Raises:
        ValueError: if edges, coefficients or boundaries are not as above.

    Example:
        Ornstein-Uhlenbeck process of variance 1:

        >>> edges = np.linspace(-6, 6, 241)
        >>> ou = operator_1d(lambda x: -x, lambda x: 1.0, edges)
        >>> round(spectral_gap(ou), 3)
        1.0
    """
    x = axis_edges("edges", edges, left, right, names=("left", "right"))
    outside = _outside(absorbing, (x.cells,), x.centres)
    rates = axis_rates(
        lambda z: on_grid("drift", drift(z[:, 0]), z[:, 0].shape)[:, None],
        lambda z: on_grid("diffusion", diffusion(z[:, 0]), z[:, 0].shape, low=0)[:, None],
        x,
        outside=outside[:, None],
        level=(lambda z: np.asarray(absorbing(z[:, 0]))[:, None]) if callable(absorbing) else None,
    )
    number = np.arange(x.cells)[:, None]
    return _assemble([(rates, number)], (x,), outside)


@door
def operator_2d(
    drift,
    diffusion,
    edges_x,
    edges_y,
    *,
    left="reflecting",
    right="reflecting",
    bottom="reflecting",
    top="reflecting",
    absorbing=None,
) -> Generator:
    r"""Return the generator of an Ito process in the plane, :math:`D_{ij}` with noise of 2D dt.

    :math:`\partial_tP = -\sum_i\partial_i(a_iP) + \sum_{ij}\partial_i\partial_j(D_{ij}P)`. Each
    axis is fitted exponentially (see the module); D may vanish along an axis (phase space). An
    off-diagonal D_xy is carried by jumps to diagonal neighbours, for which both widths must be
    uniform and :math:`|D_{xy}|/D_{yy} \le \Delta x/\Delta y \le D_{xx}/|D_{xy}|` must hold in
    every cell: this is what keeps all rates positive. Reflecting boundaries then belong where
    the density is negligible, because a jump across the corner of one is dropped.

    Args:
        drift: function (x, y) -> (a_x, a_y), on broadcast arrays; numbers are broadcast.
        diffusion: function (x, y) -> (D_xx, D_yy) or (D_xx, D_yy, D_xy), likewise.
        edges_x: of the cells, increasing (nx + 1,).
        edges_y: likewise (ny + 1,).
        left: boundary at the least x: "reflecting", "absorbing" or "periodic" (both sides).
        right: at the largest x.
        bottom: at the least y.
        top: at the largest y.
        absorbing: bool (nx, ny), absorption at the faces of these cells; or a function f(x, y)
            that is >= 0 where the process is gone: each axis meets the boundary at its true place.

    Returns:
        The generator; cell (i, j) is number i * ny + j.

    Raises:
        ValueError: if edges, coefficients or boundaries are not as above, or D_xy asks for
            negative rates; the message gives the ratio of widths that would do.

    Example:
        >>> edges = np.linspace(-5, 5, 41)
        >>> ou = operator_2d(lambda x, y: (-x, -2 * y), lambda x, y: (1, 1), edges, edges)
        >>> x, y = np.meshgrid(*ou.centres, indexing="ij")
        >>> law = stationary(ou)
        >>> round((law * x**2).sum(), 2), round((law * y**2).sum(), 2)
        (np.float64(1.0), np.float64(0.5))
    """
    x = axis_edges("edges_x", edges_x, left, right, names=("left", "right"))
    y = axis_edges("edges_y", edges_y, bottom, top, names=("bottom", "top"))
    grid = np.meshgrid(x.centres, y.centres, indexing="ij")
    outside = _outside(absorbing, (x.cells, y.cells), *grid)
    parts = on_parts(diffusion(*grid), "diffusion", (2, 3))
    cross = on_grid("diffusion", parts[2], outside.shape) if len(parts) == 3 else 0.0
    number = np.arange(outside.size).reshape(outside.shape)
    jumps, ratio = [], 0.0
    if np.any(cross):
        normal = [on_grid("diffusion", part, outside.shape, low=0) for part in parts[:2]]
        ratio, diagonal = diagonal_rates(*normal, cross, x, y, outside=outside)
        jumps.append((diagonal, number))
    for k, (axis, other) in enumerate(((x, y), (y, x))):
        given = ratio if k == 0 or not ratio else 1 / ratio
        plane = _plane(drift, diffusion, absorbing, k, other.centres, given)
        lanes = axis_rates(*plane[:2], axis, outside=_turn(outside, k), level=plane[2])
        jumps.append((lanes, _turn(number, k)))
    return _assemble(jumps, (x, y), outside)


@door
def currents(generator: Generator, probability):
    """Return the net probability per unit time through each face between two cells.

    Jumps to diagonal neighbours are counted half along either way round the corner, so that the
    net flow out of every cell is exactly what its probability loses. What absorbing cells take is
    ``generator.loss * probability``.

    Args:
        generator: any.
        probability: of the cells, on the grid or flat.

    Returns:
        Flows (nx - 1,) in one dimension, towards larger x; ((nx - 1, ny), (nx, ny - 1)) in two.
        A periodic axis has as many faces as cells; the last leads back to the first cell. Divide
        by the length of the face for the current density.
    """
    p = on_grid("probability", np.ravel(probability), (generator.active.size,))
    jumps = generator.matrix.tocoo()
    flow = jumps.data * p[jumps.col]
    start, end = (np.unravel_index(n, generator.shape) for n in (jumps.col, jumps.row))
    steps = []
    for axis, cells in enumerate(generator.shape):
        step = end[axis] - start[axis]
        if generator.periodic[axis]:
            step = (step + cells // 2) % cells - cells // 2
        steps.append(step)
    found = []
    for axis, cells in enumerate(generator.shape):
        low = np.where(steps[axis] > 0, start[axis], end[axis])
        total = np.zeros(generator.shape)
        for side in (start, end):  # at the first and at the last place along the other axis
            place = list(side)
            place[axis] = low
            np.add.at(total, tuple(place), 0.5 * np.sign(steps[axis]) * flow)
        faces = cells if generator.periodic[axis] else cells - 1
        found.append(total.take(np.arange(faces), axis=axis))
    return found[0] if len(found) == 1 else tuple(found)


@door
def on_parts(values, name, allowed):
    """Return what a coefficient function gave as a tuple of the allowed length."""
    if not isinstance(values, (tuple, list, np.ndarray)) or len(values) not in allowed:
        length = len(values) if hasattr(values, "__len__") else type(values).__name__
        raise ValueError(f"{name} must return {allowed} components: got {length}")
    return tuple(values)


def _turn(array, axis):
    return array if axis == 0 else array.T


def _plane(drift, diffusion, absorbing, axis, other, ratio):
    """Coefficients along one axis as functions of z (points, lanes), a lane a line of cells.

    What the jumps to diagonal neighbours already spread, ratio |D_xy|, is taken off the diffusion.
    """

    def call(function, z):
        lane = np.broadcast_to(other[None, :], z.shape)
        return function(z, lane) if axis == 0 else function(lane, z)

    def a(z):
        return on_grid("drift", on_parts(call(drift, z), "drift", (2,))[axis], z.shape)

    def d(z):
        parts = on_parts(call(diffusion, z), "diffusion", (2, 3))
        own = on_grid("diffusion", parts[axis], z.shape, low=0)
        if len(parts) == 2 or not ratio:
            return own
        return np.maximum(own - ratio * np.abs(on_grid("diffusion", parts[2], z.shape)), 0)

    def level(z):
        return on_grid("absorbing", call(absorbing, z), z.shape)

    return a, d, (level if callable(absorbing) else None)


def _outside(absorbing, shape, *centres):
    if absorbing is None:
        return np.zeros(shape, dtype=bool)
    if callable(absorbing):
        return on_grid("absorbing", absorbing(*centres), shape) >= 0
    mask = np.asarray(absorbing)
    if mask.dtype != bool or mask.shape != shape:
        raise ValueError(f"absorbing must be bool of shape {shape}: got {mask.dtype} {mask.shape}")
    return mask


def _assemble(jumps, axes: tuple[Axis, ...], outside):
    sources, targets, rates = [], [], []
    loss = np.zeros(outside.size)
    for found, number in jumps:
        np.add.at(loss, number[found.lossy], found.loss)
        sources.append(number[found.sources])
        targets.append(number[found.targets])
        rates.append(found.rates)
    return from_rates(
        *map(np.concatenate, (sources, targets, rates)),
        loss=loss,
        volumes=np.prod(np.meshgrid(*(a.widths for a in axes), indexing="ij"), axis=0).ravel(),
        active=~outside.ravel(),
        shape=outside.shape,
        centres=[a.centres for a in axes],
        periodic=[a.periodic for a in axes],
    )
