"""Input laws of the linear models: how to sample them, and nodes that integrate over them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from sgdescape.core import validate


def _three_point(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.sqrt(2.0) * (2.0 * rng.integers(2, size=size) - 1) * (rng.random(size) < 0.5)


LAWS: Mapping[str, Callable] = MappingProxyType(
    {
        "rademacher": lambda rng, size: 2.0 * rng.integers(2, size=size) - 1,
        "uniform": lambda rng, size: rng.uniform(-np.sqrt(3), np.sqrt(3), size),
        "three-point": _three_point,
        "gaussian": lambda rng, size: rng.standard_normal(size),
        "laplace": lambda rng, size: rng.laplace(scale=np.sqrt(0.5), size=size),
    }
)
"""Input laws of mean 0 and variance 1; "three-point" is 0 half the time, else ±sqrt(2)."""


def nodes(law: str) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights that integrate polynomials up to degree 8 exactly over a law.

    Args:
        law: a name in `LAWS`.

    Returns:
        Points (n,) and weights (n,), sum 1.

    Raises:
        ValueError: for another law; the message lists them.
    """
    validate.one_of("law", law, LAWS)
    if law == "gaussian":
        points, weights = np.polynomial.hermite_e.hermegauss(8)
    elif law == "uniform":
        points, weights = np.polynomial.legendre.leggauss(8)
        points = np.sqrt(3) * points
    elif law == "laplace":
        points, weights = np.polynomial.laguerre.laggauss(8)
        points = np.sqrt(0.5) * np.concatenate([-points, points])
        weights = np.concatenate([weights, weights])
    elif law == "three-point":
        points, weights = np.array([-np.sqrt(2), 0.0, np.sqrt(2)]), np.array([1.0, 2.0, 1.0])
    else:
        points, weights = np.array([-1.0, 1.0]), np.ones(2)
    return points, weights / weights.sum()
