"""Ensembles over a grid of parameters: in chunks, on any executor, resumable after a kill.

The result depends on the function, the grid, the seed and the number of replicas alone: not on
chunk size, executor, number of workers or interruptions. The runner's share of that promise is
that a chunk is a range of replica indices; the function's share is that a replica depends on
(seed, replica index) alone, as with the counters of `core.random.philox`.
"""

import hashlib
import inspect
import itertools
import platform
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.roots import PACKAGE
from sgdescape.core.runs import provenance, threads
from sgdescape.core.runs import store as chunk_store
from sgdescape.core.runs.engines import processes

__all__ = ["ChunkError", "code_version", "sweep", "processes"]


class ChunkError(RuntimeError):
    """A chunk failed; the message names its parameters and replicas, the cause is chained."""


@dataclass(frozen=True)
class _Chunk:
    """Replicas [start, stop) of one grid point."""

    point: int
    parameters: dict
    seed: int
    start: int
    stop: int
    identity: str
    sources: str  # of the package that asks; "" where they need no comparison
    commit: str  # of the same; asked once, for a thousand workers must not call git


def sweep(
    function: Callable[..., Mapping[str, np.ndarray]],
    grid: Mapping[str, Sequence],
    *,
    replicas: int = 1,
    seed: int = 0,
    options: Mapping | None = None,
    dims: Mapping[str, Sequence[str]] | None = None,
    chunk_size: int = 64,
    executor: Executor | None = None,
    store: str | Path | None = None,
    version: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Call ``function(replicas, seed=seed, **options, **parameters)`` all over a grid.

    Args:
        function: defined at the top of a module; takes a ``range`` of replica indices and returns
            name -> array (len(replicas), ...). It must give each replica the same values whatever
            range it is asked in.
        grid: parameter -> values (numbers, texts or booleans); every combination is run.
        replicas: number of replicas at each grid point, at least 1.
        seed: passed on; part of the identity of what is stored.
        options: further arguments, the same everywhere: anything JSON can hold, or a dataclass.
        dims: name of a result -> names of its axes after the replica; "name_0", ... if absent.
        chunk_size: replicas computed in one call, at least 1.
        executor: anything with ``submit`` (see `engines`); None computes in this process.
        store: folder for finished chunks, created if needed; None keeps nothing. What is found
            there is not computed again, after a kill or for a larger grid. Workers on other
            machines must see it under the same path.
        version: of the computation, for what is stored. Unless given, it is a hash of this
            package's sources, the function's module and the versions of Python, NumPy and torch:
            any edit computes again.
        progress: show a bar on stderr.

    Returns:
        A data set with dimensions (grid names..., replica, ...).

    Raises:
        ChunkError: if the function fails, a worker dies and nobody takes over, or a worker has
            other sources; what is in the store stays.
        StoreError: if a chunk is missing and the store cannot be written; what is in it stays.
        TypeError: if function, grid or options are of another kind.
        ValueError: if a grid axis is empty or the function returns arrays of another length.

    Example:
        >>> def squares(replicas, *, seed, rate):
        ...     return {"square": rate * np.arange(replicas.start, replicas.stop) ** 2}
        >>> sweep(squares, {"rate": [1.0, 2.0]}, replicas=3).square.values.tolist()
        [[0.0, 1.0, 4.0], [0.0, 2.0, 8.0]]
    """
    if not callable(function):
        raise TypeError(f"function must be a function: got {function!r}")
    validate.count("replicas", replicas)
    validate.count("chunk_size", chunk_size)
    validate.count("seed", seed, low=0)
    axes, options = _axes(grid), dict(options or {})
    if executor is not None or store is not None:
        _importable(function)
    local = executor is None or getattr(executor, "same_installation", False)
    sources = "" if local or version is not None else _package_digest().hex()
    version = code_version(function) if version is None else str(version)
    origin = (sources, "" if store is None else provenance.commit())
    chunks = _chunks(function, version, origin, axes, options, seed, replicas, chunk_size)
    folder = None if store is None else Path(store).absolute()  # workers may stand elsewhere
    pieces = _compute(function, chunks, options, executor, folder, progress)
    arrays = _assemble(axes, chunks, pieces)
    dims = dict(dims or {})
    variables = {}
    for name, array in arrays.items():
        inner = array.ndim - len(axes) - 1
        trailing = tuple(dims.get(name, [f"{name}_{axis}" for axis in range(inner)]))
        if len(trailing) != inner:
            raise ValueError(f"dims must name {inner} axes of {name!r}: got {trailing}")
        variables[name] = ((*axes, "replica", *trailing), array)
    return xr.Dataset(variables, coords=axes | {"replica": np.arange(replicas)})


@door
def code_version(function: Callable) -> str:
    """Return a hash of everything a stored result depends on, other than its arguments.

    Args:
        function: whose module's source is included, beside all of this package.

    Returns:
        16 hexadecimal digits.
    """
    try:
        own = Path(inspect.getsourcefile(function)).read_bytes()
    except (OSError, TypeError):  # typed into a console
        own = getattr(getattr(function, "__code__", None), "co_code", b"")
    return hashlib.sha256(own + _package_digest()).hexdigest()[:16]


@cache
def _package_digest():
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        total.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    total.update(f"{platform.python_version()} {np.__version__}".encode())
    total.update(provenance.package_version("torch").encode())
    return total.digest()


def _chunks(function, version, origin, axes, options, seed, replicas, chunk_size):
    """All chunks, in the order of the grid."""
    chunks = []
    for point, values in enumerate(itertools.product(*(a.tolist() for a in axes.values()))):
        parameters = dict(zip(axes, values, strict=True))
        for start in range(0, replicas, chunk_size):
            stop = min(start + chunk_size, replicas)
            identity = provenance.to_json(
                {
                    "function": f"{function.__module__}.{function.__qualname__}",
                    "version": version,
                    "parameters": sorted(parameters.items()),
                    "options": sorted((k, _plain(v)) for k, v in options.items()),
                    "seed": seed,
                    "replicas": [start, stop],
                }
            )
            chunks.append(_Chunk(point, parameters, seed, start, stop, identity, *origin))
    return chunks


def _compute(function, chunks, options, executor, folder, progress):
    """Arrays of every chunk: from the store where they are there, else computed."""
    pieces = [None if folder is None else chunk_store.read(folder, c.identity) for c in chunks]
    missing = [i for i, piece in enumerate(pieces) if piece is None]
    if missing and folder is not None:  # a complete store may be read-only
        chunk_store.open_store(folder)
    with _bar(len(chunks), len(chunks) - len(missing), progress) as bar:
        if executor is None:
            for i in missing:
                pieces[i] = _one(function, chunks[i], options, folder)
                bar.update()
            return pieces
        if folder is not None and hasattr(executor, "stores"):
            executor.stores.add(folder)
        futures, waiting = {}, deque(missing)
        room = getattr(executor, "in_flight", len(missing))  # of a pool that wants few at a time
        try:
            while futures or waiting:
                while waiting and len(futures) < room:
                    i = waiting.popleft()
                    futures[_submit(executor, function, chunks[i], options, folder)] = i
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    i = futures.pop(future)
                    pieces[i] = _result(future, chunks[i])
                    bar.update()
        finally:  # after a failure: drop what waits; what runs is stored by its own worker
            if not getattr(executor, "ends_at_once", False):  # those stumble over cancelled ones
                for future in futures:
                    future.cancel()
    return pieces


def _submit(executor, function, chunk, options, folder):
    try:
        return executor.submit(_one, function, chunk, options, folder)
    except Exception as error:  # a pool refuses everything once a worker of it is gone
        raise _lost(chunk, error) from error


def _result(future, chunk):
    try:
        return future.result()
    except (ChunkError, chunk_store.StoreError):
        raise
    except Exception as error:  # the worker itself is gone, or could not be reached
        raise _lost(chunk, error) from error


def _lost(chunk, error):
    return ChunkError(
        f"no result for {_where(chunk)}: {type(error).__name__}: {error}; with a store, the "
        "same call continues from the finished chunks"
    )


def _one(function, chunk, options, folder):
    """Compute one chunk and store it; runs in the worker."""
    span, start = range(chunk.start, chunk.stop), time.perf_counter()
    if chunk.sources and chunk.sources != _package_digest().hex():
        raise ChunkError(
            f"the worker that got {_where(chunk)} has other sources of this package, or another "
            "Python, NumPy or torch: install the same and start it anew"
        )
    try:
        with threads.one_torch_thread():
            found = function(span, seed=chunk.seed, **options, **chunk.parameters)
        if not isinstance(found, Mapping):
            raise TypeError(f"function must return a mapping: got {type(found).__name__}")
        arrays = {str(name): np.asarray(array) for name, array in found.items()}
        for name, array in arrays.items():
            if array.ndim == 0 or len(array) != len(span):
                raise ValueError(f"{name!r} must have {len(span)} rows: got shape {array.shape}")
            if array.dtype.hasobject:
                raise TypeError(f"{name!r} must be an array of numbers or texts: got objects")
    except Exception as error:
        raise ChunkError(f"{_where(chunk)}: {type(error).__name__}: {error}") from error
    if folder is not None:
        about = _about(time.perf_counter() - start, chunk.commit)
        chunk_store.write(folder, chunk.identity, arrays, about=about)
    return arrays


def _about(seconds, commit):
    """Provenance of a stored chunk; like that of a result it names no path, user or host."""
    return {
        "seconds": round(seconds, 3),
        "processor": provenance.processor(),
        "commit": commit,
        "sgdescape": provenance.package_version("sgdescape"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": provenance.package_version("torch"),
    }


def _assemble(axes, chunks, pieces):
    """Name -> array (grid..., replica, ...)."""
    names = list(pieces[0])
    by_point = {}
    for chunk, piece in zip(chunks, pieces, strict=True):
        if set(piece) != set(names):
            raise ValueError(f"{_where(chunk)} returned {sorted(piece)}, not {sorted(names)}")
        by_point.setdefault(chunk.point, []).append(piece)
    arrays = {}
    for name in names:
        rows = [np.concatenate([p[name] for p in found]) for found in by_point.values()]
        if len({row.shape for row in rows}) > 1:
            raise ValueError(f"{name!r} must have one shape: got {sorted({r.shape for r in rows})}")
        stacked = np.stack(rows)
        arrays[name] = stacked.reshape(*(a.size for a in axes.values()), *stacked.shape[1:])
    return arrays


def _axes(grid):
    """Grid axes as one-dimensional arrays, refused if empty, repeated or not scalars."""
    if not isinstance(grid, Mapping):
        raise TypeError(f"grid must map parameters to values: got {type(grid).__name__}")
    axes = {}
    for name, values in grid.items():
        array = np.asarray(values)
        if array.ndim != 1 or array.size == 0 or array.dtype.hasobject:
            raise ValueError(
                f"grid axis {name!r} must be a list of numbers or texts: got {values!r}"
            )
        texts = sum(isinstance(value, str) for value in values)
        if texts not in (0, len(values)):  # NumPy would turn the numbers into texts
            raise ValueError(f"grid axis {name!r} must not mix texts and numbers: got {values!r}")
        if np.unique(array).size != array.size:
            raise ValueError(f"grid axis {name!r} must not repeat a value: got {values!r}")
        axes[name] = array
    return axes


def _importable(function):
    name = getattr(function, "__qualname__", None)
    if name is None or "<" in name or not hasattr(function, "__module__"):
        raise TypeError(
            f"function must be defined at the top of a module, to be found again: got {function!r}"
        )


def _plain(value):
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, asdict(value)]
    return value


def _where(chunk):
    texts = ", ".join(f"{name}={value!r}" for name, value in chunk.parameters.items())
    return f"replicas {chunk.start} to {chunk.stop - 1} at {texts or 'the only point'}"


@contextmanager
def _bar(total, done, show):
    from tqdm import tqdm

    with tqdm(total=total, initial=done, disable=not show, unit="chunk") as bar:
        yield bar
