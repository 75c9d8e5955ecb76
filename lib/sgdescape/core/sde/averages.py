"""What is averaged along the paths of a `Bowl`, one value a replica; no averaging here."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Stationary"]


@dataclass(frozen=True)
class Stationary:
    """Time averages along each path after the burn-in, one value a replica: errors are honest."""

    duration: np.ndarray  # (replicas,) time averaged over, in the clock asked for
    loss: np.ndarray  # (replicas,) mean of L
    loss_squared: np.ndarray  # (replicas,) mean of L^2
    radius_squared: np.ndarray  # (replicas,) mean of |z|^2
    counts: np.ndarray  # (bins,) weight found between the edges, 1 a sample in the SDE's own clock
    edges: np.ndarray  # (bins + 1,)
    outside: np.ndarray  # (2,) weight below the first and from the last edge on
    samples: np.ndarray  # (kept, replicas, d) states, empty unless asked for
    diverged_at: np.ndarray  # (replicas,) int64 step after which the loss was not finite; -1: never
    theta: np.ndarray  # (replicas, d) last state
