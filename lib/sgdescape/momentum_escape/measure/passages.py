"""SGD with momentum on one direction with fresh samples: when the loss is c times its minimum.

Units: curvature 1, label noise 1, so that the loss is L* (1 + theta^2). Paths of real samples are
those of `core.ensembles.regression`.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.ensembles import phase_space, regression
from sgdescape.core.random import philox

LAWS = ("gaussian", "uniform", "rademacher", "decoupled")
_BLOCK = 256  # steps whose normal numbers are made together, a multiple of 4


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
    ratio = float(validate.within("loss_ratio", loss_ratio, low=1, open_low=True))
    validate.count("replicas", replicas)
    validate.positive("step", step)
    validate.one_of("inputs", inputs, LAWS)
    if inputs == "decoupled":
        return _normal_pushes(
            ratio - 1,
            step=step,
            momentum=validate.fraction("momentum", momentum),
            size=validate.count("batch_size", batch_size),
            replicas=replicas,
            most=validate.count("most", most, high=2**32 - 1),
            seed=seed,
        )
    made = regression.first_passage(
        regression.FreshData(1, inputs), thresholds=[ratio], learning_rate=step, momentum=momentum,
        batch_size=batch_size, max_steps=most, replicas=range(replicas), seed=seed, engine="numba",
    )  # fmt: skip
    return made.steps[:, 0]


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
        inputs: law of x, "gaussian", "uniform" or "rademacher".
        chains: independent runs.
        steps: of each that are looked at.
        burn_in: steps before.
        seed: integer in [0, 2^64).

    Returns:
        (chains, n).

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> tail_shares([0.0, 2.0], step=0.1, momentum=0.5, chains=2, steps=100, burn_in=10,
        ...             seed=0)[:, 0].tolist()
        [1.0, 1.0]
    """
    edges = validate.within("energies", energies, low=0)
    if edges.ndim != 1 or np.any(np.diff(edges) <= 0):
        raise ValueError(f"energies must ascend, (n,): got {energies!r}")
    validate.one_of("inputs", inputs, LAWS[:-1])
    burn_in = validate.count("burn_in", burn_in, low=0)
    steps = validate.count("steps", steps, high=2**32 - 2 - burn_in)
    shares = np.empty((validate.count("chains", chains), edges.size))
    for chain, row in enumerate(shares):  # one after the other: their states would fill memory
        made = phase_space.states(
            regression.FreshData(1, inputs), learning_rate=step, momentum=momentum,
            batch_size=batch_size, record_steps=np.arange(burn_in + 1, burn_in + steps + 1),
            replicas=range(chain, chain + 1), seed=seed, engine="numba",
        )  # fmt: skip
        delta = step * made.velocity[:, 0, 0]
        middle = made.position[:, 0, 0] - delta / 2
        energy = middle**2 + (1 + momentum) / (2 * step) * delta**2  # the weight of Kunin et al.
        row[:] = 1 - np.searchsorted(np.sort(energy), edges) / steps
    return shares


def _normal_pushes(edge, *, step, momentum, size, replicas, most, seed):
    """Passages of theta^2 through an edge, pushed by theta + sqrt((1 + theta^2) / S) xi."""
    out, alive = np.full(replicas, -1, np.int64), np.arange(replicas)
    theta, delta = np.zeros((2, replicas))
    for first in range(0, most, _BLOCK):
        block = np.arange(first // 4, (first + _BLOCK) // 4)[:, None]  # four steps a block of words
        counter = {"step": block, "draw": 0, "replica": alive, "stream": philox.Stream.NOISE}
        xi = philox.normals(philox.words(seed, **counter)).transpose(0, 2, 1)
        for k, push in enumerate(xi.reshape(_BLOCK, -1)[: most - first], first + 1):
            pull = theta + np.sqrt((1 + theta**2) / size) * push
            delta = momentum * delta - step * pull
            theta = theta + delta
            passed = theta**2 >= edge
            if passed.any():
                here = alive[passed]
                out[here] = np.where(out[here] < 0, k, out[here])
        going = out[alive] < 0
        alive, theta, delta = alive[going], theta[going], delta[going]
        if not alive.size:
            break
    return out
