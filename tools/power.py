"""Measure how often each claim's check is right: ``python tools/power.py [STEM ...]``.

Every chapter's experiment is run with many seeds (`Config.seed` = 1, 2, ...; the book's own is 0)
at the size of the book's pages, or at the chapter's smaller `POWER` where it has one. What was run
is kept in a folder, one file a chapter and seed, and found again: the tool can be stopped at any
time and continues. Then every claim is judged on every run, and ``results/power.json`` written.
"""

import argparse
import importlib
import json
import os
import shutil
import time
import warnings
from dataclasses import replace
from pathlib import Path

import xarray as xr

from sgdescape import cli
from sgdescape.core.claims import declared
from sgdescape.core.power import analysis
from sgdescape.core.power import kept as power
from sgdescape.core.runs import provenance
from sgdescape.core.runs.seedless import shared

KEPT = power.FILE.parents[1] / "_build" / "power"
JUDGING = (*power.UNJUDGED, "claims")
"""Rooms of a chapter that do not change what it measures."""


def place(folder: Path, stem: str) -> Path:
    """Return the folder in which the runs of a chapter's present code are kept."""
    return folder / stem / power.version(stem, without=JUDGING)


def size(stem: str):
    """Return the chapter's configuration for many seeds, and its name."""
    module = importlib.import_module(f"sgdescape.{stem}.config")
    return (module.POWER, "POWER") if hasattr(module, "POWER") else (module.QUICK, "QUICK")


def run(stem: str, seed: int, folder: Path, memory: dict) -> bool:
    """Run a chapter with a seed unless that is kept already; return whether it was run."""
    target = place(folder, stem) / f"{seed}.nc"
    if target.exists():
        return False
    start = time.process_time()
    with shared(stem, memory):
        chapter = importlib.import_module(f"sgdescape.{stem}.experiment")
        dataset = chapter.run(replace(size(stem)[0], seed=seed))
    dataset.attrs["processor_seconds"] = round(time.process_time() - start, 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    cli.save(dataset, target)
    adopt(target)
    return True


def adopt(target: Path) -> None:
    """Take over the runs of other versions of the code whose run of this seed has the same numbers.

    A seed decides a run: if the same seed gives the same numbers to the bit, what changed in the
    code did not change the numbers. Variables that only one of them has are no hindrance.

    Args:
        target: file of a run of the present version.
    """
    new = load(target)
    for twin in target.parent.parent.glob(f"*/{target.name}"):
        if twin.parent != target.parent and same(load(twin), new):
            for other in twin.parent.glob("*.nc"):
                if not (target.parent / other.name).exists():
                    shutil.copyfile(other, target.parent / other.name)


def same(old: xr.Dataset, new: xr.Dataset) -> bool:
    """Return whether two runs agree to the bit in most of their variables, and nowhere differ."""
    names = set(old.variables) & set(new.variables)
    alike = all(old[n].variable.equals(new[n].variable) for n in names)
    return alike and 2 * len(names) > len(old.variables)


def load(path: Path) -> xr.Dataset:
    """Return a run that is kept."""
    with xr.open_dataset(path, engine="netcdf4") as opened:
        return opened.load()


def judge(stem: str, folder: Path) -> dict:
    """Judge all claims of a chapter on its runs; return their numbers by identifier.

    Args:
        stem: of the chapter.
        folder: where runs are kept.
    """
    found = {f"{stem}.{check.__name__}": [] for check in declared(stem)}
    for path in sorted(place(folder, stem).glob("*.nc")):
        dataset = load(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a chapter about its own data
            for check in declared(stem):
                identifier = f"{stem}.{check.__name__}"
                found[identifier].append(analysis.outcome(check, dataset))
    return {name: analysis.summary(outcomes) for name, outcomes in found.items()}


def write(stems, folder: Path, file: Path = power.FILE) -> None:
    """Judge chapters of which something is kept, and write their numbers beside the others'.

    Args:
        stems: of the chapters.
        folder: where runs are kept.
        file: of the result.
    """
    whole = {"chapters": {}, "claims": {}} | power.kept(file)
    for stem in stems:
        runs = sorted(place(folder, stem).glob("*.nc"))
        if runs:
            seconds = sum(load(path).attrs["processor_seconds"] for path in runs)
            own = {n: e for n, e in whole["claims"].items() if n.split(".")[0] != stem}
            whole["claims"] = own | judge(stem, folder)
            whole["chapters"][stem] = {
                "runs": len(runs),
                "size": size(stem)[1],
                "processor_seconds": round(seconds),
                "version": power.version(stem),
                "commit": provenance.commit(),
                "processor": provenance.processor(),
            }
    part = file.with_suffix(".part")
    part.write_text(json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    os.replace(part, file)


def main():
    """Run the chapters named, one seed of all after the other, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stems", nargs="*", metavar="STEM", help="all chapters unless given")
    parser.add_argument("--seeds", type=int, default=20, help="0 judges what is kept")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no run after so long")
    parser.add_argument("--folder", type=Path, default=KEPT, help="where runs are kept")
    options = parser.parse_args()
    stems = options.stems or list(cli.chapters())
    memory = {stem: {} for stem in stems}
    begin = time.perf_counter()
    for seed in range(1, options.seeds + 1):
        for stem in stems:
            start = time.perf_counter()
            if start - begin < 60 * options.minutes and run(
                stem, seed, options.folder, memory[stem]
            ):
                print(f"{stem}, seed {seed}: {time.perf_counter() - start:.1f} s", flush=True)
    write(stems, options.folder)


if __name__ == "__main__":
    main()
