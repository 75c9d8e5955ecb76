"""What a simulation of linear regression needs, checked and in the eigenbasis of the Hessian.

z = basis^T (theta - theta*). A row (x, r) holds an input and the rest r of its target at theta*, so
that a sample's residual is x.z - r and the loss is L = L* + sum_i h_i z_i^2 / 2: no data needed.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Plan:
    """One ensemble; all engines take it."""

    rows: np.ndarray | None  # (N, d + 1) float64; None for fresh samples
    law: str  # of fresh inputs
    noise_std: float  # of fresh targets
    curvatures: np.ndarray  # (d,)
    start: np.ndarray  # (replicas, d), z before the first step
    learning_rate: float
    batch_size: int
    sampler: str
    seed: int
    replicas: range
    dtype: str
    device: str
    threads: int


@dataclass(frozen=True, eq=False)
class Schedule:
    """What `stationary` records."""

    burn_in: int  # updates before the first record
    steps: int  # updates after burn_in
    record_every: int
    weights: np.ndarray  # (d,): the histogram is of sum_i weights_i z_i^2
    edges: np.ndarray  # (bins + 1,), of that sum
    keep_every: int  # of the updates after burn_in; 0 to keep no state
