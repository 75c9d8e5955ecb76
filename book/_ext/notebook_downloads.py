"""Put the executed notebooks into the site, in plain Markdown, and link them from their chapters.

The theme's download button offers a chapter's Markdown only; readers want the notebook.
"""

from pathlib import Path

import nbformat
from docutils import nodes
from plain_notebook import page_texts, resolved
from pybtex.database import parse_file

FOLDER = "notebooks"


def notebook(app, docname: str) -> Path | None:
    """Return the executed notebook of a chapter, or None where there is none."""
    path = Path(app.srcdir) / "book" / "notebooks" / f"{Path(docname).name}.ipynb"
    return path if docname.startswith("book/chapters/") and path.exists() else None


def link(app, doctree, docname):
    """Write a line with the download below the chapter's title."""
    path = notebook(app, docname)
    title = next(doctree.findall(nodes.title), None)
    if path and title is not None:
        up = "../" * docname.count("/")
        html = (
            '<p class="sgd-download"><a class="reference download" download '
            f'href="{up}{FOLDER}/{path.name}">Download this chapter as a Jupyter notebook</a>'
            f" ({path.stat().st_size / 1e3:.0f} kB, with its results)</p>"
        )
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", html, format="html"))


def citation(bibliography, kind: str, keys: str) -> str:
    """Return works in words: "Mori et al. (2022)", or "(Mori et al., 2022)" for kind "p"."""
    works = []
    for key in keys.split(","):
        entry = bibliography.entries[key.strip()]
        names = [surname(person) for person in entry.persons["author"]]
        who = names[0] if len(names) == 1 else f"{names[0]} and {names[1]}"
        works.append((f"{names[0]} et al." if len(names) > 2 else who, entry.fields["year"]))
    if kind == "p":
        return f"({'; '.join(f'{who}, {year}' for who, year in works)})"
    return "; ".join(f"{who} ({year})" for who, year in works)


def surname(person) -> str:
    """Return the family name of an author of a bibliography, without TeX."""
    parts = person.rich_prelast_names + person.rich_last_names
    return " ".join(str(part) for part in parts)


def copy(app, exception):
    """Write the notebooks of all chapters beside the pages, in Markdown that Jupyter shows."""
    chapters = {d: notebook(app, d) for d in sorted(app.env.found_docs)}
    if exception or not any(chapters.values()):
        return
    root = Path(app.srcdir)
    bibliography = parse_file(str(root / app.config.bibtex_bibfiles[0]))
    for docname, path in chapters.items():
        page = Path(app.outdir) / f"{docname}.html"
        if path is None or not page.exists():
            continue
        plain = resolved(
            nbformat.read(path, 4),
            numbers=app.env.sgdescape_numbers,
            texts=page_texts(page.read_text(encoding="utf-8")),
            cite=lambda kind, keys: citation(bibliography, kind, keys),
            page=f"{docname}.html",
        )
        target = Path(app.outdir) / FOLDER / path.name
        target.parent.mkdir(exist_ok=True)
        nbformat.write(plain, target)


def button(app, pagename, templatename, context, doctree):
    """Offer the notebook in the theme's download button too."""
    if path := notebook(app, pagename):
        item = {
            "type": "link",
            "url": context["pathto"](f"{FOLDER}/{path.name}", 1),
            "text": ".ipynb",
            "icon": "fas fa-code",
            "tooltip": "Download the executed notebook",
            "label": "download-notebook-button",
        }
        for group in context.get("header_buttons", []):
            if group.get("label") == "download-buttons":
                group["buttons"].insert(0, item)


def setup(app):
    """Register the extension."""
    app.connect("doctree-resolved", link)
    app.connect("html-page-context", button, priority=600)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
