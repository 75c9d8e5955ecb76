"""SGD of a network linearised at the minimum, with true batches: twin of `linear.reference`."""

import numpy as np

from sgdescape.core import compiled
from sgdescape.core.ensembles.kernels.dual_numba import IID, draw_batch


@compiled.kernel(nogil=True, fastmath={"contract", "reassoc", "nsz"})  # sums may be reordered
def run(residual, gram, rate, size, levels, steps, first, key0, key1, passages):
    """Fill ``passages`` (replicas, m), 0 where censored.

    Args:
        residual: f - y at the minimum (N,).
        gram: J J^T (N, N).
        rate: eta / B, of the residual's type.
        size: B.
        levels: of the loss, ascending (m,).
        steps: most steps.
        first: index of the first replica.
        key0: low word of the seed.
        key1: high word.
        passages: step of the first passage of each level.
    """
    n = residual.size
    for q in range(len(passages)):
        r = residual.copy()
        batch, order, moves = np.empty(size, np.int64), np.full(n, -1), np.empty(size, r.dtype)
        reached = 0
        for step in range(steps):
            draw_batch(batch, order, IID, step, first + q, key0, key1)
            for b in range(size):
                moves[b] = rate * r[batch[b]]
            for b in range(size):
                row, move = gram[batch[b]], moves[b]
                for i in range(n):
                    r[i] -= move * row[i]
            total = r[0] - r[0]
            for i in range(n):
                total += r[i] * r[i]
            loss = total / (2 * n)
            while reached < levels.size and loss >= levels[reached]:
                passages[q, reached] = step + 1
                reached += 1
            if reached == levels.size:
                break
