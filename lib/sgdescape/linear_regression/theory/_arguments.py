"""Arguments that several formulas take, checked: one data set."""

import numpy as np

from sgdescape.core import validate


def samples(inputs, targets):
    """Return the inputs and targets of one data set as float64 rows of one length, checked.

    Args:
        inputs: x (N,), not all 0.
        targets: y (N,).

    Raises:
        ValueError: for other shapes, or values that are not finite.
    """
    x, y = validate.finite("inputs", inputs), validate.finite("targets", targets)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"inputs and targets must be rows of one length: got {x.shape}, {y.shape}")
    if not np.any(x):
        raise ValueError("inputs must not all be 0")
    return x, y
