"""One command for a graphics card: ``python tools/gpu.py``, or ``make gpu``.

In the minutes given, in this order: what the card itself can do; every engine on it against the
CPU, replica by replica; the tests that need a card; rates beside the card's bounds; runs at the
papers' sizes, the most valuable first. The record (``gpu.json``) is written as it goes. A part that
fails is recorded with its last lines and the next one begins; the same call again makes what is not
done, and long runs go on from their store. ``--device cpu --tiny`` tries all of it without a card.

Exit code: 0 all parts are done, 1 some are not, 2 wrong usage or no card.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lib"))  # a card's machine need not have the package installed

import gpu_checks  # noqa: E402
import gpu_rates  # noqa: E402
import gpu_runs  # noqa: E402
from gpu_checks import Place  # noqa: E402

NEEDED = ("torch", "numpy", "scipy", "numba", "xarray", "matplotlib", "joblib", "tqdm", "typer")
"""Packages without which nothing runs."""
USED = {
    "triton": "the GPU kernels are not run",
    "netCDF4": "chapters are not run at the papers' size; the ResNet-18 is written uncompressed",
    "pytest": "the tests are not run",
    "hypothesis": "the tests are not run",
}
"""Packages that some parts use, and what their absence means."""
GRACE = 20
"""Seconds in which a part that is stopped may put away what it has."""
LINES = 12
"""Last lines of a traceback that are recorded."""


@dataclass(frozen=True)
class Folders:
    """Where things go.

    Args:
        results: of the record and the netCDF files.
        store: of what long runs have finished.
    """

    results: Path
    store: Path


@dataclass(frozen=True)
class Part:
    """One part of the whole.

    Args:
        make: (place, folders, record so far) -> its rows.
        share: of the time given, at most; 1 for what is left.
        needs: packages without which it is passed over.
    """

    make: Callable[[Place, Folders, dict], Iterator[dict]]
    share: float = 1.0
    needs: tuple[str, ...] = ()


def parts(*, tiny: bool) -> dict[str, Part]:
    """Return the parts by name, in their order.

    Args:
        tiny: whether only one chapter is run, at a tiny size.
    """
    found = {"device": Part(lambda place, *_: iter([gpu_rates.limits(place)]), 0.1)}
    for name, check in gpu_checks.CHECKS.items():
        found[f"check: {name}"] = Part(partial(_only_place, check), 0.12)
    found["tests"] = Part(partial(_with_folders, gpu_runs.tests), 0.2, ("pytest", "hypothesis"))
    for name, rates in gpu_rates.RATES.items():
        found[f"rate: {name}"] = Part(partial(_with_limits, rates), 0.1)
    found["run: ResNet-18"] = Part(partial(_with_folders, gpu_runs.residual_network))
    for stem in gpu_runs.TINY if tiny else gpu_runs.RUNS:
        run = partial(gpu_runs.chapter, stem)
        found[f"run: {stem}"] = Part(partial(_with_folders, run), 1.0, ("netCDF4",))
    return found


def _only_place(make, place, folders, record):
    yield from make(place)


def _with_folders(make, place, folders, record):
    yield from make(place, folders)


def _with_limits(make, place, folders, record):
    rows = record["parts"].get("device", {}).get("rows", [])
    yield from make(place, rows[0] if rows else gpu_rates.limits(place))


def kernels(device: str, *, installed: bool, interpreted: bool) -> str:
    """Return how Triton's kernels run: "compiled", "interpreter" or "none".

    Args:
        device: of torch.
        installed: whether Triton is there.
        interpreted: whether the environment asks for its interpreter.

    Example:
        >>> kernels("cpu", installed=True, interpreted=False)
        'interpreter'
    """
    if not installed:
        return "none"
    return "interpreter" if interpreted or device == "cpu" else "compiled"


def verdict(rows: list[dict]) -> tuple[str, str]:
    """Return the status of a part that came to its end, and what is to be said of it.

    Args:
        rows: of the part.

    Example:
        >>> verdict([{"agree": True}, {"agree": False}])
        ('failed', '1 of 2 comparisons outside their tolerance')
    """
    compared = [row["agree"] for row in rows if "agree" in row]
    tested = Counter(row["outcome"] for row in rows if "outcome" in row)
    broken = [row["test"] for row in rows if row.get("outcome") in ("failed", "error")]
    if not all(compared):
        apart = f"{compared.count(False)} of {len(compared)} comparisons outside their tolerance"
        return "failed", apart
    if broken:
        return "failed", "failing tests: " + ", ".join(broken)
    return "done", ", ".join(f"{count} {outcome}" for outcome, count in tested.items())


def remaining(names, record: dict) -> list[str]:
    """Return the parts that are still to be made, in their order.

    Args:
        names: of all parts.
        record: of what was made so far.
    """
    return [n for n in names if record["parts"].get(n, {}).get("status") != "done"]


def continued(old: dict, new: dict) -> dict:
    """Return the record to go on with: the old one if it is of the same code, machine and sizes.

    Args:
        old: as it was found, {} if there is none.
        new: a fresh one, without parts. Another commit with the same sources is the same code.
    """
    kept = {"parts", "commit"}
    same = all(old.get(key) == value for key, value in new.items() if key not in kept)
    return old if same and "parts" in old else new


def machine(place: Place) -> dict:
    """Return what a result is of: card and driver as the machine names them, versions, commit."""
    import torch

    from sgdescape.core.runs import provenance, sweep

    card = None
    if place.device != "cpu":
        found = torch.cuda.get_device_properties(torch.device(place.device))
        card = {
            "name": found.name,
            "memory_bytes": found.total_memory,
            "multiprocessors": found.multi_processor_count,
            "capability": f"{found.major}.{found.minor}",
            "driver": driver(),
            "cuda": torch.version.cuda,
        }
    packages = ("torch", "triton", "numpy", "numba", "xarray")
    return {
        "card": card,
        "kernels": place.kernels,
        "device": place.device,
        "tiny": place.tiny,
        "tf32": False,
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: provenance.package_version(name) for name in packages},
        "commit": provenance.commit(),
        "sources": sweep.code_version(gpu_runs.chapter),
    }


def driver() -> str | None:
    """Return the version of the card's driver, None where nvidia-smi does not tell."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else None


def last_lines(text: str) -> list[str]:
    """Return the last lines of a traceback, without the machine's own folders: it is published."""
    for folder, name in (
        (f"{ROOT}{os.sep}", ""),
        (sys.prefix, "python"),
        (sys.base_prefix, "python"),
    ):
        text = text.replace(folder, name)
    return text.strip().splitlines()[-LINES:]


def write(path: Path, record: dict) -> None:
    """Write the record whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)


def read(path: Path) -> dict:
    """Return the record, {} where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def work(names, place: Place, folders: Folders, path: Path) -> int:
    """Make parts one after the other in this process, until one fails; return an exit code.

    After a failure a card may answer nothing any more, so the next part begins in a new process.

    Args:
        names: of the parts.
        place: device and sizes.
        folders: of results and store.
        path: of the record.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    known = parts(tiny=place.tiny)
    for name in names:
        if place.device != "cpu":
            torch.cuda.empty_cache()  # the tests are processes of their own
        record, rows, begin = read(path), [], time.time()
        entry = record["parts"][name] = {"status": "running", "begin": begin, "rows": rows}
        written = 0.0
        try:
            write(path, record)
            for row in known[name].make(place, folders, record):
                rows.append(row)
                if time.time() - written > 1:
                    write(path, record)
                    written = time.time()
            entry["status"], said = verdict(rows)
        except KeyboardInterrupt:
            entry["status"], said = "stopped", "what is finished is kept"
        except Exception as error:
            entry |= {"status": "failed", "traceback": last_lines(traceback.format_exc())}
            said = last_lines(f"{type(error).__name__}: {error}")[0]
        entry |= {"said": said} if said else {}
        entry["seconds"] = round(time.time() - entry.pop("begin"), 1)
        write(path, record)
        if entry["status"] == "stopped" or "traceback" in entry:
            return 1
    return 0


def watch(command: list[str], names, limits: dict, end: float, path: Path) -> None:
    """Run a worker and stop it when a part takes longer than it may, or when time is up.

    Args:
        command: of the worker.
        names: of its parts.
        limits: seconds that each may take.
        end: by the clock of `time.time`.
        path: of the record.
    """
    worker = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        while worker.poll() is None:
            time.sleep(0.2)
            entries = read(path).get("parts", {})
            running = [n for n in names if entries.get(n, {}).get("status") == "running"]
            until = [entries[n]["begin"] + limits[n] for n in running]
            if time.time() > min([end, *until]):
                break
    finally:
        _end(worker)
    record = read(path)
    for name in names:  # what the worker could not say itself
        entry = record["parts"].get(name, {})
        if entry.get("status") == "running":
            seconds = round(time.time() - entry.pop("begin"), 1)
            entry |= {"status": "failed", "seconds": seconds}
            entry["said"] = f"its process ended with {worker.returncode}"
    write(path, record)


def _end(worker):
    """Interrupt a worker and all that it started; kill what is still there some seconds later."""
    for sign, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, None)):
        if worker.poll() is None:
            os.killpg(worker.pid, sign)
            try:
                worker.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def whole(place: Place, folders: Folders, *, minutes: float, only, fresh: bool) -> int:
    """Make all parts within the time given, each at most once; return an exit code.

    Args:
        place: device and sizes.
        folders: of results and store.
        minutes: that all of it may take.
        only: beginnings of the names of parts that are made; () for all.
        fresh: whether parts are made that are done already.
    """
    folders.results.mkdir(parents=True, exist_ok=True)
    path, begin = folders.results / "gpu.json", time.time()
    known = parts(tiny=place.tiny)
    names = [n for n in known if not only or n.startswith(tuple(only))]
    new = machine(place) | {"parts": {}}
    record = new if fresh else continued(read(path), new)
    left = remaining(names, record)
    for name in left:
        if missing := [p for p in known[name].needs if find_spec(p) is None]:
            record["parts"][name] = {"status": "missing", "said": "needs " + ", ".join(missing)}
            print(f"{name}: needs {', '.join(missing)}", flush=True)
        else:
            record["parts"].pop(name, None)
    write(path, record)
    left = [n for n in left if n not in record["parts"]]
    limits = {name: 60 * minutes * known[name].share for name in left}
    while left and time.time() - begin < 60 * minutes:
        command = [sys.executable, __file__, "--worker", *left, "--device", place.device]
        command += ["--results", str(folders.results), "--store", str(folders.store)]
        watch(command + ["--tiny"] * place.tiny, left, limits, begin + 60 * minutes, path)
        made = read(path)["parts"]
        begun = [n for n in left if n in made]
        for name in begun:
            print(line(name, made[name]), flush=True)
        if not begun:
            print("the worker ended before its first part", file=sys.stderr)
            break
        left = [n for n in left if n not in made]
    for name in left:
        print(f"{name}: not begun", flush=True)
    print(f"written to {path}")
    return 1 if remaining(names, read(path)) else 0


def line(name: str, entry: dict) -> str:
    """Return one line about a part."""
    said = f": {entry['said']}" if entry.get("said") else ""
    return (
        f"{name}: {entry['status']}, {len(entry.get('rows', []))} rows, {entry['seconds']} s{said}"
    )


def place_of(device: str, *, tiny: bool) -> Place:
    """Return where to run, or end with a message and exit code 2 where that is not there.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:N".
        tiny: whether sizes only show that everything runs.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        sys.exit(_usage(f"missing packages: {', '.join(missing)}"))
    import torch

    if device != "cpu" and not torch.cuda.is_available():
        sys.exit(
            _usage(
                f"no graphics card: torch {torch.__version__} finds no CUDA device here; "
                "--device cpu --tiny tries everything without one"
            )
        )
    device = "cuda" if device == "auto" else device
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    return Place(
        device, kernels(device, installed=bool(find_spec("triton")), interpreted=interpreted), tiny
    )


def _usage(text):
    print(f"gpu: {text}", file=sys.stderr)
    return 2


def main():
    """Make all parts, or, as the worker that they are made in, some of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto", help="auto (a card), cuda, cuda:N or cpu")
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that it runs")
    parser.add_argument("--minutes", type=float, default=10, help="for all of it (default: 10)")
    parser.add_argument("--only", nargs="+", default=(), help="parts: beginnings of their names")
    parser.add_argument("--fresh", action="store_true", help="make also what is done already")
    parser.add_argument("--list", action="store_true", help="name the parts and end")
    parser.add_argument("--results", type=Path, help="folder; results/ of a card, else _build/gpu")
    parser.add_argument("--store", type=Path, help="folder of unfinished runs; _build/gpu/store")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(parts(tiny=options.tiny)))
        return
    place = place_of(options.device, tiny=options.tiny)
    made = ROOT / "_build" / "gpu"
    serious = place.device != "cpu" and not place.tiny
    results = options.results or (ROOT / "results" if serious else made)
    folders = Folders(results.resolve(), (options.store or made / "store").resolve())
    if options.worker:
        sys.exit(work(options.worker, place, folders, folders.results / "gpu.json"))
    if place.kernels == "interpreter":  # Triton decides when it is imported
        os.environ["TRITON_INTERPRET"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(ROOT / "lib"), os.environ.get("PYTHONPATH")))
    )
    for name, meaning in USED.items():
        if find_spec(name) is None:
            print(f"{name} is not installed: {meaning}", flush=True)
    sys.exit(whole(place, folders, minutes=options.minutes, only=options.only, fresh=options.fresh))


if __name__ == "__main__":
    main()
