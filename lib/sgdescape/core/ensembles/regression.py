"""Ensembles of discrete SGD on linear regression: first passages and stationary laws.

One update is theta <- theta - learning_rate * gradient of the batch loss, Eq. (2), with L as in
Eq. (1); with momentum and weight decay b <- momentum b + g + weight_decay theta, theta <- theta -
learning_rate b. A replica's path depends on (seed, its index) alone, not on the other replicas, the
engine, the threads or how the ensemble is cut into calls: ranges of replicas can be computed
anywhere and joined. What is observed draws nothing: `core.ensembles.phase_space` sees the same
paths. The reference is `core.ensembles.kernels.linear_torch`; the other engines follow it step by
step.

Sample indices are Philox words of the counter (step, draw, replica, stream), where step k - 1 makes
theta_k, draw numbers blocks of four words within it, replica is the index of the path and stream
one of `core.random.philox.Stream`: BATCH (sampler "iid" and "without_replacement"), PERMUTATION
(sampler "shuffle", with the epoch as step), or INPUT and TARGET (fresh data). The key is the seed.
Momentum draws nothing either: 0 gives the plain path, to the bit, and whatever the momentum the
batches of step k are the same.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.ensembles.kernels.linear_plan import LARGEST, SAMPLERS, Schedule, prepare, theta
from sgdescape.core.ensembles.regression_data import FiniteData, FreshData, gaussian_data

__all__ = [
    "FiniteData",
    "FreshData",
    "SAMPLERS",
    "Passages",
    "Stationary",
    "first_passage",
    "gaussian_data",
    "stationary",
]

_KERNELS = {"torch": "linear_torch", "numba": "linear_numba", "triton": "linear_triton"}


@dataclass(frozen=True, eq=False)
class Passages:
    """First passages of an ensemble. Times are in steps; t = learning_rate * steps."""

    thresholds: np.ndarray  # (m,) loss ratios c
    steps: np.ndarray  # (replicas, m) int64: first step k >= 1 with c L* <= L < inf; -1 = none
    last_step: np.ndarray  # (replicas,) int64: steps made; a censored passage is later than that
    diverged_at: np.ndarray  # (replicas,) int64: first step with a non-finite loss; -1 = never
    theta: np.ndarray  # (replicas, d): parameters after the last step; NaN if diverged


@dataclass(frozen=True, eq=False)
class Stationary:
    """Time averages of each replica, and a histogram over all of them.

    Displacements are theta - theta* in the eigenbasis of H: z_i belongs to ``curvatures[i]`` of the
    problem. Averages of a replica that diverged are NaN; what it recorded before stays in
    ``counts``. Replicas are independent, so the spread of a column gives an honest standard error.
    """

    records: int  # states recorded a replica
    loss: np.ndarray  # (replicas,): mean of L
    square_loss: np.ndarray  # (replicas,): mean of L^2
    displacement: np.ndarray  # (replicas, d): mean of z_i
    square_displacement: np.ndarray  # (replicas, d): mean of z_i^2
    edges: np.ndarray | None  # (bins + 1,) of the histogram
    counts: np.ndarray | None  # (bins,) int64; bins are [low, high)
    outside: np.ndarray | None  # (2,) int64: records below the first and from the last edge on
    samples: np.ndarray | None  # (replicas, kept, d): theta, every ``keep_every`` steps
    diverged_at: np.ndarray  # (replicas,) int64: first step with a non-finite loss; -1 = never
    theta: np.ndarray  # (replicas, d): parameters after the last step; NaN if diverged


@door
def first_passage(
    problem: FiniteData | FreshData,
    *,
    thresholds,
    learning_rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int,
    max_steps: int,
    replicas: range,
    seed: int,
    sampler: str = "iid",
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
    start=None,
    start_velocity=None,
    threads: int | None = None,
) -> Passages:
    """Return when the loss of each replica first reaches c times its minimum, for many c at once.

    The passage is the first step k >= 1 with L(theta_k) >= c L*; L is the loss of all data, looked
    at after every step. A replica stops at its last threshold, at ``max_steps``, or when its loss
    is no longer finite: that counts as a passage through all levels, and the replica is flagged.

    Args:
        problem: the data.
        thresholds: loss ratios c > 1 (m,), ascending.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; added to the gradient, so it goes through the momentum. The loss
            that is looked at is without its term.
        batch_size: B >= 1; at most N unless the sampler is "iid".
        max_steps: steps after which a replica is given up, in [1, 2^32).
        replicas: indices of the replicas, within [0, 2^32).
        seed: integer in [0, 2^64).
        sampler: "iid" (with replacement), "without_replacement" (within the batch), "shuffle" (each
            epoch a new permutation, N mod B samples left out). Fresh data allow "iid" only.
        engine: "torch" (reference), "numba" (CPU), "triton" (CUDA), or "auto": numba on the CPU,
            Triton on CUDA where it is installed, else torch.
        dtype: "float64" or "float32", of state and arithmetic.
        device: "cpu", "cuda", ..., or "auto": CUDA where it is and the engine can use it.
        start: theta before the first step, (d,) or (replicas, d); None for theta*.
        start_velocity: v_0 = -b_0, in the coordinates of theta; same shapes; None for 0.
        threads: of the numba engine; None for NUMBA_NUM_THREADS, all cores if that is not set.

    Returns:
        Steps of all passages; a passage that was not seen is -1, never left out.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if one lies outside its range, or the minimum loss is 0 so that c means nothing.
        RuntimeError: if the engine is not there.

    Example:
        >>> passages = first_passage(
        ...     FreshData(1), thresholds=[1.5, 2.0], learning_rate=0.5, batch_size=1,
        ...     max_steps=1000, replicas=range(4), seed=0, engine="torch", device="cpu",
        ... )
        >>> passages.steps.shape, bool((passages.steps[:, 0] <= passages.steps[:, 1]).all())
        ((4, 2), True)
    """
    levels = validate.finite("thresholds", thresholds)
    if levels.ndim != 1 or not (levels > 1).all() or (np.diff(levels) <= 0).any():
        raise ValueError(
            f"thresholds must be loss ratios above 1 in ascending order, (m,): got {thresholds!r}"
        )
    validate.count("max_steps", max_steps, high=LARGEST)
    kernel, plan = prepare(
        problem,
        kernels=_KERNELS,
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
        batch_size=batch_size,
        replicas=replicas,
        seed=seed,
        sampler=sampler,
        engine=engine,
        dtype=dtype,
        device=device,
        start=start,
        start_velocity=start_velocity,
        threads=threads,
    )
    fresh = isinstance(problem, FreshData)
    if not (fresh or problem.minimum_loss > 1e-24 * np.mean(problem.targets**2)):
        raise ValueError(
            f"problem must have a minimum loss above 0: got {problem.minimum_loss:.3g}; "
            "a ratio of losses means nothing there"
        )
    excess = 2 * (levels - 1) * problem.minimum_loss
    steps, last, diverged, z = kernel.first_passage(plan, excess, max_steps)
    steps[steps == diverged[:, None]] = -1  # as in all ensembles: no number, no passage
    return Passages(levels, steps, last, diverged, theta(problem, z))


@door
def stationary(
    problem: FiniteData | FreshData,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int,
    steps: int,
    burn_in: int,
    replicas: range,
    seed: int,
    sampler: str = "iid",
    record_every: int = 1,
    edges=None,
    observable: str = "distance",
    keep_every: int | None = None,
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
    start=None,
    start_velocity=None,
    threads: int | None = None,
) -> Stationary:
    """Return time averages and a histogram of SGD near the minimum, summed up on the way.

    Each replica makes ``burn_in`` updates, then ``steps`` more; every ``record_every``-th of these
    is recorded. Sums are kept in float64.

    Args:
        problem: the data.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0; added to the gradient, so it goes through the momentum. The loss
            that is looked at is without its term.
        batch_size: B >= 1; at most N unless the sampler is "iid".
        steps: updates after ``burn_in``, at least ``record_every``; burn_in + steps < 2^32.
        burn_in: updates before the first record >= 0.
        replicas: as in `first_passage`.
        seed: integer in [0, 2^64).
        sampler: as in `first_passage`.
        record_every: updates between records >= 1.
        edges: of the histogram (bins + 1,), ascending; None for no histogram.
        observable: what it is of: "distance" |theta - theta*|, or "loss" L.
        keep_every: updates between kept states >= 1, counted from ``burn_in``; None to keep none.
            They take replicas * (steps / keep_every) * d numbers.
        engine: as in `first_passage`, and the arguments that follow.
        dtype: "float64" or "float32".
        device: where to compute.
        start: theta before the first step, (d,) or (replicas, d); None for theta*.
        start_velocity: v_0 = -b_0, in the coordinates of theta; same shapes; None for 0.
        threads: of the numba engine.

    Returns:
        Averages of each replica, the histogram, kept states.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if one lies outside its range.
        RuntimeError: if the engine is not there.

    Example:
        >>> made = stationary(
        ...     FreshData(1), learning_rate=0.5, batch_size=4, steps=100, burn_in=50,
        ...     replicas=range(3), seed=0, edges=[0.0, 1.0, 2.0], engine="torch", device="cpu",
        ... )
        >>> made.records, made.loss.shape, int(made.counts.sum() + made.outside.sum())
        (100, (3,), 300)
    """
    validate.count("burn_in", burn_in, low=0, high=LARGEST)
    validate.count("steps", steps, high=LARGEST - burn_in)
    validate.count("record_every", record_every, high=steps)
    validate.one_of("observable", observable, ("distance", "loss"))
    if keep_every is not None:
        validate.count("keep_every", keep_every, high=steps)
    kernel, plan = prepare(
        problem,
        kernels=_KERNELS,
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
        batch_size=batch_size,
        replicas=replicas,
        seed=seed,
        sampler=sampler,
        engine=engine,
        dtype=dtype,
        device=device,
        start=start,
        start_velocity=start_velocity,
        threads=threads,
    )
    bins = None if edges is None else _ascending("edges", edges)
    schedule = Schedule(
        burn_in=burn_in,
        steps=steps,
        record_every=record_every,
        weights=np.ones(problem.dimension) if observable == "distance" else plan.curvatures,
        edges=_squared(bins, observable, problem.minimum_loss),
        keep_every=keep_every or 0,
    )
    made = kernel.stationary(plan, schedule)
    d, records = problem.dimension, steps // record_every
    means = made["sums"] / records
    means[made["diverged"] >= 0] = np.nan
    excess, lowest = 0.5 * means[:, d : 2 * d] @ plan.curvatures, problem.minimum_loss
    counts = made["counts"]
    samples = made["samples"]
    return Stationary(
        records=records,
        loss=lowest + excess,
        square_loss=lowest**2 + 2 * lowest * excess + 0.25 * means[:, 2 * d],
        displacement=means[:, :d],
        square_displacement=means[:, d : 2 * d],
        edges=bins,
        counts=None if bins is None else counts[1:-1],
        outside=None if bins is None else counts[[0, -1]],
        samples=None if samples is None else theta(problem, samples),
        diverged_at=made["diverged"],
        theta=theta(problem, made["z"]),
    )


def _ascending(name, values):
    array = validate.finite(name, values)
    if array.ndim != 1 or len(array) < 2 or (np.diff(array) <= 0).any():
        raise ValueError(f"{name} must be at least two numbers in ascending order: got {values!r}")
    return array


def _squared(edges, observable, lowest):
    """Return the edges in terms of sum_i weights_i z_i^2."""
    if edges is None:
        return np.empty(0)
    if observable == "loss":
        return 2 * (edges - lowest)
    return np.sign(edges) * edges**2
