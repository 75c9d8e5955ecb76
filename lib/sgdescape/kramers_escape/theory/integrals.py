"""Composite Gauss-Legendre quadrature of the proof's integrals, which nowhere uses weak noise."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate

_ORDER = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)


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
