"""``claims.json``: every claim of the executed chapters as data, with seed, commit and seconds.

The book's build writes it beside the pages, ``sgdescape claims --json`` prints it from the
notebooks of a checkout. ``book/_static/claims.schema.json`` is its schema; a change that would
break a reader of the file raises `VERSION`.
"""

import importlib
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

from sgdescape.core.claims import METADATA_KEY, kind
from sgdescape.core.power.kept import power
from sgdescape.core.roots import PROJECT
from sgdescape.core.runs import provenance

__all__ = ["NAME", "SCHEMA", "VERSION", "document", "records", "seconds", "stored", "text"]

NAME = "claims.json"
"""Name of the file, beside the pages."""

SCHEMA = "_static/claims.schema.json"
"""Where its schema is, from there."""

VERSION = 1
"""Of the schema."""

_COPIED = (
    "statement", "source", "evidence", "verdict", "predicted", "measured", "unit", "tolerance",
    "resolution", "detectable", "rivals", "reason",
)  # fmt: skip


def document(claims: list, *, seconds: Mapping = {}) -> dict:
    """Return the file's content.

    Args:
        claims: records as `core.claims.record` makes them, in the order of the book.
        seconds: stem of a chapter -> how long its execution took; others get None.

    Returns:
        Keys ``$schema``, ``version``, ``book`` and ``claims``, as the schema says.
    """
    commit = provenance.commit()
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "book": {"version": provenance.package_version("sgdescape"), "commit": commit},
        "claims": [_entry(claim, commit, seconds) for claim in claims],
    }


def text(content: dict) -> str:
    """Return the content as the file's text."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def records(notebook: Path) -> list:
    """Return the records of the claims that an executed notebook shows, top to bottom.

    Args:
        notebook: path of the file.
    """
    return records_in(json.loads(Path(notebook).read_text(encoding="utf-8")))


def records_in(notebook: dict) -> list:
    """Return the records of the claims that an executed notebook shows, top to bottom.

    Args:
        notebook: its content.
    """
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return [o["metadata"][METADATA_KEY] for o in outputs if METADATA_KEY in o.get("metadata", {})]


def stored(root: Path = PROJECT) -> list:
    """Return the records of all chapters' notebooks in a checkout, in the order of the book.

    Args:
        root: of the checkout.

    Raises:
        ValueError: if it holds no table of contents with chapters: an installed package has none.
    """
    contents = Path(root) / "_toc.yml"
    if not contents.is_file():
        raise ValueError(f"claims are kept in the book's notebooks, and there is no {contents}")
    stems = re.findall(r"file: book/chapters/(\w+)", contents.read_text(encoding="utf-8"))
    folder = Path(root) / "book" / "notebooks"
    return [record for stem in stems for record in records(folder / f"{stem}.ipynb")]


def seconds(root: Path = PROJECT) -> dict:
    """Return stem -> seconds of its chapter's execution in the last build of a checkout.

    Args:
        root: of the checkout; an empty dictionary if the book was not built there.
    """
    path = Path(root) / "_build" / "html" / NAME
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))["claims"]
    return {claim["chapter"]: claim["seconds"] for claim in found}


def _entry(claim, commit, seconds):
    """One claim of the file."""
    stem = claim["identifier"].partition(".")[0]
    measured = claim["measured"]
    return {
        "identifier": claim["identifier"],
        "chapter": stem,
        "page": f"book/chapters/{stem}.html#{claim['anchor']}",
        "kind": kind(claim["verdict"]),
        **{name: claim[name] for name in _COPIED},
        "level": measured["level"] if measured else None,
        "power": _power(claim["identifier"]),
        "seed": _seed(stem),
        "commit": commit,
        "seconds": seconds.get(stem),
    }


@cache
def _seed(stem):
    """Seed of a chapter's page; the chapter is imported."""
    if importlib.util.find_spec(f"sgdescape.{stem}") is None:
        return None
    return getattr(importlib.import_module(f"sgdescape.{stem}").QUICK, "seed", None)


def _power(identifier):
    """What many seeds say about the claim's check, None where it was not measured."""
    found = power(identifier)
    return None if found is None else asdict(found)
