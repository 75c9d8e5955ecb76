"""Checks of single values at the door: numbers, counts, names."""

from collections.abc import Collection
from numbers import Integral, Real

import numpy as np

__all__ = [
    "between",
    "count",
    "fraction",
    "non_negative",
    "one_of",
    "positive",
]


LARGEST = 2**63 - 1


def positive(name: str, value: float) -> float:
    """Return ``value`` if it is a finite real number above zero.

    Args:
        name: the argument's name, for the message.
        value: what the caller gave.

    Raises:
        TypeError: if it is not a real number.
        ValueError: if it is not finite or not above zero.

    Example:
        >>> positive("learning_rate", -0.1)
        Traceback (most recent call last):
        ...
        ValueError: learning_rate must be positive and finite: got -0.1
    """
    return _real(name, value, lambda v: v > 0, "positive and finite")


def non_negative(name: str, value: float) -> float:
    """Return ``value`` if it is a finite real number, zero or above; else raise as `positive`."""
    return _real(name, value, lambda v: v >= 0, "non-negative and finite")


def fraction(name: str, value: float) -> float:
    """Return ``value`` if it lies in [0, 1); else raise as `positive`."""
    return _real(name, value, lambda v: 0 <= v < 1, "in [0, 1)")


def between(name: str, value: float, low: float, high: float) -> float:
    """Return ``value`` if it is a real number in [low, high]; else raise as `positive`."""
    return _real(name, value, lambda v: low <= v <= high, f"in [{low:g}, {high:g}]")


def count(name: str, value: int, *, low: int = 1, high: int | None = None, most: str = "") -> int:
    """Return ``value`` if it is an integer in [low, high].

    Args:
        name: the argument's name, for the message.
        value: what the caller gave.
        low: smallest allowed value.
        high: largest allowed value; None for 2^63 - 1, the largest that arrays and files hold.
        most: where the largest comes from, in words of the caller's other arguments.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it lies outside the range.

    Example:
        >>> count("batch_size", 200, high=100)
        Traceback (most recent call last):
        ...
        ValueError: batch_size must lie in [1, 100]: got 200
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer: got {value!r} of type {type(value).__name__}")
    largest = LARGEST if high is None else high
    if not low <= value <= largest:
        bounded = high is not None or value > largest
        allowed = f"lie in [{low}, {largest}]" if bounded else f"be at least {low}"
        source = f" (at most {most})" if most else ""
        raise ValueError(f"{name} must {allowed}: got {value}{source}")
    return int(value)


def one_of(name: str, value: str, allowed: Collection[str]) -> str:
    """Return ``value`` if it is among ``allowed``.

    Args:
        name: the argument's name, for the message.
        value: what the caller gave.
        allowed: the names that exist.

    Raises:
        ValueError: if it is not one of them; the message lists them.

    Example:
        >>> one_of("task", "sum", ("parity", "one_hot"))
        Traceback (most recent call last):
        ...
        ValueError: task must be one of 'parity', 'one_hot': got 'sum'
    """
    if not any(_same(value, name) for name in allowed):
        names = ", ".join(repr(a) for a in allowed)
        raise ValueError(f"{name} must be one of {names}: got {value!r}")
    return value


def _same(value, name) -> bool:
    """Whether a value is that name: no array, and True is not 1."""
    alike = isinstance(value, type(name)) or (
        isinstance(value, Integral) and isinstance(name, Integral)
    )
    return alike and isinstance(value, bool) == isinstance(name, bool) and value == name


def _real(name, value, allowed, words):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(
            f"{name} must be a real number: got {value!r} of type {type(value).__name__}"
        )
    try:
        number = float(value)
    except OverflowError:  # an integer beyond every float
        number = np.inf
    if not (np.isfinite(number) and allowed(number)):
        raise ValueError(f"{name} must be {words}: got {value!r}")
    return number
