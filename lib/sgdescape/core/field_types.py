"""The fields of a configuration are of the types that its class says: looked at when it is made."""

import dataclasses
from numbers import Integral, Real
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import numpy as np

__all__ = ["check_types"]


def check_types(config) -> None:
    """Refuse a configuration with a field of another type than its class says.

    Numbers may be those of NumPy, a tuple may be a list. Ranges are the class's own checks.

    Args:
        config: a dataclass.

    Raises:
        TypeError: naming the field, its value and its type.
        ValueError: if a tuple has another length than its type says.

    Example:
        >>> from dataclasses import make_dataclass
        >>> Config = make_dataclass("Config", [("rates", tuple[float, ...])])
        >>> check_types(Config((0.1, 0.2)))
        >>> check_types(Config(0.1))
        Traceback (most recent call last):
        ...
        TypeError: rates must be a tuple: got 0.1
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"config must be a dataclass instance: got {config!r:.60}")
    hints = get_type_hints(type(config))
    for field in dataclasses.fields(config):
        _of_type(field.name, getattr(config, field.name), hints[field.name])


def _of_type(name, value, hint):
    """Refuse a value of another type than a field's; types are the few that fields have."""
    inner = get_args(hint)
    if NoneType in inner:
        if value is not None:
            _of_type(name, value, next(kind for kind in inner if kind is not NoneType))
    elif get_origin(hint) is tuple:
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"{name} must be a tuple: got {value!r}")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise ValueError(f"{name} must hold {len(inner)} values: got {value!r}")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        for one, kind in zip(value, kinds, strict=True):
            _of_type(name, one, kind)
    elif hint in _TYPES:
        kind, words = _TYPES[hint]
        truth = isinstance(value, (bool, np.bool_))
        if not isinstance(value, kind) or truth != (hint is bool):
            kind = type(value).__name__
            raise TypeError(f"{name} must be {words}: got {value!r} of type {kind}")


_TYPES = {
    bool: ((bool, np.bool_), "true or false"),
    int: (Integral, "an integer"),
    float: (Real, "a real number"),
    str: (str, "a text"),
}
