"""The whole book as one PDF: every page printed by Chromium, joined, with an outline.

``python tools/pdf.py`` after ``make book`` writes ``_build/html/how-sgd-escapes.pdf``, beside the
pages. Folded parts are opened, tables print whole, links between pages lead to their place inside
the file. Left out is what paper does not need: claims as BibTeX, the local contents, and a claim's
numbers in the scoreboard's list, which its card has.
"""

import argparse
import os
import re
import tempfile
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from built_pages import HTML, ROOT, browser, pages
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, Fit, NameObject

NAME = "how-sgd-escapes.pdf"
LARGEST = 40  # MB
SCALE = 0.8  # of the page's sizes: text of 9.6 points
STYLE = """
  .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .prev-next-footer,
  .sgd-download, .headerlink, .copybtn, dialog, #pst-skip-link, #jb-print-toc,
  .sgd-imprint details, .sgd-claim__cite, .sgd-claim__copy, .sgd-claim__link,
  .sgd-list details > :not(summary) { display: none !important; }
  details.hide > summary, .sgd-claim__more > summary { display: none !important; }
  .bd-main, .bd-content, .bd-article-container, .bd-page-width { max-width: none !important; }
  .bd-container, .bd-main { display: block !important; }
  .sgd-claim { max-width: none !important; }
  figure, .sgd-claim, .proof > p, .cell_input, .cell_output, tr { break-inside: avoid; }
  h1, h2, h3, summary, .admonition-title { break-after: avoid; }
  h1 { margin-top: 0; }
  .sgd-list summary .sgd-line { display: inline !important; }
  * { overflow: visible !important; }
  pre { white-space: pre-wrap !important; overflow-wrap: anywhere; }
  .sgd-targets { font-size: 1px; line-height: 1; margin: 0; opacity: 0; }
"""
OPEN = """() => {
  for (const part of document.querySelectorAll('details:not(.sgd-list details)')) part.open = true;
  for (const part of document.querySelectorAll('.toggle-hidden'))
    part.classList.remove('toggle-hidden');
  for (const picture of document.querySelectorAll('img')) picture.loading = 'eager';
  document.documentElement.dataset.theme = 'light';
}"""
# Chromium keeps the places of a page to which the page itself links: so it gets links to those
# that other pages ask for.
TARGETS = """(ids) => {
  const line = document.createElement('p');
  line.className = 'sgd-targets';
  for (const id of ids.filter((id) => document.getElementById(id))) {
    const link = document.createElement('a');
    link.href = '#' + encodeURIComponent(id);
    link.textContent = '.';
    line.append(link);
  }
  document.querySelector('article').append(line);
}"""
HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3')].map(
  (heading) => heading.innerText.replace(/#$/, '').trim())"""


def asked(names: list[str]) -> dict[str, set[str]]:
    """Return, for each page, the places in it to which other pages link."""
    found = {name: set() for name in names}
    for name in names:
        for link in re.findall(
            r'href="([^"#]+\.html#[^"]+)"', (HTML / f"{name}.html").read_text("utf-8")
        ):
            file, _, place = unescape(link).partition("#")
            target = os.path.normpath(f"{os.path.dirname(name)}/{unquote(file)}")
            if (target := target.removesuffix(".html")) in found:
                found[target].add(unquote(place))
    return found


def printed(names: list[str], folder: Path) -> dict[str, str]:
    """Print the pages to ``folder/0.pdf``, ``folder/1.pdf``, ...; return the headings.

    Chromium's outline loses the space where a heading is broken: a heading without its spaces is
    the key of the heading as it is.
    """
    headings, places = {}, asked(names)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        tab = chromium.new_context(color_scheme="light", reduced_motion="reduce").new_page()
        for i, name in enumerate(names):
            tab.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
            tab.evaluate(OPEN)
            tab.add_style_tag(content=STYLE)
            tab.evaluate("() => window.MathJax?.startup?.promise")
            headings |= {"".join(text.split()): text for text in tab.evaluate(HEADINGS)}
            tab.evaluate(TARGETS, sorted(places[name]))
            tab.emulate_media(media="print")
            tab.pdf(
                path=str(folder / f"{i}.pdf"),
                format="A4",
                scale=SCALE,
                print_background=True,
                outline=True,
                tagged=True,
                margin=dict.fromkeys(("top", "bottom", "left", "right"), "18mm"),
            )
            print(f"{name}: {len(PdfReader(folder / f'{i}.pdf').pages)} pages", flush=True)
        chromium.close()
    return headings


def joined(found: list[tuple[str | None, str]], folder: Path, headings: dict) -> PdfWriter:
    """Return one document with an outline of parts and pages, links inside it."""
    book, first, parent = PdfWriter(), {}, {}
    for i, (part, name) in enumerate(found):
        reader = PdfReader(folder / f"{i}.pdf")
        start = len(book.pages)
        first[name] = (start, Fit.fit())
        for title, goal in reader.named_destinations.items():
            number = reader.get_destination_page_number(goal)
            if number is not None:
                place = unquote(title.removeprefix("/"))
                first[f"{name}#{place}"] = (start + number, Fit.xyz(left=0, top=goal.top))
        if part and part not in parent:
            parent[part] = book.add_outline_item(title=part, page_number=start)
        title = (reader.metadata.title or name).split(" — ")[0].split(" - ")[0]
        mark = book.add_outline_item(title=title, page_number=start, parent=parent.get(part))
        book.append(reader, import_outline=False)
        for item in reader.outline:
            outline(book, reader, item, start, mark, headings | {"".join(title.split()): None})
    inward(book, first)
    book.add_metadata({"/Title": "How SGD Escapes"})
    return book


def outline(book, reader, item, offset, parent, headings):
    """Copy the sections of one page into the outline; the page itself, of title None, is there."""
    if isinstance(item, list):
        for inner in item:
            outline(book, reader, inner, offset, parent, headings)
    elif (number := reader.get_destination_page_number(item)) is not None:
        title = headings.get("".join(item.title.split()), item.title)
        if title:
            book.add_outline_item(title=title, page_number=offset + number, parent=parent)


def inward(book, first):
    """Let links to other pages of the book lead to their place in this document."""
    for number, page in enumerate(book.pages):
        kept, links = ArrayObject(), []
        for reference in page.get("/Annots", []):
            note = reference.get_object()
            if note["/Rect"][3] - note["/Rect"][1] < 3:
                continue  # one of those that only kept a place
            address = urlsplit(str(note.get("/A", {}).get("/URI", "")))
            path = unquote(address.path).removeprefix(f"{HTML.as_posix()}/").removesuffix(".html")
            goal = first.get(f"{path}#{unquote(address.fragment)}") or first.get(path)
            if goal:
                index, fit = goal
                links.append(Link(rect=note["/Rect"], target_page_index=index, fit=fit))
            else:
                kept.append(reference)
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
        headings = printed([name for _, name in found], Path(folder))
        book = joined(found, Path(folder), headings)
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
