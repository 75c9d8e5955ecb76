"""Compilation of kernels, with a cache on disk that notices every edit.

Numba's cache of a function looks at the file of that function alone: machine code in which a
changed helper or constant of another file is inlined would stay. Here the name of the cache's
folder is a hash of the function's file and of every file of this package that it imports, directly
or through others, wherever the folder lies.
"""

import ast
import hashlib
import inspect
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

import numba as nb

from sgdescape.core.roots import PACKAGE

__all__ = ["cache_folder", "fingerprint", "kernel", "sources", "spread"]

_PARTS_A_THREAD = 8  # so that threads end at about the same time


def kernel(**options) -> Callable:
    """Return a decorator: `numba.njit` with these options and a cache on disk.

    The cache lies in the package's folder or, where that is read-only, in the user's cache folder;
    where nothing can be written, machine code stays in memory. Kernels run on several cores by
    `spread`, with ``nogil=True``; numba's own parallel loops are refused: they end a process that
    enters two from threads of its own, and the process that compiles one uses other machine code
    than it writes to the disk, in which reordered sums differ in the last bit.

    Args:
        options: of `numba.njit`, without ``cache`` and ``parallel``.

    Raises:
        ValueError: for ``parallel``.

    Example:
        >>> @kernel(nogil=True)
        ... def double(x):
        ...     return 2 * x
        >>> double(3)
        6
    """

    if options.get("parallel"):
        raise ValueError("parallel must be left out: use nogil=True and compiled.spread")

    def decorate(function):
        own = _own(function)
        folder = own and cache_folder(fingerprint(sources(own)))
        if not folder:
            return nb.njit(**options)(function)
        before = nb.config.CACHE_DIR
        nb.config.CACHE_DIR = str(folder)
        try:
            return _forgiving(nb.njit(cache=True, **options)(function))
        except RuntimeError:  # numba found no place to write after all
            return nb.njit(**options)(function)
        finally:
            nb.config.CACHE_DIR = before

    return decorate


def spread(part: Callable, count: int, threads: int | None = None) -> list:
    """Call a function on slices that cover range(count), on so many threads at once.

    Args:
        part: takes a slice; spends its time in kernels with ``nogil=True``.
        count: of replicas, positive.
        threads: None for NUMBA_NUM_THREADS, all cores if that is not set.

    Returns:
        What it returned, in the order of the slices.

    Example:
        >>> sum(spread(lambda part: part.stop - part.start, 10, threads=3))
        10
    """
    threads = min(threads or nb.config.NUMBA_NUM_THREADS, count)
    size = -(-count // (threads * _PARTS_A_THREAD)) if threads > 1 else count
    parts = [slice(i, min(i + size, count)) for i in range(0, count, size)]
    if threads == 1:
        return [part(one) for one in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(part, parts))


def fingerprint(paths) -> str:
    """Return 16 hexadecimal digits that change with any byte or name of these files.

    Args:
        paths: in any order.
    """
    total = hashlib.sha256()
    for path in sorted(set(paths)):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def sources(path: Path) -> frozenset[Path]:
    """Return a file and every file of this package that it imports, directly or through others.

    Args:
        path: of a Python file.
    """
    found, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += _imports(current)
    return frozenset(found)


def cache_folder(name: str) -> Path | None:
    """Return a folder of this name that can be written to, or None where there is none.

    Args:
        name: of the last folder, the fingerprint of the sources.
    """
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for base in (PACKAGE / "__pycache__" / "kernels", user / "sgdescape" / "kernels"):
        try:
            (base / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=base / name):
                return base / name
        except OSError:  # read-only, full, or no home
            continue
    return None


@cache
def _imports(path):
    """Files of this package that a file names in import statements, wherever they stand."""
    package, files = PACKAGE.name, []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # relative to the folder of the file
                folder = path.parents[node.level - 1]
                if not folder.is_relative_to(PACKAGE):
                    continue
                parts = (package, *folder.relative_to(PACKAGE).parts)
                module = ".".join(filter(None, (*parts, module)))
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        files += [_file(name) for name in names if name.split(".")[0] == package]
    return [file for file in files if file]


def _file(name):
    """File of a module of this package, None for a name that is none."""
    base = PACKAGE.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _forgiving(compiled):
    """A damaged file of the cache, or a full disk under it, costs a compilation and no more."""
    disk = compiled._cache
    load, save = disk.load_overload, disk.save_overload

    def load_overload(*arguments):
        try:
            return load(*arguments)
        except Exception:  # damaged bytes raise whatever the unpickler meets
            with suppress(OSError):
                disk.flush()
            return None

    def save_overload(*arguments):
        with suppress(OSError):
            save(*arguments)

    disk.load_overload, disk.save_overload = load_overload, save_overload
    return compiled


def _own(function):
    """File that a function stands in, None if it was typed into a console or a notebook."""
    try:
        path = Path(inspect.getsourcefile(function))
    except (OSError, TypeError):
        return None
    return path if path.is_file() else None
