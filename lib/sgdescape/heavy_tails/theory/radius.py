r"""Law of the length of a batch's inputs, :math:`R=(\sum_{i\le B}x_i^2)^{1/2}`.

A step depends on nothing else.

Everything is a log density, positive and without subtraction, because Kesten's root lives far in
its tail. Inputs have variance 1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.heavy_tails.theory._panels import graded

INPUTS = ("gaussian", "uniform", "rademacher", "laplace")
_ROOT3 = float(np.sqrt(3))
_LAPLACE_REACH = 1500.0  # of R: powers of a step up to about 1,000


@dataclass(frozen=True)
class Radius:
    """Law of R on (0, end).

    Attributes:
        log_density: function of R, -inf outside the support.
        breaks: where the density is not smooth, with both ends of its support; the last may be inf.
    """

    log_density: object
    breaks: tuple[float, ...]


@door
@lru_cache(maxsize=32)
def radius_law(batch_size: int, inputs: str) -> Radius:
    r"""Return the law of the length of B independent inputs, Eq. (tail-radius).

    .. math:: g_{B+B'}(R)=R\int_0^{\pi/2}g_B(R\cos\varphi)\,g_{B'}(R\sin\varphi)\,d\varphi

    Args:
        batch_size: B.
        inputs: "gaussian" (chi), "uniform" or "laplace".

    Returns:
        Its log density, interpolated to about 1e-9 where B > 1 and the inputs are not Gaussian.

    Example:
        >>> law = radius_law(2, "uniform")  # a quarter of the square of side sqrt(3)
        >>> print(round(float(np.exp(law.log_density(np.array([1.0]))[0])), 6))
        0.523599
    """
    b = validate.count("batch_size", batch_size)
    validate.one_of("inputs", inputs, ("gaussian", "uniform", "laplace"))
    if inputs == "gaussian":
        constant = (b / 2 - 1) * np.log(2) + special.gammaln(b / 2)
        return Radius(lambda r: special.xlogy(b - 1, r) - r**2 / 2 - constant, (0.0, np.inf))
    if b == 1 and inputs == "uniform":
        return Radius(lambda r: np.where(r <= _ROOT3, -np.log(_ROOT3), -np.inf), (0.0, _ROOT3))
    if b == 1:
        return Radius(lambda r: np.log(2) / 2 - np.sqrt(2) * r, (0.0, np.inf))
    return _sum(b, inputs)


def _sum(b, inputs):
    one, other = radius_law(b // 2, inputs), radius_law(b - b // 2, inputs)
    if inputs == "uniform":
        breaks = tuple(_ROOT3 * np.sqrt(np.arange(b + 1)))
        end, grid = breaks[-1], breaks
    else:
        breaks, end = (0.0, np.inf), None
        grid = (0.0, 0.3, 1.0, 3.0, 10.0, *np.geomspace(20, _LAPLACE_REACH, 12))
    splines = []
    for low, high in zip(grid[:-1], grid[1:], strict=True):
        # R = low + (high - low) sin^2: square roots at either end become smooth
        angle = np.pi / 2 * (np.arange(33) + 0.5) / 33
        r = low + (high - low) * np.sin(angle) ** 2
        smooth = _convolved(r, one, other) - _factor(r, b, end)
        coefficients = np.polynomial.chebyshev.chebfit(4 * angle / np.pi - 1, smooth, 24)
        splines.append(coefficients)

    def log_density(r):
        r = np.asarray(r, float)
        piece = np.clip(np.searchsorted(grid, r, side="right") - 1, 0, len(splines) - 1)
        out = np.full(r.shape, -np.inf)
        for k in np.unique(piece):
            inside = (piece == k) & (r > 0) & (r < grid[-1])
            share = (r[inside] - grid[k]) / (grid[k + 1] - grid[k])
            angle = np.arcsin(np.sqrt(np.clip(share, 0, 1)))
            value = np.polynomial.chebyshev.chebval(4 * angle / np.pi - 1, splines[k])
            out[inside] = value + _factor(r[inside], b, end)
        return out

    return Radius(log_density, breaks)


def _factor(r, b, end):
    """What makes the density vanish at the ends of its support."""
    return (b - 1) * (np.log(r) + (0 if end is None else np.log(end - r)))


def _convolved(radii, one, other):
    return np.array([_one_radius(r, one, other) for r in radii])


def _one_radius(r, one, other):
    ends = [np.array([0.0, np.pi / 2])]
    ends.append(np.arccos([min(x / r, 1.0) for x in one.breaks]))
    ends.append(np.arcsin([min(x / r, 1.0) for x in other.breaks]))
    edges = np.unique(np.concatenate(ends))
    edges = edges[np.diff(edges, prepend=-1) > 1e-14]
    if not np.isfinite(one.breaks[-1]):  # Laplace: mass at both ends, of width 1 / R
        edges = graded(edges, width=0.25, levels=12)
    half = (edges[1:] - edges[:-1])[:, None] / 2
    x, w = np.polynomial.legendre.leggauss(12)
    turn = np.pi / 4 * (1 + x)  # within a panel, again sin^2
    phi = (edges[:-1, None] + 2 * half * np.sin(turn) ** 2).ravel()
    weight = (2 * half * np.pi / 4 * w * np.sin(2 * turn)).ravel()
    log = one.log_density(r * np.cos(phi)) + other.log_density(r * np.sin(phi))
    return np.log(r) + special.logsumexp(log, b=weight)


__all__ = ["INPUTS", "Radius", "graded", "radius_law"]
