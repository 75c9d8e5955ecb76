"""What the training loss would say: Gibbs' law exp(-L/T) and Maxwell's, the rivals of Psi."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def gibbs_share(curvatures, bound) -> float:
    """Return the share of Gibbs' law of two modes inside a circle, at the mean loss of the other.

    The other law is round, of variance 1: T is the mean curvature, Var x_i = T / rho_i.

    Args:
        curvatures: rho (2,), positive.
        bound: r^2 / 2 of the circle, positive.

    Returns:
        A number in (0, 1).

    Example:
        >>> round(gibbs_share([1.0, 1.0], np.log(10)), 6)
        0.9
    """
    rho = validate.each_positive("curvatures", curvatures)
    if rho.shape != (2,):
        raise ValueError(f"curvatures must be two: got shape {rho.shape}")
    spread = np.sqrt(rho.mean() / rho)
    angle = (np.arange(2000) + 0.5) / 2000 * np.pi / 2
    # polar coordinates: the radial integral is elementary
    form = (np.cos(angle) / spread[0]) ** 2 + (np.sin(angle) / spread[1]) ** 2
    inside = -np.expm1(-validate.positive("bound", bound) * form) / form
    return float(inside.mean() / (spread[0] * spread[1]))


@door
def gibbs_kurtosis(curvatures) -> float:
    """Return E[r^4] / (E r^2)^2 of 2 kappa Psi under the laws of Gibbs and Maxwell.

    In units of the true law, whose ratio is 1 + 1/d, positions and velocities have variances
    proportional to 1 / rho_i: 1 + 2 sum w^2 / (sum w)^2 over all 2 d of them.

    Args:
        curvatures: rho (d,), positive.

    Returns:
        A number above 1.

    Example:
        >>> gibbs_kurtosis([1.0, 1.0])
        1.5
    """
    w = np.repeat(1 / validate.each_positive("curvatures", curvatures), 2)
    return float(1 + 2 * np.sum(w**2) / np.sum(w) ** 2)
