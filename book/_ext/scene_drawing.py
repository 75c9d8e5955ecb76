"""From matplotlib to the page: pictures as inline SVG in the colours of `scene.css`.

A still is drawn in marker colours, which become the style sheet's variables: the picture follows
the page from light to dark. Text stays text.
"""

import io
import re
from contextlib import contextmanager
from functools import cache

INKS = {  # variable of scene.css -> marker colour, of which matplotlib knows nothing else
    "ink": "#010101", "soft": "#020202", "rule": "#030303", "ground": "#040404", "hill": "#050505",
    "blue": "#060606", "red": "#070707", "green": "#080808", "violet": "#090909", "hero": "#0a0a0a",
}  # fmt: skip
INK, SOFT, RULE, GROUND, HILL, BLUE, RED, GREEN, VIOLET, HERO = INKS.values()
STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11, "legend.frameon": False,
    "text.color": INK, "axes.edgecolor": SOFT, "axes.labelcolor": INK, "xtick.color": SOFT,
    "ytick.color": SOFT, "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 2,
    "axes.grid": False, "figure.constrained_layout.use": True, "legend.fontsize": 10,
    "axes.titlesize": 11, "axes.titlelocation": "left",
}  # fmt: skip
STILLS, VALUES = {}, {}


def still(function):
    """Register `function(figure)` as the still of the scene of its name."""
    STILLS[function.__name__] = function
    return function


def given(function):
    """Register `function()` as the values of the scene of its name."""
    VALUES[function.__name__.removesuffix("_values")] = function
    return function


@contextmanager
def _drawing(name):
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(7.4, 3.1))
        yield figure


@cache
def svg(name: str) -> str:
    """Return the still of a scene as inline SVG in the page's colours."""
    with _drawing(name) as figure:
        STILLS[name](figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->\n?", "", text, flags=re.S)
    for ink, marker in INKS.items():
        text = text.replace(marker, f"var(--scene-{ink})")
    # names must be unique on the page, and a phone's reader wants no more digits than dots
    text = re.sub(r'(id="|#)([A-Za-z_])', rf"\1{name}-\2", text)
    text = re.sub(r"(\d+\.\d)\d+", r"\1", text)
    text = re.sub(r"\n\s*", "\n", text)
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1).strip()


@cache
def values(name: str):
    """Return what the script of a scene gets from the package, or None."""
    return VALUES[name]() if name in VALUES else None
