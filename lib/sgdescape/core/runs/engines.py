"""What computes the chunks of a sweep: this process, worker processes, or a Dask cluster.

`sweep.sweep` needs an executor with ``submit`` (PEP 3148) and no more. `executor` makes one by
name and closes it afterwards. On a cluster the store must be a folder that every worker sees, and
every worker must have these sources: both are checked where the work is done.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path

from sgdescape.core import validate
from sgdescape.core.runs import store as chunk_store

__all__ = ["EngineError", "cores", "executor", "processes"]

ENGINES = ("serial", "processes", "dask")
_GRACE = 30  # seconds that a pool has to close itself after a failure
_NO_PAGES = {  # of HTTP servers that Dask starts even without a dashboard
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.http.routes": [],
}
_QUIET = "ignore:resource_tracker:UserWarning"
"""For child interpreters: what a killed worker leaves is cleaned up; nobody needs to read of it."""
_SAFE_PATH = "PYTHONSAFEPATH"
_PATIENCE = 30  # seconds to wait for a scheduler that is said to be there
INNER_THREADS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


class EngineError(RuntimeError):
    """The engine cannot be started or reached; the message says what to do."""


@contextmanager
def executor(
    engine: str, *, workers: int | None = None, address: str | None = None
) -> Iterator[Executor | None]:
    """Open an engine for a ``with`` block, and close it at the end.

    Args:
        engine: "serial" (None is returned: compute in this process), "processes" (joblib's loky)
            or "dask" (needs the extra ``cluster``).
        workers: number of worker processes on this machine; None for one a core.
        address: of a running Dask scheduler, "tcp://host:port" or its scheduler file (.json);
            None starts a cluster on this machine. Workers that are not there yet (a queue) may
            come later; those that die are replaced by others, and their chunks computed again.

    Yields:
        What `sweep.sweep` takes as ``executor``.

    Raises:
        EngineError: if Dask is not installed, or no scheduler answers within 30 seconds.
        ValueError: for an unknown engine, or arguments that it does not take.

    Example:
        >>> with executor("serial") as pool:
        ...     print(pool)
        None
    """
    validate.one_of("engine", engine, ENGINES)
    if workers is not None:
        _counted(workers)
    if engine == "serial" and workers not in (None, 1):
        raise ValueError(f"workers must be 1 for the serial engine: got {workers}")
    if address is not None and engine != "dask":
        raise ValueError(f"address can be given for the dask engine only: got engine {engine!r}")
    if address is not None and workers is not None:
        raise ValueError("workers belong to the running cluster: give either workers or address")
    if engine == "serial":
        yield None
    elif engine == "processes":
        with _safe_path():
            yield from _processes(workers)
    else:
        try:
            with _safe_path():
                yield from _dask(workers, address)
        finally:
            logging.disable(logging.NOTSET)


def processes(workers: int | None = None) -> Executor:
    """Return a pool of worker processes (loky) in which numerics use one thread each.

    They end with this process, also when it is killed.

    Args:
        workers: their number; None for the number of cores this process may use.

    Returns:
        An executor; leave it to be reused, or call ``shutdown``.
    """
    from joblib.externals.loky import ProcessPoolExecutor  # seconds, and rarely needed
    from joblib.externals.loky.backend import resource_tracker

    workers = cores() if workers is None else _counted(workers)
    if _QUIET not in sys.warnoptions:
        sys.warnoptions.append(_QUIET)
    with _safe_path():
        resource_tracker.ensure_running()
    environment = INNER_THREADS | {_SAFE_PATH: "1"}
    pool = ProcessPoolExecutor(
        workers, env=environment, initializer=_end_with, initargs=(os.getpid(),)
    )
    pool.same_installation = True  # for `sweep`: nothing to compare
    pool.stores = set()  # folders into which `sweep` let its workers write
    pool.in_flight = workers + 1  # for `sweep`: what only waits cannot be dropped without a mess
    return pool


def _end_with(parent):
    """End this worker soon after its parent; loky alone would leave it waiting for ever."""

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _safe_path():
    """Interpreters started inside import no ``signal.py`` that lies in the working directory."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before


def cores() -> int:
    """Return the number of cores this process may use."""
    can_ask = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if can_ask else os.cpu_count() or 1


def _counted(workers) -> int:
    """A number of workers that this machine can start: each takes the memory of a Python."""
    validate.count("workers", workers)
    return validate.count("workers", workers, high=max(64, 8 * cores()))


def _processes(workers):
    pool = processes(workers)
    pool.ends_at_once = True
    try:
        yield pool
    except BaseException:  # nobody waits for chunks that were interrupted
        _end_now(pool)
        raise
    pool.shutdown()


def _end_now(pool):
    """Kill the workers of a loky pool, and never wait for its own bookkeeping."""
    workers = list((pool._processes or {}).values())
    closing = threading.Thread(target=pool.shutdown, kwargs={"kill_workers": True}, daemon=True)
    closing.start()
    closing.join(_GRACE)
    for worker in workers:
        if worker.is_alive():
            worker.kill()
    for worker in workers:
        worker.join(_GRACE)
    for folder in pool.stores:  # of pieces that they were writing
        with suppress(OSError):
            chunk_store.drop_leftovers(folder)


def _dask(workers, address):
    try:
        import dask
        import distributed
    except ImportError as error:
        raise EngineError(
            'engine "dask" needs Dask: python -m pip install "sgdescape[cluster]"'
        ) from error
    if address is None:
        with (
            dask.config.set(_NO_PAGES),
            _local_cluster(distributed, cores() if workers is None else workers) as cluster,
            distributed.Client(cluster, security=cluster.security) as client,
        ):
            yield from _client(client)
        return
    from_file = address.endswith(".json")
    if from_file:
        _check_scheduler_file(Path(address))
    place = {"scheduler_file": address} if from_file else {"address": address}
    try:
        client = distributed.Client(**place, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"address must be that of a running Dask scheduler: got {address}: {error}"
        ) from error
    with client:
        yield from _client(client)


def _check_scheduler_file(path):
    """Dask would wait for ever for a file that is not there, and stumble over another."""
    wanted = "address must be that of a running Dask scheduler"
    if not path.is_file():
        raise EngineError(f"{wanted}: no file {path}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(f"{wanted}: {path} is no scheduler file") from error
    if not isinstance(found, str):
        raise EngineError(f"{wanted}: {path} names {found!r}")


def _local_cluster(distributed, workers):
    """Workers on this machine that take nothing from other users of it: TLS with this run's key."""
    try:
        security = distributed.Security.temporary()
    except ImportError as error:
        raise EngineError(
            'engine "dask" needs the package cryptography: python -m pip install '
            '"sgdescape[cluster]"'
        ) from error
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls://",
        security=security,
        dashboard_address=None,
        memory_limit=0,  # chunks are small: leave memory to the system
        silence_logs=logging.CRITICAL,  # what a task says comes back with its future
        env=INNER_THREADS,
    )


def _client(client):
    """The executor of a Dask client; after a failure what waits is dropped by the scheduler."""
    pool = client.get_executor(pure=False)
    pool.ends_at_once = True
    try:
        yield pool
    except BaseException:
        logging.disable(logging.CRITICAL)  # until it is closed: the message is the caller's
        pool.shutdown(wait=False)
        raise
