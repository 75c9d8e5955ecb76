"""Write the interface pages: every public name of a chapter's face, or of a room of core.

In the source of ``book/api/<stem>.md`` and ``book/api/core_<room>.md`` the line ``<!-- interface
-->`` is replaced by what the package offers (`__all__`), so that nothing can be left out;
``core.md`` has the modules that stand outside the rooms. ``book/api.md`` leads to all of them.
"""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path

import yaml

INDEX, PAGES = "book/api", "book/api/"
MARK = "<!-- interface -->"
ROOMS = {
    "theory": "Formulas",
    "estimates": "Estimators",
    "measure": "Experiments",
    "experiment": "Running it",
    "config": "Configuration",
    "predictions": "Predictions",
    "prose": "Numbers of the text",
    "claims": "Claims",
    "figures": "Figures",
}
SHORT = ("claims", "figures")  # one line each: the chapter shows them
USUAL = {
    "QUICK": "Sizes at which the chapter's page runs.",
    "PAPER": "Sizes of the papers' experiments, or the largest ones that make sense here.",
}  # what a chapter's configuration is, where it adds no text of its own
HIDDEN = ("kernels", "network_reference", "bowl_reference", "philox_numba")


def chapters(root: Path) -> list[str]:
    """Return the stems of the chapters in the order of the table of contents."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [Path(c["file"]) for part in toc["parts"] for c in part["chapters"]]
    return [file.name for file in files if file.parent.name == "chapters"]


def core_modules() -> list[str]:
    """Return the dotted names of the modules of core that readers use."""
    core = importlib.import_module("sgdescape.core")
    names = (m.name for m in pkgutil.walk_packages(core.__path__, "sgdescape.core.") if not m.ispkg)
    return sorted(n for n in names if not set(n.split(".")) & set(HIDDEN) and "._" not in n)


def room_of(value, stem: str) -> str:
    """Return the room of a chapter's package in which a public value is defined."""
    parts = (getattr(value, "__module__", None) or "").split(".")
    inside = parts[:2] == ["sgdescape", stem] and len(parts) > 2
    return parts[2] if inside else "config"


def chapter_text(stem: str) -> str:
    """Return what one chapter offers as MyST."""
    face = importlib.import_module(f"sgdescape.{stem}")
    rooms = {}
    for name in face.__all__:
        value = getattr(face, name)
        if inspect.ismodule(value):
            if name in SHORT:
                rooms[name] = [f"{name}.{n}" for n in public_names(value)]
        else:
            rooms.setdefault(room_of(value, stem), []).append(name)
    lines = [first_line(face), "", "```{eval-rst}", f".. currentmodule:: sgdescape.{stem}", ""]
    for room in [*(r for r in ROOMS if r in rooms), *sorted(set(rooms) - set(ROOMS))]:
        lines += [f".. rubric:: {ROOMS.get(room, room.replace('_', ' ').capitalize())}", ""]
        for name in rooms[room]:
            lines += short(stem, name) if room in SHORT else whole(face, name)
    return "\n".join([*lines, "```", ""])


def whole(face, name: str) -> list[str]:
    """Return the lines that show a name with its docstring."""
    value = getattr(face, name)
    if inspect.isclass(value):
        return [f".. autoclass:: {name}", "   :members:", ""]
    if callable(value):
        return [f".. autofunction:: {name}", ""]
    text = constant_text(face.__name__, name)
    return [f".. py:data:: {name}", "", *(f"   {line}" for line in text.splitlines()), ""]


def constant_text(package: str, name: str) -> str:
    """Return the text that follows a constant where the package defines it."""
    for module in [m for n, m in sys.modules.items() if n.startswith(f"{package}.")]:
        body = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
        for defined, following in zip(body, body[1:], strict=False):
            targets = getattr(defined, "targets", [getattr(defined, "target", None)])
            if name in (getattr(target, "id", None) for target in targets):
                value = getattr(following, "value", None)
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    return inspect.cleandoc(value.value)
    if name in USUAL:
        return USUAL[name]
    raise ValueError(f"{package}.{name} has no text: write one below it, where it is defined")


def short(stem: str, name: str) -> list[str]:
    """Return the lines that show a claim or a figure by its first line."""
    value = importlib.import_module(f"sgdescape.{stem}.{name.rpartition('.')[0]}")
    function = getattr(value, name.rpartition(".")[2])
    arguments = ", ".join(inspect.signature(function).parameters)
    text = escape(first_line(function))
    return [f".. py:function:: {name}({arguments})", "   :no-contents-entry:", "", f"   {text}", ""]


def public_names(module) -> list[str]:
    """Return the names that a room offers: its ``__all__``, or what is public and defined in it."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    functions = (n.name for n in tree.body if isinstance(n, ast.FunctionDef))
    return [name for name in functions if not name.startswith("_")]


def core_text(name: str) -> str:
    """Return the section of one module of core as MyST."""
    module = importlib.import_module(name)
    own = [n for n in public_names(module) if defined_in(getattr(module, n), name)]
    members = f"   :members: {', '.join(own)}\n" if own else ""
    return f"## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n{members}```\n"


def defined_in(value, module: str) -> bool:
    """Return whether a module defines a value itself: constants count, what it imports does not."""
    return getattr(value, "__module__", module) == module


def first_line(value) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(value) or "").partition("\n")[0]


def escape(text: str) -> str:
    """Return text in which reStructuredText finds no markup of its own."""
    return text.replace("\\", "\\\\").replace("|", r"\|").replace("*", r"\*").replace("_ ", r"\_ ")


def rooms_of_core() -> dict[str, list[str]]:
    """Return page -> the modules of core that it shows."""
    pages = {}
    for name in core_modules():
        room = name.split(".")[2:-1]
        pages.setdefault("_".join(["core", *room[:1]]), []).append(name)
    return dict(sorted(pages.items()))


def page_text(page: str) -> str:
    """Return what stands on an interface page, as MyST.

    Raises:
        ValueError: for a page that is neither a chapter's nor a room's.
    """
    rooms = rooms_of_core()
    if page in rooms:
        package = importlib.import_module("sgdescape." + page.replace("_", ".", 1))
        return "\n".join([first_line(package), "", *map(core_text, rooms[page])])
    if importlib.util.find_spec(f"sgdescape.{page}"):
        return chapter_text(page)
    raise ValueError(f"{PAGES}{page}.md must be named by a chapter or by a room of core")


def index_text(root: Path) -> str:
    """Return the list of interface pages, each with its first line."""
    lines = ["| Package | What it holds |", "|---|---|"]
    for page in [*chapters(root), *rooms_of_core()]:
        name = "sgdescape." + (page.replace("_", ".", 1) if page.startswith("core") else page)
        text = first_line(importlib.import_module(name)).replace("|", r"\|")
        lines.append(f"| [`{name}`](api/{page}.md) | {text} |")
    return "\n".join(lines)


def write(app, docname, source):
    """Put the interface into a page as it is read."""
    if docname == INDEX:
        source[0] = source[0].replace(MARK, index_text(Path(app.srcdir)))
    elif docname.startswith(PAGES):
        source[0] = source[0].replace(MARK, page_text(docname.removeprefix(PAGES)))


def outdated(app, env, added, changed, removed):
    """Read the pages anew in every build: they show the package, not their own source."""
    return [name for name in env.found_docs if name == INDEX or name.startswith(PAGES)]


def setup(app):
    """Register the extension."""
    app.connect("source-read", write)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
