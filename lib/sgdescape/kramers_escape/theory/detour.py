r"""The cheapest path over the saddle, on the escape axis or off it: minimum action in the plane.

With weak noise the chance to be carried along a path is exp(-S B/eta). For Eq. (12),

.. math:: S=\int\frac{|dz|_L\,|\nabla L|_L+\langle dz,\nabla L\rangle_L}{L},\qquad
          \langle a,b\rangle_L=\sum_i\frac{a_ib_i}{2h_i^*},

whatever the speed (Freidlin and Wentzell; Heymann and Vanden-Eijnden 2008). On the axis it is
log(c)/h_e*. `core.quasi_potential.minimum_action` finds such paths for any Hamiltonian, by Newton's
method and differences at every point; here the cost of a step and its gradient are known in closed
form, in coordinates that reach far out, and `axis_threshold` needs many paths.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.quasi_potential.action import spread
from sgdescape.kramers_escape.landscape import Landscape, axis_profile, path_loss
from sgdescape.kramers_escape.theory.dimension import focusing_threshold

_ROUNDS = 40  # of minimising, and of spreading the points again, at most
_CONVERGED = 1e-5  # relative change of the action in a round that ends them
_TOPS = (4.0, 16.0)  # losses of the first guesses, in units of the saddle's


@dataclass(frozen=True)
class Detour:
    """The cheapest path found off the escape axis.

    Attributes:
        along: z_e of its points (points,), from 0 to the saddle.
        across: z_j of its points (points,), from 0 to 0.
        action: S h_e*, to compare with log c: exp(-S B/eta) is the chance.
        loss_ratio: L/L* at its points (points,).
    """

    along: np.ndarray  # (points,)
    across: np.ndarray  # (points,)
    action: float
    loss_ratio: np.ndarray  # (points,)


@door
def off_axis(landscape: Landscape, *, points: int = 120) -> Detour:
    r"""Return the cheapest path over the saddle that leaves the escape axis, Eq. (detour).

    The points of a broken line move by L-BFGS, from paths that go up across the axis, over, and
    down onto the saddle. Where no path off the axis is stationary they come back towards it, and
    the action is above log c, that of the axis.

    Args:
        landscape: with one transverse direction; the loss separates.
        points: of the path; the error of the action is of order 1/points^2.

    Raises:
        ValueError: for another number of transverse directions.

    Example:
        >>> found = off_axis(Landscape(loss_ratio=4.0, transverse=(4.0,)), points=60)
        >>> print(round(found.action, 2), round(np.log(4.0), 2))
        1.29 1.39
    """
    if len(landscape.transverse) != 1:
        raise ValueError(f"transverse must hold one curvature: got {landscape.transverse}")
    unit = _unit(landscape)
    path, action = _cheapest(unit, validate.count("points", points, low=10), _ROUNDS)
    along, across = _place(unit, path)
    scale = np.sqrt(landscape.minimum_loss / landscape.curvature_minimum)
    loss = path_loss(unit, along) + unit.transverse[0] * across**2 / 2
    return Detour(along * scale, across * scale, float(action), loss)


@door
def axis_threshold(ratio: float, *, curvature_saddle: float = -0.5, points: int = 40) -> float:
    """Return the loss ratio above which a path off the axis is cheaper than the axis.

    Below `focusing_threshold`, where the axis stops being even locally the cheapest.

    Args:
        ratio: rho = h_j*/h_e*, above 1.
        curvature_saddle: h_e^s in units of h_e*, in [-1, -1/2].
        points: of the paths.

    Raises:
        ValueError: for a ratio of 1 or below, where no path off the axis is cheaper.

    Example:
        >>> round(axis_threshold(4.0), 1)
        3.4
    """
    points = validate.count("points", points, low=10, high=10_000)
    rho = validate.positive("ratio", ratio)
    if rho <= 1:
        raise ValueError(f"ratio must be above 1: got {ratio}")
    count = validate.count("points", points, low=10)
    return _axis_threshold(float(rho), float(curvature_saddle), int(count))


@functools.cache
def _axis_threshold(ratio, curvature_saddle, points):
    top = np.log(focusing_threshold(ratio, curvature_saddle=curvature_saddle))

    def gain(log_ratio):
        shape = Landscape(
            loss_ratio=float(np.exp(log_ratio)),
            curvature_saddle=curvature_saddle,
            transverse=(ratio,),
        )
        # few rounds: where they are not enough the axis is cheaper by far
        return _cheapest(_unit(shape), points, 4)[1] / log_ratio - 1

    return float(np.exp(optimize.brentq(gain, 0.3 * top, top, xtol=3e-3)))


def _unit(landscape):
    """The landscape in units h_e* = L* = 1, on which the action does not depend otherwise."""
    h = landscape.curvature_minimum
    return replace(
        landscape,
        minimum_loss=1.0,
        curvature_minimum=1.0,
        curvature_saddle=landscape.curvature_saddle / h,
        transverse=(landscape.transverse[0] / h,),
    )


def _place(shape, path):
    """Positions (z, y) of points (u, v): u in units of the saddle, v logarithmic far out."""
    return shape.saddle * path[..., 0], np.sinh(path[..., 1])


def _cheapest(shape, points, rounds):
    """Path (points, 2) and action, the better one from two first guesses."""
    found = [_minimise(shape, _guess(shape, top, points), rounds) for top in _TOPS]
    return min(found, key=lambda one: one[1])


def _guess(shape, top, points):
    height = np.arcsinh(np.sqrt(2 * top * shape.loss_ratio / shape.transverse[0]))
    corners = np.array([[0, 0], [0.1, height], [0.9, height], [1, 0]], dtype=float)
    return spread(corners, points)


def _action(shape, path):
    """Action of a line (n, 2) on a `_unit`, by the midpoint rule, and its gradient (n, 2)."""
    rho, (u, v) = shape.transverse[0], path.T
    um, vm = (u[1:] + u[:-1]) / 2, (v[1:] + v[:-1]) / 2
    dz, dy = shape.saddle * np.diff(u), np.diff(np.sinh(v))
    y = np.sinh(vm)
    rise, slope, bend = axis_profile(shape.ratio, um)
    loss, slope = 1 + shape.saddle**2 * rise + rho * y**2 / 2, shape.saddle * slope
    length = np.sqrt(dz**2 + dy**2 / rho) + 1e-300
    steep = np.sqrt(slope**2 + rho * y**2) + 1e-300
    cost = (length * steep + dz * slope + dy * y) / (2 * loss)
    # derivatives by the step (dz, dy) and by the place (z, y)
    by_dz = (steep * dz / length + slope) / (2 * loss)
    by_dy = (steep * dy / (rho * length) + y) / (2 * loss)
    by_z = (length * slope * bend / steep + dz * bend) / (2 * loss) - cost * slope / loss
    by_y = (length * rho * y / steep + dy) / (2 * loss) - cost * rho * y / loss
    gradient = np.zeros_like(path)
    gradient[1:, 0] += shape.saddle * (by_z / 2 + by_dz)
    gradient[:-1, 0] += shape.saddle * (by_z / 2 - by_dz)
    gradient[1:, 1] += by_y * np.cosh(vm) / 2 + by_dy * np.cosh(v[1:])
    gradient[:-1, 1] += by_y * np.cosh(vm) / 2 - by_dy * np.cosh(v[:-1])
    return cost.sum(), gradient


def _minimise(shape, path, rounds):
    ends = path[:1], path[-1:]
    size = path[1:-1].shape

    def target(inner):
        whole = np.concatenate([ends[0], inner.reshape(size), ends[1]])
        value, gradient = _action(shape, whole)
        return value, gradient[1:-1].ravel()

    before = np.inf
    for _ in range(rounds):
        options = {"maxiter": 80, "maxcor": 20}
        found = optimize.minimize(
            target, path[1:-1].ravel(), jac=True, method="L-BFGS-B", options=options
        )
        path = np.concatenate([ends[0], found.x.reshape(size), ends[1]])
        path = spread(path, len(path))
        value = _action(shape, path)[0]
        if before - value < _CONVERGED * value:
            break
        before = value
    return path, value
