"""How often a claim's check is right: what ``tools/power.py`` measured over many seeds, read back.

The numbers come from one small file of a checkout; an installed package has none, and then there
is nothing to show. The page *How sure?* says how they are measured.
"""

import ast
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.roots import PACKAGE, PROJECT

__all__ = ["FILE", "Power", "kept", "power", "version"]

FILE = PROJECT / "results" / "power.json"
"""The measured power of every sampled claim, with its provenance."""

UNJUDGED = ("figures", "prose", "explorer", "__init__")
"""Rooms of a chapter that no verdict depends on."""


@dataclass(frozen=True)
class Power:
    """What many seeds say about one claim's check.

    Args:
        seeds: number of runs that differ in the seed alone.
        false_alarms: of these, how many had not the verdict that the book prints.
        nearest_name: of the rival nearest to the prediction; for a refuted claim, of the statement
            that it refutes.
        nearest_rejected: of the runs, how many reject it once the measurement's law is moved there.
        seen: smallest deviation of the truth that nine of ten runs see, relative to the
            prediction (absolute if that is 0); None where there is none, or for a refuted claim.
        stale: whether the chapter's code has changed since.
    """

    seeds: int
    false_alarms: int
    nearest_name: str
    nearest_rejected: int
    seen: float | None = None
    stale: bool = False

    def __str__(self):
        """Say it in one line, as a card does."""
        text = f"false alarms {self.false_alarms} of {self.seeds}; nearest rival rejected "
        text += f"{self.nearest_rejected} of {self.seeds}"
        return text + ("; made with another version" if self.stale else "")


@door
def power(identifier: str) -> Power | None:
    """Return the measured power of a claim, None where none was measured.

    Args:
        identifier: ``stem.name``.

    Example:
        >>> power("no_chapter.no_claim") is None
        True
    """
    found = kept()
    entry = found.get("claims", {}).get(identifier)
    if not entry or not entry.get("rivals"):
        return None
    stem = identifier.split(".")[0]
    nearest = entry["rivals"][0]
    return Power(
        entry["seeds"],
        entry["false_alarms"],
        nearest["name"],
        nearest["rejected"],
        entry["seen"],
        found["chapters"][stem]["version"] != version(stem),
    )


@cache
@door
def kept(path: Path = FILE) -> dict:
    """Return what the file holds, an empty dictionary where there is no file.

    Args:
        path: of the file.
    """
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@door
@cache
def version(stem: str, *, without: tuple[str, ...] = UNJUDGED) -> str:
    """Return twelve letters that change with the code a chapter's verdicts depend on.

    Comments, docstrings and layout do not count.

    Args:
        stem: of the chapter.
        without: rooms that do not count.

    Raises:
        ValueError: if there is no such chapter.
    """
    validate.row("without", without, least=0)
    folder = PACKAGE / stem
    if not folder.is_dir():
        raise ValueError(f"no chapter {stem!r}: there is no {folder}")
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).with_suffix("")
        if place.parts[0] not in without:
            tree = _bare(ast.parse(path.read_text(encoding="utf-8")))
            digest.update(f"{place.as_posix()}\n{ast.dump(tree)}\n".encode())
    return digest.hexdigest()[:12]


def _bare(tree):
    """A syntax tree without its docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]
    return tree


def _is_text(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
