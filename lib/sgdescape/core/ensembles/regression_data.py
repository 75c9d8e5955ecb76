"""Data of linear regression: a fixed set of samples, or fresh ones at every step."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import philox
from sgdescape.core.random.philox import Stream

__all__ = ["FiniteData", "FreshData", "gaussian_data", "input_values", "words_per_block"]

INPUTS = ("gaussian", "rademacher", "uniform", "laplace")  # kurtosis 3, 1, 1.8, 6


@dataclass(frozen=True, eq=False)
class FiniteData:
    """Linear regression on N samples: L(theta) = sum_mu (theta.x_mu - y_mu)^2 / (2 N), Eq. (1).

    Args:
        inputs: x (N, d), float64; of full column rank.
        targets: y (N,), float64.

    Raises:
        ValueError: if there are no samples, shapes do not fit, a value is NaN or infinite, or the
            inputs do not have full column rank (then no minimum is the minimum).

    Example:
        >>> data = FiniteData(np.array([[1.0], [1.0]]), np.array([0.0, 2.0]))
        >>> data.minimum, data.minimum_loss
        (array([1.]), 0.5)
    """

    inputs: np.ndarray  # (N, d)
    targets: np.ndarray  # (N,)

    def __post_init__(self):
        """Keep float64 copies of what is accepted."""
        inputs, targets = validate.finite("inputs", self.inputs), np.asarray(self.targets)
        if inputs.ndim != 2:
            raise ValueError(f"inputs must have shape (N, d): got {inputs.shape}")
        if targets.shape != inputs.shape[:1]:
            raise ValueError(
                f"targets must have shape ({len(inputs)},), one a sample: got {targets.shape}"
            )
        object.__setattr__(self, "inputs", inputs.copy())
        object.__setattr__(self, "targets", validate.finite("targets", targets).copy())
        if self.curvatures[0] <= 1e-12 * self.curvatures[-1]:
            raise ValueError(
                "inputs must have full column rank: smallest and largest eigenvalue of H are "
                f"{self.curvatures[0]:.3g} and {self.curvatures[-1]:.3g}"
            )

    @property
    def dimension(self) -> int:
        """Number of parameters d."""
        return self.inputs.shape[1]

    @cached_property
    def hessian(self) -> np.ndarray:
        """H = sum_mu x_mu x_mu^T / N (d, d)."""
        return self.inputs.T @ self.inputs / len(self.inputs)

    @cached_property
    def _eigen(self):
        return np.linalg.eigh(self.hessian)

    @property
    def curvatures(self) -> np.ndarray:
        """Eigenvalues h_i of H (d,), ascending."""
        return self._eigen[0]

    @property
    def basis(self) -> np.ndarray:
        """Eigenvectors of H (d, d), one a column."""
        return self._eigen[1]

    @cached_property
    def minimum(self) -> np.ndarray:
        """The minimum theta* (d,)."""
        return np.linalg.lstsq(self.inputs, self.targets, rcond=None)[0]

    @cached_property
    def minimum_loss(self) -> float:
        """The loss there, L*."""
        return float(0.5 * np.mean((self.inputs @ self.minimum - self.targets) ** 2))

    @cached_property
    def rows(self) -> np.ndarray:
        """(N, d + 1): inputs in the eigenbasis of H, then what remains of the target at theta*."""
        rest = self.targets - self.inputs @ self.minimum
        return np.column_stack([self.inputs @ self.basis, rest])


@dataclass(frozen=True)
class FreshData:
    """Linear regression with new samples at every step, N = infinity.

    Inputs are independent, of mean 0 and variance 1; targets are noise, y ~ N(0, noise_std^2). So
    H = 1, theta* = 0, L* = noise_std^2 / 2.

    Args:
        dimension: d >= 1.
        inputs: law of an input, one of "gaussian", "rademacher", "uniform", "laplace".
        noise_std: standard deviation of the targets > 0.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if one lies outside its range.

    Example:
        >>> FreshData(2, noise_std=2.0).minimum_loss
        2.0
    """

    dimension: int
    inputs: str = "gaussian"
    noise_std: float = 1.0

    def __post_init__(self):
        """Refuse values outside their range."""
        validate.count("dimension", self.dimension, high=4096)
        validate.one_of("inputs", self.inputs, INPUTS)
        validate.positive("noise_std", self.noise_std)

    @property
    def hessian(self) -> np.ndarray:
        """H = 1 (d, d)."""
        return np.eye(self.dimension)

    @property
    def curvatures(self) -> np.ndarray:
        """Eigenvalues of H (d,): all 1."""
        return np.ones(self.dimension)

    @property
    def basis(self) -> np.ndarray:
        """Eigenvectors of H (d, d)."""
        return np.eye(self.dimension)

    @property
    def minimum(self) -> np.ndarray:
        """The minimum theta* = 0 (d,)."""
        return np.zeros(self.dimension)

    @property
    def minimum_loss(self) -> float:
        """The loss there, L* = noise_std^2 / 2."""
        return 0.5 * self.noise_std**2


@door
def gaussian_data(
    samples: int, dimension: int, *, seed: int, inputs: str = "gaussian", noise_std: float = 1.0
) -> FiniteData:
    """Return fixed samples of independent inputs and targets; by default the paper's, all N(0, 1).

    Mori et al., section 5.3.1: x and y independent, so theta* is near 0 and L* near 1/2.

    Args:
        samples: N > dimension.
        dimension: d >= 1.
        seed: integer in [0, 2^64).
        inputs: law of an input, of mean 0 and variance 1, as in `FreshData`.
        noise_std: standard deviation of the targets > 0.

    Returns:
        The data; a sample is a function of (seed, its index) alone.

    Raises:
        TypeError: if a number has the wrong type.
        ValueError: if one lies outside its range.

    Example:
        >>> data = gaussian_data(10_000, 2, seed=0)
        >>> data.inputs.shape, data.curvatures.round(1).tolist()
        ((10000, 2), [1.0, 1.0])
    """
    law = FreshData(dimension, inputs, noise_std)
    samples = validate.count("samples", samples, low=dimension + 1, high=2**31)
    sample = np.arange(samples)
    counter = {"step": 0, "replica": sample[:, None]}
    blocks = np.arange(-(-dimension // words_per_block(inputs)))
    words = philox.words(seed, draw=blocks, stream=Stream.INPUT, **counter)
    noise = philox.words(seed, step=0, draw=0, replica=sample, stream=Stream.TARGET)
    x = input_values(words, inputs).reshape(samples, -1)[:, :dimension]
    return FiniteData(x, law.noise_std * philox.normals(noise)[:, 0])


@door
def words_per_block(law: str) -> int:
    """Return how many inputs one block of four words makes: 128 signs, or 4 of another law."""
    validate.one_of("law", law, ("gaussian", "uniform", "laplace", "rademacher"))
    return 128 if law == "rademacher" else 4


@door
def input_values(words, law: str, *, dtype: str = "float64"):
    """Return inputs of mean 0 and variance 1, made of Philox words.

    "gaussian": `philox.normals`. "uniform": sqrt(3) (2 u - 1). "laplace": log(u) / sqrt(2), the
    sign turned when the word is odd. "rademacher": one sign a bit, the lowest first.

    Args:
        words: of `philox.words` or `philox.torch_words` (..., 4).
        law: one of the four.
        dtype: "float64" or "float32".

    Returns:
        Numbers (..., 4), or (..., 128) for "rademacher", of the same kind of array.

    Example:
        >>> input_values(np.array([0, 2**31, 1, 2**32 - 1], dtype=np.uint32), "uniform").round(3)
        array([-1.732,  0.   , -1.732,  1.732])
    """
    validate.one_of("law", law, ("gaussian", "uniform", "laplace", "rademacher"))
    if law == "gaussian":
        return philox.normals(words, dtype=dtype)
    if law == "rademacher":
        shifts = range(32)
        bits = [((words >> k) & 1) for k in shifts]
        library = np if isinstance(words, np.ndarray) else _torch()
        bits = library.stack(bits, -1).reshape(*words.shape[:-1], 128)
        return 2 * philox.cast(bits, dtype) - 1
    u = philox.uniforms(words, dtype=dtype)
    if law == "uniform":
        return 3**0.5 * (2 * u - 1)
    library = np if isinstance(words, np.ndarray) else _torch()
    return library.log(u) * ((1 - 2 * philox.cast(words & 1, dtype)) * 0.5**0.5)


def _torch():
    import torch

    return torch
