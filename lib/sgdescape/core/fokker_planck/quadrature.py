r"""First passage of one-dimensional diffusions by quadrature, in logarithms.

For the Ito process :math:`dx = a\,dt + \sqrt{2D(x)}\,dW` with :math:`\Phi' = -a/D`, scale density
:math:`e^{\Phi}` and speed density :math:`e^{-\Phi}/D`, mean passage times are double integrals of
positive functions. They are built up panel by panel (12-point Gauss-Legendre collocation) in units
of the local :math:`e^{\Phi}` and their logarithms kept, so that barriers of many hundreds
neither overflow nor cancel. Panels are doubled until nothing changes.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.faces import on_grid

__all__ = ["Passage", "passage"]

NODES = 12
MOST_PANELS = 2**19
STEEPEST = 6.0  # change of Phi within a panel
FOUND = 1e-12  # change of a logarithm on doubling, per unit of its size, that ends the doubling


@dataclass(frozen=True)
class Passage:
    """Exit of a diffusion from an interval."""

    log_time: float  # of the mean time until it leaves
    log_left: float  # of the probability that it leaves by the left end
    log_right: float
    change: float  # largest change of these three when the panels were doubled last
    panels: int

    @property
    def time(self) -> float:
        """Mean time; infinite above 1e308, where only its logarithm can be had."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.log_time))


@door
def passage(
    drift,
    diffusion,
    start,
    *,
    left,
    right,
    left_kind="reflecting",
    right_kind="absorbing",
    breaks=(),
) -> Passage:
    r"""Return mean time and sides of exit from (left, right) of :math:`dx = a\,dt+\sqrt{2D}\,dW`.

    :math:`T(x) = \int_x^{b}dy\,e^{\Phi(y)}\int_{a}^{y}dz\,e^{-\Phi(z)}/D(z)` if the left end
    reflects; with two absorbing ends the Green function's two positive parts.

    Args:
        drift: function a(x), on arrays.
        diffusion: function D(x) > 0, likewise.
        start: place that it starts from, in [left, right].
        left: end of the interval; if reflecting, take it where the law is negligible or at a wall.
        right: the other end, larger.
        left_kind: "reflecting" or "absorbing"; at least one end absorbs.
        right_kind: likewise.
        breaks: points at which a or D is not smooth, or near which they change quickly.

    Raises:
        ValueError: if the arguments are not as above.
        ArithmeticError: if doubling the panels did not converge.

    Example:
        Ornstein-Uhlenbeck process from 0 to +-1:

        >>> found = passage(lambda x: -x, lambda x: 1 + 0 * x, 0, left=-1, right=1,
        ...                 left_kind="absorbing")
        >>> round(found.time, 6), round(np.exp(found.log_left), 6)
        (0.595749, np.float64(0.5))
    """
    ends = np.array([validate.finite("left", left), validate.finite("right", right)])
    start = float(validate.finite("start", start))
    if not ends[0] < ends[1]:
        raise ValueError(f"left must be less than right: got {left}, {right}")
    if not ends[0] <= start <= ends[1]:
        raise ValueError(f"start must lie in [{left}, {right}]: got {start}")
    for name, kind in (("left_kind", left_kind), ("right_kind", right_kind)):
        validate.one_of(name, kind, ("reflecting", "absorbing"))
    if left_kind == right_kind == "reflecting":
        raise ValueError("left_kind or right_kind must be 'absorbing': got 'reflecting' for both")
    inner = np.asarray(breaks, dtype=float)
    if inner.size and not (ends[0] < inner.min() and inner.max() < ends[1]):
        raise ValueError(f"breaks must lie in ({left}, {right}): got {inner.tolist()}")
    stops = np.unique(np.concatenate([ends, inner, [start]]))
    kinds = (left_kind, right_kind)
    old, panels, change = None, 32, float("nan")
    while panels <= MOST_PANELS:
        edges = np.concatenate(
            [
                np.linspace(a, b, panels, endpoint=False)
                for a, b in zip(stops[:-1], stops[1:], strict=True)
            ]
            + [stops[-1:]]
        )
        new = _passage(drift, diffusion, edges, int(np.searchsorted(edges, start)), kinds)
        if old is not None and new is not None:
            change = float(np.max(np.abs(_finite(new) - _finite(old))))
            if change <= FOUND * max(1.0, np.abs(_finite(new)).max()):
                return Passage(*map(float, new), change, len(edges) - 1)
        old, panels = new, 2 * panels
    raise ArithmeticError(f"{panels // 2} panels are not enough: logarithms still move by {change}")


POINTS, GAUSS = np.polynomial.legendre.leggauss(NODES)
# Row k: weights of the integral from -1 to node k, exact for the interpolating polynomial.
_POWERS = np.polynomial.legendre.legvander(POINTS, NODES - 1)
_RISE = np.stack(
    [
        np.polynomial.legendre.legval(POINTS, np.polynomial.legendre.legint(row, lbnd=-1))
        for row in np.eye(NODES)
    ],
    axis=1,
)
PARTIAL = _RISE @ np.linalg.inv(_POWERS)


def _places(edges):
    half = 0.5 * np.diff(edges)
    return 0.5 * (edges[1:] + edges[:-1])[:, None] + half[:, None] * POINTS, half


def _ratio(drift, diffusion, z):
    d = on_grid("diffusion", diffusion(z), z.shape)
    if d.min() <= 0:
        raise ValueError(f"diffusion must be positive: least is {d.min()}")
    return -on_grid("drift", drift(z), z.shape) / d, d


def _passage(drift, diffusion, edges, at, kinds):
    """log T, log P(left), log P(right) from panel edge number ``at``; None: panels too wide."""
    z, half = _places(edges)
    slope, d = _ratio(drift, diffusion, z)
    width = half[:, None]
    phi = width * (slope @ PARTIAL.T)  # from the left end of the panel to its nodes
    whole = half * (slope @ GAUSS)
    base = np.concatenate([[0], np.cumsum(whole)])  # Phi at the edges
    if np.abs(phi).max() > STEEPEST:
        return None
    scale = np.log(half * (np.exp(phi) @ GAUSS)) + base[:-1]
    from_left = _towards(phi, whole, half, d, kinds[0])
    turn = (slice(None, None, -1), slice(None, None, -1))
    seen = (phi - whole[:, None])[turn]  # from the right end of the panel
    from_right = _towards(seen, -whole[::-1], half[::-1], d[turn], kinds[1])
    if kinds == ("reflecting", "absorbing"):
        return np.array([_sum(from_left[at:]), -np.inf, 0.0])
    if kinds == ("absorbing", "reflecting"):
        return np.array([_sum(from_right[len(half) - at :]), 0.0, -np.inf])
    below, above = _sum(scale[:at]), _sum(scale[at:])
    total = np.logaddexp(below, above)
    log_left, log_right = above - total, below - total
    time = np.logaddexp(
        log_left + _sum(from_left[:at]), log_right + _sum(from_right[: len(half) - at])
    )
    return np.array([time, log_left, log_right])


def _towards(phi, whole, half, d, kind):
    """Logarithms of the panels' shares of the outer integral, from one end inward.

    From a reflecting end: of e^Phi times the speed integral from that end. From an absorbing one:
    of the speed density times the scale integral from that end.
    """
    sign = 1.0 if kind == "reflecting" else -1.0
    inner = np.exp(-sign * phi) / (d if kind == "reflecting" else 1.0)
    outer = np.exp(sign * phi) / (1.0 if kind == "reflecting" else d)
    width = half[:, None]
    local = width * (inner @ PARTIAL.T)  # inner integral from the panel's near end to its nodes
    added = half * (inner @ GAUSS)
    shares = np.empty(len(half))
    log_inner = -np.inf  # inner integral so far, times e^(sign * Phi) at the panel's near end
    weight = half * (outer @ GAUSS)
    double = half * ((outer * local) @ GAUSS)
    with np.errstate(divide="ignore"):
        log_weight, log_double, log_added = np.log(weight), np.log(double), np.log(added)
    for k in range(len(half)):
        shares[k] = np.logaddexp(log_inner + log_weight[k], log_double[k])
        log_inner = np.logaddexp(log_inner, log_added[k]) + sign * whole[k]
    return shares


def _sum(logs):
    return np.logaddexp.reduce(logs) if len(logs) else -np.inf


def _finite(values):
    return np.where(np.isneginf(values), 0.0, values)
