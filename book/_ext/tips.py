"""Hover or focus shows an equation, a theorem, a symbol or a reference in place.

When all pages are written, each gets a table (link -> what stands there) for the links that it
has; ``tips.js`` shows it. Nothing is fetched, so that it works from a disk too.
"""

import json
import re
from functools import partial
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup

SCRIPT = '<script type="application/json" id="sgd-tips">{}</script>\n</body>'
LONGEST = 700  # characters of an excerpt
INTERFACE = "book/api"  # its pages are neither shown in place nor show others


def snippet(target) -> str | None:
    """Return the HTML to show for the element that a link leads to, or None."""
    classes = target.get("class") or []
    if "math" in classes:
        tex = target.find(class_="sgd-tex")
        number = target.find(class_="eqno")
        text = number.get_text().replace("#", "") if number else ""
        return f"<p>{escape(tex.get_text())}</p><p>{escape(text)}</p>" if tex else None
    if "citation" in classes:
        body = [p.get_text(" ", strip=True) for p in target.find_all("p")]
        return f"<p>{escape(' '.join(body)[:LONGEST])}</p>" if body else None
    if "proof" in classes:
        parts = target.find_all("p", limit=2)
        return "".join(f"<p>{escape(shorter(p))}</p>" for p in parts)
    if target.name == "tr":
        cells = [shorter(cell) for cell in target.find_all("td")]
        return f"<p>{escape(' · '.join(cell for cell in cells if cell))}</p>"
    return None


def shorter(element) -> str:
    """Return an element's text with its TeX, once, and not more than `LONGEST` characters."""
    copy = BeautifulSoup(str(element), "html.parser")
    for hidden in copy.find_all("noscript"):
        hidden.decompose()
    text = " ".join(copy.get_text().split())
    if len(text) <= LONGEST:
        return text
    cut = text[:LONGEST]
    if cut.count(r"\(") > cut.count(r"\)"):  # not in the middle of a formula
        cut = cut[: cut.rindex(r"\(")]
    return cut + " …"


def targets(root: Path, pages, soup) -> dict:
    """Return "page#id" -> HTML for every element of the pages that can be shown."""
    found = {}
    for page in pages:
        for element in soup(root / page).find_all(id=True):
            shown = element
            if element.name == "span" and not element.get_text(strip=True):
                shown = element.find_next_sibling() or element  # an anchor stands before its place
            if html := snippet(shown):
                found[f"{page}#{element['id']}"] = html
    return found


def table(page: str, body, shown: dict) -> dict:
    """Return link -> HTML for the links of one page whose place can be shown."""
    tips = {}
    for link in body.find_all("a", href=re.compile("#")):
        file, _, fragment = link["href"].partition("#")
        here = normpath(join(dirname(page), file)) if file else page
        if (html := shown.get(f"{here}#{fragment}")) and "headerlink" not in (
            link.get("class") or []
        ):
            tips[link["href"]] = html
    return tips


def write(app, exception):
    """Add its table to each page."""
    if exception or app.builder.format != "html":
        return
    root = Path(app.outdir)
    pages = sorted(str(p.relative_to(root)) for p in root.glob("book/**/*.html"))
    parsed = {}

    def soup(path):
        if path not in parsed:
            html = path.read_text(encoding="utf-8")
            start, end = html.find("<article"), html.rfind("</article>")
            parsed[path] = BeautifulSoup(html[start:end], "html.parser")
        return parsed[path]

    shown = targets(root, [p for p in pages if not p.startswith(INTERFACE)], soup)
    for page in pages:
        path = root / page
        html = path.read_text(encoding="utf-8")
        if 'id="sgd-tips"' in html or page.startswith(INTERFACE):
            continue
        if tips := table(page, soup(path), shown):
            text = json.dumps(tips, ensure_ascii=False, sort_keys=True).replace("</", r"<\/")
            html = re.sub("</body>", partial(_script, text), html, count=1)
            path.write_text(html, encoding="utf-8")


def _script(text, _):
    return SCRIPT.format(text)


def setup(app):
    """Register the extension."""
    app.add_js_file("tips.js", loading_method="defer")
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
