"""What an engine costs when a chunk takes seconds: serial, loky and Dask, in one run.

    python benchmarks/engines.py [--workers 2] [--chunks 3] [--seconds 5] [--rounds 1]

A chunk uses a fixed number of processor seconds, read from the process' own clock, so that a busy
machine does not change the work. With ``workers`` W and W x ``chunks`` of them a sweep cannot take
less wall time than the longest of its workers. Two costs are shown:

- overhead: wall time of the sweep minus the wall time of its chunks, laid end to end on the
  workers, for each chunk: chunks report when they began and ended. This is what engine and store
  add, and what the target is about. It is shown as a share of the chunk's wall time and of its
  processor seconds: equal on a quiet machine; on a busy one, which stretches both chunk and
  overhead, the truth lies between. The load average is part of the record;
- empty: seconds a chunk of a sweep of 200 that compute nothing, for scale.

The start of the engine is shown apart, once: it is paid once a run. Every sweep stores its
chunks, as on a cluster. The engines take turns ``rounds`` times; medians over the rounds.

Target: overhead at most 1 % with chunks of 5 s.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from sgdescape.core.runs import engines, provenance
from sgdescape.core.runs.sweep import sweep

RESULT = Path(__file__).parent / "results" / "engines.json"


def busy(replicas, *, seed, seconds):
    """Use processor seconds; return when each replica began and ended, and where."""
    began, ended = [], []
    for _ in replicas:
        began.append(time.time())
        until = time.process_time() + seconds
        total = 0.0
        while time.process_time() < until:
            total += float(np.dot(np.arange(1000.0), np.arange(1000.0)))
        ended.append(time.time())
    return {"began": np.array(began), "ended": np.array(ended)}


def measure(engine, workers, chunks, seconds):
    """One engine: start, dispatch overhead and the cost of an empty chunk."""
    opened = time.perf_counter()
    count = 1 if engine == "serial" else workers
    with engines.executor(engine, workers=None if engine == "serial" else workers) as pool:
        with tempfile.TemporaryDirectory() as store:
            sweep(busy, {"seconds": [0.01]}, replicas=4 * count, chunk_size=1, executor=pool,
                  store=store, version="1")  # fmt: skip
            start = time.perf_counter() - opened
            began = time.time()
            found = sweep(busy, {"seconds": [seconds]}, replicas=count * chunks, chunk_size=1,
                          executor=pool, store=store, version="1")  # fmt: skip
            wall = time.time() - began
        began = time.time()
        sweep(busy, {"seconds": [0.0]}, replicas=200, chunk_size=1, executor=pool, version="1")
        empty = (time.time() - began) / 200
    spans = found.ended.values.ravel() - found.began.values.ravel()
    ends = np.sort(found.ended.values.ravel())[-count:]
    # The workers do not end together when the machine shares its cores: that wait is not dispatch.
    idle = float(np.sum(ends[-1] - ends))
    return {
        "start": start,
        "wall": wall,
        "chunk": float(np.median(spans)),
        "overhead": (count * wall - spans.sum() - idle) / spans.sum(),
        "overhead_of_seconds": (count * wall - spans.sum() - idle) / (count * chunks * seconds),
        "empty": empty,
    }


def main(workers, chunks, seconds, rounds):
    """Measure in turn, print the table and write the record."""
    print(f"{provenance.processor()}; {workers} workers, {chunks} chunks of {seconds:g} s each")
    runs = {engine: [] for engine in engines.ENGINES}
    for _ in range(rounds):
        for engine in engines.ENGINES:
            runs[engine].append(measure(engine, workers, chunks, seconds))
    rows = {
        engine: {key: statistics.median(r[key] for r in found) for key in found[0]}
        for engine, found in runs.items()
    }
    titles = (
        f"{'start s':>9}{'sweep s':>9}{'chunk s':>9}{'of wall':>9}{'of cpu':>9}{'empty ms':>10}"
    )
    print(f"{'engine':12}{titles}   load {os.getloadavg()[0]:.1f}")
    for engine, row in rows.items():
        print(
            f"{engine:12}{row['start']:9.2f}{row['wall']:9.2f}{row['chunk']:9.2f}"
            f"{100 * row['overhead']:8.2f}%{100 * row['overhead_of_seconds']:8.2f}%"
            f"{1e3 * row['empty']:10.2f}"
        )
    met = all(row["overhead"] <= 0.01 for row in rows.values())
    print(f"target (at most 1 % at chunks of {seconds:g} s): {'met' if met else 'MISSED'}")
    packages = ("joblib", "distributed", "numpy", "sgdescape")
    record = {
        "cpu": provenance.processor(),
        "python": sys.version.split()[0],
        "versions": {package: metadata.version(package) for package in packages},
        "workers": workers,
        "chunks_a_worker": chunks,
        "seconds_a_chunk": seconds,
        "rounds": rounds,
        "load": os.getloadavg()[0],
        "target_met": met,
        "engines": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--chunks", type=int, default=3, help="chunks a worker")
    parser.add_argument("--seconds", type=float, default=5.0, help="processor seconds a chunk")
    parser.add_argument("--rounds", type=int, default=1, help="turns of all engines")
    arguments = parser.parse_args()
    main(arguments.workers, arguments.chunks, arguments.seconds, arguments.rounds)
