"""Gauss-Legendre quadrature on panels: nodes and weights of an integral cut where it must be."""

import numpy as np

__all__ = ["panels"]


def panels(edges, nodes=8):
    """Return Gauss-Legendre nodes and weights on consecutive panels.

    Args:
        edges: of the panels, increasing (panels + 1,).
        nodes: per panel.

    Returns:
        Nodes and weights, each (panels x nodes,).

    Example:
        >>> x, w = panels(np.array([0.0, 1.0, 3.0]))
        >>> print(round(float(w @ x**2), 12))
        9.0
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()
