"""Where and how the measurements are computed: in chunks, by any engine, kept in a store."""

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from sgdescape.core.random import seeds
from sgdescape.core.runs import sweep


@dataclass(frozen=True)
class Work:
    """Where and how the measurements are computed.

    Args:
        device: of the ensembles, "cpu" or "cuda".
        executor: see `core.runs.engines`; None computes in this process, on threads.
        store: folder of finished chunks; None keeps nothing.
    """

    device: str = "cpu"
    executor: Executor | None = None
    store: str | Path | None = None

    @property
    def chunk(self) -> int:
        """Replicas in one call: as many as fit on a graphics card, minutes of a core elsewhere."""
        return 1000 if self.device == "cpu" else 100_000


HERE = Work()


def swept(function, grid, count, config, name, work, options):
    """Results by name, (grid..., replicas, ...), of one of the chapter's independent streams."""
    found = sweep.sweep(
        function,
        grid,
        replicas=count,
        seed=seeds.derive(config.seed, "linear_regression", name),
        options=options | {"device": work.device},
        chunk_size=work.chunk,
        executor=work.executor,
        store=work.store,
    )
    return {name: variable.values for name, variable in found.data_vars.items()}
