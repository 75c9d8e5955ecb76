"""Put the figures that cells draw into the pages: inline SVG in the page's colours, and their data.

While pages are executed the kernels make SVG (`sgdescape.core.page_figures`); a figure from a cache
that holds pictures stays a picture.
"""

import math
import os
import re
from html import escape
from pathlib import Path

from docutils import nodes
from figure_drawing import Drawing, drawing, letter_store

FOLDER = "figures"
READABLE = 8.0  # points: the smallest text on a phone
PIXELS = 4 / 3  # of the page in a point
INKS = {  # parted by a space of no width, or the search would know "blackwhite"
    day: f'<span class="sgd-day">{day}</span>\u200b<span class="sgd-night">{night}</span>'
    for day, night in (("black", "white"), ("Black", "White"))
}
INK = re.compile(r"\b([Bb]lack)\b")


def html(found: Drawing, alt: str, data: str) -> str:
    """Return a figure for the page.

    Args:
        found: the drawing.
        alt: what it shows, in words.
        data: address of its numbers.
    """
    whole = sum(found.widths)
    readable = READABLE * PIXELS / found.smallest  # pixels a point
    pieces = "".join(
        piece.replace(
            "<svg ",
            f'<svg style="flex:{width:.0f} 1 0;--least:{math.ceil(readable * width)}px" ',
            1,
        )
        for piece, width in zip(found.pieces, found.widths, strict=True)
    )
    pieces = pieces.replace(">", f"><style>{found.css}</style>", 1)
    return (
        f'<div class="sgd-figure" id="{found.name}-drawing">'
        f'<div class="sgd-figure__box" id="{found.name}" style="--whole:{whole * PIXELS:.0f}px" '
        f'role="img" aria-label="{escape(alt)}">{pieces}</div>'
        f'<p class="sgd-figure__tools"><a href="{data}" download>Its numbers (CSV)</a></p></div>'
    )


def name_inks(figure):
    """Let a caption call a figure's ink by its colour on the page: black, or white by night."""
    for text in [t for c in figure.findall(nodes.caption) for t in c.findall(nodes.Text)]:
        if len(parts := INK.split(text.astext())) > 1:
            inks = [nodes.raw("", INKS[p], format="html") if p in INKS else nodes.Text(p)
                    for p in parts]  # fmt: skip
            text.parent.replace(text, inks)


def place(app, doctree, docname):
    """Replace the SVG images of one document; write their numbers beside the pages."""
    if app.builder.format != "html":
        return
    letters, stem = {}, Path(docname).name
    for count, image in enumerate(list(doctree.findall(nodes.image)), start=1):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix != ".svg" or "jupyter_execute" not in path.parts:
            continue
        figure = image.parent if isinstance(image.parent, nodes.figure) else None
        label = (figure["ids"] or [None])[0] if figure is not None else None
        name = f"drawn-{label.removeprefix('fig-') if label else f'{stem}-{count}'}"
        found = drawing(path.read_text(encoding="utf-8"), name.replace("_", "-"))
        target = Path(app.outdir) / FOLDER / stem / f"{name.removeprefix('drawn-')}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(found.csv, encoding="utf-8")
        address = f"{'../' * docname.count('/')}{target.relative_to(app.outdir).as_posix()}"
        text = html(found, image.get("alt", ""), address)
        image.replace_self(nodes.raw("", text, format="html"))
        letters |= found.letters
        if figure is not None:
            name_inks(figure)
    if letters:
        doctree += nodes.raw("", letter_store(letters), format="html")


def setup(app):
    """Register the extension."""
    os.environ["SGDESCAPE_FIGURES"] = "svg"  # for the kernels; `cache_key` looks at it
    app.connect("doctree-resolved", place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
