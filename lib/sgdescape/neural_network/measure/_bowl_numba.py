"""First passage in the quadratic bowl: the numba twin of `measure.bowl.reference`."""

import math

import numpy as np

from sgdescape.core import compiled
from sgdescape.core.random.philox_numba import normal_pair, philox, uniform

_NOISE, _BRIDGE = 3, 4  # of core.random.philox.Stream


@compiled.kernel(nogil=True, fastmath={"contract", "reassoc"})  # sums may be reordered
def run(curvatures, counts, first, decay, spread, base, coupling, levels, steps, start, bridge,
        key0, key1, passages, mean_loss):  # fmt: skip
    """Fill ``passages`` (replicas, m), 0 where censored, and ``mean_loss`` (replicas,).

    Args:
        curvatures: h of each group (groups,).
        counts: directions in it (groups,), int64.
        first: index of each group's first normal number of a step, and their number (groups + 1,).
        decay: factor of z in a step (groups,).
        spread: variance added in a step at unit noise loss (groups,).
        base: noise loss of each group at the minimum (groups,).
        coupling: noise loss a unit of each group's own loss (groups, groups).
        levels: of the loss, in units of L*, ascending (m,).
        steps: most steps.
        start: index of the first replica.
        bridge: whether a crossing between two steps is drawn: a Brownian bridge of
            R = sqrt(2 (L - L*)) with the noise of the step's beginning.
        key0: low word of the seed.
        key1: high word.
        passages: step of the first passage of each level.
        mean_loss: over the second half of what was watched, in units of L*.
    """
    groups, blocks = curvatures.size, (first[-1] + 3) // 4
    for r in range(len(passages)):
        normals = np.empty(4 * blocks)
        state, losses = np.zeros(groups), np.zeros(groups)  # z, or the sum of z^2 of a group
        reached, total, kept = 0, 0.0, 0
        loss = 1.0
        for step in range(steps):
            before, loss, width = loss, 1.0, 0.0
            for k in range(blocks):
                w0, w1, w2, w3 = philox(step, k, start + r, _NOISE, key0, key1)
                normals[4 * k], normals[4 * k + 1] = normal_pair(w0, w1)
                normals[4 * k + 2], normals[4 * k + 3] = normal_pair(w2, w3)
            for g in range(groups):
                noise = base[g]
                for j in range(groups):
                    noise += coupling[g, j] * losses[j]
                variance = spread[g] * noise
                width += 2.0 * curvatures[g] * losses[g] * variance
                x = normals[first[g]]
                if counts[g] == 1:
                    state[g] = decay[g] * state[g] + math.sqrt(variance) * x
                else:
                    other = normals[first[g] + 1]
                    rest = counts[g] - 1 + math.sqrt(2.0 * (counts[g] - 1)) * other
                    along = 2.0 * decay[g] * math.sqrt(variance * state[g]) * x
                    moved = decay[g] ** 2 * state[g] + along + variance * (x * x + rest)
                    state[g] = max(moved, 0.0)
            for g in range(groups):
                square = state[g] ** 2 if counts[g] == 1 else state[g]
                losses[g] = 0.5 * curvatures[g] * square
                loss += losses[g]
            if 2 * step >= steps:
                total += loss
                kept += 1
            highest = loss
            if bridge and before > 1.0:
                # the bridge's maximum, by inversion: P(max > m) = exp(-2 (m - a)(m - b) / v)
                a, b = math.sqrt(2.0 * (before - 1.0)), math.sqrt(2.0 * (loss - 1.0))
                word, _, _, _ = philox(step, 0, start + r, _BRIDGE, key0, key1)
                v = width / (2.0 * (before - 1.0))
                top = 0.5 * (a + b + math.sqrt((a - b) ** 2 - 2.0 * v * math.log(uniform(word))))
                highest = 1.0 + 0.5 * top * top
            while reached < levels.size and highest >= levels[reached]:
                passages[r, reached] = step + 1
                reached += 1
            if levels.size and reached == levels.size:
                break
        mean_loss[r] = total / kept if kept else np.nan
