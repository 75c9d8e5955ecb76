"""The door of a public function: it computes, or refuses in the words of its own arguments.

Ranges are checked inside, by `validate`. What is left are arguments that do not fit together, are
of another kind than the signature says, or leave the range of floating-point numbers: a library
would then speak of its own axes and operands. The door says which arguments it was, with their
shapes or values, and keeps the library's words as the reason.
"""

import functools
import inspect
import linecache
import math
import re
from collections.abc import Callable
from dataclasses import is_dataclass
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Union, get_args, get_origin

import numpy as np

from sgdescape.core import validate
from sgdescape.core.roots import PACKAGE

__all__ = ["door"]

_RAW = (
    ValueError, TypeError, OverflowError, ZeroDivisionError, IndexError, KeyError, AttributeError,
    RuntimeError,
)  # fmt: skip
_FAR = 1e100  # numbers beyond, or below its inverse, are suspected where a result is none


def door(function: Callable) -> Callable:
    """Let a public function refuse what it cannot compute in the words of its own arguments.

    Arguments are checked against the signature where that names a number, a text, a switch or a
    class of this package. An error of a library, or of a function inside that speaks of arguments
    of its own, is raised anew with this function's arguments. A result that is not a number is
    refused where an argument is no ordinary number, unless the docstring speaks of NaN.

    Args:
        function: public, no generator.

    Returns:
        The function with its door.

    Example:
        >>> @door
        ... def area(sides, *, unit: float = 1.0):
        ...     return unit * np.multiply(*sides)
        >>> area([np.ones(2), np.ones(3)])
        Traceback (most recent call last):
        ...
        ValueError: area() has no value for sides = [array([1., 1.]), array([1., 1., 1.])]: \
operands could not be broadcast together with shapes (2,) (3,)
        >>> area([1.0, 2.0], unit="m")
        Traceback (most recent call last):
        ...
        TypeError: unit must be a real number: got 'm' of type str
    """
    parameters = list(inspect.signature(function).parameters.values())
    checks = {p.name: found for p in parameters if (found := _check_of(p))}
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    may_be_none = "NaN" in (function.__doc__ or "")

    @functools.wraps(function)
    def checked(*arguments, **options):
        given = dict(zip(names, arguments, strict=False)) | options
        for name, value in given.items():
            if name in checks:
                checks[name](name, value)
        try:
            found = function(*arguments, **options)
        except _RAW as error:
            if not error.__traceback__.tb_next or _is_clear(error, given) or _other(error):
                raise
            raise _own(error, function, given) from error
        if not may_be_none and _no_number(found) and any(map(_extreme, given.values())):
            raise ValueError(f"{_call(function, given)}: out of the range of numbers")
        return found

    return checked


def _check_of(parameter) -> Callable | None:
    """What a value must be by the annotation of its parameter, or by its default."""
    if parameter.name == "device":
        return lambda name, value: validate.device(value)
    hint = parameter.annotation
    inner = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    optional = NoneType in inner or parameter.default is None
    kinds = [kind for kind in inner if kind is not NoneType]
    if len(kinds) != 1:
        return None
    kind = kinds[0]
    if isinstance(parameter.default, bool):
        kind = bool
    check = {int: _whole, float: _real, str: _text, bool: _switch}.get(kind)
    if kind is Callable or get_origin(kind) is Callable:
        check = _function
    if check is None and inspect.isclass(kind) and (is_dataclass(kind) or _of_torch(kind)):
        check = functools.partial(_instance, kind)
    if check is None:
        return None
    return lambda name, value: None if optional and value is None else check(name, value)


def _whole(name, value):
    if _kind(value) not in "iu" and not (isinstance(value, Integral) and _kind(value) != "b"):
        raise TypeError(f"{name} must be an integer: got {value!r} of type {type(value).__name__}")


def _real(name, value):
    if _kind(value) not in "iuf" and not (isinstance(value, Real) and _kind(value) != "b"):
        raise TypeError(
            f"{name} must be a real number: got {value!r} of type {type(value).__name__}"
        )


def _text(name, value):
    if not isinstance(value, (str, Path)):
        raise TypeError(f"{name} must be a text: got {value!r} of type {type(value).__name__}")


def _switch(name, value):
    if _kind(value) not in "biu":
        raise TypeError(f"{name} must be true or false: got {value!r}")


def _instance(kind, name, value):
    if not isinstance(value, kind):
        named = f"torch.{'nn.' * (kind.__name__ == 'Module')}" if _of_torch(kind) else ""
        named += kind.__name__
        article = "an" if named[0] in "AEIOU" else "a"
        raise TypeError(f"{name} must be {article} {named}: got {type(value).__name__}")


def _of_torch(kind) -> bool:
    """Whether it is torch's class of tensors or of modules; torch itself may not be loaded."""
    return (kind.__module__, kind.__name__) in (
        ("torch", "Tensor"),
        ("torch.nn.modules.module", "Module"),
    )


def _function(name, value):
    if not callable(value):
        raise TypeError(f"{name} must be a function: got {value!r} of type {type(value).__name__}")


def _kind(value) -> str:
    """NumPy's letter of a single value's kind, "O" for anything else."""
    if isinstance(value, (str, bytes)) or np.ndim(value):
        return "O"
    return getattr(getattr(value, "dtype", None), "kind", None) or np.asarray(value).dtype.kind


def _is_clear(error, given) -> bool:
    """Whether an error comes from this package and names one of these arguments."""
    if type(error).__module__.startswith("sgdescape."):
        return True
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    if not Path(last.tb_frame.f_code.co_filename).is_relative_to(PACKAGE):
        return False
    named = any(re.search(rf"(?<![A-Za-z]){re.escape(n)}(?![A-Za-z])", str(error)) for n in given)
    return named and isinstance(error, (ValueError, TypeError))


def _other(error) -> bool:
    """Whether a RuntimeError is none of torch's complaints: no engine, no memory, a lost worker."""
    if not isinstance(error, RuntimeError):
        return False
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    file = Path(last.tb_frame.f_code.co_filename)
    if type(error) not in (RuntimeError, NotImplementedError):
        return True
    if file.is_relative_to(PACKAGE):  # a call of a compiled function, which has no lines
        return "raise" in linecache.getline(str(file), last.tb_lineno)
    return "torch" not in file.parts


def _own(error, function, given) -> Exception:
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{_call(function, given)}: {str(error).strip() or type(error).__name__}")


def _call(function, given) -> str:
    words = ", ".join(f"{name} {_described(value)}" for name, value in given.items())
    return f"{function.__name__}() has no value for {words}"


def _described(value) -> str:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"of shape {tuple(shape)}"
    text = repr(value)
    return f"= {text}" if len(text) <= 60 else f"of type {type(value).__name__}"


def _no_number(found) -> bool:
    """Whether a number, an array or one of several is NaN."""
    if isinstance(found, tuple):
        return any(map(_no_number, found))
    if isinstance(found, (float, np.floating)):
        return math.isnan(found)
    return isinstance(found, np.ndarray) and found.dtype.kind == "f" and bool(np.isnan(found).any())


def _extreme(value) -> bool:
    """Whether a value is, or holds, a number that arithmetic soon loses."""
    try:
        size = np.abs(np.asarray(value, dtype=np.float64))
    except (ValueError, TypeError, OverflowError):
        return False
    return bool((~(size < _FAR) | ((size > 0) & (size < 1 / _FAR))).any())
