"""The choice between two valleys by discrete SGD itself: its exact transition matrix."""

import numpy as np
from scipy.special import ndtr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels

__all__ = ["chain_log_odds"]

_CELLS = 100  # of half a turn of the model, and twice as many
_REACH = 4 * np.pi  # of one step; beyond it lies less than 1e-6
_NODES = panels(np.append(0.0, np.geomspace(1e-4, 9.0, 15)))


@door
def chain_log_odds(loss_ratio, *, learning_rate, curvatures, width) -> float:
    r"""Return the log odds of the second valley for SGD, one sample a step, one direction.

    The law of a step is exact: error and slope of a sample are two correlated normal numbers.
    The stationary law of the angle's chain on cells is extrapolated to no width of the cells.

    Args:
        loss_ratio: c = 1 + 4/sigma^2, above 1, of the model of Eq. (choice-model).
        learning_rate: eta.
        curvatures: h along the path in the first and in the second valley, positive.
        width: of the change of the speed at the saddles, in the angle.

    Example:
        >>> odds = chain_log_odds(3.0, learning_rate=0.4, curvatures=(1.0, 0.6), width=0.25)
        >>> print(round(odds, 2))
        2.64
    """
    variance = 4 / (validate.within("loss_ratio", loss_ratio, low=1, open_low=True) - 1)
    eta = validate.within("learning_rate", learning_rate, low=0, open_low=True, high=1)
    speeds = np.sqrt(validate.each_positive("curvatures", curvatures))
    width = validate.positive("width", width)
    coarse, fine = (_on_cells(n, variance, eta, speeds, width) for n in (_CELLS, 2 * _CELLS))
    return float(fine + (fine - coarse) / 3)


def _on_cells(count, variance, eta, speeds, width):
    """Log odds with so many cells from one minimum (0) to the other (two pi)."""
    cell = 2 * np.pi / count
    angles = cell * (np.arange(count) + 0.5)
    edges = cell * np.arange(-np.ceil(_REACH / cell), np.ceil(_REACH / cell) + 1)
    edges[[0, -1]] = -np.inf, np.inf
    moves = (edges[1:] + edges[:-1]) / 2
    moves[[0, -1]] = edges[1], edges[-2]
    chances = np.zeros((count, count))
    for row, angle in zip(chances, angles, strict=True):
        here = _speed(angle, speeds, width)
        share = np.diff(_chance_below(edges / (eta * here), angle, variance))
        end = angle - _speed(angle - here * moves / 2, speeds, width) * moves
        _deposit(row, end / cell - 0.5, share)
    law = np.linalg.solve((chances - np.eye(count)).T[1:, 1:], -chances[0, 1:])
    law = np.append(1.0, law)
    first = angles < np.pi
    return np.log(law[~first].sum() / law[first].sum())


def _speed(angle, speeds, width):
    """d phi/d theta, even about both minima."""
    from_first = np.pi - np.abs((angle % (4 * np.pi)) - 2 * np.pi)
    return speeds[0] + (speeds[1] - speeds[0]) * (1 + np.tanh(from_first / width)) / 2


def _chance_below(product, angle, variance):
    """P(error slope < product) at one angle."""
    slope, weight = _NODES
    weight = weight * np.sqrt(2 / np.pi) * np.exp(-(slope**2) / 2)
    mean, rest = np.sin(angle), np.sqrt((1 - np.cos(angle)) ** 2 + variance)
    return ndtr((product[:, None] / slope - mean * slope) / rest) @ weight


def _deposit(row, places, share):
    """Add chances at places between the cells' centres, mirrored at both minima."""
    low = np.floor(places).astype(int)
    for seat, part in ((low, low + 1 - places), (low + 1, places - low)):
        seat = seat % (2 * len(row))
        seat = np.where(seat < len(row), seat, 2 * len(row) - 1 - seat)
        np.add.at(row, seat, part * share)
