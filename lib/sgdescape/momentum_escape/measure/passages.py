"""SGD with momentum on one direction with fresh samples: when the loss is c times its minimum.

Units: curvature 1, label noise 1, so that the loss is L* (1 + theta^2).
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.random import philox
from sgdescape.momentum_escape.measure import _passages_numba as kernels

LAWS = {
    "gaussian": kernels.GAUSSIAN,
    "uniform": kernels.UNIFORM,
    "rademacher": kernels.RADEMACHER,
    "decoupled": kernels.DECOUPLED,
}


def first_passages(
    loss_ratio,
    *,
    step,
    momentum,
    batch_size=1,
    inputs="gaussian",
    replicas,
    most=2**31,
    seed,
):
    """Return the first step at which the loss is at least c L*, of replicas that start at rest.

    Args:
        loss_ratio: c > 1.
        step: eta h > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        inputs: law of x, "gaussian", "uniform" or "rademacher"; or "decoupled", a normal push with
            the variance 2 L h instead of samples.
        replicas: number of them.
        most: steps after which a replica is given up, below 2^32.
        seed: integer in [0, 2^64).

    Returns:
        (replicas,) int64; -1 for a replica that was given up.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> first_passages(1.5, step=0.1, momentum=0.5, replicas=3, seed=0).shape
        (3,)
    """
    edge = float(validate.within("loss_ratio", loss_ratio, low=1, open_low=True)) - 1
    out = np.empty(validate.count("replicas", replicas), np.int64)
    kernels.passages(
        validate.positive("step", step),
        validate.fraction("momentum", momentum),
        validate.count("batch_size", batch_size),
        LAWS[validate.one_of("inputs", inputs, LAWS)],
        edge,
        np.arange(replicas, dtype=np.uint32),
        validate.count("most", most, high=2**32 - 1),
        *(np.uint32(k) for k in philox.key(seed)),
        out,
    )
    return out


def tail_shares(
    energies, *, step, momentum, batch_size=1, inputs="gaussian", chains, steps, burn_in, seed
):
    """Return the share of steps of each chain at which T kappa Psi is at least an energy.

    kappa Psi is Kunin et al.'s modified loss of midpoint and step; T kappa Psi is theta^2 plus the
    square of the velocity in units of the swing.

    Args:
        energies: (n,) >= 0, ascending.
        step: eta h > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        inputs: as in `first_passages`.
        chains: independent runs.
        steps: of each that are looked at.
        burn_in: steps before.
        seed: integer in [0, 2^64).

    Returns:
        (chains, n).

    Example:
        >>> tail_shares([0.0, 2.0], step=0.1, momentum=0.5, chains=2, steps=100, burn_in=10,
        ...             seed=0)[:, 0].tolist()
        [1.0, 1.0]
    """
    edges = validate.within("energies", energies, low=0)
    if edges.ndim != 1 or np.any(np.diff(edges) <= 0):
        raise ValueError(f"energies must ascend, (n,): got {energies!r}")
    out = np.zeros((validate.count("chains", chains), edges.size), np.int64)
    keys = [np.uint32(k) for k in philox.key(seed)]
    for chain, row in enumerate(out):
        kernels.visits(
            validate.positive("step", step),
            validate.fraction("momentum", momentum),
            validate.count("batch_size", batch_size),
            LAWS[validate.one_of("inputs", inputs, LAWS)],
            edges,
            validate.count("burn_in", burn_in, low=0),
            validate.count("steps", steps, high=2**32 - 2 - burn_in),
            np.uint32(chain),
            *keys,
            row,
        )
    return out / steps
