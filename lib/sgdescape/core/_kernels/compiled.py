"""Compilation of kernels, with a cache on disk that notices every edit.

Numba's cache of a function looks at the file of that function alone: machine code in which a
changed helper of another file is inlined would stay. Here the name of the cache's folder is a hash
of all sources that a kernel can be made of.
"""

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import numba as nb

HERE = Path(__file__).parent


def kernel(**options) -> Callable:
    """Return a decorator: `numba.njit` with these options and a cache on disk.

    Where nothing can be written (package folder and the user's cache), the result stays in memory.

    Args:
        options: of `numba.njit`, without ``cache``.

    Example:
        >>> @kernel(nogil=True)
        ... def double(x):
        ...     return 2 * x
        >>> double(3)
        6
    """

    def decorate(function):
        before = nb.config.CACHE_DIR
        sources = (*HERE.glob("*.py"), HERE.parent / "philox.py", *_own(function))
        nb.config.CACHE_DIR = str(HERE / "__pycache__" / fingerprint(sources))
        try:
            return nb.njit(cache=True, **options)(function)
        except RuntimeError:  # no place to write
            return nb.njit(**options)(function)
        finally:
            nb.config.CACHE_DIR = before

    return decorate


def fingerprint(sources) -> str:
    """Return 16 hexadecimal digits that change with any byte or name of these files.

    Args:
        sources: paths, in any order.
    """
    total = hashlib.sha256()
    for path in sorted(set(sources)):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def _own(function):
    try:
        path = Path(inspect.getsourcefile(function))
    except (OSError, TypeError):  # typed into a console
        return ()
    return (path,) if path.is_file() else ()
