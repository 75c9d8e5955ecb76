r"""Mean passage times of discrete SGD on the circle model, without sampling.

A step is theta' = theta - (eta/B) S, where S is the sum of B products of correlated normals: a
variance-gamma law. |theta| is a Markov chain on [0, pi), put on bins of equal width whose first is
centred at the minimum. Chances are integrated over each bin, and solved without subtraction, so
that times of 10^50 are as good as of 10^2; two bin widths are extrapolated.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck import elimination

_NODES, _GRADED = 4, 10  # Gauss-Legendre nodes in a bin; beside the singular point of the density
_PER_STEP = 4.0  # coarser bins in a standard deviation of a step at the minimum
_LEAST_BINS, _MOST_BINS = 24, 3000
_BLOCK = 100_000  # nodes at a time: what a core keeps near


@dataclass(frozen=True)
class CirclePassage:
    """Mean passage time on the circle; see `circle_passage`."""

    time: float  # t = eta k, extrapolated
    error: float  # relative difference from the finest grid, a bound on the discretisation error


@door
def circle_passage_time(*, noise_variance, learning_rate, batch_size):
    r"""Return the mean time t = eta k of SGD from theta = 0 to \|theta\| >= pi, Eq. (circle-chain).

    Args:
        noise_variance: sigma^2, positive.
        learning_rate: eta, positive.
        batch_size: B, at least 1.

    Returns:
        The time, broadcast over the arguments; `circle_passage` gives its error too.

    Example:
        >>> at = {"noise_variance": 2.0, "learning_rate": 0.2, "batch_size": 1}
        >>> print(circle_passage_time(**at).round(-1))
        1210.0
    """
    variance = validate.within("noise_variance", noise_variance, low=0, open_low=True)
    eta = validate.within("learning_rate", learning_rate, low=0, open_low=True)
    batch_size = validate.each_whole("batch_size", batch_size)
    found = [
        circle_passage(noise_variance=float(v), learning_rate=float(e), batch_size=int(b)).time
        for v, e, b in np.broadcast(variance, eta, batch_size)
    ]
    shape = np.broadcast_shapes(variance.shape, eta.shape, np.shape(batch_size))
    return np.array(found).reshape(shape)[()]


def circle_passage(
    *, noise_variance: float, learning_rate: float, batch_size: int, per_step: float = _PER_STEP
) -> CirclePassage:
    r"""Return the mean time of SGD from 0 to \|theta\| >= pi with its error, Eq. (circle-chain).

    Args:
        noise_variance: sigma^2, positive.
        learning_rate: eta, positive.
        batch_size: B.
        per_step: bins of the coarser grid in a standard deviation of a step at the minimum.

    Raises:
        ValueError: if the grid would need more bins than fit.
    """
    variance = validate.positive("noise_variance", noise_variance)
    eta = validate.positive("learning_rate", learning_rate)
    b = validate.count("batch_size", batch_size)
    step = eta * np.sqrt(variance / b)
    bins = max(int(np.ceil(np.pi * validate.positive("per_step", per_step) / step)), _LEAST_BINS)
    if 2 * bins > _MOST_BINS:
        raise ValueError(
            f"learning_rate must be at least {eta * 2 * bins / _MOST_BINS:.3g} for this noise and "
            f"batch: {2 * bins} bins would be needed, {_MOST_BINS} are allowed"
        )
    coarse, fine = (np.log(_mean_time(n, variance, eta, b)) for n in (bins, 2 * bins))
    best = fine + (fine - coarse) / 3  # the error falls as the square of the width
    return CirclePassage(float(np.exp(best)), float(abs(np.expm1(best - fine))))


def step_density(product, angle, noise_variance, batch_size):
    r"""Return the density of S, the sum of a batch's gradients at theta, Eq. (variance-gamma).

    .. math:: f(s)=\frac{2(|s|/A)^\nu\,e^{sL'/D}K_\nu(|s|A/D)}{2^{B/2}\Gamma(B/2)\sqrt{2\pi D}},
        \quad \nu=\tfrac{B-1}2,\ A=\sqrt{2L},\ D=2L-L'^2

    Args:
        product: s, not 0.
        angle: theta.
        noise_variance: sigma^2.
        batch_size: B.

    Example:
        >>> s = np.linspace(-60, 60, 120_000)
        >>> density = step_density(s, 1.0, 2.0, 3)
        >>> mean = 3 * np.sin(1.0)
        >>> print(np.trapezoid(density, s).round(6), (np.trapezoid(s * density, s) / mean).round(6))
        1.0 1.0
    """
    slope, twice = _moments(angle, noise_variance)
    root, spread = np.sqrt(twice), twice - slope**2
    size, order = np.abs(product), (batch_size - 1) / 2
    z = size * root / spread
    bessel = special.k0e(z) if order == 0 else special.kve(order, z)
    power = (size / root) ** order * np.exp(product * slope / spread - z)
    scale = 2 ** (1 - batch_size / 2) / special.gamma(batch_size / 2)
    return scale * power * bessel / np.sqrt(2 * np.pi * spread)


def transition_matrix(bins, *, noise_variance, learning_rate, batch_size):
    """Return the chances between bins of |theta| (bins, bins), and of leaving (bins,).

    Bin 0 is [0, w/2), bin k is [(k - 1/2) w, (k + 1/2) w), with w = pi / (bins - 1/2); starts are
    at k w.

    Args:
        bins: their number.
        noise_variance: sigma^2.
        learning_rate: eta.
        batch_size: B.
    """
    width = np.pi / (bins - 0.5)
    starts = width * np.arange(bins)
    edges = width * (np.arange(-bins, bins) + 0.5)
    at = noise_variance, learning_rate / batch_size, batch_size
    signed = _bin_chances(starts, edges, *at)  # from -(bins - 1) to bins - 1
    folded = signed[:, bins - 1 :].copy()
    folded[:, 1:] += signed[:, bins - 2 :: -1]
    return folded, _chance_outside(starts, *at)


def _mean_time(bins, variance, eta, batch):
    at = {"noise_variance": variance, "learning_rate": eta, "batch_size": batch}
    inside, outside = transition_matrix(bins, **at)
    # numbered outward, the minimum is eliminated last: the order changes no digit
    chain = elimination.eliminate(inside, outside)
    return eta * chain.adjoint(np.ones(bins))[0]


def _bin_chances(starts, edges, variance, rate, batch):
    """Chances (starts, bins) to land between consecutive edges in a step theta' = start - rate S.

    The starts are the middles of the bins from the middle one on.
    """
    x, weight = _unit_nodes(_NODES)
    width, middle = edges[1] - edges[0], len(starts) - 1
    ends = edges[:-1, None] + width * x
    chances = np.empty((len(starts), len(ends)))
    rows = max(1, _BLOCK // ends.size)
    for first in range(0, len(starts), rows):
        start = starts[first : first + rows, None, None]
        density = step_density((start - ends) / rate, start, variance, batch)
        chances[first : first + rows] = density @ weight * (width / rate)
    # the bin of the start and those beside it hold or touch the singular point
    own = np.arange(len(starts))
    for sign in (-1, 1):
        half, beside = (
            _graded(sign, low * width, high * width, starts, variance, rate, batch)
            for low, high in ((0.0, 0.5), (0.5, 1.5))
        )
        chances[own, middle + own] = half if sign < 0 else chances[own, middle + own] + half
        inside = (middle + own + sign >= 0) & (middle + own + sign < len(ends))
        chances[own[inside], (middle + own + sign)[inside]] = beside[inside]
    return chances


def _graded(sign, near, far, starts, variance, rate, batch):
    """Chances between two distances on one side: nodes graded towards the logarithm at 0."""
    v, weight = _unit_nodes(_GRADED)
    low, high = near ** (1 / 3), far ** (1 / 3)
    root = low + (high - low) * v
    density = step_density(-sign * root**3 / rate, starts[:, None], variance, batch)
    return density @ (3 * root**2 * weight) * (high - low) / rate


def _chance_outside(starts, variance, rate, batch):
    """Chances of a step from each start to |theta'| >= pi, small ones to full precision."""
    total = np.zeros(len(starts))
    slope, twice = _moments(starts, variance)
    x, weight = _unit_nodes(8)
    pieces = np.concatenate([[0], np.geomspace(0.05, 60, 24)])
    for sign in (1.0, -1.0):
        distance = np.pi - sign * starts  # in the direction of the sign
        # the density of S falls as exp(-|s| / scale) in this direction
        scale = (np.sqrt(twice) - sign * slope) * rate
        edges = distance[:, None] + scale[:, None] * pieces
        ends = edges[:, :-1, None] + np.diff(edges)[..., None] * x
        density = step_density(-sign * ends / rate, starts[:, None, None], variance, batch)
        total += np.sum(density @ weight * np.diff(edges), axis=1) / rate
    return total


def _moments(angle, noise_variance):
    """Slope L' and twice the loss, the covariance and the variance of the pair (f', residual)."""
    return np.sin(angle), 2 - 2 * np.cos(angle) + noise_variance


@lru_cache
def _unit_nodes(count):
    x, weight = np.polynomial.legendre.leggauss(count)
    return (x + 1) / 2, weight / 2
