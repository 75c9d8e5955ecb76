"""SGD with momentum on linear regression, many replicas at once: three ways to draw batches."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate

SAMPLERS = ("iid", "shuffle", "fixed")
_BLOCK = 64  # steps whose batches are drawn together


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
        (records, replicas, modes) in float64.

    Raises:
        ValueError: if the steps do not ascend, or an epoch is not a whole number of batches.
        FloatingPointError: if a run diverges.
    """
    validate.one_of("sampler", sampler, SAMPLERS)
    n, modes = problem.inputs.shape
    if sampler != "iid" and n % batch_size:
        raise ValueError(f"batch_size must divide the {n} samples: got {batch_size}")
    records = np.asarray(record_steps)
    if records.ndim != 1 or records[0] < 0 or np.any(np.diff(records) <= 0):
        raise ValueError(f"record_steps must ascend from 0: got {record_steps!r}")
    inputs, residuals = problem.inputs, problem.residuals
    rate = learning_rate / batch_size
    theta = np.zeros((replicas, modes)) + start
    delta = np.zeros_like(theta)
    found = np.empty((records.size, replicas, modes))
    wanted, next_record = records.tolist(), 0
    draw = _batches(n, batch_size, replicas, sampler, seed)
    for step in range(wanted[-1] + 1):
        if step == wanted[next_record]:
            found[next_record] = theta
            next_record += 1
            if next_record == len(wanted):
                break
        index = next(draw)
        x = inputs[index]  # (replicas, S, modes)
        error = np.matmul(x, theta[:, :, None])[:, :, 0] + residuals[index]
        delta = momentum * delta - rate * np.matmul(error[:, None, :], x)[:, 0]
        theta = theta + delta
    if not np.isfinite(found).all():
        raise FloatingPointError(f"a run diverged at learning rate {learning_rate:g}")
    return found


def _batches(n, size, replicas, sampler, seed):
    """Sample indices (replicas, S) of one step after the other."""
    random = np.random.Generator(np.random.Philox(key=seed))
    if sampler == "iid":
        while True:
            yield from random.integers(n, size=(_BLOCK, replicas, size))
    order = np.tile(np.arange(n), (replicas, 1))
    random.permuted(order, axis=1, out=order)
    while True:
        yield from order.reshape(replicas, n // size, size).transpose(1, 0, 2)
        if sampler == "shuffle":
            random.permuted(order, axis=1, out=order)
