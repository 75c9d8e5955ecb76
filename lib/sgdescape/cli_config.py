"""A chapter's configuration on the command line: its fields described, compared and parsed."""

import json
import re
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from sgdescape.core.runs import provenance


def describe(quick, paper) -> dict[str, tuple[str, str]]:
    """Return field -> (kind, help): its type, line of the docstring and both scales' values.

    Args:
        quick: configuration of the book.
        paper: configuration of the paper, of the same class.

    Returns:
        One entry for each field, in order.
    """
    texts, hints = _documented(type(quick).__doc__ or ""), get_type_hints(type(quick))
    found = {}
    for field in fields(quick):
        one, other = (_short(getattr(config, field.name)) for config in (quick, paper))
        values = f"[{one}]" if one == other else f"[quick: {one}, paper: {other}]"
        found[field.name] = (
            _kind(hints[field.name]),
            f"{texts.get(field.name, '')} {values}".strip(),
        )
    return found


def difference(one, other) -> str:
    """Return the fields in which two configurations differ, as "name 10 -> 10000, ...".

    Example:
        >>> from dataclasses import make_dataclass
        >>> Config = make_dataclass("Config", [("images", int), ("epochs", int)])
        >>> difference(Config(300, 50), Config(10000, 50))
        'images 300 -> 10000'
    """
    parts = [
        f"{field.name} {_short(getattr(one, field.name))} -> {_short(getattr(other, field.name))}"
        for field in fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    ]
    return ", ".join(parts) or "the same sizes"


def parse(config, name: str, text: str) -> Any:
    """Return a field's value from its text on the command line.

    Args:
        config: the configuration, for the field's type.
        name: of the field.
        text: "0.1", "true", "mnist"; "1,2,5" or JSON for several values; "none" where allowed.

    Returns:
        The value, of the field's type; lists become tuples.

    Raises:
        ValueError: if the text does not fit the type; the message names both.
    """
    hint = get_type_hints(type(config))[name]
    try:
        return _convert(hint, text)
    except (ValueError, TypeError, KeyError, OverflowError):
        option = f"--{name.replace('_', '-')}"
        raise ValueError(f"{option} must be {_words(hint)}: got {text!r}") from None


def flat(attributes: dict) -> dict:
    """Return attributes in a form that netCDF holds: texts, numbers and arrays of them."""
    plain = {}
    for name, value in attributes.items():
        if isinstance(value, (bool, np.bool_)):
            value = int(value)  # netCDF has no booleans
        elif not isinstance(value, (str, int, float, np.number, np.ndarray)):
            value = provenance.to_json(value)
        plain[name] = value
    return plain


def _convert(hint, value):
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _convert_union(inner, value)
    if origin is Literal:
        return {str(item): item for item in inner}[value]
    if origin in (tuple, list) or hint in (tuple, list):
        items = _items(value)
        if origin is tuple and inner and inner[-1] is not Ellipsis:
            if len(items) != len(inner):
                raise ValueError
            return tuple(_convert(h, v) for h, v in zip(inner, items, strict=True))
        return tuple(_convert(inner[0] if inner else object, v) for v in items)
    if hint is bool:
        return {"true": True, "1": True, "false": False, "0": False}[_lower(value)]
    if hint is int:
        return _whole(value)
    if hint is float:
        return float(value)
    return value


def _convert_union(kinds, value):
    if type(None) in kinds and _lower(value) in ("none", "null"):
        return None
    for kind in (k for k in kinds if k is not type(None)):
        try:
            return _convert(kind, value)
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
    raise ValueError


def _items(value):
    if not isinstance(value, str):
        return list(value)
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _whole(value):
    """An integer from 3, "3", "10_000" or "1e4"; never from 2.5."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9_]+", value.strip()):
        return int(value)
    number = float(value)
    if isinstance(value, bool) or number != int(number):
        raise ValueError
    return int(number)


def _lower(value):
    return str(value).strip().lower()


def _words(hint):
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join("none" if k is type(None) else _words(k) for k in inner)
    if origin in (tuple, list):
        return f"{_words(inner[0])}, several separated by commas" if inner else "a list"
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "a text")


def _kind(hint):
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(str, inner))
    if origin in (Union, UnionType):
        return "|".join("none" if k is type(None) else _kind(k) for k in inner)
    if origin in (tuple, list):
        return f"{_kind(inner[0])},..." if inner else "LIST"
    return {int: "INTEGER", float: "NUMBER", bool: "true|false"}.get(hint, "TEXT")


def _short(value):
    """The value as it would be typed, cut after 60 characters."""
    flat = isinstance(value, tuple) and not any(isinstance(v, (tuple, dict)) for v in value)
    text = ",".join(map(str, value)) if flat else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _documented(docstring):
    """Field -> text of the "Args" or "Attributes" section of a Google-style docstring."""
    texts, name, depth = {}, None, None
    section = re.split(r"^\s*(?:Args|Attributes):\s*$", docstring, maxsplit=1, flags=re.M)
    for line in section[1].splitlines() if len(section) == 2 else ():
        match = re.match(r"(\s+)(\w+)(?: \([^)]*\))?: (.*)", line)
        if match and (depth is None or len(match[1]) == depth):
            depth, name = len(match[1]), match[2]
            texts[name] = match[3].strip()
        elif name and line.strip() and len(line) - len(line.lstrip()) > depth:
            texts[name] += " " + line.strip()
        elif line.strip():
            break
    return texts
