"""How long an import takes: the package and each chapter, in a fresh process, torch loaded or not.

Run: python benchmarks/imports.py   (a few minutes; prints a table, writes results/imports.json)

A number is processor time of the import alone, the least of some processes that take turns, so
that other work on the machine disturbs it little. "torch" says whether the import itself loads it;
"after torch" is the same import where torch was there already. With ``--before CHECKOUT`` the same
modules of an older checkout take their turns in the same run, for a ratio.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from sgdescape.core.roots import PACKAGE, PROJECT
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
    """Return the names of the chapters: folders of the package with predictions."""
    return sorted(p.parent.name for p in PACKAGE.glob("*/predictions.py"))


def there(name, checkout):
    """Return whether a checkout has a module of this name, in this package or beside it."""
    place = Path(checkout, "lib", *name.split("."))
    return "sgdescape" not in name or place.is_dir() or place.with_suffix(".py").is_file()


def seconds(name, before=(), checkout=PROJECT):
    """Return processor seconds of one import in a fresh process, and whether torch is there."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(checkout, "lib"))}
    command = [sys.executable, "-c", PROBE.format(name=name, before=tuple(before))]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    spent, torch = out.stdout.split()
    return float(spent), torch == "True"


def measure(names, repeats, checkouts):
    """Return, for each checkout, a row a name: least seconds without and with torch before."""
    rows = [
        {name: {"name": name} for name in names if there(name, checkout)} for checkout in checkouts
    ]
    for _ in range(repeats):  # the first one fills the caches of bytecode
        for name in names:
            for checkout, found in zip(checkouts, rows, strict=True):
                if name in found:
                    once(found[name], checkout)
    return [list(found.values()) for found in rows]


def once(row, checkout):
    """Import a row's module once without torch and once after it, and keep the least seconds."""
    name = row["name"]
    alone, row["torch"] = seconds(name, checkout=checkout)
    after = seconds(name, ["torch"], checkout)[0] if name != "torch" else 0.0
    row["seconds"] = min(alone, row.get("seconds", alone))
    row["seconds_after_torch"] = min(after, row.get("seconds_after_torch", after))


def show(title, rows):
    """Print the rows of one checkout."""
    print(f"{title + ': import':<34}{'seconds':>9}{'after torch':>13}   loads torch")
    for r in rows:
        print(
            f"{r['name']:<34}{r['seconds']:>9.2f}{r['seconds_after_torch']:>13.2f}   "
            f"{'yes' if r['torch'] else 'no'}"
        )


def commit(checkout):
    """Return which commit a checkout is."""
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main():
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="processes of each kind")
    parser.add_argument("--before", type=Path, help="an older checkout to compare with")
    arguments = parser.parse_args()
    names = ["numpy", "torch", "sgdescape", *(f"sgdescape.{stem}" for stem in stems())]
    checkouts = [PROJECT, *([arguments.before] if arguments.before else [])]
    rows, *before = measure(names, arguments.repeats, checkouts)
    for title, table in zip(("now", "before"), (rows, *before), strict=False):
        show(title, table)
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
    if before:
        record |= {"before": before[0], "before_commit": commit(arguments.before)}
    path = Path(__file__).parent / "results" / "imports.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
