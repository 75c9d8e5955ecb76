"""A claim drawn: a small forest plot as SVG, with texts (a card) or without (a row of a list).

A card holds two drawings, of which the style sheet shows the one that fits. Each is fluid: places
on the axis are shares of the width, texts keep their size, and what does not touch at the
narrowest width of a drawing does not touch at any larger one.
"""

from dataclasses import dataclass, field
from html import escape

from claim_axis import Axis, resolved, scene, tolerated
from claim_labels import beside, interval, number, places, width, wrapped
from claim_math import as_unicode

WIDTHS = {"narrow": 250, "wide": 520}
"""The narrowest width in pixels of each drawing of a card."""

TEXT, SMALL = 12, 11  # pixels
STRIP = 168


@dataclass
class Drawing:
    """Marks gathered from back to front; places are pixels at the narrowest width."""

    room: int
    marks: list = field(default_factory=list)

    def share(self, x: float) -> str:
        """Return a place as a share of the width."""
        return f"{100 * x / self.room:.2f}%"

    def at(self, x: float, y: float, inner: str) -> None:
        """Add what keeps its size, at a place."""
        self.marks.append(f'<svg x="{self.share(x)}" y="{y:g}">{inner}</svg>')

    def line(self, x0: float, y0: float, x1: float, y1: float, kind: str) -> None:
        """Add a line that grows with the width."""
        ends = f'x1="{self.share(x0)}" y1="{y0:g}" x2="{self.share(x1)}" y2="{y1:g}"'
        self.marks.append(f'<line class="{kind}" {ends}/>')

    def band(self, x0: float, y0: float, x1: float, high: float, kind: str) -> None:
        """Add a rectangle that grows with the width."""
        size = f'width="{self.share(max(x1 - x0, 1))}" height="{high:g}"'
        self.marks.append(f'<rect class="{kind}" x="{self.share(x0)}" y="{y0:g}" {size}/>')

    def text(self, x: float, y: float, ends: tuple, words: str, kind: str) -> None:
        """Add a line of text that fills the given ends, tied to the place x."""
        left, right = ends
        side = (left + right) / 2 - x
        anchor, offset = "middle", side
        if left >= x:
            anchor, offset = "start", left - x
        elif right <= x:
            anchor, offset = "end", right - x
        words = f'<text class="{kind}" x="{offset:.1f}" text-anchor="{anchor}">{words}</text>'
        self.at(x, y, words)


@dataclass(frozen=True)
class Place:
    """An axis between two margins, in pixels."""

    axis: Axis
    left: float
    right: float

    def __call__(self, value: float) -> float:
        """Return the place of a value, at a margin where it is off the axis."""
        return self.left + min(max(self.axis(value), 0.0), 1.0) * (self.right - self.left)


def card(claim: dict, name: str) -> str:
    """Return one drawing of a card.

    Args:
        claim: record of a claim with a measurement and rivals.
        name: key of `WIDTHS`.
    """
    room = WIDTHS[name]
    found = scene(claim)
    drawing = Drawing(room)
    left, right = (24 if side in found.off else 10 for side in (-1, 1))
    base = Place(found.axis, left, room - right)
    near = Place(found.lens, 10, room - 10) if found.lens else base
    bottom = _measurement(drawing, claim, near)
    if found.lens:
        _numbers(drawing, near, bottom, ())
        bottom = _magnified(drawing, claim, found, base, bottom)
    height = _rivals(drawing, claim, found, base, bottom)
    return (
        f'<svg class="sgd-plot sgd-plot--{name}" width="100%" height="{height:g}" '
        f'aria-hidden="true">{"".join(drawing.marks)}</svg>'
    )


def strip(claim: dict) -> str:
    """Return the picture of a list: prediction, interval and rivals on one axis, no texts."""
    found = scene(claim)
    axis = found.lens or found.axis
    drawing = Drawing(STRIP)
    place = Place(axis, 9, STRIP - 9)
    _bands(drawing, claim, place, 3, 18)
    drawing.line(9, 21, STRIP - 9, 21, "axis")
    _bar(drawing, claim, place, 12, 4)
    drawing.line(place(claim["predicted"]), 3, place(claim["predicted"]), 21, "prediction")
    for rival in claim["rivals"]:
        side = 0 if axis.holds(rival["value"]) else -1 if axis(rival["value"]) < 0 else 1
        x = {0: place(rival["value"]), -1: 2.5, 1: STRIP - 2.5}[side]
        drawing.at(x, 21, _rival_mark(side, 3.4, rival["rejected"]))
    marks = "".join(drawing.marks)
    return f'<svg class="sgd-plot" width="{STRIP}" height="27" aria-hidden="true">{marks}</svg>'


def words(claim: dict) -> str:
    """Return the picture in one or two sentences."""
    value, low, high = interval(claim["measured"])
    predicted = claim["predicted"]
    ends = claim["measured"]["low"], claim["measured"]["high"]
    where = "inside" if ends[0] <= predicted <= ends[1] else "outside"
    unit = f" {claim['unit']}" if claim.get("unit") else ""
    text = f"Measured {value}{unit}, interval from {low} to {high}. "
    text += f"Predicted {number(predicted)}, {where} the interval."
    for title, rejected in (("Rejected", True), ("Not rejected", False)):
        names = [
            f"{as_unicode(rival['name'])} at {number(rival['value'])}"
            for rival in claim["rivals"]
            if rival["rejected"] == rejected
        ]
        text += f" {title}: {'; '.join(names)}." if names else ""
    return text


def _measurement(drawing, claim, place):
    """Draw prediction and interval with their numbers; return the height of their axis."""
    room, predicted = drawing.room, place(claim["predicted"])
    low, high = place(claim["measured"]["low"]), place(claim["measured"]["high"])
    value, *ends = interval(claim["measured"])
    unit = f" {claim['unit']}" if claim.get("unit") else ""
    label = f"measured {value} [{ends[0]}, {ends[1]}]{unit}"
    lines = [label] if _bold(label) <= room else [f"measured {value}", f"[{ends[0]}, {ends[1]}]"]
    wide = max(_bold(line) for line in lines)
    spots = [(high, beside(high + 3, wide, 1, room)), (low, beside(low - 3, wide, -1, room))]
    if predicted > high:
        spots.reverse()
    free = [
        (x, (a, b)) for x, (a, b) in spots
        if a >= 0 and b <= room and not a - 5 < predicted < b + 5 and len(lines) == 1
    ]  # fmt: skip
    above = 0 if free else 15 * len(lines)
    top, bar, axis = above + 17, above + 30, above + 45
    _bands(drawing, claim, place, top, axis - top)
    drawing.line(place.left, axis, place.right, axis, "axis")
    name = f"predicted {number(claim['predicted'])}"
    drawing.text(predicted, above + 12, beside(predicted, width(name, TEXT), 0, room), name, "name")
    _bar(drawing, claim, place, bar, 4.5)
    drawing.line(predicted, top, predicted, axis, "prediction")
    if free:
        drawing.text(free[0][0], bar + 4, free[0][1], label, "value")
    for i, line in enumerate([] if free else lines):
        x = (low + high) / 2
        drawing.text(x, 12 + 15 * i, beside(x, _bold(line), 0, room), line, "value")
    return axis


def _bold(text):
    """Width of a text in the bold letters of what was measured."""
    return 1.12 * width(text, TEXT)


def _bar(drawing, claim, place, y, radius):
    """Draw the interval and the measured value."""
    low, high, value = (place(claim["measured"][key]) for key in ("low", "high", "value"))
    if high - low > 2 * radius:
        drawing.line(low, y, high, y, "bar")
        for x in (low, high):
            drawing.line(x, y - radius, x, y + radius, "end")
    drawing.at(value, y, f'<circle class="dot" r="{radius}"/>')


def _bands(drawing, claim, place, top, high):
    """Draw the range that confirms and the tolerated one, where the axis shows an end of them."""
    for (low, end), kind in ((resolved(claim), "resolution"), (tolerated(claim), "tolerance")):
        if low < end and (place.axis.holds(low) or place.axis.holds(end)):
            drawing.band(place(low), top, place(end), high, kind)


def _numbers(drawing, place, y, poles):
    """Draw ticks and the numbers that touch neither each other nor a pole."""
    taken = [(pole, 3.0) for pole in poles]
    for value in place.axis.ticks(max(3, int((place.right - place.left) / 66))):
        x, half = place(value), width(number(value, 6), SMALL) / 2
        drawing.line(x, y, x, y + 4, "tick")
        inside = x - half >= 0 and x + half <= drawing.room
        if inside and all(abs(x - other) > half + size + 4 for other, size in taken):
            taken.append((x, half))
            drawing.text(x, y + 16, (x - half, x + half), number(value, 6), "number")


def _magnified(drawing, claim, found, base, top):
    """Draw the whole axis below the magnified one; return its height."""
    y = top + 56
    low, high = base(found.core[0]), base(found.core[1])
    middle = (low + high) / 2
    low, high = min(low, middle - 2), max(high, middle + 2)
    _bands(drawing, claim | {"tolerance": 0}, base, y - 6, 12)
    drawing.line(low, y - 6, 10, top + 21, "wedge")
    drawing.line(high, y - 6, drawing.room - 10, top + 21, "wedge")
    drawing.band(low, y - 5, high, 10, "core")
    span = found.axis(found.core[1]) - found.axis(found.core[0])
    shown = found.lens(found.core[1]) - found.lens(found.core[0])
    times = f"{number(shown / span, 2)} times larger"
    half = width(times, SMALL) / 2
    x = 0.6 * drawing.room / 2 + 0.4 * middle  # inside the wedge, at the height of the text
    drawing.text(x, top + 35, (x - half, x + half), times, "number")
    drawing.line(base.left, y, base.right, y, "axis")
    return y


def _rivals(drawing, claim, found, base, y):
    """Draw the rivals on the axis and their flags below; return the height of the picture."""
    room = drawing.room
    edge = {-1: 3.0, 1: room - 3.0}
    xs = [
        edge[side] if side else base(rival["value"])
        for rival, side in zip(claim["rivals"], found.off, strict=True)
    ]
    for side in (-1, 1):
        if side in found.off:
            drawing.line(edge[side] - 6 * side, y, base.right if side > 0 else base.left, y, "gap")
    poles = [x - 4 * side for x, side in zip(xs, found.off, strict=True)]
    flags, where = _flags(claim["rivals"], poles, room)
    _numbers(drawing, base, y, poles)
    rows = 0
    for rival, x, side, pole, flag, (row, turn) in zip(
        claim["rivals"], xs, found.off, poles, flags, where, strict=True
    ):
        kind = "" if rival["rejected"] else " undecided"
        below = y + 35 + 16 * row
        foot = f"V{below - y - 4} h{4 * turn}" if abs(turn) == 1 else f"V{below - y - 12}"
        drawing.at(pole, y, f'<path class="pole{kind}" d="M0,6 {foot}"/>')
        drawing.at(x, y, _rival_mark(side, 4.5, rival["rejected"]))
        ends = beside(pole, flag[1], turn, room)
        for i, line in enumerate(flag[0]):
            drawing.text(pole, below + 16 * i, ends, line, f"rival{kind}")
        rows = max(rows, row + flag[2])
    return y + 35 + 16 * (rows - 1) + 7


def _flags(rivals, poles, room):
    """Flags and their places, the texts wrapped to less where there is no room otherwise."""
    for part in (0.9, 0.7, 0.5, 0.4):
        flags = [_flag(rival, part * room) for rival in rivals]
        try:
            return flags, places([(x, *f[1:]) for x, f in zip(poles, flags, strict=True)], room)
        except ValueError:
            continue
    raise ValueError(f"no room for {rivals}")


def _flag(rival, room):
    """Lines of a rival's flag as HTML, their width, and how many they are."""
    value = number(rival["value"])
    end = "" if rival["rejected"] else ", not rejected"
    lines = wrapped(f"{as_unicode(rival['name'])}\u00a0{value}{end}", TEXT, room)
    wide = max(width(line, TEXT) for line in lines) + 3
    marked = [
        escape(line, quote=False).replace(
            f"\u00a0{value}", f' <tspan class="amount">{value}</tspan>'
        )
        for line in lines
    ]
    return marked, wide, len(lines)


def _rival_mark(side, size, rejected):
    """A diamond on the axis, an arrow at its edge; hollow if the data do not reject it."""
    shape = f"M0,{-size} L{size},0 L0,{size} L{-size},0 Z"
    if side:
        shape = f"M{2 * side},0 l{-1.7 * side * size:.1f},{-size} v{2 * size} Z"
    return f'<path class="rival-mark{"" if rejected else " undecided"}" d="{shape}"/>'
