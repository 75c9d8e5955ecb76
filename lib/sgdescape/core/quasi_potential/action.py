r"""Cheapest paths for a Hamiltonian given as a function: the geometric minimum action.

For small noise the chance to be carried along a path is exp(-S/eps), where S does not ask how fast
the path is run (Heymann and Vanden-Eijnden 2008):

.. math:: S=\int\ell(x,dx),\qquad \ell(x,v)=\max\{p\cdot v:\ H(x,p)\le0\}

H must be convex in p with H(x, 0) = 0; it may be infinite outside a domain of momenta, as for
samples with exponential tails. For a drift b and noise covariance eps A it is b.p + p.A p/2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = [
    "ActionPath",
    "diffusion_hamiltonian",
    "minimum_action",
    "path_cost",
    "spread",
    "step_cost",
]

_NEWTON = 40  # steps; a quadratic Hamiltonian needs one
_SHIFT = 1e-5  # of a momentum or position, for derivatives
_RIDGE = 1e-6  # added to a Hessian, in units of the covariance: it moves no solution


@dataclass(frozen=True)
class ActionPath:
    """A path of least cost; see `minimum_action`."""

    points: np.ndarray  # (n, d)
    momenta: np.ndarray  # (n - 1, d) between the points
    cost: float  # S
    gradient: float  # largest derivative of S with respect to an inner point, 0 at the minimum


@door
def diffusion_hamiltonian(drift: Callable, covariance: Callable):
    r"""Return H(x, p) = b.p + p.A p/2 of a diffusion with drift b and noise covariance eps A.

    Args:
        drift: b (..., d), a function of x (..., d).
        covariance: A (..., d, d), a function of x (..., d).
    """

    def hamiltonian(x, p):
        quadratic = np.einsum("...i,...ij,...j->...", p, covariance(x), p)
        return np.sum(drift(x) * p, axis=-1) + quadratic / 2

    return hamiltonian


@door
def step_cost(hamiltonian, position, displacement):
    r"""Return l(x, v), the cost of moving from x by a short v, and its momenta.

    Newton's method on :math:`\max p\cdot v` under H(x, p) = 0: each step solves the quadratic
    model exactly, and is shortened where it would leave the domain of momenta.

    Args:
        hamiltonian: H (...,) of x and p (..., d), convex in p, infinite outside its domain.
        position: x (..., d).
        displacement: v (..., d).

    Returns:
        (cost (...,), momentum (..., d), multiplier (...,)): :math:`v=\mu\,\partial_pH`.

    Example:
        >>> ou = diffusion_hamiltonian(lambda x: -x, lambda x: 2 * np.eye(x.shape[-1]))
        >>> cost, momentum, _ = step_cost(ou, np.array([2.0]), np.array([0.1]))
        >>> print(cost.round(9), momentum.round(9))
        0.2 [2.]
    """
    x, v = np.broadcast_arrays(
        validate.finite("position", position), validate.finite("displacement", displacement)
    )
    p, multiplier, floor = np.zeros(x.shape), np.zeros(x.shape[:-1]), None
    for _ in range(_NEWTON):
        value, gradient, hessian = _derivatives(hamiltonian, x, p)
        if floor is None:  # bounded noise: H is straight far out, and its Hessian zero
            size = np.trace(hessian, axis1=-2, axis2=-1)[..., None, None]
            floor = _RIDGE * size * np.eye(p.shape[-1])
        hessian = hessian + floor
        inverse_v = np.linalg.solve(hessian, v[..., None])[..., 0]
        inverse_g = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        room = np.maximum(np.sum(gradient * inverse_g, axis=-1) - 2 * value, 0)
        size = np.sum(v * inverse_v, axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            push = np.where(size > 0, np.sqrt(room / size), 0.0)
            multiplier = np.where(push > 0, 1 / push, 0.0)
        change = push[..., None] * inverse_v - inverse_g
        change = _shortened(hamiltonian, x, p, change, value)
        p = p + change
        if np.all(np.abs(change) <= 1e-11 * (1 + np.abs(p))):
            break
    return np.sum(p * v, axis=-1), p, multiplier


@door
def path_cost(hamiltonian, points) -> float:
    """Return S of a broken line, by the midpoint rule.

    Args:
        hamiltonian: as in `step_cost`.
        points: (n, d).
    """
    points = validate.finite("points", points)
    middle, step = (points[1:] + points[:-1]) / 2, np.diff(points, axis=0)
    return float(step_cost(hamiltonian, middle, step)[0].sum())


@door
def minimum_action(hamiltonian, path, *, points=101, rounds=8, iterations=60) -> ActionPath:
    r"""Return the cheapest path between the ends of a given one.

    The inner points move by L-BFGS with the exact gradient (p* is the derivative with respect to a
    step, :math:`-\mu\,\partial_xH` that with respect to its place); after each round they are
    spread evenly again, for S does not care where they are along the path.

    Args:
        hamiltonian: as in `step_cost`.
        path: first guess (m, d), its ends are kept; the minimum found may depend on it.
        points: of the result.
        rounds: of minimising and spreading.
        iterations: of L-BFGS in a round.

    Example:
        >>> well = diffusion_hamiltonian(lambda x: -x, lambda x: 2 * np.eye(2))
        >>> found = minimum_action(well, np.array([[0, 0], [1, 1.5], [2, 0]]), points=31)
        >>> print(round(found.cost, 4))
        2.0
    """
    points = validate.count("points", points, low=3)
    x = spread(validate.finite("path", path), points)
    for number in range(validate.count("rounds", rounds)):
        shape = x[1:-1].shape

        def action(inner, ends=(x[:1], x[-1:]), shape=shape):
            whole = np.concatenate([ends[0], inner.reshape(shape), ends[1]])
            cost, slope, _ = _action(hamiltonian, whole)
            return cost, slope[1:-1].ravel()

        options = {"maxiter": validate.count("iterations", iterations), "maxcor": 30}
        inner = x[1:-1].ravel()
        found = optimize.minimize(action, inner, jac=True, method="L-BFGS-B", options=options)
        x = np.concatenate([x[:1], found.x.reshape(shape), x[-1:]])
        if number + 1 < rounds:
            x = spread(x, points)
    cost, slope, momenta = _action(hamiltonian, x)
    return ActionPath(x, momenta, float(cost), float(np.abs(slope[1:-1]).max()))


@door
def spread(path, points) -> np.ndarray:
    """Return a path with points at equal distances along it.

    Args:
        path: (m, d).
        points: their number.

    Example:
        >>> spread(np.array([[0.0], [1.0], [4.0]]), 3).ravel().tolist()
        [0.0, 2.0, 4.0]
    """
    path = validate.finite("path", path)
    validate.count("points", points, low=2)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, length[-1], points)
    return np.stack([np.interp(at, length, column) for column in path.T], axis=1)


def _action(hamiltonian, x):
    """Cost, its derivative with respect to every point (n, d), and the momenta (n - 1, d)."""
    middle, step = (x[1:] + x[:-1]) / 2, np.diff(x, axis=0)
    cost, p, multiplier = step_cost(hamiltonian, middle, step)
    slope = np.zeros_like(x)
    slope[1:] += p
    slope[:-1] -= p
    place = -multiplier[:, None] * _place_derivative(hamiltonian, middle, p) / 2
    slope[1:] += place
    slope[:-1] += place
    return cost.sum(), slope, p


def _derivatives(hamiltonian, x, p):
    """H, its gradient and Hessian in p by central differences."""
    d = p.shape[-1]
    h = _SHIFT * (1 + np.abs(p).max(axis=-1, keepdims=True))
    value = hamiltonian(x, p)
    gradient, hessian = np.empty(p.shape), np.empty((*p.shape, d))
    for i, e in enumerate(np.eye(d)):
        up, low = hamiltonian(x, p + h * e), hamiltonian(x, p - h * e)
        gradient[..., i] = (up - low) / (2 * h[..., 0])
        hessian[..., i, i] = (up - 2 * value + low) / h[..., 0] ** 2
        for j, f in enumerate(np.eye(d)[:i]):
            cross = hamiltonian(x, p + h * (e + f)) + hamiltonian(x, p - h * (e + f))
            mixed = (cross - hamiltonian(x, p + h * (e - f)) - hamiltonian(x, p - h * (e - f))) / (
                4 * h[..., 0] ** 2
            )
            hessian[..., i, j] = hessian[..., j, i] = mixed
    return value, gradient, hessian


def _shortened(hamiltonian, x, p, change, value):
    """The Newton step, halved until it ends well inside the domain of momenta."""
    scale = np.ones(value.shape)
    for _ in range(60):
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            there = hamiltonian(x, p + 1.05 * scale[..., None] * change)
        outside = ~np.isfinite(there)
        if not outside.any():
            break
        scale = np.where(outside, scale / 2, scale)
    return scale[..., None] * change


def _place_derivative(hamiltonian, x, p):
    result = np.empty(x.shape)
    h = _SHIFT * (1 + np.abs(x).max(axis=-1, keepdims=True))
    for i, e in enumerate(np.eye(x.shape[-1])):
        result[..., i] = (hamiltonian(x + h * e, p) - hamiltonian(x - h * e, p)) / (2 * h[..., 0])
    return result
