"""Change the package at random and see whether its tests notice: ``python tools/mutants.py STEM``.

Cosmic Ray (extra ``mutants``) changes one operator, comparison, number or truth value of a module
in a copy of this checkout; the tests that are about that module run there, the quickest first, then
the chapter's notebook, compared strictly. Whatever no test notices is listed in the report: what
wants a test, or a reason in ``tests/mutants.toml``. Without a stem: all chapters and ``core``.
"""

import argparse
import ast
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build" / "mutants"
LISTED = ROOT / "tests" / "mutants.toml"
ROOMS = ("theory", "measure", "estimates", "predictions", "claims", "prose")
LEFT_OUT = ("triton", "plotting")  # run by other tests, or drawn only
SECONDS = 400  # a mutant that ends later never ends
LIBRARIES = ("matplotlib.pyplot", "netCDF4", "numba", "scipy.stats", "sympy", "torch", "xarray")
SHARE = 0.95  # of the mutants must be noticed

CHANGES = {
    "Binary": {
        "Add": ["Sub"], "Sub": ["Add"], "Mul": ["Div"], "Div": ["Mul"], "Pow": ["Mul"],
        "FloorDiv": ["Mul"], "Mod": ["FloorDiv"], "BitAnd": ["BitOr"], "LShift": ["RShift"],
        "RShift": ["LShift"],
    },
    "Comparison": {
        "Lt": ["LtE", "GtE"], "LtE": ["Lt", "Gt"], "Gt": ["GtE", "LtE"], "GtE": ["Gt", "Lt"],
        "Eq": ["NotEq"], "NotEq": ["Eq"], "Is": ["IsNot"], "IsNot": ["Is"],
    },
    "Unary": {"Delete": ["USub", "Not"]},
}  # fmt: skip
"""Operators and what takes their place; ``|`` joins dictionaries and types here and stays."""

NO_PRODUCT = ("parameters", "lambdef")  # what a star between parameters stands in

OPERATORS = {
    f"core/Replace{kind}Operator_{old}_{new}"
    for kind, changes in CHANGES.items()
    for old, others in changes.items()
    for new in others
} | {
    f"core/{name}"
    for name in ("NumberReplacer", "AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd",
                 "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ZeroIterationForLoop")
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change, and what became of it.

    Args:
        module: path from the root of the checkout.
        line: its number.
        operator: Cosmic Ray's name of the change.
        old: the line as it is.
        new: the line as it was changed.
        outcome: "noticed", "unnoticed", or "too long", which is noticed too.
        seconds: that this took.
        by: the first test that failed, else empty.
    """

    module: str
    line: int
    operator: str
    old: str
    new: str
    outcome: str
    seconds: float = 0.0
    by: str = ""

    @property
    def room(self) -> str:
        """Return the room that it stands in: of a chapter, or "core"."""
        part = self.module.split("/")[2:]
        return "core" if part[0] == "core" else part[1].removesuffix(".py")


# --- which modules, which tests --------------------------------------------------------------


def modules(stem: str, root: Path = ROOT) -> list[Path]:
    """Return the modules of a chapter, or of ``core``, that are changed.

    Args:
        stem: of the chapter, or "core".
        root: of the checkout.
    """
    package = root / "lib" / "sgdescape" / stem
    places = [package] if stem == "core" else [package / room for room in ROOMS]
    found = [path for place in places for path in place.rglob("*.py")]
    found += [path for place in places if (path := place.with_suffix(".py")).is_file()]
    wanted = [p for p in found if p.name != "__init__.py" or stem != "core"]
    return sorted(p for p in wanted if not any(word in p.name for word in LEFT_OUT))


def tests_of(module: Path, root: Path = ROOT) -> list[Path]:
    """Return what runs for a module, in this order: the module's own examples, the nearest tests.

    Of a chapter: the tests of the same room, then its other tests, then its notebook. Of ``core``:
    the tests in ``tests/core`` that import the module, else those that reach it through others,
    else the first chapter's that does.

    Args:
        module: path of a Python file.
        root: of the checkout.
    """
    stem, *rest = module.relative_to(root / "lib" / "sgdescape").parts
    if stem != "core":
        room = rest[0].removesuffix(".py")
        tests = sorted(
            (root / "tests" / stem).glob("test_*.py"),
            key=lambda path: (path.stem != f"test_{room}", path.stem == "test_claims", path.name),
        )
        notebook = root / "book" / "notebooks" / f"{stem}.ipynb"
        return [module, *tests, *([notebook] if notebook.is_file() else [])]
    name = ".".join(("sgdescape", stem, *rest)).removesuffix(".py").removesuffix(".__init__")
    core = {p: imported(p) for p in sorted((root / "tests" / "core").glob("test_*.py"))}
    near = [path for path, names in core.items() if name in names]
    if not near:
        parent = name.rpartition(".")[0]
        near = [path for path, names in core.items() if parent in names]
    if not near:
        users = _users(name, root)
        near = [path for path, names in core.items() if names & users]
    if not near:
        chapters = sorted(root.glob("tests/*/test_measure.py"))
        near = [path for path in chapters if imported(path) & users][:1]
    return [module, *near]


@cache
def imported(path: Path) -> set[str]:
    """Return the dotted names of this package that a file imports, and those that they may mean."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.startswith("sgdescape")}


@cache
def _users(name, root):
    """Modules that import a module, directly or through others."""
    lib = root / "lib"
    imports = {
        ".".join(p.relative_to(lib).with_suffix("").parts).removesuffix(".__init__"): imported(p)
        for p in (lib / "sgdescape").rglob("*.py")
    }
    found, waiting = set(), {name}
    while waiting:
        found |= waiting
        waiting = {user for user, names in imports.items() if names & waiting} - found
    return found


def arguments(paths: list[Path], root: Path) -> list[str]:
    """Return what pytest is given to run these until the first failure; notebooks strictly.

    Args:
        paths: Python files and notebooks, in the order in which they run.
        root: of the copy that they lie in.
    """
    words = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-m", "not slow and not browser"]
    if any(path.suffix == ".ipynb" for path in paths):
        words += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300"]
        words += ["--nbval-sanitize-with", "tests/book/nbval_sanitize.cfg"]
    return [*words, *(str(path.relative_to(root)) for path in paths)]


# --- the run ---------------------------------------------------------------------------------


def copy_of(root: Path, folder: Path) -> Path:
    """Copy what git knows, and what it does not ignore; return the copy's root.

    Args:
        root: of the checkout.
        folder: that is replaced.
    """
    shutil.rmtree(folder, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "lib"], cwd=folder, check=True)
    return folder


def changes_of(paths: list[Path]) -> list:
    """Return all changes of these modules as Cosmic Ray's items."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.plugins import get_operator
    from cosmic_ray.work_item import MutationSpec, WorkItem

    operators = {name: get_operator(name)() for name in sorted(OPERATORS)}
    found = []
    for path in paths:
        nodes = list(ast_nodes(get_ast_from_path(path)))
        for name, operator in operators.items():
            places = [(node, *at) for node in nodes for at in operator.mutation_positions(node)]
            for occurrence, (node, start, end) in enumerate(places):
                if not _harmless(node):
                    change = MutationSpec(path, name, occurrence, start, end)
                    found.append(WorkItem.single(f"{path} {name} {occurrence}", change))
    return found


def _harmless(node):
    """A star between parameters, and what only says that two lists are of one length."""
    inside = node.parent
    if inside is None:
        return False
    return inside.type in NO_PRODUCT or inside.get_code().strip().startswith("strict=")


def sampled(items: list, count: int | None, seed: int) -> list:
    """Return so many items in random order: of each room alike, then of each module.

    Args:
        items: of Cosmic Ray.
        count: None for all.
        seed: of the choice.
    """
    draw = random.Random(seed)
    piles = {}
    for item in items:
        piles.setdefault(_pile(item), []).append(item)
    for pile in piles.values():
        draw.shuffle(pile)
    order = []
    while piles:
        for key in draw.sample(sorted(piles), len(piles)):
            order.append(piles[key].pop())
            if not piles[key]:
                del piles[key]
    return order[:count]


def _pile(item):
    """Chapter and room of an item; of core its folder."""
    parts = item.mutations[0].module_path.parts
    at = len(parts) - 1 - parts[::-1].index("sgdescape")
    return tuple(part.removesuffix(".py") for part in parts[at + 1 : at + 3])


def asked(paths: list[Path], tree: Path) -> tuple[str, str]:
    """Run tests in a process forked from this one; return the outcome and the first failure.

    The libraries that take seconds to import are here already; the package is not.

    Args:
        paths: what runs.
        tree: root of the copy.
    """
    told = FOLDER / "told.txt"
    child = os.fork()
    if child == 0:
        os.setsid()
        with told.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            status = pytest.main(arguments(paths, tree))
            sys.stdout.flush()
        os._exit(int(status))
    deadline, status = time.monotonic() + SECONDS, None
    while status is None:
        found, code = os.waitpid(child, os.WNOHANG)
        if found:
            status = os.waitstatus_to_exitcode(code)
        elif time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "too long", ""
        else:
            time.sleep(0.05)
    if status in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
        return "unnoticed", ""
    output = told.read_text(encoding="utf-8", errors="replace")
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        raise RuntimeError(output)
    failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "noticed", failed[0][:200] if failed else output.strip()[-200:]


def tried(item, tree: Path) -> Mutant:
    """Make one change in the copy, run its tests, and take it back.

    Args:
        item: of Cosmic Ray.
        tree: root of the copy.
    """
    from cosmic_ray.mutating import use_mutation
    from cosmic_ray.plugins import get_operator

    (change,) = item.mutations
    path, start = change.module_path, time.perf_counter()
    with use_mutation(path, get_operator(change.operator_name)(), change.occurrence) as texts:
        before, after = (text.splitlines() for text in texts)
        at = next(i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
        outcome, by = asked(tests_of(path, tree), tree)
    return Mutant(
        path.relative_to(tree).as_posix(), at + 1, change.operator_name,
        before[at].strip(), after[at].strip(), outcome, time.perf_counter() - start, by,
    )  # fmt: skip


def reasons(file: Path = LISTED) -> dict:
    """Return (module, old line, new line) -> why no test can notice that change."""
    if not file.exists():
        return {}
    listed = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return {(m["module"], m["old"], m["new"]): m["reason"] for m in listed}


def report(found: list[Mutant], known: dict) -> str:
    """Return the outcome in Markdown: counts by room, then every change that nothing noticed.

    Args:
        found: what was tried.
        known: as `reasons` gives it.
    """
    missed = [m for m in found if m.outcome == "unnoticed"]
    fresh = [m for m in missed if (m.module, m.old, m.new) not in known]
    late = sum(m.outcome == "too long" for m in found)
    lines = [f"{len(found)} changes, {len(found) - len(missed)} noticed ({late} by taking longer "
             f"than {SECONDS} s), {len(fresh)} unnoticed, {len(missed) - len(fresh)} that nothing "
             "can notice.", "",
             "| room | noticed | of |", "|---|---|---|"]  # fmt: skip
    tried_in, missed_in = (Counter(m.room for m in some) for some in (found, missed))
    lines += [f"| {room} | {n - missed_in[room]} | {n} |" for room, n in sorted(tried_in.items())]
    for mutant in fresh:
        lines += ["", f"`{mutant.module}:{mutant.line}` {mutant.operator.removeprefix('core/')}",
                  "```diff", f"-{mutant.old}", f"+{mutant.new}", "```"]  # fmt: skip
    return "\n".join(lines) + "\n"


def share(found: list[Mutant], known: dict) -> float:
    """Return the share that is noticed of the changes that can be."""
    can = [m for m in found if m.outcome != "unnoticed" or (m.module, m.old, m.new) not in known]
    return sum(m.outcome != "unnoticed" for m in can) / len(can) if can else 1.0


def main():
    """Change, test, report; exit 1 if less than 95 % is noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stems", nargs="*", metavar="STEM", help="of a chapter, or core")
    parser.add_argument("--sample", type=int, help="changes tried; all unless given")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no change after so long")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--trust", action="store_true", help="no run of the unchanged tests first")
    options = parser.parse_args()
    known = sorted(p.parent.name for p in (ROOT / "lib/sgdescape").glob("*/predictions.py"))
    known += [p.parent.name for p in (ROOT / "lib/sgdescape").glob("*/predictions/__init__.py")]
    stems = options.stems or [*known, "core"]
    if unknown := sorted(set(stems) - {*known, "core"}):
        parser.error(f"no chapter named {', '.join(unknown)}: there are {', '.join(known)}, core")
    tree = copy_of(ROOT, FOLDER / "tree")
    os.environ |= {"PYTHONPATH": str(tree / "lib"), "OMP_NUM_THREADS": "1"}
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}
    sys.dont_write_bytecode = True  # a changed file has the size and the minute of the old one
    sys.path.insert(0, str(tree / "lib"))
    os.chdir(tree)
    paths = [path for stem in stems for path in modules(stem, tree)]
    items = sampled(changes_of(paths), options.sample, options.seed)
    if not options.trust:
        unchanged(items, tree)
    for name in LIBRARIES:
        importlib.import_module(name)
    begin, found = time.perf_counter(), []
    for item in items:
        if time.perf_counter() - begin > 60 * options.minutes:
            break
        found.append(tried(item, tree))
        last = found[-1]
        print(f"{last.outcome:9} {last.seconds:5.1f} s  {last.module}:{last.line}  "
              f"{last.old}  ->  {last.new}  {last.by}", flush=True)  # fmt: skip
        (FOLDER / "report.md").write_text(report(found, reasons()), encoding="utf-8")
    print(report(found, reasons()), end="")
    if share(found, reasons()) < SHARE:
        raise SystemExit(1)


def unchanged(items, tree):
    """Run all tests that are asked for once, without a change: what fails then tells nothing."""
    paths = {path: None for item in items
             for path in tests_of(item.mutations[0].module_path, tree)}  # fmt: skip
    if subprocess.run([sys.executable, "-m", "pytest", *arguments(list(paths), tree)]).returncode:
        raise SystemExit("tests fail without any change: nothing can be told")


if __name__ == "__main__":
    main()
