"""What does not depend on the seed, computed once for runs that differ in the seed alone.

A chapter's exact chains, operators and quadratures are the same whatever the seed, and most of its
time. `shared` finds them by watching: a function of the room ``measure`` that never reads
``config.seed`` gives the same result for every seed, and a function of ``theory`` is pure.

The chapter is named by the caller and imported while it runs, as `core.claims.declared` does: core
itself still needs none.
"""

import copy
import functools
import importlib
import inspect
import pickle
import pkgutil
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from unittest import mock

__all__ = ["shared"]

_ROOMS = "measure", "predictions", "experiment"


@contextmanager
def shared(stem: str, memory: dict):
    """Within this context a chapter's runs take from the memory what no seed changes.

    Args:
        stem: of the chapter.
        memory: filled on the way; the same one for every run.

    Example:
        >>> memory = {}
        >>> with shared("heavy_tails", memory):
        ...     from sgdescape.heavy_tails.predictions import data_root
        ...     print(round(data_root([0.5, 1.0, 2.0], learning_rate=0.6), 4), len(memory))
        2.3431 1
    """
    with ExitStack() as patches:
        for module in _modules(stem):
            for name, function in list(vars(module).items()):
                wrapper = _wrapper(stem, module, function, memory)
                if wrapper is not None:
                    patches.enter_context(mock.patch.object(module, name, wrapper))
        yield


def _modules(stem):
    """Modules in which an experiment looks up what it measures and predicts."""
    rooms = [importlib.import_module(f"sgdescape.{stem}.{room}") for room in _ROOMS]
    parts = [
        importlib.import_module(part.name)
        for room in rooms
        for part in pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}.")
    ]
    return rooms + parts


def _wrapper(stem, module, function, memory):
    """What takes a function's place there, None if it stays."""
    if not inspect.isfunction(function):
        return None
    home = function.__module__.split(".")
    if home[:2] != ["sgdescape", stem]:
        return None
    first = next(iter(inspect.signature(function).parameters), "")
    if home[2:3] == ["measure"] and first == "config":
        return _seedless(function, memory)
    if home[2:3] == ["theory"] and module.__name__.split(".")[2] == "predictions":
        return _remembered(function, memory)
    return None


def _remembered(function, memory):
    """A pure function that computes each result once."""

    @functools.wraps(function)
    def wrapper(*args, **options):
        key = _key(function, args, options)
        if key is None:
            return function(*args, **options)
        if key not in memory:
            memory[key] = function(*args, **options)
        return copy.deepcopy(memory[key])

    return wrapper


def _seedless(function, memory):
    """A measurement that is made once for all seeds, if it never reads the seed."""

    @functools.wraps(function)
    def wrapper(config, *args, **options):
        if not is_dataclass(config) or not hasattr(type(config), "seed"):
            return function(config, *args, **options)
        rest = {f.name: vars(config)[f.name] for f in fields(config) if f.name != "seed"}
        key = _key(function, (rest, *args), options)
        if key in memory:
            return copy.deepcopy(memory[key])
        watched, reads = _watched(config)
        found = function(watched, *args, **options)
        if reads:
            _seed(config)  # whoever watches the caller must know
        elif key is not None:
            memory[key] = copy.deepcopy(found)
        return found

    return wrapper


def _watched(config):
    """A configuration of the same fields, and a list that grows with every look at its seed."""
    reads = []

    class Watched(type(config)):
        def __getattribute__(self, name):
            if name == "seed":
                reads.append(name)
            return super().__getattribute__(name)

    twin = object.__new__(Watched)
    vars(twin).update(vars(config))
    reads.clear()
    return twin, reads


def _seed(config):
    return config.seed


def _key(function, args, options):
    """What tells calls apart; None where an argument has no bytes of its own."""
    try:
        return pickle.dumps((function.__module__, function.__qualname__, args, options))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
