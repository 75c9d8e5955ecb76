"""Bring book/notebooks in step with book/chapters: convert each chapter, execute it, write it.

``python tools/notebooks.py [STEM ...]``; without a stem, every chapter. What is written depends on
the chapter and its results alone: no times, no machine, no versions, cell names from their text.
"""

import argparse
import hashlib
import os
import time
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "book" / "chapters"
NOTEBOOKS = ROOT / "book" / "notebooks"


def converted(chapter: Path):
    """Return a chapter as a notebook without outputs."""
    notebook = jupytext.read(chapter)
    seen = Counter()
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] += 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    notebook.nbformat_minor = 5  # the first with cell names
    return notebook


def executed(notebook):
    """Return the notebook with its outputs; raise at the first failing cell."""
    metadata = dict(notebook.metadata)
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(CHAPTERS)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(metadata | {"language_info": {"name": "python"}})
    return notebook


def write(notebook, target: Path):
    """Write whole files only: a stopped run leaves the old notebook."""
    nbformat.validate(notebook)
    part = target.with_suffix(".part")
    nbformat.write(notebook, part)
    os.replace(part, target)


def main():
    """Convert, execute and write the chapters named."""
    stems = sorted(path.stem for path in CHAPTERS.glob("*.md"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stems", nargs="*", metavar="STEM", help=", ".join(stems))
    chosen = parser.parse_args().stems or stems
    if unknown := sorted(set(chosen) - set(stems)):
        parser.error(f"no chapter named {', '.join(unknown)}: there are {', '.join(stems)}")
    NOTEBOOKS.mkdir(exist_ok=True)
    for stem in chosen:
        start = time.perf_counter()
        write(executed(converted(CHAPTERS / f"{stem}.md")), NOTEBOOKS / f"{stem}.ipynb")
        print(f"{stem}: {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
