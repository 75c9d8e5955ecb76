"""Panels of the integrals over steps and radii: small where the integrand has a kink."""

import numpy as np


def graded(breaks, *, width=0.5, levels=40):
    """Return edges of panels that shrink by halves towards each break, and are never wide.

    Args:
        breaks: increasing (breaks,).
        width: of the widest panel.
        levels: halvings towards each break.

    Example:
        >>> graded([0.0, 1.0], width=1.0, levels=2).tolist()
        [0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0]
    """
    halves = 0.5 ** np.arange(1, levels + 2)
    pieces = [np.asarray(breaks, float)]
    for low, high in zip(breaks[:-1], breaks[1:], strict=True):
        length = high - low
        scale = min(length, 4 * width)  # halving starts near the break, not across the interval
        pieces += [low + scale * halves, high - scale * halves]
        pieces.append(np.linspace(low, high, int(np.ceil(length / width)) + 1))
    edges = np.unique(np.concatenate(pieces))
    keep = np.diff(edges, prepend=-np.inf) > 1e-15 * max(1.0, edges[-1])
    return edges[keep]
