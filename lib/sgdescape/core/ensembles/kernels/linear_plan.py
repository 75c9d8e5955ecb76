"""What a simulation of linear regression needs, checked and in the eigenbasis of the Hessian.

z = basis^T (theta - theta*). A row (x, r) holds an input and the rest r of its target at theta*, so
that a sample's residual is x.z - r and the loss is L = L* + sum_i h_i z_i^2 / 2: no data needed.

With delta_k = z_k - z_{k-1} the two updates b <- beta b + g + lambda theta, theta <- theta - eta b
of SGD with momentum beta and weight decay lambda are one:

    delta <- beta delta - (eta / B) sum_b x_b (x_b.z - r_b) - eta lambda (z + basis^T theta*)
    z <- z + delta

and the velocity is v = -b = delta / eta. Without momentum and weight decay all engines compute the
plain z - (eta / B) sum_b x_b (x_b.z - r_b) instead, which is the same, and the same to the bit.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.ensembles.regression_data import FiniteData, FreshData

SAMPLERS = ("iid", "without_replacement", "shuffle")
ENGINES = ("auto", "torch", "numba", "triton")
DTYPES = ("float64", "float32")
LARGEST = 2**32 - 1  # counters are 32-bit words


@dataclass(frozen=True, eq=False)
class Motion:
    """Momentum and weight decay of a `Plan`."""

    momentum: float  # beta
    weight_decay: float  # lambda
    minimum: np.ndarray  # (d,): basis^T theta*
    start: np.ndarray  # (replicas, d): delta before the first step

    @property
    def plain(self) -> bool:
        """Whether an update is that of SGD alone."""
        return self.momentum == 0 and self.weight_decay == 0


@dataclass(frozen=True, eq=False)
class Plan:
    """One ensemble; all engines take it."""

    rows: np.ndarray | None  # (N, d + 1) float64; None for fresh samples
    law: str  # of fresh inputs
    noise_std: float  # of fresh targets
    curvatures: np.ndarray  # (d,)
    start: np.ndarray  # (replicas, d), z before the first step
    learning_rate: float
    motion: Motion
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


@dataclass(frozen=True)
class Times:
    """What the averages in phase space are over."""

    burn_in: int  # updates before the first record
    steps: int  # updates after burn_in
    record_every: int


# Sums of each mode in phase space: x = z after the update, y = delta of the update before.
SUMS = ("x", "x x", "delta delta", "x delta", "x y")


def prepare(
    problem, *, kernels: Mapping[str, str], learning_rate, momentum, weight_decay, batch_size,
    replicas, seed, sampler, engine, dtype, device, start, start_velocity, threads,
):  # fmt: skip
    """Return the engine's module and the plan of what a caller asked for.

    The arguments are those of `core.ensembles.regression.first_passage`, checked here, and
    ``kernels``: of each engine, the name of its module in this package.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if one lies outside its range.
        RuntimeError: if the engine is not there.
    """
    if not isinstance(problem, (FiniteData, FreshData)):
        raise TypeError(f"problem must be FiniteData or FreshData: got {type(problem).__name__}")
    _, beta = validate.optimiser(learning_rate, momentum, single=True)
    decay = validate.non_negative("weight_decay", weight_decay)
    validate.one_of("sampler", sampler, SAMPLERS)
    validate.one_of("dtype", dtype, DTYPES)
    validate.count("seed", seed, low=0, high=2**64 - 1)
    finite = isinstance(problem, FiniteData)
    if not finite and sampler != "iid":
        raise ValueError(f"sampler must be 'iid' for fresh data: got {sampler!r}")
    most = len(problem.inputs) if sampler != "iid" else 2**20
    validate.count("batch_size", batch_size, high=most)
    if not isinstance(replicas, range):
        raise TypeError(f"replicas must be a range: got {type(replicas).__name__}")
    ends = replicas[:1], replicas[-1:]  # not min and max: a range can be long
    if not all(ends) or not all(0 <= end[0] <= LARGEST for end in ends):
        raise ValueError(f"replicas must be a non-empty range within [0, 2^32): got {replicas}")
    if threads is not None:
        validate.count("threads", threads, high=4096)
    kernel, place = _kernel(kernels, engine, device)
    velocity = per_replica("start_velocity", start_velocity, problem, len(replicas))
    motion = Motion(
        momentum=beta,
        weight_decay=decay,
        minimum=problem.minimum @ problem.basis,
        start=learning_rate * velocity,
    )
    plan = Plan(
        rows=problem.rows if finite else None,
        law="" if finite else problem.inputs,
        noise_std=0.0 if finite else float(problem.noise_std),
        curvatures=problem.curvatures,
        start=per_replica("start", start, problem, len(replicas), origin=problem.minimum),
        learning_rate=float(learning_rate),
        motion=motion,
        batch_size=int(batch_size),
        sampler=sampler,
        seed=int(seed),
        replicas=replicas,
        dtype=dtype,
        device=place,
        threads=threads,
    )
    return kernel, plan


def per_replica(name, value, problem, count, *, origin=0.0):
    """Return value - origin, a vector or one for each replica, in H's eigenbasis (count, d).

    Zeros where the value is None.
    """
    shape = (count, problem.dimension)
    if value is None:
        return np.zeros(shape)
    given = validate.finite(name, value)
    if given.shape not in (shape, shape[1:]):
        raise ValueError(f"{name} must have shape {shape[1:]} or {shape}: got {given.shape}")
    z = (given - origin) @ problem.basis
    return np.ascontiguousarray(np.broadcast_to(z, shape))


def theta(problem, z):
    """Return the parameters at z (..., d)."""
    return problem.minimum + np.asarray(z, dtype=np.float64) @ problem.basis.T


def _kernel(kernels, engine, device):
    """Return the engine's module and the name of the device."""
    validate.one_of("engine", engine, ENGINES)
    place = "cpu" if engine == "numba" and device == "auto" else str(validate.device(device))
    if engine == "auto":
        triton = place.startswith("cuda") and importlib.util.find_spec("triton")
        engine = "triton" if triton else "numba" if place == "cpu" else "torch"
    if engine == "numba" and place != "cpu":
        raise ValueError(f"device must be 'cpu' for engine 'numba': got {device!r}")
    if engine == "triton" and not importlib.util.find_spec("triton"):
        raise RuntimeError("engine 'triton' needs the package triton, which is not installed")
    kernel = importlib.import_module(f"{__package__}.{kernels[engine]}")
    if engine == "triton":
        kernel.require(place)
    return kernel, place
