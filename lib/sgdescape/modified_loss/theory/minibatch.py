"""Stationary second moments of momentum SGD on a finite data set, exact, batches drawn iid.

The noise of real batches grows with the distance from the minimum; its second moment is linear in
that of the position, so the equations close.
"""

import numpy as np

from sgdescape.core import validate


def minibatch_moments(
    problem, *, learning_rate, momentum, batch_size, weight_decay=0.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return E[x x^T] and E[delta delta^T] in H's eigenbasis, Eq. (modified-minibatch).

    Args:
        problem: `core.ensembles.regression_data.FiniteData`; with weight decay its minimum must be
        at 0.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, an integer.
        weight_decay: lambda >= 0.

    Returns:
        Two (d, d); x_k = theta_k - theta*.

    Raises:
        ValueError: for a value outside its range, or if the second moments diverge.
    """
    eta, beta = (
        validate.positive("learning_rate", learning_rate),
        validate.fraction("momentum", momentum),
    )
    size = validate.count("batch_size", batch_size)
    decay = validate.non_negative("weight_decay", weight_decay)
    if decay and np.abs(problem.minimum).max() > 1e-8:
        raise ValueError("with weight_decay the minimum must be at 0: the mean moves otherwise")
    rows = problem.rows
    x, rest = rows[:, :-1], rows[:, -1]
    d, one = x.shape[1], np.eye(x.shape[1])
    h = problem.curvatures
    pairs = (x[:, :, None] * x[:, None, :]).reshape(len(x), d * d)
    spread = (pairs.T @ pairs / len(x) - np.kron(np.diag(h), np.diag(h))) * eta**2 / size
    noise = (pairs * rest[:, None] ** 2).mean(axis=0) * eta**2 / size
    # z = (x, delta): x' = x + delta', delta' = beta delta - eta (gradient + lambda x)
    push = -eta * np.diag(h + decay)
    step = np.block([[one + push, beta * one], [push, beta * one]])
    both = np.vstack([one, one])  # a kick to delta' is one to x' too
    pick = np.hstack([one, 0 * one])
    kick = np.kron(both, both)
    operator = np.kron(step, step) + kick @ spread @ np.kron(pick, pick)
    if np.abs(np.linalg.eigvals(operator)).max() >= 1:
        raise ValueError(
            f"learning_rate {eta:g} is too large for batches of {size}: second moments diverge"
        )
    law = np.linalg.solve(np.eye(4 * d * d) - operator, kick @ noise).reshape(2 * d, 2 * d)
    return law[:d, :d], law[d:, d:]
