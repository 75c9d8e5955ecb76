"""House rules that a reader relies on: stems, floors, dependencies, equations, figures, exercises.

Each rule is a function that returns what breaks it; `test_..._can_fail` feeds it something broken.
That notebooks are their chapters, executed, is in test_notebooks.py.
"""

import ast
import copy
import dataclasses
import functools
import hashlib
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
import typing
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sgdescape import cli
from sgdescape.core.claims import declared

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lib" / "sgdescape"
CHAPTERS, NOTEBOOKS = ROOT / "book" / "chapters", ROOT / "book" / "notebooks"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
ORDER = [
    Path(chapter["file"]).name
    for part in TOC["parts"]
    for chapter in part["chapters"]
    if Path(chapter["file"]).parent.name == "chapters"
]
SHARED = {"intro", "cli", "cli_config", "cli_output", "cli_run", "claims_file"}  # no chapters
ROOMS = (
    "config", "theory", "measure", "estimates", "predictions", "experiment", "claims", "figures",
    "prose",
)  # fmt: skip
EXTRA = {  # chapter -> what else lives in its package, beside the rooms
    "anomalous_diffusion": {"published"},
    "kramers_escape": {"explorer", "landscape"},
    "neural_network": {"kept_result"},
    "noise_strength": {"kept_result"},
    "network_limits": {"imagenet", "kept_result"},
}
stems = pytest.mark.parametrize("stem", ORDER)


# --- the stem rule ---------------------------------------------------------------------------


def test_a_chapter_is_its_files_of_one_name():
    assert ORDER and len(set(ORDER)) == len(ORDER)
    assert sorted(ORDER) == sorted(p.stem for p in CHAPTERS.glob("*.md"))
    assert sorted(ORDER) == sorted(cli.chapters())
    assert sorted(ORDER) == sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb"))
    missing = [s for s in ORDER if not list((ROOT / "tests" / s).glob("test_*.py"))]
    assert not missing, f"no tests/<stem>/test_*.py for {missing}"


def test_every_module_is_a_chapter_or_shared():
    modules = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__"}
    assert modules == SHARED
    packages = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert packages == {*ORDER, "core"}


# --- rooms -----------------------------------------------------------------------------------


def rooms(stem):
    """Names of the files and folders of a chapter's package."""
    found = {p.stem for p in (PACKAGE / stem).glob("*.py")} - {"__init__"}
    return found | {p.parent.name for p in (PACKAGE / stem).glob("*/__init__.py")}


def files_of(stem, room):
    """Python files of one room, a file or a folder."""
    one = PACKAGE / stem / f"{room}.py"
    return [one] if one.is_file() else sorted((PACKAGE / stem / room).rglob("*.py"))


@stems
def test_a_chapter_has_the_rooms_of_all_chapters(stem):
    found = rooms(stem)
    assert set(ROOMS) - found == set(), "missing rooms"
    assert found - set(ROOMS) - EXTRA.get(stem, set()) == set(), "rooms of other names"


def lone_modules(folder):
    """Rooms of a chapter that are folders of one module: they would be files."""
    inner = {p.parent: len(list(p.parent.glob("*.py"))) for p in folder.glob("*/__init__.py")}
    return sorted(room.name for room, files in inner.items() if files < 3)


@stems
def test_a_room_is_a_folder_only_for_several_modules(stem):
    assert lone_modules(PACKAGE / stem) == []


LONGEST = 350  # lines of a module: beyond, it has more than one subject


def too_long(folder):
    """Modules with more lines than `LONGEST`."""
    files = folder.rglob("*.py")
    return sorted(p.name for p in files if len(p.read_text("utf-8").splitlines()) > LONGEST)


def test_modules_are_short():
    assert too_long(PACKAGE) == []


def test_a_long_module_and_a_lone_one_are_seen(tmp_path):
    for room, files in {"theory": ("__init__", "a"), "claims": ("__init__", "a", "b")}.items():
        (tmp_path / room).mkdir()
        for name in files:
            (tmp_path / room / f"{name}.py").write_text("x = 1\n" * LONGEST, encoding="utf-8")
    assert lone_modules(tmp_path) == ["theory"] and too_long(tmp_path) == []
    (tmp_path / "claims" / "a.py").write_text("x = 1\n" * (LONGEST + 1), encoding="utf-8")
    assert too_long(tmp_path) == ["a.py"]


FORBIDDEN = {"measure": ("theory", "predictions", "claims", "figures"),
             "theory": ("measure", "estimates", "predictions", "claims", "figures"),
             "estimates": ("predictions", "claims", "figures"),
             "figures": ("claims",), "claims": ("figures",)}  # fmt: skip


GIVEN = {
    # This chapter tests a limit of small learning rates, and takes as its data the exact
    # first-passage times of an earlier chapter, which that chapter's simulations have confirmed.
    ("large_deviations", "measure"): {"linear_regression.theory"},
    # This one tests a limit of small temperatures, and takes as its data the exact tail indices of
    # discrete SGD at finite ones, which the chapter on tails has confirmed by its chains.
    ("momentum_escape", "measure"): {"heavy_tails.theory"},
}  # (chapter, room) -> what it may take from another chapter's rooms all the same


def homes(source, module):
    """Modules that a source's names come from; what a face or a folder offers is looked up."""
    found, names = set(), imported(source, module)
    # ``from a.b import c`` names a.b only as the way to c
    for name in names - {n.rpartition(".")[0] for n in names}:
        while name not in modules():
            base, _, last = name.rpartition(".")
            name = passed_on(base).get(last, base)
        found.add(name)
    return found


@functools.cache
def passed_on(package):
    """Name -> where it comes from, of what a face or a folder imports for others."""
    path = modules().get(package)
    if path is None or path.stem != "__init__":
        return {}
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@functools.cache
def reached(module):
    """All modules of this package that one needs, its imports' imports included."""
    found, new = set(), {module}
    while new:
        found |= new
        new = {n for m in new for n in homes(modules()[m].read_text("utf-8"), m)} - found
    return found


def breaches(stem, room, source):
    """What a room would know that it may not, whatever the way there."""
    needed = homes(source, f"sgdescape.{stem}.{room}.x")
    needed |= {n for m in needed for n in reached(m)}
    parts = [n.split(".")[1:3] for n in sorted(needed)]
    given = GIVEN.get((stem, room), ())
    return [
        ".".join(part)
        for part in parts
        if part[0] in ORDER and part[-1] in FORBIDDEN.get(room, ()) and ".".join(part) not in given
    ]


@stems
@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_know_only_what_they_may(stem, room):
    bad = {p.name: breaches(stem, room, p.read_text("utf-8")) for p in files_of(stem, room)}
    assert {name: found for name, found in bad.items() if found} == {}


def test_rooms_can_fail():
    stem = ORDER[0]
    for line in (f"from sgdescape.{stem} import theory", f"from sgdescape.{stem}.theory import x"):
        assert breaches(stem, "measure", line)
    assert breaches(stem, "figures", f"import sgdescape.{stem}.claims")
    assert not breaches(stem, "claims", f"from sgdescape.{stem} import estimates, theory")


@stems
def test_claims_hold_nothing_but_claims(stem):
    for path in files_of(stem, "claims"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                marks = [ast.unparse(d) for d in node.decorator_list]
                assert marks == ["claim"], f"{path.name}: {node.name} is no claim"


ESTIMATORS = {"bootstrap_interval", "polyfit", "lstsq", "curve_fit", "Interval"}


def estimated(source):
    """What a module fits, resamples or makes intervals with by itself."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] == "scipy"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "scipy":
            found.append(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            found += [name] if name in ESTIMATORS else []
    return found


@stems
def test_claims_hold_no_estimators(stem):
    bad = {p.name: estimated(p.read_text("utf-8")) for p in files_of(stem, "claims")}
    assert {name: found for name, found in bad.items() if found} == {}


def test_an_estimator_in_claims_is_seen():
    for line in ("from scipy import stats", "import scipy.stats", "Interval(1, 0, 2)",
                 "np.polyfit(x, y, 1)", "intervals.bootstrap_interval(x)"):  # fmt: skip
        assert estimated(line)
    assert not estimated("from sgdescape.core.stats.intervals import mean_interval\nmean(x)")


@stems
def test_claims_are_held_to_the_shared_contract(stem):
    """Every claim holds, can fail, and is on the page: `tests/contract.py`."""
    texts = [p.read_text(encoding="utf-8") for p in (ROOT / "tests" / stem).glob("test_*.py")]
    wanted = ("holds", "complete", "shown", "glued")
    assert [name for name in wanted if not any(f"contract.{name}(" in t for t in texts)] == []


@stems
def test_claims_are_declared_once(stem):
    rooms_face = importlib.import_module(f"sgdescape.{stem}.claims")
    tree = ast.parse(Path(rooms_face.__file__).read_text("utf-8"))
    names = offered(tree) or public(tree)
    assert names == {claim.__name__ for claim in declared(stem)}


def public(tree):
    """Names of the functions and classes that a module defines for others."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")}


def offered(tree):
    """The names in a module's ``__all__``, None where it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


EVERY_FACE = {"Config", "PAPER", "QUICK", "claims", "figures", "predict", "run"}


@stems
def test_the_face_names_what_it_offers(stem):
    module = importlib.import_module(f"sgdescape.{stem}")
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = offered(tree)
    assert EVERY_FACE <= names
    assert all(hasattr(module, name) for name in names)
    bound = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert bound == names, "imported but not offered, or the reverse"
    hidden = [n for n in names & rooms(stem) if not inspect.ismodule(getattr(module, n))]
    assert hidden == [], "rooms hidden by functions of their names"


def hidden_formulas(face, modules):
    """Public functions of theory modules that a chapter's face does not offer."""
    given = {name: getattr(face, name) for name in face.__all__}
    return [
        f"{module.__name__}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and not inspect.isclass(value) and not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and given.get(name) is not value
    ]  # fmt: skip


@stems
def test_the_face_offers_every_formula(stem):
    """What is no formula is private: a name, or the module of what several formulas share."""
    face = importlib.import_module(f"sgdescape.{stem}")
    names = [n for n in modules() if n.startswith(f"sgdescape.{stem}.theory")]
    public_ones = [n for n in names if not n.rpartition(".")[2].startswith("_")]
    assert public_ones and hidden_formulas(face, map(importlib.import_module, public_ones)) == []


def test_a_hidden_formula_is_seen():
    def rate():
        pass

    theory = SimpleNamespace(__name__=rate.__module__, rate=rate, _helper=rate, Record=Path)
    faces = [
        SimpleNamespace(__all__=[]),
        SimpleNamespace(__all__=["rate"], rate=theory),  # another one of the same name
        SimpleNamespace(__all__=["rate"], rate=rate),
    ]
    found = [hidden_formulas(face, [theory]) for face in faces]
    hidden = [f"{rate.__module__}.rate"]
    assert found == [hidden, hidden, []]


def is_record(value):
    """Whether a value is a class of this package that holds results: a dataclass or a tuple."""
    if not inspect.isclass(value) or not value.__module__.startswith("sgdescape."):
        return False
    return dataclasses.is_dataclass(value) or hasattr(value, "_fields")


def types_in(hint):
    """A type hint and what stands inside it."""
    return [hint, *(t for part in typing.get_args(hint) for t in types_in(part))]


def records(function):
    """Records that a function's annotations name, or that it makes in a ``return``."""
    inner = inspect.unwrap(function)
    hints = typing.get_type_hints(inner).values()
    made = re.findall(r"^ +return (\w+)\(", inspect.getsource(inner), re.M)
    found = [t for hint in hints for t in types_in(hint)]
    return {v for v in [*found, *map(inner.__globals__.get, made)] if is_record(v)}


def hidden_records(functions):
    """Records of some functions that neither a chapter's face nor their module of core offers."""
    hidden = set()
    for record in set().union(*map(records, functions)):
        part = record.__module__.split(".")[1]
        home = importlib.import_module(record.__module__ if part == "core" else f"sgdescape.{part}")
        if record.__name__ not in getattr(home, "__all__", ()):
            hidden.add(f"{record.__module__}.{record.__name__}")
    return hidden


@stems
def test_the_face_offers_what_its_functions_return_and_take(stem):
    face = importlib.import_module(f"sgdescape.{stem}")
    functions = filter(inspect.isfunction, (getattr(face, name) for name in face.__all__))
    assert hidden_records(functions) == set()


def test_core_offers_what_its_functions_return_and_take():
    for path in core_modules():
        name = ".".join(("sgdescape", *path.relative_to(PACKAGE).with_suffix("").parts))
        values = [getattr(importlib.import_module(name), n) for n in dir_of(path)]
        assert hidden_records(filter(inspect.isfunction, values)) == set(), name


def dir_of(path):
    """Names that a module of core offers."""
    return offered(ast.parse(path.read_text("utf-8"))) or ()


@dataclasses.dataclass
class Unseen:
    """A record that no face offers."""


def test_a_hidden_record_is_seen(monkeypatch):
    def annotated() -> tuple[Unseen, ...]:
        return ()

    def plain():
        return Unseen()

    monkeypatch.setattr(Unseen, "__module__", "sgdescape.core.stats.intervals")
    assert hidden_records([annotated]) == hidden_records([plain]) != set()


def words(path, kind=r"\w+"):
    """The words of a text, or what else is looked for, as a set."""
    return set(re.findall(kind, path.read_text("utf-8")))


@functools.cache
def readers():
    """File -> its words, of all that may use a chapter: pages, modules, tools, tests."""
    folders = ("book/*.md", "book/chapters/*.md", "book/_ext/*.py", "lib/sgdescape/**/*.py",
               "tools/*.py", "benchmarks/*.py", "tests/**/*.py")  # fmt: skip
    files = [p for folder in folders for p in ROOT.glob(folder)]
    return {p: words(p) for p in files if p.name != "interface_calls.py"}


def unused(stem, names):
    """Of some names of a chapter those that no other part, no page and no test reads."""
    own = PACKAGE / stem
    used = [w for p, w in readers().items() if stem in w and own not in p.parents]
    return sorted(set(names) - set().union(*used))


@stems
def test_the_face_offers_nothing_that_nobody_uses(stem):
    face = importlib.import_module(f"sgdescape.{stem}")
    given = {name: getattr(face, name) for name in face.__all__}
    formulas = {n for n, v in given.items() if ".theory" in getattr(v, "__module__", "")}
    kept = {n for n, v in given.items() if inspect.ismodule(v) or inspect.isclass(v)}
    assert unused(stem, set(given) - formulas - kept - EVERY_FACE) == []


def test_a_name_that_nobody_uses_is_seen():
    name = "nobody_uses" + "_this"
    assert unused(ORDER[0], [name, "claims"]) == [name]


KERNELS = {"kernels"}  # engines: found by their ensembles, not by readers
INNER = {"network_reference", "bowl_reference", "philox_numba"}


def core_modules():
    """Files of core that readers use."""
    found = sorted((PACKAGE / "core").rglob("*.py"))
    found = [p for p in found if not KERNELS & set(p.parts) and p.stem not in INNER]
    return [p for p in found if not p.stem.startswith("_")]


@pytest.mark.parametrize("path", core_modules(), ids=lambda p: p.stem)
def test_core_offers_all_that_is_public(path):
    tree = ast.parse(path.read_text("utf-8"))
    names = offered(tree) or set()
    assert public(tree) - names == set(), "public, but not in __all__"


def says_not(text):
    """Whether a paragraph also says what does not live there."""
    words = {"no", "not", "nothing", "none", "neither", "without", "elsewhere", "only", "never"}
    return bool(words & set(re.findall(r"[a-z]+", text.lower())))


def test_folders_say_what_lives_there():
    for path in sorted(PACKAGE.rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        where = path.relative_to(PACKAGE)
        assert len(text.split()) >= 6, f"{where}: a paragraph on what it holds"
        assert says_not(text), f"{where}: and on what it does not"


def test_no_star_and_no_silenced_import():
    for path in sorted(PACKAGE.rglob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            assert not re.match(r"\s*from \S+ import \*", line), path
            assert "noqa" not in line, path


NEED_TORCH = {"neural_network", "noise_strength"}  # their claims and models are about networks


@pytest.mark.parametrize("stem", [s for s in ORDER if s not in NEED_TORCH])
def test_chapters_without_networks_do_not_import_torch(stem):
    command = f"import sys, sgdescape.{stem}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0


# --- floors ----------------------------------------------------------------------------------


def imported(source, module):
    """Modules of this package that a source file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(module.split(".")[: -node.level]) if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            found.add(name)
            found.update(f"{name}.{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0] == "sgdescape"} - {"sgdescape"}


def allowed(floor, name):
    """Whether a module on a floor (core, a stem, or shared) may import another."""
    part = name.split(".")[1]
    if floor == "core":
        return part in ("core", "__version__")
    if floor in ORDER:
        return part in ("core", "__version__", *ORDER[: ORDER.index(floor) + 1])
    return True


@functools.cache
def modules():
    """Dotted name -> file of every module; a package is its ``__init__``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(("sgdescape", *(p for p in parts if p != "__init__")))] = path
    return found


def test_imports_go_downward_only():
    bad = []
    for module, path in modules().items():
        if module == "sgdescape":
            continue
        bad += [
            f"{module} imports {name}"
            for name in imported(path.read_text("utf-8"), module)
            if not allowed(module.split(".")[1], name)
        ]
    assert not bad


def test_imports_have_no_circle():
    known = modules()
    graph = {}
    for module, path in known.items():
        names = {n for n in imported(path.read_text("utf-8"), module) if n in known}
        # a package that is named only on the way to a module in it is no dependency
        graph[module] = {n for n in names if not any(m.startswith(f"{n}.") for m in names)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_floors_can_fail():
    assert imported("from ..noise_strength import run", "sgdescape.core.data") == {
        "sgdescape.noise_strength",
        "sgdescape.noise_strength.run",
    }
    assert imported(
        "def f():\n    from sgdescape import decoupling", "sgdescape.core.training.sgd"
    ) == {"sgdescape.decoupling"}
    assert not allowed("core", "sgdescape.decoupling")
    assert not allowed(ORDER[0], f"sgdescape.{ORDER[-1]}")
    assert allowed(ORDER[-1], f"sgdescape.{ORDER[0]}")


# --- dependencies ----------------------------------------------------------------------------

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_environment_file_is_the_project():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    python = next(d.removeprefix("python") for d in plain if d.startswith("python"))
    assert SpecifierSet(python) == SpecifierSet(PROJECT["requires-python"])
    assert "pip" in plain
    editable = re.fullmatch(r"-e \.\[(.*)\]", pip[0])
    assert set(editable[1].split(",")) == {"book", "test"} <= set(PROJECT["optional-dependencies"])
    # Whatever else is listed must be in pyproject.toml with the same bounds: one list only.
    ours = {canonicalize_name(r.name): r.specifier for r in requirements()}
    for line in [*plain[2:], *pip[1:]]:
        found = Requirement(line)
        assert ours.get(canonicalize_name(found.name)) == found.specifier, line


def requirements():
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *extras["book"], *extras["test"]]
    return [r for r in map(Requirement, lines) if r.marker is None or r.marker.evaluate()]


def unmet(lock, wanted):
    """Requirements that the text of a lock file does not pin, or not to an allowed version."""
    pins = {}
    for line in lock.splitlines():
        line = line.partition("#")[0].strip()
        if line and not line.startswith("-"):
            pin = Requirement(line)
            (only,) = pin.specifier
            assert only.operator == "==", f"not pinned: {line}"
            pins[canonicalize_name(pin.name)] = only.version
    return [
        str(r)
        for r in wanted
        if canonicalize_name(r.name) not in pins
        or not r.specifier.contains(pins[canonicalize_name(r.name)], prereleases=True)
    ]


def test_lock_covers_every_dependency():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert unmet(lock, requirements()) == []
    bench = [Requirement(line) for line in PROJECT["optional-dependencies"]["bench"]]
    assert len(unmet(lock, bench)) == len(bench)  # peers are not for readers


def test_lock_can_fail():
    wanted = [Requirement("numpy>=2"), Requirement("Jupyter_Book==1.0.4.post1")]
    assert unmet("numpy==2.1\njupyter-book==1.0.4.post1  # why\n", wanted) == []
    assert unmet("numpy==1.26\n", wanted) == ["numpy>=2", "Jupyter_Book==1.0.4.post1"]


# --- equations and docstrings ----------------------------------------------------------------

LABEL = r"[0-9]+[a-z]?|[a-z]+(?:-[a-z0-9]+)*"  # (8), (kurtosis-barrier); not (2.1) or (C3)


def labels(text):
    """Equation labels defined in a chapter, without "eq-"."""
    found = re.findall(r"^\$\$\s*\(eq-([\w-]+)\)\s*$", text, re.M)
    return found + re.findall(r"^:label: eq-([\w-]+)\s*$", text, re.M)


def named(docstring):
    """Labels that a docstring names: Eq. (8), Eqs. (8) and (line-noise), Eqs. (1)-(3), (5)."""
    found = set()
    joint = r"(?:\s*(?:,|and|or|to|-|–)\s*)+"
    one = rf"\((?:{LABEL})\)"
    for group in re.findall(rf"\bEqs?\.?\s+({one}(?:{joint}{one})*)", docstring):
        found.update(re.findall(rf"\(({LABEL})\)", group))
        for low, high in re.findall(r"\((\d+)\)\s*[-–]\s*\((\d+)\)", group):
            found.update(str(k) for k in range(int(low), int(high) + 1))
    return found


def docstrings(path, *, functions_only):
    kinds = (ast.FunctionDef,) if functions_only else (ast.FunctionDef, ast.ClassDef, ast.Module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    return "\n\n".join(text for text in found if text)


def sources(stem):
    return sorted((PACKAGE / stem).rglob("*.py"))


@stems
def test_every_equation_is_named_in_a_docstring(stem):
    files = [*sources(stem), *sorted((PACKAGE / "core").rglob("*.py"))]
    known = set().union(*(named(docstrings(p, functions_only=True)) for p in files))
    missing = [
        x for x in labels((CHAPTERS / f"{stem}.md").read_text(encoding="utf-8")) if x not in known
    ]
    assert not missing, f"no function's docstring names Eq. ({'), ('.join(missing)})"


@stems
def test_every_equation_in_a_docstring_is_in_the_book(stem):
    book = set().union(*(labels(p.read_text(encoding="utf-8")) for p in CHAPTERS.glob("*.md")))
    for path in sources(stem):
        unknown = named(docstrings(path, functions_only=False)) - book
        assert not unknown, f"{path.name}: no chapter defines eq-{', eq-'.join(sorted(unknown))}"


def test_labels_are_defined_once():
    found = [x for p in CHAPTERS.glob("*.md") for x in labels(p.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(set(found))


def test_equations_can_fail():
    assert labels("$$\na\n$$ (eq-8)\n$$ (eq-line-noise)\n:label: eq-x\n$$ x (eq-no)") == [
        "8",
        "line-noise",
        "x",
    ]
    assert named("Eq. (8), Eqs. (9), (10) and (line-noise)") == {"8", "9", "10", "line-noise"}
    assert named("Eqs. (1)-(3); Kunin et al., Eq. (2.1); f (x); eq (7)") == {"1", "2", "3"}


# --- executed notebooks ----------------------------------------------------------------------


def notebook(stem):
    return nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)


def with_place(book):
    """Each cell with the label of the solution that it stands in, or None."""
    inside = None
    for cell in book.cells:
        if cell.cell_type == "markdown":
            for end, label in re.findall(r"\{solution-(?:(end)|start)\}[ ]*(\S*)", cell.source):
                inside = None if end else label
        yield cell, inside


def figure_faults(book):
    """Code cells that show a picture without alt text, or (outside solutions) a caption."""
    faults = []
    for cell, solution in with_place(book):
        outputs = cell.get("outputs", ())
        if not any(key.startswith("image/") for o in outputs for key in o.get("data", {})):
            continue
        about = cell.metadata.get("mystnb", {})
        if len(about.get("image", {}).get("alt", "").split()) < 4:
            faults.append(f"no alt text: {cell.source[:60]!r}")
        figure = about.get("figure", {})
        if solution is None and not (figure.get("name") and figure.get("caption", "").strip()):
            faults.append(f"no name or caption: {cell.source[:60]!r}")
        if solution is not None and figure:
            faults.append(f"a caption in a solution breaks: {cell.source[:60]!r}")
    return faults


def exercise_faults(book):
    """Exercises without hidden solution, and chapters with fewer than three worked in code."""
    text = "\n".join(c.source for c in book.cells if c.cell_type == "markdown")
    exercises = re.findall(r"\{exercise-start\}[^\n]*\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution-start\} (\S+)\n((?:^:.*\n)*)", text, re.M)
    faults = [f"{len(exercises)} exercises"] if len(exercises) < 3 else []
    faults += [f"{x}: no solution" for x in exercises if x not in [s for s, _ in solutions]]
    faults += [f"{s}: no such exercise" for s, _ in solutions if s not in exercises]
    faults += [f"{s}: not hidden" for s, options in solutions if ":class: dropdown" not in options]
    worked = {s for c, s in with_place(book) if s and c.cell_type == "code" and c.execution_count}
    faults += [f"{len(worked)} solutions with executed code"] if len(worked) < 3 else []
    return faults


HIDDEN = {"hide-input", "remove-input", "hide-cell", "remove-cell"}


def cell_faults(book, *, longest=15, widest=90):
    """Code cells that are too long or wide to read, or print warnings (progress bars too)."""
    faults = []
    for cell in (c for c in book.cells if c.cell_type == "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if len(lines) > longest and not HIDDEN & set(cell.metadata.get("tags", ())):
            faults.append(f"{len(lines)} lines: {cell.source[:60]!r}")
        faults += [f"{len(x)} characters wide: {x[:60]!r}" for x in lines if len(x) > widest]
        if any(output.get("name") == "stderr" for output in cell.outputs):
            faults.append(f"stderr: {cell.source[:60]!r}")
    return faults


@stems
@pytest.mark.parametrize("faults", [figure_faults, exercise_faults, cell_faults])
def test_notebook_is_fit_to_read(stem, faults):
    assert faults(notebook(stem)) == []


@stems
def test_notebook_is_small(stem):
    assert (NOTEBOOKS / f"{stem}.ipynb").stat().st_size < 1.5e6


SMALL = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
---
# Title

```{code-cell} ipython3
:mystnb: {"figure": {"name": "fig-a", "caption": "See."}, "image": {"alt": "A line that goes up"}}
1 + 1
```
""" + "".join(
    f"""
```{{exercise-start}}
:label: ex-{k}
```
What?
```{{exercise-end}}
```
````{{solution-start}} ex-{k}
:label: sol-{k}
:class: dropdown
````

```{{code-cell}} ipython3
{k}
```

````{{solution-end}}
````
"""
    for k in "abc"
)


def small():
    book = jupytext.reads(SMALL, fmt="md:myst")
    picture = nbformat.v4.new_output("display_data", {"image/png": ""})
    for count, cell in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
        cell.execution_count, cell.outputs = count, []
    book.cells[1].outputs = [picture]
    return book


def code(book):
    return [c for c in book.cells if c.cell_type == "code"]


BREAK = {
    "alt": (figure_faults, lambda b: code(b)[0].metadata["mystnb"]["image"].update(alt="")),
    "caption": (figure_faults, lambda b: code(b)[0].metadata["mystnb"].pop("figure")),
    "solution caption": (
        figure_faults,
        lambda b: code(b)[1].update(outputs=code(b)[0].outputs, metadata=code(b)[0].metadata),
    ),
    "no solution": (exercise_faults, lambda b: b.cells.pop(2)),
    "two only": (exercise_faults, lambda b: b.cells.__delitem__(slice(-3, None))),
    "shown": (
        exercise_faults,
        lambda b: b.cells[2].update(source=b.cells[2].source.replace("\n:class: dropdown", "")),
    ),
    "solution not run": (exercise_faults, lambda b: code(b)[2].update(execution_count=None)),
    "long": (cell_faults, lambda b: code(b)[0].update(source="1\n" * 16)),
    "wide": (cell_faults, lambda b: code(b)[0].update(source="1" * 91)),
    "stderr": (
        cell_faults,
        lambda b: code(b)[0].outputs.append(
            nbformat.v4.new_output("stream", name="stderr", text="100%")
        ),
    ),
}


@pytest.mark.parametrize("case", BREAK)
def test_notebook_rules_can_fail(case):
    rule, spoil = BREAK[case]
    assert rule(small()) == []
    book = copy.deepcopy(small())
    spoil(book)
    assert rule(book) != []


# --- doors -----------------------------------------------------------------------------------


def without_door(face, stem):
    """Public functions of a chapter that have neither of the two doors."""
    rooms = ("theory", "estimates", "experiment", "predictions", "prose")
    inside = {name: getattr(face, name) for name in face.__all__}
    functions = {n: v for n, v in inside.items() if inspect.isfunction(v)}
    of_rooms = tuple(f"sgdescape.{stem}.{room}" for room in rooms)
    return [
        name
        for name, value in functions.items()
        if value.__module__.startswith(of_rooms)
        and inspect.signature(value).parameters
        and not hasattr(value, "__wrapped__")
    ]


@stems
def test_public_functions_have_a_door(stem):
    face = importlib.import_module(f"sgdescape.{stem}")
    assert without_door(face, stem) == []


def test_a_function_without_a_door_is_seen():
    def bare(x):
        return x

    bare.__module__ = "sgdescape.decoupling.theory"
    assert without_door(SimpleNamespace(__all__=["bare"], bare=bare), "decoupling") == ["bare"]


# --- other systems ---------------------------------------------------------------------------


def without_encoding(text):
    """Calls that read or write text in whatever code page the system has."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        plain = isinstance(node.func, ast.Name) and node.func.id == "open"
        named = any(keyword.arg == "encoding" for keyword in node.keywords)
        values = [a.value for a in node.args if isinstance(a, ast.Constant)]
        binary = any(isinstance(v, str) and set(v) <= set("rwxab+") and "b" in v for v in values)
        given = any(v in ("utf-8", "utf8") for v in values)
        if (name in ("read_text", "write_text") or plain) and not (named or binary or given):
            found.append(ast.unparse(node))
    return found


def test_text_is_utf8_whatever_the_code_page():
    files = [p for folder in ("lib", "tools", "book/_ext")
             for p in (ROOT / folder).rglob("*.py")]  # fmt: skip
    bad = {p.name: found for p in files if (found := without_encoding(p.read_text("utf-8")))}
    assert len(files) > 200 and not bad
    assert without_encoding("open('a')\np.read_text()\np.write_text('b')") != []
    assert not without_encoding("open('a', 'rb')\np.read_text('utf-8')\nopen(a, encoding='utf-8')")


def test_files_keep_their_bytes_on_systems_with_other_line_ends(tmp_path):
    """A clone with core.autocrlf, as on Windows, still runs its scripts."""

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=true"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", ".")
    names = [".gitattributes", ".ci/run", "tools/lock.sh", "lib/sgdescape/bundled/README.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "a.npz").write_bytes(b"PK\r\n\n\r")
    git("add", "--all")
    git("commit", "-qm", "all")
    for name in [*names, "a.npz"]:
        (tmp_path / name).unlink()
    git("checkout", "-q", ".")
    assert (tmp_path / "a.npz").read_bytes() == b"PK\r\n\n\r"
    for name in names:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes(), name


def stamped(folder, *, command, text):
    """A folder with an environment, as far as tools/setup.py looks at it."""
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text(f"command = {command}\n", encoding="utf-8")
    (folder / ".venv" / "stamp").write_text(text, encoding="utf-8")


def test_a_copied_environment_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    setup = importlib.import_module("setup")
    here, copy_of_it = tmp_path / "here", tmp_path / "copy"
    asked = []
    monkeypatch.setattr(setup, "run", lambda *words: asked.append(words) or 0)
    digest = hashlib.sha256(b"numpy==2\n").hexdigest()
    first = "{}.{} ".format(*sys.version_info[:2]) + digest
    for folder in (here, copy_of_it):
        stamped(folder, command=f"python3 -m venv --clear {here / '.venv'}", text=first + "\n")
        (folder / "requirements.lock").write_bytes(b"numpy==2\n")
    made = {}
    for folder in (here, copy_of_it):
        monkeypatch.setattr(setup, "ROOT", folder)
        monkeypatch.setattr(setup, "VENV", folder / ".venv")
        monkeypatch.setattr(setup, "STAMP", folder / ".venv" / "stamp")
        asked.clear()
        setup.main()
        made[folder.name] = any("venv" in words for words in asked)
        assert setup.stamp() == f"{first}\n{folder}\n"
    assert made == {"here": False, "copy": True}


def test_notebooks_by_hand_are_tested_as_by_make():
    words = ["-n", "2", "--nbval", "--collect-only", "-q", "book/notebooks/decoupling.ipynb"]
    code = (
        "import pytest\n"
        "class See:\n"
        "    @pytest.hookimpl(trylast=True)\n"
        "    def pytest_configure(self, config):\n"
        "        o = config.option\n"
        "        print('SEEN', o.dist, o.nbval_current_env, o.nbval_sanitize_with, flush=True)\n"
        f"raise SystemExit(pytest.main({words!r}, [See()]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    seen = next(line for line in done.stdout.splitlines() if line.startswith("SEEN"))
    assert seen.split()[1:3] == ["loadfile", "True"] and seen.endswith("nbval_sanitize.cfg")
