"""A second route to the barrier: the action of a discretised path, minimised directly.

The cost of a push is the Legendre transform of Lambda, in closed form for normal inputs. It needs
no Hamiltonian equations, no family of extremals and no root at the end; and the action of any path
is an upper bound of w, up to the discretisation.
"""

import numpy as np
from scipy.linalg import expm
from scipy.sparse import coo_matrix, eye
from scipy.sparse.linalg import spsolve

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def push_cost(position, rate):
    r"""Return the Legendre transform of Lambda for normal inputs, and the tilt that attains it.

    sup_p [p y - Lambda(theta, p)] with p = theta + r, (1 + theta^2 - r^2) y = r:
    Eq. (momentum-lagrangian). It grows like |y|: the domain of tilts is bounded.

    Args:
        position: theta.
        rate: y, the mean of -g under the tilt; -theta costs nothing.

    Returns:
        ``(cost, tilt)``.

    Example:
        >>> cost, tilt = push_cost(0.5, -0.5)
        >>> bool(abs(cost) < 1e-12), bool(abs(tilt) < 1e-12)
        (True, True)
    """
    th, y = validate.finite("position", position), validate.finite("rate", rate)
    # the root between the ends of the domain, in the form that loses no digits at small y
    r = 2 * (1 + th**2) * y / (1 + np.sqrt(1 + 4 * (1 + th**2) * y**2))
    p = th + r
    inside = 2 * (1 + th**2) / (1 + np.sqrt(1 + 4 * (1 + th**2) * y**2))  # 1 + 2 p th - p^2
    return p * y + np.log(inside) / 2, p


def _path_action(path, times, damping):
    """Return the action of a path theta(t) in the oscillator's time, and its gradient.

    Args:
        path: (n,) theta, on an even grid.
        times: (n,) the grid.
        damping: zeta > 0.
    """
    h, z = times[1] - times[0], damping
    v = (path[2:] - path[:-2]) / (2 * h)
    pull = (path[2:] - 2 * path[1:-1] + path[:-2]) / h**2
    th = path[1:-1]
    y = pull + 2 * z * v
    cost, p = push_cost(th, y)
    by_th = p / (1 + 2 * p * th - p * p)  # -dLambda/dtheta
    scale = h / (2 * z)
    gradient = np.zeros_like(path)
    gradient[1:-1] += scale * (by_th - 2 * p / h**2)
    gradient[2:] += scale * p * (1 / h**2 + z / h)
    gradient[:-2] += scale * p * (1 / h**2 - z / h)
    # the way from the minimum to the first points costs theta^2 + v^2, as long as both are small
    first = (path[0] + path[1]) / 2
    speed = (path[1] - path[0]) / h
    gradient[0] += first - 2 * speed / h
    gradient[1] += first + 2 * speed / h
    return scale * cost.sum() + first**2 + speed**2, gradient


def _path_curvature(path, times, damping):
    """Return the second derivatives of `_path_action`, (n, n) sparse with five diagonals."""
    h, z, n = times[1] - times[0], damping, len(path)
    th = path[1:-1]
    y = (path[2:] - 2 * th + path[:-2]) / h**2 + z * (path[2:] - path[:-2]) / h
    r = push_cost(th, y)[1] - th
    inside = 1 + th**2 - r**2
    by_rate, by_place = inside / (1 + 2 * r * y), 2 * th * y / (1 + 2 * r * y)  # of r
    mixed = 1 + by_place
    place = (mixed * inside - (th + r) * (2 * th - 2 * r * by_place)) / inside**2
    stencil = np.array([1 / h**2 - z / h, -2 / h**2, 1 / h**2 + z / h])  # of y
    own = np.array([0.0, 1.0, 0.0])  # of theta
    block = (
        np.multiply.outer(by_rate, np.outer(stencil, stencil))
        + np.multiply.outer(mixed, np.outer(stencil, own) + np.outer(own, stencil))
        + np.multiply.outer(place, np.outer(own, own))
    ) * (h / (2 * z))
    at = np.arange(n - 2)[:, None, None]
    i, j = np.arange(3)[:, None], np.arange(3)[None, :]
    rows, columns = (np.broadcast_to(at + k, block.shape).ravel() for k in (i, j))
    first = np.array([[0.5 + 2 / h**2, 0.5 - 2 / h**2], [0.5 - 2 / h**2, 0.5 + 2 / h**2]])
    total = coo_matrix((block.ravel(), (rows, columns)), shape=(n, n)).tolil()
    total[:2, :2] += first
    return total.tocsr()


@door
def minimum_action(loss_ratio, *, damping, points=800, swings=None):
    r"""Return the least action of paths to the loss ratio, for normal inputs, and the path.

    Args:
        loss_ratio: c > 1, a number.
        damping: zeta > 0, up to about 2: beyond, the grid cannot follow large pushes.
        points: of the path.
        swings: length of the path in the oscillator's time; None for long enough.

    Returns:
        ``(w, times, path)``; the error is that of the grid, O(1/points^2).

    Example:
        >>> w, _, _ = minimum_action(1.5, damping=0.5, points=300)
        >>> print(round(w, 2))
        0.47
    """
    reach = np.sqrt(float(validate.within("loss_ratio", loss_ratio, low=1, open_low=True)) - 1)
    zeta = validate.positive("damping", damping)
    slow = zeta - np.sqrt(max(zeta**2 - 1, 0))
    length = swings or 4.5 / slow
    times = np.linspace(0, length, points)
    back = np.array([[0, 1.0], [-1, -2 * zeta]])  # the free fall; reversed, it is the climb
    step = expm(back * (times[1] - times[0]))
    states = [np.array([reach, 0.0])]
    for _ in range(points - 1):
        states.append(step @ states[-1])
    path = np.array(states)[::-1, 0].copy()

    action, gradient = _path_action(path, times, zeta)
    shift = 1.0
    for _ in range(200):
        move = spsolve(_path_curvature(path, times, zeta)[:-1, :-1] + shift * eye(points - 1),
                       -gradient[:-1])  # fmt: skip
        tried = path + np.append(move, 0.0)
        lower, slope = _path_action(tried, times, zeta)
        if lower < action:
            gain, path, action, gradient = action - lower, tried, lower, slope
            shift /= 5
            if gain < 1e-12:
                break
        else:
            shift = max(shift, 1e-12) * 10
            if shift > 1e12:
                break
    return float(action), times, path
