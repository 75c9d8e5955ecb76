"""Positions and velocities of SGD on linear regression, and their stationary moments.

delta_k = theta_k - theta_{k-1}, and the velocity is v_k = delta_k / learning_rate. Paths and their
random numbers are those of `core.ensembles.regression`, with momentum or without.
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.ensembles.kernels.linear_plan import LARGEST, Times, prepare
from sgdescape.core.ensembles.regression_data import FiniteData, FreshData

__all__ = ["PhaseMoments", "PhaseSpace", "averages", "states"]

_KERNELS = {"torch": "phase_torch", "numba": "phase_numba", "triton": "phase_triton"}


@dataclass(frozen=True, eq=False)
class PhaseSpace:
    """States of an ensemble, in the eigenbasis of H: mode i has ``curvatures[i]`` of the problem.

    A replica's states are NaN from ``diverged_at`` on.
    """

    steps: np.ndarray  # (records,) int64: updates made
    position: np.ndarray  # (records, replicas, d): theta_k - theta*
    velocity: np.ndarray  # (records, replicas, d): v_k
    loss: np.ndarray  # (records, replicas): L(theta_k), without the weight decay's term
    diverged_at: np.ndarray  # (replicas,) int64: first step with a non-finite loss; -1 = never


@dataclass(frozen=True, eq=False)
class PhaseMoments:
    """Time averages of each replica, in the eigenbasis of H; x_k = theta_k - theta*.

    They are NaN for a replica that diverged. Replicas are independent, so the spread of a column
    gives an honest standard error. With weight decay the mean position is not 0.

    A record is a step k: of the areal rate it holds x_{k-1} delta_k - x_k delta_{k-1}. The midpoint
    product is (x_k^2 - x_{k-1}^2) / (2 eta) in each step, so if every step is recorded its average
    is a difference of two ends over the number of steps: small whatever the law. For a test take
    ``record_every`` beyond the correlation time, or `states`.
    """

    records: int  # states recorded a replica
    position: np.ndarray  # (replicas, d): mean of x_k
    square_position: np.ndarray  # (replicas, d): mean of x_k^2
    square_velocity: np.ndarray  # (replicas, d): mean of v_k^2
    midpoint_product: np.ndarray  # (replicas, d): mean of (x_k - delta_k / 2) v_k
    areal_rate: np.ndarray  # (replicas, d): mean of x_{k-1} delta_k - x_k delta_{k-1}
    loss: np.ndarray  # (replicas,): mean of L(theta_k), without the weight decay's term
    square_speed: np.ndarray  # (replicas,): mean of |v_k|^2
    diverged_at: np.ndarray  # (replicas,) int64: first step with a non-finite loss; -1 = never


@door
def states(
    problem: FiniteData | FreshData,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int,
    record_steps,
    replicas: range,
    seed: int,
    sampler: str = "iid",
    start=None,
    start_velocity=None,
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
    threads: int | None = None,
) -> PhaseSpace:
    """Return positions and velocities of an ensemble after given numbers of updates.

    Args:
        problem: the data.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: B >= 1; at most N unless the sampler is "iid".
        weight_decay: lambda >= 0; added to the gradient, so it goes through the momentum.
        record_steps: numbers of updates (records,), ascending integers in [0, 2^32), 0 for the
            start. The result takes 2 * records * replicas * d numbers.
        replicas: indices of the replicas, within [0, 2^32).
        seed: integer in [0, 2^64).
        sampler: "iid" (with replacement), "without_replacement" (within the batch), "shuffle" (each
            epoch a new permutation, N mod B samples left out). Fresh data allow "iid" only.
        start: theta before the first step, (d,) or (replicas, d); None for theta*.
        start_velocity: v_0 = -b_0, in the coordinates of theta; same shapes; None for 0.
        engine: "torch" (reference), "numba" (CPU), "triton" (CUDA), or "auto": numba on the CPU,
            Triton on CUDA where it is installed, else torch.
        dtype: "float64" or "float32", of state and arithmetic.
        device: "cpu", "cuda", ..., or "auto": CUDA where it is and the engine can use it.
        threads: of the numba engine; None for NUMBA_NUM_THREADS, all cores if that is not set.

    Returns:
        States in float64, whatever the arithmetic.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if one lies outside its range.
        RuntimeError: if the engine is not there.

    Example:
        >>> made = states(
        ...     FreshData(2), learning_rate=0.1, momentum=0.9, batch_size=4, record_steps=[0, 5, 6],
        ...     replicas=range(3), seed=0, engine="torch", device="cpu",
        ... )
        >>> step = made.position[2] - made.position[1]
        >>> made.velocity.shape, bool(np.allclose(step, 0.1 * made.velocity[2]))
        ((3, 3, 2), True)
    """
    steps = _steps(record_steps)
    kernel, plan = prepare(
        problem,
        kernels=_KERNELS,
        momentum=momentum,
        weight_decay=weight_decay,
        start_velocity=start_velocity,
        learning_rate=learning_rate,
        batch_size=batch_size,
        replicas=replicas,
        seed=seed,
        sampler=sampler,
        engine=engine,
        dtype=dtype,
        device=device,
        start=start,
        threads=threads,
    )
    position, delta, diverged = kernel.phase_space(plan, steps)
    with np.errstate(over="ignore"):  # far starts
        loss = problem.minimum_loss + 0.5 * position**2 @ plan.curvatures
    return PhaseSpace(steps, position, delta / plan.learning_rate, loss, diverged)


@door
def averages(
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
    start=None,
    start_velocity=None,
    engine: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
    threads: int | None = None,
) -> PhaseMoments:
    """Return time averages in phase space of SGD with momentum, summed up on the way.

    Each replica makes ``burn_in`` updates, then ``steps`` more; every ``record_every``-th of these
    is recorded. Sums are kept in float64.

    Args:
        problem: the data.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: B >= 1; at most N unless the sampler is "iid".
        weight_decay: lambda >= 0.
        steps: updates after ``burn_in``, at least ``record_every``; burn_in + steps < 2^32.
        burn_in: updates before the first record >= 0.
        replicas: as in `states`, and the arguments that follow.
        seed: integer in [0, 2^64).
        sampler: "iid", "without_replacement", "shuffle".
        record_every: updates between records >= 1.
        start: theta before the first step, (d,) or (replicas, d); None for theta*.
        start_velocity: v_0, same shapes; None for 0.
        engine: "torch", "numba", "triton", "auto".
        dtype: "float64" or "float32".
        device: where to compute.
        threads: of the numba engine.

    Returns:
        Averages of each replica.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if one lies outside its range.
        RuntimeError: if the engine is not there.

    Example:
        >>> made = averages(
        ...     FreshData(2), learning_rate=0.1, momentum=0.9, batch_size=4, steps=100, burn_in=50,
        ...     replicas=range(3), seed=0, engine="torch", device="cpu",
        ... )
        >>> made.records, made.square_velocity.shape, bool((made.areal_rate < 0).all())
        (100, (3, 2), True)
    """
    validate.count("burn_in", burn_in, low=0, high=LARGEST)
    validate.count("steps", steps, high=LARGEST - burn_in)
    validate.count("record_every", record_every, high=steps)
    kernel, plan = prepare(
        problem,
        kernels=_KERNELS,
        momentum=momentum,
        weight_decay=weight_decay,
        start_velocity=start_velocity,
        learning_rate=learning_rate,
        batch_size=batch_size,
        replicas=replicas,
        seed=seed,
        sampler=sampler,
        engine=engine,
        dtype=dtype,
        device=device,
        start=start,
        threads=threads,
    )
    sums, diverged = kernel.moments(plan, Times(burn_in, steps, record_every))
    records = steps // record_every
    means = sums / records
    means[diverged >= 0] = np.nan
    x, xx, dd, xd, xy = np.moveaxis(means, 1, 0)
    eta = plan.learning_rate
    return PhaseMoments(
        records=records,
        position=x,
        square_position=xx,
        square_velocity=dd / eta**2,
        midpoint_product=(xd - 0.5 * dd) / eta,
        areal_rate=xd - dd - xy,
        loss=problem.minimum_loss + 0.5 * xx @ plan.curvatures,
        square_speed=dd.sum(1) / eta**2,
        diverged_at=diverged,
    )


def _steps(values):
    steps = np.asarray(values)
    if steps.ndim != 1 or not len(steps) or not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"record_steps must be integers, (records,): got {values!r}")
    if steps[0] < 0 or steps[-1] > LARGEST or (np.diff(steps.astype(np.int64)) <= 0).any():
        raise ValueError(f"record_steps must ascend within [0, 2^32): got {values!r}")
    return steps.astype(np.int64)
