"""Gauss-Legendre quadrature on panels: nodes and weights of an integral cut where it must be."""

import numpy as np

from sgdescape.core import validate

__all__ = ["panels"]


def panels(edges, nodes=8):
    """Return Gauss-Legendre nodes and weights on consecutive panels.

    Args:
        edges: of the panels, increasing (panels + 1,).
        nodes: per panel.

    Returns:
        Nodes and weights, each (panels x nodes,).

    Raises:
        TypeError: if an argument holds no numbers of its kind.
        ValueError: if the edges are fewer than two, not finite or decrease, or there is no node.

    Example:
        >>> x, w = panels(np.array([0.0, 1.0, 3.0]))
        >>> print(round(float(w @ x**2), 12))
        9.0
    """
    edges = validate.finite("edges", edges)
    if edges.ndim != 1 or edges.size < 2 or np.any(np.diff(edges) < 0):
        raise ValueError(
            f"edges must be an increasing row of at least two numbers: got shape {edges.shape}"
        )
    x, w = np.polynomial.legendre.leggauss(validate.count("nodes", nodes))
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()
