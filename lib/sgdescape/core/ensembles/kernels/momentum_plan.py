"""What SGD with momentum and weight decay needs beside a `Plan`, in the eigenbasis of the Hessian.

With z = basis^T (theta - theta*) and delta_k = z_k - z_{k-1}, the two updates b <- beta b + g +
lambda theta, theta <- theta - eta b are one:

    delta <- beta delta - (eta / B) sum_b x_b (x_b.z - r_b) - eta lambda (z + basis^T theta*)
    z <- z + delta

and the velocity is v = -b = delta / eta.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Motion:
    """All engines take it, next to a `Plan`."""

    momentum: float  # beta
    weight_decay: float  # lambda
    minimum: np.ndarray  # (d,): basis^T theta*
    start: np.ndarray  # (replicas, d): delta before the first step


@dataclass(frozen=True)
class Times:
    """What the averages are over."""

    burn_in: int  # updates before the first record
    steps: int  # updates after burn_in
    record_every: int


# Sums of each mode, in this order: x = z after the update, y = delta of the update before.
SUMS = ("x", "x x", "delta delta", "x delta", "x y")
