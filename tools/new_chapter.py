"""Start a chapter from book/_templates: ``python tools/new_chapter.py STEM [--root FOLDER]``.

Page, package, interface page and tests are copied under the chapter's name, and the table of
contents gets it as the last chapter before the reference part. What is there is never overwritten.
"""

import argparse
import keyword
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "template_trial"


def targets(root: Path, stem: str) -> dict[Path, Path]:
    """Return template -> new file of a chapter."""
    templates = root / "book" / "_templates"
    found = {
        templates / "chapter.md": root / "book" / "chapters" / f"{stem}.md",
        templates / "api.md": root / "book" / "api" / f"{stem}.md",
    }
    for folder, place in (("package", root / "lib/sgdescape"), ("tests", root / "tests")):
        for path in sorted((templates / folder).glob("*.py")):
            found[path] = place / stem / path.name
    return found


def listed(toc: str, stem: str) -> str:
    """Return the table of contents with the chapter as the last one, and with its interface."""
    lines = {
        f"      - file: book/chapters/{stem}\n": "  - caption: Reference\n",
        f"          - file: book/api/{stem}\n": "          - file: book/api/core\n",
    }
    for line, mark in lines.items():
        if line not in toc:
            head, found, tail = toc.partition(mark)
            if not found:
                raise SystemExit(f"_toc.yml must hold {mark.strip()!r}, which the chapter precedes")
            toc = head + line + mark + tail
    return toc


def create(root: Path, stem: str) -> list[Path]:
    """Write the files of a new chapter.

    Args:
        root: of the checkout.
        stem: of the chapter, a Python name in lower case.

    Returns:
        The new files.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", stem) or keyword.iskeyword(stem):
        raise SystemExit(f"STEM must be a Python name in lower case: got {stem!r}")
    files = targets(root, stem)
    there = [str(new.relative_to(root)) for new in files.values() if new.exists()]
    if there:
        raise SystemExit(f"STEM must be new: there is {', '.join(there)}")
    short = stem.replace("_", "-")
    for template, new in files.items():
        text = template.read_text(encoding="utf-8").replace(NAME, stem)
        text = text.replace("template-", f"{short}-").replace("prop-template", f"prop-{short}")
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
    toc = root / "_toc.yml"
    toc.write_text(listed(toc.read_text(encoding="utf-8"), stem), encoding="utf-8")
    return list(files.values())


def main():
    """Create the chapter named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stem", metavar="STEM", help="name of page, package and tests")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout")
    arguments = parser.parse_args()
    for path in create(arguments.root.resolve(), arguments.stem):
        print(path.relative_to(arguments.root.resolve()))
    print(f"next: make notebooks STEM={arguments.stem}; make check STEM={arguments.stem}")


if __name__ == "__main__":
    main()
