"""SGD with momentum on linear regression, many replicas at once: three ways to draw batches.

Independent and shuffled batches are those of `core.ensembles.phase_space`; the same order in every
epoch, which only this chapter needs, is a loop here.
"""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

SAMPLERS = ("iid", "shuffle", "fixed")


@door
def power_law_spectrum(count, exponent, *, largest=1.0):
    """Return rho_j = rho_1 j^(-1/(a - 1)), j = 1 ... count, whose density falls as rho^-a.

    Args:
        count: number of modes.
        exponent: a in (1, 2).
        largest: rho_1.

    Raises:
        ValueError: for values outside their range.

    Example:
        >>> power_law_spectrum(4, 1.5).round(4)
        array([1.    , 0.25  , 0.1111, 0.0625])
    """
    validate.count("count", count)
    a = validate.positive("exponent", exponent)
    if not 1 < a < 2:
        raise ValueError(f"exponent must lie in (1, 2): got {exponent!r}")
    return validate.positive("largest", largest) * np.arange(1, count + 1) ** (-1 / (a - 1))


@dataclass(frozen=True, eq=False)
class Regression:
    """Samples whose Hessian is diagonal, L = sum (theta x - y)^2/(2 N); the minimum is at 0."""

    inputs: np.ndarray  # (N, modes), columns orthogonal: mean x_i x_j = rho_i delta_ij
    residuals: np.ndarray  # (N,): -(y - theta* x), orthogonal to the inputs

    @property
    def curvatures(self) -> np.ndarray:
        """rho_i (modes,)."""
        return np.mean(self.inputs**2, axis=0)

    @property
    def noise(self) -> np.ndarray:
        """Sigma_ii of one sample's gradient at the minimum (modes,), measured on the samples."""
        return np.mean((self.residuals[:, None] * self.inputs) ** 2, axis=0)


def regression(curvatures, *, samples, seed) -> Regression:
    """Return samples with exactly these curvatures: rotated normal inputs, normal labels.

    Args:
        curvatures: rho_i (modes,).
        samples: N, above the number of modes.
        seed: of the draw.
    """
    rho = validate.finite("curvatures", curvatures)
    validate.count("samples", samples, low=2 * rho.size)
    random = np.random.Generator(np.random.Philox(key=seed))
    whole, _ = np.linalg.qr(random.standard_normal((samples, rho.size)))
    labels = random.standard_normal(samples)
    residuals = whole @ (whole.T @ labels) - labels  # what no theta explains
    return Regression(np.sqrt(samples) * whole * np.sqrt(rho), residuals)


def positions(
    problem: Regression,
    record_steps,
    *,
    learning_rate,
    momentum,
    batch_size,
    replicas,
    seed,
    sampler="iid",
    start=0.0,
) -> np.ndarray:
    """Return theta - theta* of every replica after given numbers of steps.

    theta_{k+1} - theta_k = beta (theta_k - theta_{k-1}) - eta g, from rest.

    Args:
        problem: the samples.
        record_steps: numbers of steps, ascending from 0 (records,).
        learning_rate: eta.
        momentum: beta.
        batch_size: S.
        replicas: number of independent runs.
        seed: of the batches.
        sampler: "iid" (with replacement), "shuffle" (a permutation an epoch), "fixed" (one
            permutation for all epochs of a replica).
        start: theta_0 - theta*, a number or (modes,).

    Returns:
        (records, replicas, modes) in float64; NaN throughout for a replica that diverged, of
        which a warning tells.

    Raises:
        ValueError: if the steps do not ascend, or an epoch is not a whole number of batches.
        FloatingPointError: if every replica diverges.
    """
    validate.one_of("sampler", sampler, SAMPLERS)
    n, modes = problem.inputs.shape
    if sampler != "iid" and n % batch_size:
        raise ValueError(f"batch_size must divide the {n} samples: got {batch_size}")
    records = np.asarray(record_steps)
    if records.ndim != 1 or records[0] < 0 or np.any(np.diff(records) <= 0):
        raise ValueError(f"record_steps must ascend from 0: got {record_steps!r}")
    options = {
        "learning_rate": learning_rate,
        "momentum": momentum,
        "batch_size": batch_size,
        "replicas": replicas,
        "seed": seed,
        "start": np.zeros(modes) + start,
    }
    run = _fixed_order if sampler == "fixed" else partial(_ensemble, sampler=sampler)
    found = run(problem, records, **options)
    return _diverged(found, records, learning_rate)


def _diverged(found, records, learning_rate):
    """Mark replicas that are not finite at some record; refuse if none is left."""
    good = np.isfinite(found).all(axis=2)  # (records, replicas)
    lost = np.flatnonzero(~good.all(axis=0))
    if not lost.size:
        return found
    first = lost[np.argmin((~good[:, lost]).argmax(axis=0))]
    step = int(records[(~good[:, first]).argmax()])
    words = (
        f"{lost.size} of {good.shape[1]} replicas diverged at learning rate {learning_rate:g}, "
        f"the first by step {step}: replica {first}"
    )
    if lost.size == good.shape[1]:
        raise FloatingPointError(words)
    warnings.warn(words, RuntimeWarning, stacklevel=3)
    found[:, lost] = np.nan
    return found


def _ensemble(problem, records, *, replicas, start, **options):
    # Compiled kernels: only where something runs.
    from sgdescape.core.ensembles import phase_space
    from sgdescape.core.ensembles.regression_data import FiniteData

    data = FiniteData(problem.inputs, -problem.residuals)
    made = phase_space.states(
        data,
        record_steps=records,
        replicas=range(replicas),
        start=data.minimum + start,
        device="cpu",
        **options,
    )
    return made.position @ data.basis.T  # from the ensembles' eigenbasis back to our columns


def _fixed_order(problem, records, *, learning_rate, momentum, batch_size, replicas, seed, start):
    inputs, residuals = problem.inputs, problem.residuals
    random = np.random.Generator(np.random.Philox(key=seed))
    order = np.tile(np.arange(len(inputs)), (replicas, 1))
    random.permuted(order, axis=1, out=order)
    batches = order.reshape(replicas, -1, batch_size).transpose(1, 0, 2)
    rate = learning_rate / batch_size
    theta = np.tile(start, (replicas, 1))
    delta = np.zeros_like(theta)
    found = np.empty((records.size, *theta.shape))
    wanted = {step: index for index, step in enumerate(records.tolist())}
    for step in range(int(records[-1]) + 1):
        if step in wanted:
            found[wanted[step]] = theta
        index = batches[step % len(batches)]
        x = inputs[index]  # (replicas, S, modes)
        error = np.matmul(x, theta[:, :, None])[:, :, 0] + residuals[index]
        delta = momentum * delta - rate * np.matmul(error[:, None, :], x)[:, 0]
        theta = theta + delta
    return found
