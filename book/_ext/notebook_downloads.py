"""Put the executed notebooks into the site and link them from their chapters.

The theme's download button offers a chapter's Markdown only; readers want the notebook.
"""

import shutil
from pathlib import Path

from docutils import nodes

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


def copy(app, exception):
    """Copy the notebooks of all chapters beside the pages."""
    target = Path(app.outdir) / FOLDER
    for docname in [] if exception else sorted(app.env.found_docs):
        if path := notebook(app, docname):
            target.mkdir(exist_ok=True)
            shutil.copyfile(path, target / path.name)


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
