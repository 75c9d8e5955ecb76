"""Arguments of the phase-space formulas, checked together."""

import numpy as np

from sgdescape.core import validate


def checked(curvature, noise, learning_rate, momentum, batch_size, weight_decay, *, edge):
    """Return h, Sigma, eta, beta and S as what they should be, or refuse them by name.

    Args:
        curvature: rho (d,), not negative.
        noise: Sigma (d, d), symmetric and not negative.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S, a whole number >= 1.
        weight_decay: lambda >= 0; every h = rho + lambda must be positive.
        edge: whether modes beyond the edge of stability are refused, too.

    Raises:
        ValueError: naming the argument, its value and the allowed range.
    """
    rho, s = validate.finite("curvature", curvature), validate.finite("noise", noise)
    if rho.ndim != 1:
        raise ValueError(f"curvature must have shape (d,): got {rho.shape}")
    if s.shape != 2 * rho.shape:
        raise ValueError(f"noise must have shape ({rho.size}, {rho.size}): got {s.shape}")
    scale = np.abs(s).max()
    if not np.allclose(s, s.T, atol=1e-9 * scale) or np.linalg.eigvalsh(s)[0] < -1e-9 * scale:
        raise ValueError("noise must be a covariance matrix: symmetric and not negative")
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    size = float(validate.each_whole("batch_size", batch_size))
    h = validate.stiffness(rho, validate.non_negative("weight_decay", weight_decay), zero=False)
    if edge:
        validate.stable(h, eta, beta)
    return h, s, eta, beta, size
