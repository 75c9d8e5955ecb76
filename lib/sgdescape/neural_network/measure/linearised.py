"""The network linearised at the minimum, run by SGD with the batches of the network itself.

Eq. (linearised-step): the residuals close among themselves through J J^T. What is left out of
the network is the change of its gradients alone; the noise is that of the batches, not Gaussian.
"""

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.ensembles.network_reference import draw_batches
from sgdescape.core.random import philox


def first_passage(
    residual, gram, *, learning_rate, batch_size, levels, steps: int, replicas: range, seed: int
) -> np.ndarray:
    """Return first passages (replicas, m) of Eq. (linearised-step) in steps, -1 if censored.

    Args:
        residual: f - y at the minimum (N,).
        gram: J J^T (N, N), a float tensor; its precision is that of the run.
        learning_rate: eta.
        batch_size: B, drawn with replacement.
        levels: of the loss, ascending (m,).
        steps: most steps.
        replicas: indices; the batches are those of `network_ensembles.run` with this seed.
        seed: integer.
    """
    from sgdescape.core import compiled  # numba: seconds to import, only when needed
    from sgdescape.neural_network.measure import _linearised_numba

    gram = gram.contiguous().numpy()
    levels = validate.finite("levels", levels)
    passages = np.zeros((len(replicas), len(levels)), dtype=np.int64)
    validate.count("batch_size", batch_size), validate.count("steps", steps)
    residual = np.asarray(residual, dtype=gram.dtype)
    rate = gram.dtype.type(learning_rate / batch_size)

    def part(chosen):
        _linearised_numba.run(
            residual, gram, rate, batch_size, levels, steps, replicas[chosen.start],
            *philox.key(seed), passages[chosen],
        )  # fmt: skip

    compiled.spread(part, len(replicas))
    return np.where(passages > 0, passages, -1)


def reference(residual, gram, *, learning_rate, batch_size, steps: int, replica: int, seed: int):
    """Return the loss of every step (steps,) of one replica: the kernel's oracle."""
    r, losses = torch.as_tensor(residual, dtype=gram.dtype).clone(), []
    for step in range(steps):
        (batch,) = draw_batches(len(r), batch_size, 0, seed, step, [replica])
        r -= learning_rate / batch_size * (gram[:, batch] @ r[batch])
        losses.append(float((r**2).mean() / 2))
    return np.array(losses)
