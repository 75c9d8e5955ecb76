"""Where the built pages are, in which order, and the browser that shows them to the tools."""

import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pages(root: Path) -> list[tuple[str | None, str]]:
    """Return (part or None, page) in the order of the table of contents."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = [(None, toc["root"])]
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            files = [chapter["file"], *(section["file"] for section in chapter.get("sections", []))]
            found += [(part["caption"], file) for file in files]
    return found


def browser() -> str:
    """Return the path of a Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise SystemExit(f"No browser found: install one of {', '.join(BROWSERS)}")
    return found
