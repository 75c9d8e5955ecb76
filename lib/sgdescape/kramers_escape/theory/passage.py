"""Exact answers in one dimension: integrals over the barrier and mean first-passage times.

Composite Gauss-Legendre quadrature; nothing here uses weak noise. Integrals of exp(U/T) are
carried as logarithms where they would overflow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate

_ORDER = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)


def _partial_weights():
    """Weights of the integral from the panel's left end to each node: exact for polynomials."""
    vandermonde = np.polynomial.legendre.legvander(_NODES, _ORDER - 1)
    unit = np.eye(_ORDER)
    integrals = [np.polynomial.legendre.legint(row, lbnd=-1) for row in unit]
    at_nodes = np.array([np.polynomial.legendre.legval(_NODES, row) for row in integrals]).T
    return at_nodes @ np.linalg.inv(vandermonde)


_PARTIAL = _partial_weights()


@dataclass(frozen=True)
class Quadrature:
    """Nodes and weights of a composite rule on [low, high].

    Args:
        low: left end.
        high: right end, above ``low``.
        panels: number of pieces of equal length.

    Raises:
        ValueError: if the ends are not finite and in order.
    """

    low: float
    high: float
    panels: int = 400

    def __post_init__(self):
        """Refuse an empty interval."""
        ends = validate.finite("ends", [self.low, self.high])
        if not ends[0] < ends[1]:
            raise ValueError(f"low must be below high: got [{self.low}, {self.high}]")
        validate.count("panels", self.panels)

    @property
    def half(self) -> float:
        """Half the length of a panel."""
        return (self.high - self.low) / (2 * self.panels)

    @property
    def nodes(self) -> np.ndarray:
        """Positions (panels, order)."""
        middles = self.low + self.half * (2 * np.arange(self.panels) + 1)
        return middles[:, None] + self.half * _NODES

    @property
    def weights(self) -> np.ndarray:
        """Weights (panels, order)."""
        return np.broadcast_to(self.half * _WEIGHTS, (self.panels, _ORDER))

    def integral(self, values) -> float:
        """Return the integral of a function from its values at the nodes."""
        return float(np.sum(self.weights * values))

    def running(self, values) -> np.ndarray:
        """Return the integral from the left end to every node (panels, order)."""
        whole = self.half * values @ _WEIGHTS
        before = np.concatenate([[0.0], np.cumsum(whole)[:-1]])
        return before[:, None] + self.half * values @ _PARTIAL.T


def log_passage_time(
    log_loss: Callable,
    *,
    temperature: float,
    start: float,
    end: float,
    left: float,
    clock: Callable | None = None,
    panels: int = 400,
) -> float:
    r"""Return the logarithm of the exact mean first-passage time, Eq. (escape-time).

    .. math:: \bar t = \frac1T\int_{\rm start}^{\rm end}dy\,e^{U(y)/T}
              \int_{-\infty}^y dx\,\frac{e^{-U(x)/T}}{w(x)}

    for dz = -U' d tau + sqrt(2T) dW with a clock dt = d tau / w: w = L gives the time t of
    Eq. (12), w = 1 (the default) the time tau of Eq. (14).

    Args:
        log_loss: U, a function of an array.
        temperature: T = eta h*/B, positive.
        start: where the paths begin.
        end: where they are stopped, above ``start``.
        left: replaces minus infinity; there exp(-U/T) must be negligible.
        clock: w, a positive function of an array.
        panels: of the quadrature on each side.

    Returns:
        log of the mean time: the time itself may exceed the range of floating point.

    Example:
        >>> flat = log_passage_time(lambda z: 0 * z, temperature=0.5, start=0, end=1, left=-1)
        >>> round(float(np.exp(flat)), 9)
        3.0
    """
    validate.positive("temperature", temperature)
    weight = clock or np.ones_like
    below, above = Quadrature(left, start, panels), Quadrature(start, end, panels)
    u_below, u_above = log_loss(below.nodes), log_loss(above.nodes)
    bottom, top = min(u_below.min(), u_above.min()), u_above.max()
    density_below = np.exp((bottom - u_below) / temperature) / weight(below.nodes)
    density_above = np.exp((bottom - u_above) / temperature) / weight(above.nodes)
    inner = below.integral(density_below) + above.running(density_above)
    outer = above.integral(np.exp((u_above - top) / temperature) * inner)
    return float(np.log(outer / temperature) + (top - bottom) / temperature)
