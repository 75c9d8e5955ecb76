"""How long an import takes: the package and each chapter, in a fresh process, torch loaded or not.

Run: python benchmarks/imports.py   (a few minutes; prints a table, writes results/imports.json)

A number is processor time of the import alone, the least of some processes that take turns, so
that other work on the machine disturbs it little. "torch" says whether the import itself loads it;
"after torch" is the same import where torch was there already.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from sgdescape.core.roots import PACKAGE
from sgdescape.core.runs import provenance

PROBE = """
import sys, time
for name in {before!r}:
    __import__(name)
start = time.process_time()
__import__({name!r})
print(time.process_time() - start, 'torch' in sys.modules)
"""


def stems():
    """Return the names of the chapters: folders of the package with claims."""
    return sorted(p.parent.name for p in PACKAGE.glob("*/config.py") if p.parent.name != "core")


def seconds(name, before=()):
    """Return processor seconds of one import in a fresh process, and whether torch is there."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROBE.format(name=name, before=tuple(before))]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    spent, torch = out.stdout.split()
    return float(spent), torch == "True"


def measure(names, repeats):
    """Return a row for each name: least seconds without torch before and with it, torch or not."""
    rows = {name: {"name": name} for name in names}
    for _ in range(repeats):  # the first one fills the caches of bytecode
        for name, row in rows.items():
            alone, torch = seconds(name)
            after = seconds(name, ["torch"])[0] if name != "torch" else 0.0
            row["seconds"] = min(alone, row.get("seconds", alone))
            row["seconds_after_torch"] = min(after, row.get("seconds_after_torch", after))
            row["torch"] = torch
    return list(rows.values())


def main():
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="processes of each kind")
    arguments = parser.parse_args()
    names = ["numpy", "torch", "sgdescape", *(f"sgdescape.{stem}" for stem in stems())]
    rows = measure(names, arguments.repeats)
    print(f"{'import':<34}{'seconds':>9}{'after torch':>13}   loads torch")
    for r in rows:
        print(
            f"{r['name']:<34}{r['seconds']:>9.2f}{r['seconds_after_torch']:>13.2f}   "
            f"{'yes' if r['torch'] else 'no'}"
        )
    record = {
        "unit": "processor seconds of the import alone, one thread, least of the repeats",
        "repeats": arguments.repeats,
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "imports.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
