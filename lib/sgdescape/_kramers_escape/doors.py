"""Checks of array arguments: like `sgdescape.core.validate`, for formulas that broadcast."""

import numpy as np

from sgdescape.core import validate


def positive(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and above zero.

    Raises:
        ValueError: naming the argument and its smallest entry.

    Example:
        >>> positive("learning_rate", [0.1, -0.1])
        Traceback (most recent call last):
        ...
        ValueError: learning_rate must be positive: got -0.1
    """
    values = _real(name, value)
    if np.any(values <= 0):
        raise ValueError(f"{name} must be positive: got {values.min():g}")
    return values


def negative(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and below zero, else raise."""
    values = _real(name, value)
    if np.any(values >= 0):
        raise ValueError(f"{name} must be negative: got {values.max():g}")
    return values


def at_least(name: str, value, low: float) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and not below ``low``, else raise."""
    values = _real(name, value)
    if np.any(values < low):
        raise ValueError(f"{name} must be at least {low:g}: got {values.min():g}")
    return values


def whole(name: str, value, low: int = 1) -> np.ndarray:
    """Return ``value`` as float64 if every entry is a whole number, at least ``low``."""
    values = at_least(name, value, low)
    if np.any(values != np.floor(values)):
        off = values[values != np.floor(values)].flat[0]
        raise ValueError(f"{name} must be a whole number: got {off:g}")
    return values


def _real(name, value):
    array = np.asarray(value)
    if array.dtype == bool or not (
        np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)
    ):
        raise TypeError(f"{name} must hold real numbers: got {value!r}")
    return validate.finite(name, array)
