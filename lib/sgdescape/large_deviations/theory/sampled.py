r"""SGD on one direction with given samples: exact passage times from the samples' own gradients.

Along one direction of a model that is linear near its minimum, sample i has the residual r_i at the
minimum and the slope g_i: at a distance z its gradient is g_i (r_i + z g_i). Nothing about the law
of these numbers is assumed, and nothing is drawn.
"""

from dataclasses import dataclass

import numpy as np
from scipy import interpolate, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.linear_regression import nested_times

__all__ = ["SampledPassage", "decoupled_passage", "sampled_passage"]

_SPREAD_NODES = 5  # Gauss-Hermite, for residuals that fluctuate
_MOST_STATES = 4001


@dataclass(frozen=True)
class SampledPassage:
    """Mean passage times of a chain on given samples; see `sampled_passage`."""

    times: np.ndarray  # t = eta k (thresholds,), from two bin widths
    errors: np.ndarray  # relative differences from the finer one, a bound on the discretisation


@door
def sampled_passage(
    distances, residual, slope, *, learning_rate, batch_size, spread=0.0, per_step=3.0
) -> SampledPassage:
    r"""Return mean times of SGD from z = 0 to \|z\| >= distance, Eq. (sampled-step).

    .. math:: z'=z-\frac\eta B\sum_{i\in\mathcal B}g_i\,(r_i+z\,g_i+s_i\xi_i)

    The law of one sample's step is put on a lattice, that of a batch is its B-fold convolution;
    no chance is subtracted from another, so that times of 10^50 keep their digits.

    Args:
        distances: of the thresholds (thresholds,), positive.
        residual: r (N,) at the minimum.
        slope: g (N,).
        learning_rate: eta.
        batch_size: B, drawn with replacement.
        spread: s, standard deviation of what other directions add to the residuals, one or (N,).
        per_step: coarser bins in a standard deviation of a step at the minimum.

    Raises:
        ValueError: if the distances are so long that the grid would not fit.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> r, g = rng.standard_normal((2, 4000))
        >>> found = sampled_passage([0.7], r, g, learning_rate=0.1, batch_size=1)
        >>> bool(20 < found.times[0] < 100)
        True
    """
    z = validate.within("distances", distances, low=0, open_low=True)
    r, g, s = np.broadcast_arrays(
        validate.finite("residual", residual),
        validate.finite("slope", slope),
        validate.within("spread", spread, low=0),
    )
    eta = validate.positive("learning_rate", learning_rate)
    size = validate.count("batch_size", batch_size)
    r, g, weight = _with_spread(r, g, s)

    def law_of(width):
        def law(place):
            moves = -(eta / size) * g * (r + place * width * g) / width
            return _step_law(moves, weight, size)

        return law

    deviation = eta * np.sqrt(weight @ (r * g) ** 2 / size)
    times, errors = _passage(z, deviation, per_step, law_of)
    return SampledPassage(eta * times, errors)


@door
def decoupled_passage(
    distances, loss, curvature, *, learning_rate, batch_size, per_step=4.0
) -> SampledPassage:
    r"""Return the same for normal steps with the noise of Mori et al., Eq. (6): 2 L h/B.

    Args:
        distances: of the thresholds (thresholds,), positive.
        loss: at z = 0; it grows by h z^2/2.
        curvature: h.
        learning_rate: eta.
        batch_size: B.
        per_step: coarser bins in a standard deviation of a step at the minimum.

    Example:
        >>> at = {"learning_rate": 0.1, "batch_size": 1}
        >>> print(decoupled_passage([0.7], 0.5, 1.0, **at).times.round(-1))
        [50.]
    """
    z = validate.within("distances", distances, low=0, open_low=True)
    h, eta = validate.positive("curvature", curvature), validate.positive("rate", learning_rate)
    size, least = validate.count("batch_size", batch_size), validate.positive("loss", loss)

    def law_of(width):
        def law(place):
            spread = eta * np.sqrt(2 * h * (least + h * (place * width) ** 2 / 2) / size) / width
            mean = -eta * h * place
            first = int(np.floor(mean - 9 * spread))
            edges = np.arange(first, int(np.ceil(mean + 9 * spread)) + 2) - 0.5
            below = special.ndtr((edges - mean) / spread)
            above = special.ndtr((mean - edges) / spread)
            # the smaller of two ways to take the difference, or the far tail is lost
            return np.where(edges[1:] < mean, np.diff(below), -np.diff(above)), first

        return law

    deviation = eta * np.sqrt(2 * h * least / size)
    times, errors = _passage(z, deviation, per_step, law_of)
    return SampledPassage(eta * times, errors)


def _with_spread(r, g, s):
    """Samples with fluctuating residuals as several with fixed ones, and the weight of each."""
    if not np.any(s):
        return r, g, np.full(r.size, 1 / r.size)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_SPREAD_NODES)
    whole = (r[:, None] + s[:, None] * nodes).ravel()
    weight = np.tile(weights / weights.sum(), r.size) / r.size
    return whole, np.repeat(g, _SPREAD_NODES), weight


def _passage(z, deviation, per_step, law_of):
    """Times beyond distances z (thresholds,) from two bin widths; ``law_of(width)(place)``."""
    bins = max(int(np.ceil(z.max() * validate.positive("per_step", per_step) / deviation)), 12)
    if 4 * bins > _MOST_STATES:
        raise ValueError(
            f"distances must be at most {_MOST_STATES / 4 * deviation / per_step:.3g} at this "
            f"learning rate and batch size: got {z.max():.3g}"
        )
    logs = []
    for count in (bins, 2 * bins):
        width = z.max() / (count - 0.5)
        steps = nested_times(*_chain(count, law_of(width)))[::2]  # beyond +-(k + 1/2) widths
        edges = (np.arange(count) + 0.5) * width
        curve = interpolate.make_interp_spline(edges, np.log(steps), k=3)
        logs.append(curve(np.maximum(z, edges[0])))
    coarse, fine = logs
    best = fine + (fine - coarse) / 3  # the error falls as the square of the width
    return np.exp(best), np.abs(np.expm1(best - fine))


def _chain(count, step_law):
    """Chances between the bins 0, +1, -1, ..., +-(count - 1), and of leaving them."""
    places = np.arange(count)
    order = np.append(0, np.column_stack([places[1:], -places[1:]]).ravel())
    kernel, beyond = np.zeros((order.size, order.size)), np.zeros(order.size)
    for row, place in enumerate(order):
        law, first = step_law(place)
        ends = place + first + np.arange(law.size)
        inside = np.abs(ends) < count
        ends, chances = ends[inside], law[inside]
        kernel[row, np.where(ends > 0, 2 * ends - 1, -2 * ends)] = chances
        beyond[row] = law[~inside].sum()
    return kernel, beyond


def _step_law(moves, weight, size):
    """Law of the sum of ``size`` moves on whole numbers: chances, and the number of the first.

    A move between two whole numbers is shared between them so that its mean is kept.
    """
    below = np.floor(moves).astype(int)
    part, first = moves - below, below.min()
    one = np.bincount(below - first, weight * (1 - part), below.max() - first + 2)
    one += np.bincount(below - first + 1, weight * part, below.max() - first + 2)
    law = one
    for _ in range(size - 1):
        law = np.convolve(law, one)
    return law, first * size
