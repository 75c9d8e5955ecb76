"""Mean first-passage times of discrete SGD without sampling: the loss is a Markov chain.

The chain lives on bins that are uniform in u = asinh(r) with r^2 = c - 1, as steps are proportional
to cosh(u) far out; times are extrapolated from two bin widths.
"""

from dataclasses import dataclass

import numpy as np
from scipy import interpolate

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.linear_regression.theory._arguments import samples
from sgdescape.linear_regression.theory._kernel import kernel


@dataclass(frozen=True)
class Passage:
    """Mean first-passage times of discrete SGD, exact up to discretisation.

    Attributes:
        times: t = eta k (thresholds,), extrapolated.
        errors: relative difference between the extrapolation and the finer grid (thresholds,).
    """

    times: np.ndarray  # (thresholds,)
    errors: np.ndarray  # (thresholds,)


@door
def first_passage(
    loss_ratio, *, dimension=1, learning_rate, batch_size=1, inputs="gaussian", width=None
) -> Passage:
    r"""Return the mean first-passage times of discrete SGD: (I - K) t = eta 1, Eq. (exact-passage).

    Started at the minimum; first step k >= 1 with L >= c L*. Many dimensions: Gaussian inputs and
    B = 1.

    Args:
        loss_ratio: c, above 1 (thresholds,).
        dimension: d.
        learning_rate: eta.
        batch_size: B.
        inputs: one of `INPUTS`.
        width: of the coarser bins in asinh |theta|; a third of a step's size unless given.

    Returns:
        Times and their relative discretisation errors, estimated.

    Raises:
        ValueError: for a combination that is not a chain on the half-line, or c <= 1.

    Example:
        >>> print(first_passage([2.0], learning_rate=0.1).times.round(-1))
        [3220.]
    """
    ratio = np.atleast_1d(validate.finite("loss_ratio", loss_ratio))
    if np.any(ratio <= 1):
        raise ValueError(f"loss_ratio must be above 1: got {ratio.min()}")
    eta = validate.positive("learning_rate", learning_rate)
    beyond = kernel(dimension, eta, batch_size, inputs)
    step = eta / np.sqrt(batch_size) * (1 if dimension == 1 else 0.75 * np.sqrt(dimension))
    width = step / 3 if width is None else validate.positive("width", width)
    top = np.arcsinh(np.sqrt(ratio.max() - 1))
    levels = np.arcsinh(np.sqrt(ratio - 1))
    bins = max(int(np.ceil(top / width)), 8)
    logs = []
    for count in (bins, 2 * bins):
        edges = np.linspace(0, top, count + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        out = beyond(np.sinh(np.append(0.0, middle)), np.sinh(edges))
        times = eta * nested_times(*_with_start(out))[1:]
        smooth = interpolate.make_interp_spline(edges[1:], np.log(times), k=5)
        logs.append(smooth(np.maximum(levels, edges[1])))
    coarse, fine = logs
    best = fine + (fine - coarse) / 3  # midpoint bins: the error falls as the width squared
    return Passage(np.exp(best), np.abs(np.expm1(best - fine)))


@door
def data_passage(loss_ratio, inputs, targets, *, learning_rate, width=None) -> Passage:
    r"""Return the mean first-passage times of SGD on one finite data set, one input, B = 1.

    The N steps theta -> theta - eta grad l_mu from the middle of each bin are counted, both signs
    of theta - theta* on their own: Eq. (exact-passage) with the data's own transition matrix.

    Args:
        loss_ratio: c, above 1 (thresholds,).
        inputs: x (N,).
        targets: y (N,).
        learning_rate: eta.
        width: of the coarser bins, as in `first_passage`.

    Returns:
        Times, infinite where the data cannot reach the threshold, and the change on halving the
        bins: an estimate of the error, no bound, for counts of N end points converge unevenly.
    """
    ratio = np.atleast_1d(validate.finite("loss_ratio", loss_ratio))
    if np.any(ratio <= 1):
        raise ValueError(f"loss_ratio must be above 1: got {ratio.min()}")
    eta = validate.positive("learning_rate", learning_rate)
    x, y = samples(inputs, targets)
    best = (x @ y) / (x @ x)
    residual = y - best * x
    residual = residual * np.sqrt(np.mean(x**2) / np.mean(residual**2))  # so that c = 1 + z^2
    width = eta / 3 if width is None else validate.positive("width", width)
    levels = np.arcsinh(np.sqrt(ratio - 1))
    bins = max(int(np.ceil(levels.max() / width)), 8)
    logs = []
    for count in (bins, 2 * bins):
        edges = np.linspace(0, levels.max(), count + 1)
        middle = np.sinh((edges[1:] + edges[:-1]) / 2)
        starts = np.append(0.0, np.column_stack([middle, -middle]).ravel())
        table = np.array([_signed_counts(z - eta * x * (x * z - residual), edges) for z in starts])
        kernel = np.hstack([np.zeros((len(starts), 1)), table[:, :-1]]) / x.size
        times = eta * nested_times(kernel, table[:, -1] / x.size)[2::2]
        smooth = interpolate.make_interp_spline(edges[1:], np.log(times), k=5)
        logs.append(smooth(np.maximum(levels, edges[1])))
    coarse, fine = logs
    best = fine + (fine - coarse) / 3
    return Passage(np.exp(best), np.abs(np.expm1(fine - coarse)))


def _signed_counts(positions, edges):
    """Numbers of positions in bins +1, -1, +2, -2, ... of |asinh|, and beyond the last edge."""
    bin_number = np.searchsorted(edges, np.abs(np.arcsinh(positions)), side="right") - 1
    code = 2 * bin_number + (positions < 0)
    counts = np.bincount(np.minimum(code, 2 * (len(edges) - 1)), minlength=2 * len(edges) - 1)
    return counts.astype(float)


@door
def nested_times(kernel, beyond):
    r"""Return mean passage times beyond state k, for every k, in steps, from one elimination.

    States are numbered in the order in which thresholds are crossed. Row sums give the diagonal,
    so nothing is ever subtracted (Grassmann, Taksar and Heyman 1985): times of 10^100 steps keep
    their digits, Eq. (exact-passage).

    Args:
        kernel: K[i, j] >= 0 (states, states); its diagonal is not used.
        beyond: chance to leave all states in a step (states,).

    Returns:
        (states,): entry k is the mean time from state 0 until a state above k, or beyond.

    Example:
        >>> print(nested_times(np.array([[0.5, 0.5], [0.5, 0.4]]), [0.0, 0.1]).round(9))
        [ 2. 22.]
    """
    a = validate.each_at_least("kernel", kernel, 0).copy()
    out = validate.each_at_least("beyond", beyond, 0).copy()
    if a.shape != (out.size, out.size):
        raise ValueError(f"kernel must be square, beyond a row: got {a.shape} and {out.shape}")
    size = len(a)
    visits, pivots = np.ones(size), np.empty(size)
    for n in range(size):
        pivots[n] = a[n, n + 1 :].sum() + out[n]
        if pivots[n] == 0 and n + 1 < size:
            raise ValueError(f"kernel and beyond must lead out of every state: got 0 at state {n}")
        if n + 1 == size:
            break
        factor = a[n + 1 :, n] / pivots[n]
        a[n + 1 :, n + 1 :] += factor[:, None] * a[n, n + 1 :]
        out[n + 1 :] += factor * out[n]
        visits[n + 1 :] += factor * visits[n]
    first = np.zeros(size)
    first[0] = 1 / pivots[0]
    for j in range(1, size):
        first[j] = first[:j] @ a[:j, j] / pivots[j]
    return np.cumsum(first * visits)


def _with_start(beyond):
    """Transition matrix and exits; row 0 is the minimum itself, to which nothing returns."""
    kernel = np.maximum(beyond[:, :-1] - beyond[:, 1:], 0)
    return np.hstack([np.zeros((len(kernel), 1)), kernel]), beyond[:, -1]
