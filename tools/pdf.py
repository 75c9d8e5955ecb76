"""The whole book as one PDF: every page printed by Chromium, joined, with an outline.

``python tools/pdf.py`` after ``make book`` writes ``_build/html/how-sgd-escapes.pdf``, beside the
pages. Folded parts are opened, tables print whole, links between pages lead inside the file.
"""

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, NameObject

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
NAME = "how-sgd-escapes.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 40  # MB
STYLE = """
  .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .prev-next-footer,
  .sgd-download, .headerlink, .copybtn, dialog, #pst-skip-link { display: none !important; }
  .bd-main, .bd-content, .bd-article-container, .bd-page-width { max-width: none !important; }
  .bd-container, .bd-main { display: block !important; }
  figure, .sgd-claim, .proof > p, pre { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
  * { overflow: visible !important; }
  pre { white-space: pre-wrap !important; overflow-wrap: anywhere; }
"""
OPEN = """() => {
  for (const part of document.querySelectorAll('details')) part.open = true;
  for (const part of document.querySelectorAll('.toggle-hidden'))
    part.classList.remove('toggle-hidden');
  for (const picture of document.querySelectorAll('img')) picture.loading = 'eager';
  document.documentElement.dataset.theme = 'light';
}"""


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


def printed(names: list[str], folder: Path) -> None:
    """Print the pages to ``folder/0.pdf``, ``folder/1.pdf``, ..."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        tab = chromium.new_context(color_scheme="light", reduced_motion="reduce").new_page()
        for i, name in enumerate(names):
            tab.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
            tab.evaluate(OPEN)
            tab.add_style_tag(content=STYLE)
            tab.evaluate("() => window.MathJax?.startup?.promise")
            tab.emulate_media(media="print")
            tab.pdf(
                path=str(folder / f"{i}.pdf"),
                format="A4",
                print_background=True,
                outline=True,
                tagged=True,
                margin=dict.fromkeys(("top", "bottom", "left", "right"), "18mm"),
            )
            print(f"{name}: {len(PdfReader(folder / f'{i}.pdf').pages)} pages", flush=True)
        chromium.close()


def joined(found: list[tuple[str | None, str]], folder: Path) -> PdfWriter:
    """Return one document with an outline of parts and pages, links inside it."""
    book, first, parent = PdfWriter(), {}, {}
    for i, (part, name) in enumerate(found):
        reader = PdfReader(folder / f"{i}.pdf")
        first[name] = len(book.pages)
        if part and part not in parent:
            parent[part] = book.add_outline_item(title=part, page_number=first[name])
        title = (reader.metadata.title or name).split(" — ")[0].split(" - ")[0]
        mark = book.add_outline_item(title=title, page_number=first[name], parent=parent.get(part))
        book.append(reader, import_outline=False)
        for item in reader.outline:
            outline(book, reader, item, first[name], mark)
    inward(book, first)
    book.add_metadata({"/Title": "How SGD Escapes"})
    return book


def outline(book, reader, item, offset, parent):
    """Copy the sections of one page into the outline."""
    if isinstance(item, list):
        for inner in item:
            outline(book, reader, inner, offset, parent)
    elif (number := reader.get_destination_page_number(item)) is not None:
        book.add_outline_item(title=item.title, page_number=offset + number, parent=parent)


def inward(book, first):
    """Let links to other pages of the book lead to their place in this document."""
    for number, page in enumerate(book.pages):
        kept, links = ArrayObject(), []
        for reference in page.get("/Annots", []):
            note = reference.get_object()
            path = unquote(urlsplit(str(note.get("/A", {}).get("/URI", ""))).path)
            name = path.removeprefix(f"{HTML.as_posix()}/").removesuffix(".html")
            if name in first:
                links.append(Link(rect=note["/Rect"], target_page_index=first[name]))
            else:
                kept.append(reference)
        if links:
            page[NameObject("/Annots")] = kept
        for link in links:
            book.add_annotation(number, link)


def offer(megabytes: float) -> None:
    """Link the file from the landing page, once."""
    page = HTML / "book" / "intro.html"
    html = page.read_text(encoding="utf-8")
    html = re.sub(r'<p class="sgd-download sgd-pdf">.*?</p>', "", html)
    text = f'<a class="reference download" href="../{NAME}">The whole book as one PDF</a>'
    line = f'<p class="sgd-download sgd-pdf">{text} ({megabytes:.0f} MB)</p>'
    page.write_text(html.replace("</h1>", f"</h1>{line}", 1), encoding="utf-8")


def main():
    """Print, join, write."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = [(part, name) for part, name in pages(ROOT) if (HTML / f"{name}.html").exists()]
    if not found:
        raise SystemExit(f"No pages in {HTML}: run make book first")
    with tempfile.TemporaryDirectory() as folder:
        printed([name for _, name in found], Path(folder))
        book = joined(found, Path(folder))
        part = HTML / f"{NAME}.part"
        with open(part, "wb") as file:
            book.write(file)
    size = part.stat().st_size / 1e6
    os.replace(part, HTML / NAME)
    offer(size)
    print(f"{HTML / NAME}: {len(book.pages)} pages, {size:.1f} MB")
    if size > LARGEST:
        raise SystemExit(f"The file must be at most {LARGEST} MB: got {size:.1f}")


if __name__ == "__main__":
    main()
