"""Checks of arrays at the door: finite, in a range, of one length; and of rows of values."""

from numbers import Real

import numpy as np

__all__ = [
    "each_at_least",
    "each_between",
    "each_negative",
    "each_positive",
    "each_whole",
    "finite",
    "real",
    "row",
    "times",
    "vectors",
    "within",
]


def finite(name: str, array) -> np.ndarray:
    """Return ``array`` as float64 if it is not empty and every entry is finite.

    Args:
        name: the argument's name, for the message.
        array: anything `numpy.asarray` takes.

    Raises:
        TypeError: if it holds no real numbers (texts, booleans, complex numbers).
        ValueError: if it is empty or holds NaN or infinity; the message counts them.

    Example:
        >>> finite("losses", [0.1, float("nan")])
        Traceback (most recent call last):
        ...
        ValueError: losses must be finite: 1 of 2 values are NaN or infinite
    """
    values = _real_array(name, array)
    if values.size == 0:
        raise ValueError(f"{name} must not be empty: got shape {values.shape}")
    bad = int(np.size(values) - np.isfinite(values).sum())
    if bad:
        raise ValueError(
            f"{name} must be finite: {bad} of {values.size} values are NaN or infinite"
        )
    return values


def vectors(**named) -> tuple[np.ndarray, ...]:
    """Return arrays of vectors as float64 if all are finite and have one last axis (..., d).

    Args:
        named: name = array, of each argument.

    Raises:
        ValueError: with the shapes, if an array is a number or the last axes differ.

    Example:
        >>> [a.shape for a in vectors(position=[0.0, 1.0], momentum=np.ones((3, 2)))]
        [(2,), (3, 2)]
    """
    found = tuple(finite(name, array) for name, array in named.items())
    shapes = [a.shape for a in found]
    if not all(shapes) or len({shape[-1] for shape in shapes}) > 1:
        raise ValueError(
            f"{' and '.join(named)} must have one last axis (d,): got {', '.join(map(str, shapes))}"
        )
    return found


def real(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if it holds real numbers, NaN and infinities among them.

    Args:
        name: the argument's name, for the message.
        value: anything `numpy.asarray` takes; NaN and infinity are left in.

    Raises:
        TypeError: if it holds something else (texts, booleans, complex numbers).
        ValueError: if its rows differ in length.

    Example:
        >>> real("passage", [1, np.nan])
        array([ 1., nan])
    """
    return _real_array(name, value)


def within(name: str, value, *, low=-np.inf, high=np.inf, open_low=False) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and lies in [low, high).

    Args:
        name: the argument's name, for the message.
        value: number or array of any shape.
        low: smallest allowed value.
        high: the values must lie below this.
        open_low: whether ``low`` itself is refused too.

    Raises:
        ValueError: with the first value outside the range, and the range.

    Example:
        >>> within("momentum", [0.9, 1.0], low=0, high=1)
        Traceback (most recent call last):
        ...
        ValueError: momentum must lie in [0, 1): got 1.0
    """
    values = finite(name, value)
    bad = (values <= low if open_low else values < low) | (values >= high)
    if bad.any():
        ends = f"{'(' if open_low or low == -np.inf else '['}{low:g}, {high:g})"
        raise ValueError(f"{name} must lie in {ends}: got {float(values[bad][0])!r}")
    return values


def each_positive(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and above zero.

    Args:
        name: the argument's name, for the message.
        value: number or array of any shape.

    Raises:
        TypeError: if it holds no real numbers.
        ValueError: naming the argument and its smallest entry.

    Example:
        >>> each_positive("learning_rate", [0.1, -0.1])
        Traceback (most recent call last):
        ...
        ValueError: learning_rate must be positive: got -0.1
    """
    values = finite(name, value)
    if np.any(values <= 0):
        raise ValueError(f"{name} must be positive: got {values.min():g}")
    return values


def each_negative(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and below zero, else raise."""
    values = finite(name, value)
    if np.any(values >= 0):
        raise ValueError(f"{name} must be negative: got {values.max():g}")
    return values


def each_at_least(name: str, value, low: float) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and not below ``low``, else raise."""
    values = finite(name, value)
    if np.any(values < low):
        raise ValueError(f"{name} must be at least {low:g}: got {values.min():g}")
    return values


def each_whole(name: str, value, low: int = 1) -> np.ndarray:
    """Return ``value`` as float64 if every entry is a whole number, at least ``low``."""
    values = each_at_least(name, value, low)
    if np.any(values != np.floor(values)):
        off = values[values != np.floor(values)].flat[0]
        raise ValueError(f"{name} must be a whole number: got {off:g}")
    return values


def each_between(name: str, value, low: float, high: float) -> np.ndarray:
    """Return ``value`` as float64 if every entry is finite and lies in [low, high], else raise."""
    values = finite(name, value)
    bad = (values < low) | (values > high)
    if bad.any():
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}]: got {float(values[bad][0])!r}")
    return values


def times(name: str, value) -> np.ndarray:
    """Return ``value`` as float64 if every entry is NaN (not reached) or a finite number from 0.

    Args:
        name: the argument's name, for the message.
        value: array of any shape, NaN where there is no time.

    Raises:
        TypeError: if it holds no real numbers.
        ValueError: if an entry is infinite or negative.
    """
    values = _real_array(name, value)
    if np.any((values < 0) | np.isinf(values)):
        raise ValueError(f"{name} must hold finite times from 0, or NaN where there is none")
    return values


def row(name: str, value, *, least: int = 1) -> tuple:
    """Return ``value`` as a tuple if it is a tuple or list of at least ``least`` entries.

    Args:
        name: the argument's name, for the message.
        value: what the caller gave.
        least: smallest length.

    Raises:
        TypeError: if it is something else, a single number or a text, say.
        ValueError: if it is too short.

    Example:
        >>> row("momenta", 0.9)
        Traceback (most recent call last):
        ...
        TypeError: momenta must be a tuple or a list: got 0.9
    """
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a tuple or a list: got {value!r}")
    if len(value) < least:
        raise ValueError(f"{name} must hold at least {least} values: got {len(value)}")
    return tuple(value)


def _real_array(name, value) -> np.ndarray:
    """As float64; a number hidden in a text, a boolean or an imaginary part is no number here."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged
        raise ValueError(f"{name} must be a rectangular array: {error}") from error
    if array.dtype == object and all(isinstance(v, Real) for v in array.flat):
        array = array.astype(np.float64)
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers: got {value!r}")
    return array.astype(np.float64, copy=False)
