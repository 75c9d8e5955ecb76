"""How one sample pushes: input laws with normal labels, and the noise of an SDE.

Units: curvature 1 and label noise 1, so that L/L* = 1 + theta^2 with theta measured from the
minimum. A push is -g = x (e - x theta) with normal e; tilting it by p costs
Lambda(theta, p) = log E exp(-p g).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

INPUTS = ("gaussian", "uniform", "rademacher")
NODES = 40  # Gauss-Legendre: exact to rounding for every tilt that an extremal reaches


@dataclass(frozen=True, eq=False)
class Push:
    """A law of pushes, in the form that the compiled kernels take.

    Attributes:
        squares: values of x^2 in increasing order; empty for normal inputs and for an SDE.
        weights: their probabilities.
        kurtosis: E x^4 / (E x^2)^2 of the inputs, or of the noise of an SDE.
        diffusion: whether the push is normal, with the variance 1 + (kurtosis - 1) theta^2.
    """

    squares: np.ndarray
    weights: np.ndarray
    kurtosis: float
    diffusion: bool = False


@door
@cache
def input_law(inputs: str) -> Push:
    """Return the pushes of fresh samples with inputs of unit variance and normal labels.

    Args:
        inputs: "gaussian", "uniform" or "rademacher".

    Raises:
        ValueError: for another name.

    Example:
        >>> print(round(input_law("uniform").kurtosis, 12))
        1.8
    """
    validate.one_of("inputs", inputs, INPUTS)
    if inputs == "gaussian":
        return Push(np.zeros(0), np.zeros(0), 3.0)
    if inputs == "rademacher":
        return Push(np.ones(1), np.ones(1), 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    squares = 3 * ((nodes + 1) / 2) ** 2
    return Push(squares, weights / 2, float(squares**2 @ weights / 2))


@door
def normal_push(kurtosis: float) -> Push:
    """Return the pushes of an SDE whose noise has the covariance of inputs with this kurtosis.

    Mori et al. decouple the noise, 2 L h = 1 + theta^2: kurtosis 2.

    Args:
        kurtosis: at least 1.

    Example:
        >>> float(cumulant(0.5, 0.1, normal_push(1.0))) == -0.05 + 0.1**2 / 2
        True
    """
    kurtosis = float(validate.within("kurtosis", kurtosis, low=1))
    return Push(np.zeros(0), np.zeros(0), kurtosis, diffusion=True)


@door
def cumulant(position, tilt, push: Push):
    r"""Return Lambda = log E exp(-p g), Eq. (momentum-cumulant); infinity outside its domain.

    With normal labels it depends on q = p^2/2 - p theta alone: log E exp(q x^2).

    Args:
        position: theta.
        tilt: p, broadcasts with it.
        push: the law.

    Example:
        >>> print(np.round(cumulant(1.0, [1.0, 2.1, 2.5], input_law("gaussian")), 4))
        [-0.3466  0.1179     inf]
    """
    th, p = np.broadcast_arrays(
        validate.finite("position", position), validate.finite("tilt", tilt)
    )
    if push.diffusion:
        return -p * th + p**2 * (1 + (push.kurtosis - 1) * th**2) / 2
    q = p * (p / 2 - th)
    if not push.squares.size:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(q < 0.5, -np.log(np.maximum(1 - 2 * q, 0)) / 2, np.inf)
    return np.log(np.exp(q[..., None] * push.squares) @ push.weights)


@door
def largest_tilt(position):
    r"""Return the end of Lambda's domain for normal inputs, theta + sqrt(1 + theta^2).

    It is the price, per unit of velocity, of one large push to the right (Eq. (momentum-jump)).

    Args:
        position: theta.

    Example:
        >>> float(largest_tilt(0.0))
        1.0
    """
    th = validate.finite("position", position)
    return th + np.sqrt(1 + th**2)
