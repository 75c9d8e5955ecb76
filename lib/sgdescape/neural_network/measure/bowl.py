"""First passage in a quadratic bowl with a measured spectrum and a noise that follows the loss.

Every leading direction is followed on its own, the others in groups of nearly equal curvature, of
which only the sum of squares matters; that sum is a Markov chain itself. In units of L* the noise
of direction g is drawn with the loss base_g + sum_j coupling_gj L_j in place of L in Eq. (12).
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.random import philox


@dataclass(frozen=True)
class Bowl:
    """Curvatures in groups, and how the noise of each follows the losses of all.

    Args:
        curvatures: h (groups,).
        counts: directions in each group (groups,), int64.
        base: noise loss at the minimum over L* (groups,); 1 if loss and gradients are decoupled.
        coupling: derivative of the noise loss in each group's own loss (groups, groups).
    """

    curvatures: np.ndarray
    counts: np.ndarray
    base: np.ndarray
    coupling: np.ndarray


def grouped(spectrum, *, singles: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return curvatures and counts: leading ones alone, the rest binned in the logarithm.

    Args:
        spectrum: eigenvalues, descending (n,).
        singles: leading ones kept, below n.
        bins: at most so many groups for the rest, down to 10^-4 of the largest; the trace of
            what is binned is kept.

    Example:
        >>> h, m = grouped([8.0, 4.0, 1.0, 1.0, 1.0], singles=2, bins=3)
        >>> h.tolist(), m.tolist()
        ([8.0, 4.0, 1.0], [1, 1, 3])
    """
    values = validate.finite("spectrum", spectrum)
    validate.count("singles", singles, high=len(values) - 1)
    rest = values[singles:]
    rest = rest[rest > 1e-4 * values[0]]
    edges = np.geomspace(rest.min() * (1 - 1e-9), rest.max() * (1 + 1e-9), bins + 1)
    place = np.clip(np.searchsorted(edges, rest) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, rest, minlength=bins)
    full = np.flatnonzero(counts)[::-1]
    means = sums[full] / counts[full]
    ones = np.ones(singles, dtype=np.int64)
    return np.concatenate([values[:singles], means]), np.concatenate([ones, counts[full]])


def lumped(leading, *, trace: float, square: float) -> tuple[np.ndarray, np.ndarray]:
    """Return curvatures and counts: leading ones alone, the rest as one group of equal ones.

    The group has the trace and (up to rounding its count) the trace of the square of what is left.

    Args:
        leading: eigenvalues (singles,).
        trace: of the whole matrix.
        square: of its square.

    Example:
        >>> lumped([8.0], trace=11.0, square=67.0)[0].tolist()
        [8.0, 1.0]
    """
    leading = validate.finite("leading", leading)
    first, second = trace - leading.sum(), square - np.sum(leading**2)
    count = max(round(first**2 / second), 2)
    ones = np.ones(len(leading), dtype=np.int64)
    return np.append(leading, first / count), np.append(ones, count)


def decoupled(curvatures, counts) -> Bowl:
    """Return the bowl of Eq. (12): every direction's noise follows the whole loss."""
    n = len(curvatures)
    return Bowl(curvatures, counts, np.ones(n), np.ones((n, n)))


def constant(curvatures, counts) -> Bowl:
    """Return the bowl of Eq. (5) with the noise of the minimum: Arrhenius' law."""
    n = len(curvatures)
    return Bowl(curvatures, counts, np.ones(n), np.zeros((n, n)))


def measured(curvatures, counts, *, ratio, kurtosis) -> Bowl:
    """Return the bowl with the noise of Eq. (direction-noise) in the leading directions.

    Args:
        curvatures: h (groups,).
        counts: directions in each group (groups,).
        ratio: rho_e, measured noise at the minimum over Eq. (6) (singles,).
        kurtosis: kappa_ej of the leading directions (singles, singles).
    """
    n, singles = len(curvatures), len(ratio)
    base, coupling = np.ones(n), np.ones((n, n))
    base[:singles] = ratio
    coupling[:singles, :singles] = kurtosis - np.eye(singles)
    return Bowl(curvatures, counts, base, coupling)


def continuous(bowl: Bowl, *, strength: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return decay and spread of a step of the SDE, exact while the noise stands still.

    Args:
        bowl: for its curvatures.
        strength: eta / B.
        dt: step, in t.
    """
    decay = np.exp(-bowl.curvatures * dt)
    return decay, strength * -np.expm1(-2 * bowl.curvatures * dt)


def discrete(bowl: Bowl, *, learning_rate: float, batch_size: int):
    """Return decay and spread of one step of SGD with Gaussian noise, Eq. (3)."""
    h = bowl.curvatures
    return 1 - learning_rate * h, 2 * learning_rate**2 * h / batch_size


def first_passage(
    bowl: Bowl, decay, spread, *, levels, steps: int, replicas: int, seed: int, bridge: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return first passages (replicas, m) in steps, -1 if censored, and mean late losses.

    Args:
        bowl: the valley.
        decay: of `continuous` or `discrete`.
        spread: of the same.
        levels: loss ratios, ascending (m,).
        steps: most steps.
        replicas: number of paths, all starting at the minimum.
        seed: integer.
        bridge: whether crossings between two steps count: yes in continuous time, no if the loss
            is looked at after every step of SGD.
    """
    from sgdescape.core import compiled  # numba: seconds to import, only when needed
    from sgdescape.neural_network.measure import _bowl_numba

    levels = validate.finite("levels", levels)
    passages = np.zeros((replicas, len(levels)), dtype=np.int64)
    mean_loss = np.zeros(replicas)
    validate.count("steps", steps), validate.count("replicas", replicas)

    def part(chosen):
        _bowl_numba.run(
            bowl.curvatures, bowl.counts, _first(bowl), decay, spread, bowl.base, bowl.coupling,
            levels, steps, chosen.start, bridge, *philox.key(seed), passages[chosen],
            mean_loss[chosen],
        )  # fmt: skip

    compiled.spread(part, replicas)
    return np.where(passages > 0, passages, -1), mean_loss


def reference(bowl: Bowl, decay, spread, *, steps: int, replicas: int, seed: int) -> np.ndarray:
    """Return the losses of every step (replicas, steps) in units of L*: the kernel's oracle."""
    single = bowl.counts == 1
    state = np.zeros((replicas, len(bowl.counts)))
    losses = np.zeros_like(state)
    first, rows = _first(bowl), np.arange(replicas)[:, None]
    blocks = np.arange(-(-first[-1] // 4))
    out = np.empty((replicas, steps))
    for step in range(steps):
        variance = spread * (bowl.base + losses @ bowl.coupling.T)
        words = philox.words(seed, step=step, draw=blocks, replica=rows, stream=philox.Stream.NOISE)
        normals = philox.normals(words).reshape(replicas, -1)
        x, other = normals[:, first[:-1]], normals[:, first[1:] - 1]
        rest = bowl.counts - 1 + np.sqrt(2.0 * (bowl.counts - 1)) * other
        along = 2 * decay * np.sqrt(variance * np.abs(state)) * x
        grouped_next = decay**2 * state + along + variance * (x**2 + rest)
        alone = decay * state + np.sqrt(variance) * x
        state = np.where(single, alone, np.maximum(grouped_next, 0.0))
        losses = 0.5 * bowl.curvatures * np.where(single, state**2, state)
        out[:, step] = 1 + losses.sum(1)
    return out


def _first(bowl):
    """Index of each group's first normal number: one for a direction, two for a group; the end."""
    return np.concatenate([[0], np.cumsum(np.where(bowl.counts == 1, 1, 2))])
