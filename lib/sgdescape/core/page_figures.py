"""Figures as notebooks and the built pages show them; nothing of the page itself.

Notebooks keep PNG, which is small and alike on all machines. While the pages are built,
`SGDESCAPE_FIGURES=svg` makes each figure SVG instead, from which `book/_ext/figures.py` makes a
drawing in the page's own colours. What that needs to know of the figure stands in its metadata:
which panels stand beside each other, the smallest text, and the numbers as CSV.
"""

import csv
import io
import json
import os
from html import escape

import matplotlib
import numpy as np
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.contour import ContourSet
from matplotlib.patches import Polygon
from matplotlib.text import Text
from PIL import Image

from sgdescape.core.doors import door

__all__ = ["columns", "numbers", "png", "show", "smallest_text", "svg"]

MOST_POINTS = 5000  # of one artist as vectors: some 12 bytes each on the page
COLOURS = 128
COLUMNS = ("panel", "series", "x", "y", "low", "high")


def show() -> None:
    """Let the running notebook show figures as `png`, or as `svg` if the environment says so."""
    from IPython import get_ipython
    from matplotlib.figure import Figure
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats()  # none of its own
    pages = os.environ.get("SGDESCAPE_FIGURES") == "svg"
    kind, function = ("image/svg+xml", svg) if pages else ("image/png", png)
    get_ipython().display_formatter.formatters[kind].for_type(Figure, function)


@door
def png(figure) -> tuple[bytes, dict[str, int]]:
    """Return a figure as PNG of two dots a pixel, and its size in pixels.

    `COLOURS` are enough for lines and letters with soft edges, in a third of the bytes.

    Args:
        figure: of matplotlib.

    Example:
        >>> from matplotlib.figure import Figure
        >>> png(Figure(figsize=(2, 1), dpi=100))[1]
        {'width': 200, 'height': 100}
    """
    file, small = io.BytesIO(), io.BytesIO()
    figure.savefig(file, format="png", dpi=2 * figure.dpi)  # no cropping: that measures all again
    picture = Image.open(file).convert("RGB")
    palette = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS)
    palette.save(small, "png", optimize=True)
    width, height = picture.size
    return small.getvalue(), {"width": width // 2, "height": height // 2}


@door
def svg(figure) -> str:
    """Return a figure as SVG: letters as outlines, no background, the same bytes every time.

    Artists of more than `MOST_POINTS` points become pictures inside it.

    Args:
        figure: of matplotlib.

    Returns:
        The SVG. Its element `metadata` holds JSON: `columns`, `smallest` (text, in points) and
        `csv`.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure = Figure()
        >>> _ = figure.subplots().plot([1, 2], [3, 4])
        >>> svg(figure) == svg(figure)
        True
    """
    for artist in figure.findobj(lambda artist: artist.get_visible() and _points(artist)):
        artist.set_rasterized(_points(artist) > MOST_POINTS)
    for index, ax in enumerate(figure.axes):
        ax.set_gid(f"panel-{index}")
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "sgdescape"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    about = {
        "columns": columns(figure), "smallest": smallest_text(figure), "csv": numbers(figure)
    }  # fmt: skip
    head, mark, rest = file.getvalue().partition("<metadata>")
    _, end, rest = rest.partition("</metadata>")
    return head + mark + escape(json.dumps(about), quote=False) + end + rest


@door
def columns(figure) -> list[dict]:
    """Return the columns of panels that a vertical cut can part, from the left.

    Args:
        figure: of matplotlib, after it was drawn.

    Returns:
        For each column its `panels` (positions in `figure.axes`) and `left` and `right` as shares
        of the width; one column where something belongs to the whole figure.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure = Figure(layout="constrained")
        >>> _ = figure.subplots(1, 2)
        >>> figure.draw_without_rendering()
        >>> [column["panels"] for column in columns(figure)]
        [[0], [1]]
    """
    whole = [{"panels": list(range(len(figure.axes))), "left": 0.0, "right": 1.0}]
    if figure.texts or figure.legends or figure.lines or figure.images or figure.patches:
        return whole
    width, found = figure.bbox.width, []
    boxes = [(ax.get_tightbbox(), index) for index, ax in enumerate(figure.axes)]
    for box, index in sorted(((b.x0, b.x1), i) for b, i in boxes if b is not None):
        bar = figure.axes[index].get_label() == "<colorbar>"  # beside the panel that it explains
        if found and (bar or box[0] < found[-1]["right"]):
            found[-1]["panels"].append(index)
            found[-1]["right"] = max(found[-1]["right"], box[1])
        else:
            found.append({"panels": [index], "left": box[0], "right": box[1]})
    cuts = [
        (one["right"] + other["left"]) / 2 / width
        for one, other in zip(found, found[1:], strict=False)
    ]
    for column, left, right in zip(found, [0.0, *cuts], [*cuts, 1.0], strict=bool(found)):
        column.update(left=round(left, 4), right=round(right, 4))
    return found or whole


@door
def smallest_text(figure) -> float:
    """Return the size in points of the smallest text that a figure shows.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure = Figure()
        >>> _ = figure.text(0, 0, "small", size=7), figure.text(0, 0, " ", size=3)
        >>> smallest_text(figure)
        7.0
    """
    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    sizes = [float(text.get_fontsize()) for text in texts if text.get_text().strip()]
    return min(sizes, default=float(matplotlib.rcParams["font.size"]))


@door
def numbers(figure) -> str:
    """Return the numbers that a figure draws as CSV: lines, points with intervals, bands, bars.

    Lines that start with # name the axes. A series without a name in the legend has its kind and
    number; a row of a picture is a series. Bars stand at their left ends, with the last one's right
    end after them. Arrows and stream lines are left out.

    Args:
        figure: of matplotlib.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure = Figure()
        >>> ax = figure.subplots()
        >>> _ = ax.errorbar([1.0], [2.0], [[0.5], [0.25]], label="measured")
        >>> _ = ax.set(xlabel="time", ylabel="loss")
        >>> print(numbers(figure).strip())
        # panel 1: x is "time", y is "loss"
        panel,series,x,y,low,high
        1,measured,1,2,1.5,2.25
    """
    file = io.StringIO()
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    for number, ax in enumerate(panels, start=1):
        title = f', "{ax.get_title() or ax.get_title(loc="left")}"'
        file.write(f'# panel {number}: x is "{ax.get_xlabel()}", y is "{ax.get_ylabel()}"')
        file.write("\n" if title == ', ""' else f"{title}\n")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for number, ax in enumerate(panels, start=1):
        for series, rows in _series(ax):
            table.writerows([number, series, *map(_digits, row)] for row in rows)
    return file.getvalue()


def _digits(value):
    return "" if value is None else f"{value:.6g}"


def _points(artist) -> int:
    """How many points an artist draws, 0 for those that need no look."""
    if hasattr(artist, "get_xdata"):
        return len(artist.get_xdata(orig=False))
    return len(artist.get_offsets()) if isinstance(artist, PathCollection) else 0


def _series(ax):
    """Yield (name, rows of x, y, low, high) of what is drawn in one panel."""
    bars = [c for c in ax.containers if isinstance(c, ErrorbarContainer) and c.lines[0]]
    ends = {container.lines[0]: container for container in bars}
    caps = {cap for container in bars for cap in container.lines[1]}
    for k, drawn in enumerate([line for line in ax.lines if line not in caps], start=1):
        named = ends.get(drawn, drawn)
        yield _name(named, f"line {k}"), _line_rows(drawn, ends.get(drawn))
    for k, band in enumerate(ax.collections, start=1):
        if isinstance(band, ContourSet):
            for level, path in zip(band.levels, band.get_paths(), strict=False):
                yield f"contour at {level:.6g}", _plain(path.vertices)
        elif isinstance(band, PathCollection):
            yield _name(band, f"points {k}"), _plain(band.get_offsets())
        elif isinstance(band, PolyCollection) and len(band.get_paths()) == 1:
            yield _name(band, f"band {k}"), _plain(band.get_paths()[0].vertices)
    for k, bars in enumerate((c for c in ax.containers if isinstance(c, BarContainer)), start=1):
        ends = [(bar.get_x() + bar.get_width(), 0.0) for bar in bars][-1:]
        rows = [*((bar.get_x(), bar.get_height()) for bar in bars), *ends]
        # a histogram gives its name to the first bar
        name = next((_name(part, "") for part in (bars, *bars) if _name(part, "")), f"bars {k}")
        yield name, _plain(rows)
    for k, outline in enumerate((p for p in ax.patches if isinstance(p, Polygon)), start=1):
        yield _name(outline, f"outline {k}"), _plain(outline.get_xy())
    for image in ax.images:
        for row, values in enumerate(np.asarray(image.get_array()), start=1):
            yield f"row {row}", [(i, v, None, None) for i, v in enumerate(values.ravel(), 1)]


def _name(artist, otherwise):
    label = str(artist.get_label())
    return otherwise if not label or label.startswith("_") else label


def _plain(points):
    return [(x, y, None, None) for x, y in np.asarray(points, float)]


def _line_rows(line, container):
    """Rows of a line; across a panel (`axhline`) it has no x, from top to bottom no y."""
    x, y = (np.ravel(values) for values in line.get_data(orig=False))
    across = line.get_transform() == line.axes.get_yaxis_transform()
    upward = line.get_transform() == line.axes.get_xaxis_transform()
    ends = [(None, None)] * len(x)
    if container is not None and container.has_yerr:
        segments = container.lines[2][-1].get_segments()
        if len(segments) == len(x):
            ends = [(s[0, 1], s[-1, 1]) if len(s) else (None, None) for s in segments]
    return [
        (None if across else float(a), None if upward else float(b), *e)
        for a, b, e in zip(x, y, ends, strict=True)
    ]
