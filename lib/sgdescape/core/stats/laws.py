"""Isotropic laws of a displacement theta in d dimensions, fitted by maximum likelihood.

Each law is a density in theta that depends on ``r = |theta - theta*|`` alone:

- ``power_law``: proportional to (1 + r^2 / scale^2)^(-exponent), which is L^(-phi) around the
  minimum of L = L* (1 + r^2 / scale^2); for d = 1 it is Student's t with 2 phi - 1 degrees of
  freedom. Normalisable for exponent > d / 2. It becomes Gaussian for large exponent.
- ``gaussian``: variance ``deviation ** 2`` in each direction.
- ``stretched``: proportional to exp(-(r / scale)^shape); Gaussian at shape 2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Fit", "Law", "exponent_of", "fit"]


@dataclass(frozen=True)
class Law:
    """A family of laws of the radius, as functions of radii, dimension and parameters.

    Args:
        fit: (radii, dimension, scale) -> parameters by maximum likelihood.
        log_density: natural logarithm of the density in theta.
        cdf: probability of a smaller radius.
        draw: (generator, size, dimension, parameters by name) -> radii.
    """

    fit: Callable
    log_density: Callable
    cdf: Callable
    draw: Callable


@dataclass(frozen=True)
class Fit:
    """A law fitted to samples.

    Args:
        law: its name, a key of `LAWS`.
        parameters: name -> maximum-likelihood value.
        radii: of the samples, (n,) or (replicas, n).
        log_density: of every sample, shaped as ``radii``.
        dimension: of theta.
        fixed_scale: the scale that was given and not fitted, or None.
    """

    law: str
    parameters: dict
    radii: np.ndarray
    log_density: np.ndarray
    dimension: int
    fixed_scale: float | None


@door
def fit(law: str, samples, *, dimension: int = 1, scale: float | None = None) -> Fit:
    """Fit a law by maximum likelihood.

    Args:
        law: "power_law", "gaussian" or "stretched".
        samples: theta - theta* (signs do not matter, d = 1) or |theta - theta*|, (n,) or
            (replicas, n); at least 10, not all zero.
        dimension: d of theta, at least 1.
        scale: of the power law if it is known, positive (for L = L* + h r^2 / 2 it is
            sqrt(2 L* / h)); None fits it.

    Returns:
        Parameters and the log density of every sample. A power-law exponent at its upper bound,
        about 10^6, says that the likelihood rises all the way to the Gaussian.

    Raises:
        ValueError: for an unknown law, too few samples, or a scale for another law.

    Example:
        >>> samples = np.sqrt(np.random.default_rng(0).chisquare(3, size=1000))
        >>> round(fit("gaussian", samples, dimension=3).parameters["deviation"], 1)
        1.0
    """
    validate.one_of("law", law, LAWS)
    radii = np.abs(validate.finite("samples", samples))
    if radii.ndim not in (1, 2) or radii.size < 10:
        raise ValueError(f"samples must be (n >= 10,) or (replicas, n): got shape {radii.shape}")
    if radii.max() == 0:
        raise ValueError("samples must not all be zero")
    validate.count("dimension", dimension)
    if scale is not None:
        if law != "power_law":
            raise ValueError(f"scale can be given for the power law only: got law {law!r}")
        scale = validate.positive("scale", scale)
    parameters = LAWS[law].fit(radii.ravel(), dimension, scale)
    density = LAWS[law].log_density(radii, dimension, **parameters)
    return Fit(law, parameters, radii, density, dimension, scale)


@door
def exponent_of(mean_log: float, *, dimension: int) -> float:
    """Power-law exponent whose mean of log(1 + r^2 / scale^2) is given: the fit at known scale.

    It solves digamma(phi) - digamma(phi - d / 2) = mean_log, which falls from infinity at
    phi = d / 2 to 0.

    Args:
        mean_log: positive.
        dimension: d, at least 1.

    Returns:
        The exponent phi, above d / 2.

    Raises:
        ValueError: if the mean is not positive.

    Example:
        >>> round(exponent_of(special.digamma(4.0) - special.digamma(3.5), dimension=1), 9)
        4.0
    """
    half, mean_log = dimension / 2, validate.positive("mean_log", mean_log)

    def excess(log_index):  # log of phi - d / 2
        index = np.exp(log_index)
        return special.digamma(index + half) - special.digamma(index) - mean_log

    # digamma(x + h) - digamma(x) <= h / x + min(h, 1) / x^2 and >= h / (x + h): brackets.
    low = np.log(half / mean_log) - 3
    while excess(low) < 0:
        low -= 3
    high = np.log(half / mean_log + 1) + 3
    while excess(high) > 0:
        high += 3
    return float(np.exp(optimize.brentq(excess, low, high, xtol=1e-13, rtol=1e-13)) + half)


def _fit_power_law(radii, dimension, scale):
    if scale is not None:
        mean_log = np.mean(np.log1p((radii / scale) ** 2))
        return {"exponent": exponent_of(mean_log, dimension=dimension), "scale": float(scale)}
    # Profile likelihood in log scale, from a thousandth of the typical radius to a thousand of it.
    squares, typical = radii**2, 0.5 * np.log(np.mean(radii**2))

    def best(log_scale):
        mean_log = np.mean(np.log1p(squares * np.exp(-2 * log_scale)))
        return exponent_of(mean_log, dimension=dimension), mean_log

    def loss(log_scale):
        exponent, mean_log = best(log_scale)
        half = dimension / 2
        return (
            special.gammaln(exponent - half)
            - special.gammaln(exponent)
            + dimension * log_scale
            + exponent * mean_log
        )

    grid = typical + np.linspace(-7, 7, 29)
    i = int(np.clip(np.argmin([loss(x) for x in grid]), 1, len(grid) - 2))
    found = optimize.minimize_scalar(
        loss, bounds=(grid[i - 1], grid[i + 1]), method="bounded", options={"xatol": 1e-7}
    )
    return {"exponent": best(found.x)[0], "scale": float(np.exp(found.x))}


def _log_power_law(radii, dimension, *, exponent, scale):
    half = dimension / 2
    norm = special.gammaln(exponent) - special.gammaln(exponent - half)
    return norm - half * np.log(np.pi * scale**2) - exponent * np.log1p((radii / scale) ** 2)


def _cdf_power_law(radii, dimension, *, exponent, scale):
    squares = (np.asarray(radii) / scale) ** 2
    return special.betainc(dimension / 2, exponent - dimension / 2, squares / (1 + squares))


def _draw_power_law(rng, size, dimension, *, exponent, scale):
    top = rng.standard_gamma(dimension / 2, size)
    return scale * np.sqrt(top / rng.standard_gamma(exponent - dimension / 2, size))


def _fit_gaussian(radii, dimension, _):
    return {"deviation": float(np.sqrt(np.mean(radii**2) / dimension))}


def _log_gaussian(radii, dimension, *, deviation):
    variance = deviation**2
    return -dimension / 2 * np.log(2 * np.pi * variance) - radii**2 / (2 * variance)


def _cdf_gaussian(radii, dimension, *, deviation):
    return special.gammainc(dimension / 2, np.asarray(radii) ** 2 / (2 * deviation**2))


def _draw_gaussian(rng, size, dimension, *, deviation):
    return deviation * np.sqrt(2 * rng.standard_gamma(dimension / 2, size))


def _fit_stretched(radii, dimension, _):
    largest = radii.max()
    logs = np.log(np.maximum(radii / largest, 1e-300))

    def scale_power(shape):  # (scale / largest)^shape at the best scale
        return shape / dimension * np.mean(np.exp(shape * logs))

    def loss(log_shape):
        shape = np.exp(log_shape)
        log_scale = np.log(scale_power(shape)) / shape
        log_norm = special.gammaln(dimension / shape) - log_shape
        return dimension * log_scale + log_norm + dimension / shape

    grid = np.linspace(np.log(0.05), np.log(50), 24)
    i = int(np.clip(np.argmin([loss(x) for x in grid]), 1, len(grid) - 2))
    found = optimize.minimize_scalar(
        loss, bounds=(grid[i - 1], grid[i + 1]), method="bounded", options={"xatol": 1e-9}
    )
    shape = float(np.exp(found.x))
    return {"shape": shape, "scale": float(largest * scale_power(shape) ** (1 / shape))}


def _log_stretched(radii, dimension, *, shape, scale):
    half = dimension / 2
    surface = np.log(2) + half * np.log(np.pi) - special.gammaln(half)
    norm = surface + dimension * np.log(scale) + special.gammaln(dimension / shape) - np.log(shape)
    return -norm - (radii / scale) ** shape


def _cdf_stretched(radii, dimension, *, shape, scale):
    return special.gammainc(dimension / shape, (np.asarray(radii) / scale) ** shape)


def _draw_stretched(rng, size, dimension, *, shape, scale):
    return scale * rng.standard_gamma(dimension / shape, size) ** (1 / shape)


LAWS = {
    "power_law": Law(_fit_power_law, _log_power_law, _cdf_power_law, _draw_power_law),
    "gaussian": Law(_fit_gaussian, _log_gaussian, _cdf_gaussian, _draw_gaussian),
    "stretched": Law(_fit_stretched, _log_stretched, _cdf_stretched, _draw_stretched),
}
