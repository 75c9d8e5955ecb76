"""Interactive figures: a slider exchanges one curve of a drawing that is complete without scripts.

The curves are computed in Python and travel in the page as JSON; `book/_static/explorer.js` only
swaps them. A reader without scripts, or on paper, sees the curve of the slider's first position.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from sgdescape.core.doors import door

__all__ = ["Axes", "explorer_html"]

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = (
    56,
    110,
    14,
    44,
)  # margins; the labels of the reference curves stand right


@dataclass(frozen=True)
class Axes:
    """The frame of an explorer.

    Args:
        x: (n,) positions of every curve, increasing.
        height: largest value drawn; smallest is 0.
        x_label: with its symbol.
        y_label: with its unit.
        title: the drawing in one sentence, for readers who cannot see it.
    """

    x: Sequence[float]
    height: float
    x_label: str
    y_label: str
    title: str


@door
def explorer_html(
    axes: Axes,
    curves: Mapping[float, Sequence[float]],
    *,
    slider: str,
    start: float,
    readings: Mapping[float, str],
    references: Mapping[str, Sequence[float]],
) -> str:
    """Return the HTML of a drawing whose moving curve follows a slider.

    Args:
        axes: the frame.
        curves: slider value -> (n,) values of the moving curve.
        slider: what the slider moves, for its label.
        start: the slider's first position, a key of ``curves``.
        readings: slider value -> one sentence that says what the curve shows.
        references: label -> (n,) values of a fixed curve.

    Returns:
        An HTML fragment.

    Raises:
        ValueError: if ``start`` or a reading is missing, or a curve has not the length of ``x``.
    """
    values = list(curves)
    if start not in curves or set(readings) != set(curves):
        raise ValueError(f"start and readings must be among the curves {values}: got start={start}")
    for name, curve in [*curves.items(), *references.items()]:
        if len(curve) != len(axes.x):
            raise ValueError(f"curve {name} must have {len(axes.x)} values: got {len(curve)}")
    record = [
        {"value": f"{v:g}", "points": _points(axes, curves[v]), "reading": readings[v]}
        for v in values
    ]
    fixed = "".join(
        f'<polyline class="reference" points="{_points(axes, curve)}"/>'
        f'<text x="{WIDTH - RIGHT + 6}" y="{_y(axes, curve[-1]) + 4:.0f}">{escape(label)}</text>'
        for label, curve in references.items()
    )
    return f"""<div class="sgd-explorer">
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(axes.title)}">
<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>{_ticks(axes)}{fixed}
<polyline class="moving" points="{_points(axes, curves[start])}"/></svg>
<label>{escape(slider)} <input type="range" min="0" max="{len(values) - 1}" step="1"
 value="{values.index(start)}" aria-valuetext="{start:g}"></label>
<p role="status">{escape(readings[start])}</p>
<script type="application/json">{_inert(json.dumps(record))}</script></div>"""


def _inert(text):
    """JSON that ends no script element, whatever its texts hold; the values stay the same."""
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def _x(axes, value):
    low, high = axes.x[0], axes.x[-1]
    return LEFT + (np.asarray(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(axes, value):
    return HEIGHT - BOTTOM - np.asarray(value) / axes.height * (HEIGHT - TOP - BOTTOM)


def _points(axes, curve):
    return " ".join(
        f"{x:.1f},{y:.1f}" for x, y in zip(_x(axes, axes.x), _y(axes, curve), strict=True)
    )


def _ticks(axes):
    base, middle = HEIGHT - BOTTOM, (LEFT + WIDTH - RIGHT) / 2
    along = range(int(np.ceil(axes.x[0])), int(axes.x[-1]) + 1)
    up = range(int(axes.height) + 1)
    return (
        "".join(
            f'<text x="{_x(axes, v):.0f}" y="{base + 18}" text-anchor="middle">{v}</text>'
            for v in along
        )
        + "".join(
            f'<text x="{LEFT - 8}" y="{_y(axes, v) + 4:.0f}" text-anchor="end">{v}</text>'
            for v in up
        )
        + f'<text x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(axes.x_label)}</text>"
        + f'<text transform="rotate(-90)" x="{-(base + TOP) / 2:.0f}" y="16" text-anchor="middle">'
        f"{escape(axes.y_label)}</text>"
    )
