"""The claims of a chapter: declared once, listed by its stem, their numbers glued into the text."""

import functools
import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sgdescape.core.claims.card import volatile
from sgdescape.core.claims.statement import Claim, ClaimError
from sgdescape.core.runs.reading import reads_dataset

__all__ = ["claim", "declared", "glue"]

_declared: dict[str, dict[str, Callable]] = {}  # stem -> name -> claim, as declared


def claim(function: Callable[..., Claim]) -> Callable[..., Claim]:
    """Declare a chapter's claim: ``<stem>.<function name>``, in the order of the decorators.

    The stem is the second part of the function's module, ``sgdescape.<stem>.claims``. Declaring
    a name again replaces it (a module that is reloaded).

    Args:
        function: takes the chapter's dataset, returns what `check` returns.

    Returns:
        The function; its claims carry the identifier, and so do the `ClaimError` it raises.

    Raises:
        ValueError: if the name is not in lower case, ``[a-z][a-z0-9_]*``.
        TypeError: on a call, if the function returns something else than a `Claim`, or what it is
            given is no data set.
    """
    stem, name = _stem(function.__module__), function.__name__
    identifier = f"{stem}.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", identifier):
        raise ValueError(f"a claim must be named in lower case: got {identifier!r}")

    first = next(iter(inspect.signature(function).parameters), None)
    read = reads_dataset(function) if first in ("dataset", "ds") else function

    @functools.wraps(function)
    def checked(*arguments, **options):
        try:
            found = read(*arguments, **options)
        except ClaimError as error:
            found = error.claim and replace(error.claim, identifier=identifier)
            raise ClaimError(f"{identifier}: {error}", found) from error
        if not isinstance(found, Claim):
            raise TypeError(f"{identifier} must return a Claim: got {type(found).__name__}")
        return replace(found, identifier=identifier)

    _declared.setdefault(stem, {})[name] = checked
    return checked


def declared(stem: str) -> tuple[Callable[..., Claim], ...]:
    """Return the claims of a chapter, in the order in which they are declared.

    Args:
        stem: of the chapter; ``sgdescape.<stem>.claims`` is imported first.

    Raises:
        ValueError: if there is no such module, or if it declares no claim.
    """
    module = f"sgdescape.{stem}.claims"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in (module, f"sgdescape.{stem}"):
            raise  # something that the chapter itself imports is missing
        raise ValueError(
            f"stem must be that of one: no chapter {stem!r} with claims, there is no {module}"
        ) from error
    if stem not in _declared:
        raise ValueError(f"{module} declares no claims")
    return tuple(_declared[stem].values())


def glue(name: str, value, fmt: str = "") -> None:
    """Store a measured number for the prose, where ``{glue:text}`name``` prints it.

    Args:
        name: unique in the book, for example ``decoupling-range``.
        value: number or text; marked by `volatile`.
        fmt: format specification, for example ``.2f``.

    Raises:
        ModuleNotFoundError: if myst-nb (extra ``book``) is not installed.
    """
    import myst_nb  # only notebooks need it

    myst_nb.glue(name, _Plain(volatile(format(value, fmt))), display=False)


@dataclass(frozen=True)
class _Plain:
    """Text that displays without quotes and without escaping (a str's repr does both)."""

    text: str

    def __repr__(self):
        return self.text


def _stem(module):
    """Second part of a module's name in this package, else the last: without underscores."""
    parts = module.split(".")
    return (parts[1] if parts[0] == "sgdescape" and len(parts) > 1 else parts[-1]).strip("_")
