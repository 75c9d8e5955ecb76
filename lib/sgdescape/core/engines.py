"""What computes the chunks of a sweep: this process, worker processes, or a Dask cluster.

`runner.sweep` needs an executor with ``submit`` (PEP 3148) and no more. `executor` makes one by
name and closes it afterwards. On a cluster the store must be a folder that every worker sees, and
every worker must have these sources: both are checked where the work is done.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from sgdescape.core import runner, validate

ENGINES = ("serial", "processes", "dask")
_PATIENCE = 30  # seconds to wait for a scheduler that is said to be there


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
        What `runner.sweep` takes as ``executor``.

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
        validate.count("workers", workers)
    if engine == "serial" and workers not in (None, 1):
        raise ValueError(f"workers must be 1 for the serial engine: got {workers}")
    if address is not None and engine != "dask":
        raise ValueError(f"address can be given for the dask engine only: got engine {engine!r}")
    if address is not None and workers is not None:
        raise ValueError("workers belong to the running cluster: give either workers or address")
    if engine == "serial":
        yield None
    elif engine == "processes":
        yield from _processes(workers)
    else:
        yield from _dask(workers, address)


def _processes(workers):
    pool = runner.processes(workers)
    try:
        yield pool
    except BaseException:  # nobody waits for chunks that were interrupted
        pool.shutdown(kill_workers=True)
        raise
    pool.shutdown()


def _dask(workers, address):
    try:
        import distributed
    except ImportError as error:
        raise EngineError(
            'engine "dask" needs Dask: python -m pip install "sgdescape[cluster]"'
        ) from error
    if address is None:
        with (
            distributed.LocalCluster(
                n_workers=runner.cores() if workers is None else workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=0,  # chunks are small: leave memory to the system
                env=runner.INNER_THREADS,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client.get_executor(pure=False)
        return
    place = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**place, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"address must be that of a running Dask scheduler: got {address}: {error}"
        ) from error
    with client:
        yield client.get_executor(pure=False)
