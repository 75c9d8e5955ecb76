"""The tail index of discrete SGD with momentum, exact, at falling temperature."""

import numpy as np

from sgdescape.heavy_tails import tail_index


def scaled_indices(temperatures, *, step, momentum) -> np.ndarray:
    """Return T a of batches of one sample, normal inputs, at each temperature (n,).

    The index a is Kesten's, from the moment operator of chapter `heavy_tails`, at any step.

    Args:
        temperatures: T (n,).
        step: eta h at each (n,).
        momentum: beta at each (n,), above 0.
    """
    rows = zip(temperatures, step, momentum, strict=True)
    return np.array([
        t * tail_index(dimension=1, learning_rate=float(a), batch_size=1, momentum=float(b))
        for t, a, b in rows
    ])  # fmt: skip
