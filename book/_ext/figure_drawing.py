"""From a figure's SVG, as matplotlib writes it, to light inline SVG in the page's own colours.

Panels that a vertical cut can part become pieces of their own, which a narrow page puts below each
other. Styles become classes, letters go to one store a page, names are unique on the page, and
coordinates keep a hundredth of a point.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from xml.etree import ElementTree

from figure_colours import is_ink, rules
from figure_paths import dots, short, shorter_transform

XLINK = "{http://www.w3.org/1999/xlink}href"
LETTER = "scale(0.015625)"  # how matplotlib writes the outlines of letters
EMPTY = {"fill": "none"}
OWN = re.compile(r"[mpC][0-9a-f_]{6,}")  # names of markers; those of letters have a hyphen
REFERENCE = re.compile(r"url\(#([^)]+)\)")
INHERITED = {"stroke-linejoin": "round", "stroke-linecap": "butt"}  # matplotlib's own for all
FEW = 60  # dots of one cloud that are worth a path


@dataclass
class Drawing:
    """A figure for one page.

    Args:
        name: unique on the page; every name inside starts with it.
        pieces: SVG of each column of panels, from the left.
        widths: of the pieces in points.
        css: of its classes, for both of the theme's grounds.
        smallest: text in points.
        csv: the numbers that are drawn.
        letters: name -> outline of those that it uses.
    """

    name: str
    pieces: list[str]
    widths: list[float]
    css: str
    smallest: float
    csv: str
    letters: dict[str, str]


@dataclass
class _Workshop:
    """What is collected while a figure is walked through."""

    name: str
    classes: dict = field(default_factory=dict)  # style as text -> class
    letters: dict = field(default_factory=dict)
    markers: dict = field(default_factory=dict)  # name -> outline and style of a marker
    names: dict = field(default_factory=dict)  # of markers and clips, as the page has them

    def class_of(self, style: dict) -> str:
        text = ";".join(f"{name}:{value}" for name, value in style.items())
        return self.classes.setdefault(text, f"s{len(self.classes)}")

    def own(self, name: str) -> str:
        return self.names.setdefault(name, f"{self.name}-{len(self.names)}")

    def clip(self, text: str) -> str:
        return REFERENCE.sub(lambda found: f"url(#{self.own(found[1])})", text)


def drawing(svg: str, name: str) -> Drawing:
    """Return what a page needs of a figure.

    Args:
        svg: of `sgdescape.core.page_figures.svg`.
        name: of the figure, unique on its page.
    """
    root = ElementTree.fromstring(svg)
    about = json.loads(next(e for e in root if _tag(e) == "metadata").text)
    width, height = (float(value) for value in root.get("viewBox").split()[2:])
    shop = _Workshop(name)
    panels, rest = _panels(root)
    pieces, widths = [], []
    for index, column in enumerate(about["columns"]):
        inside = [panels.pop(p) for p in column["panels"] if p in panels]
        if index == 0:
            before, after = rest
            inside = [*before, *inside, *after]
        left, right = column["left"] * width, column["right"] * width
        box = f"{short(left)} 0 {short(right - left)} {short(height)}"
        body = "".join(text for element in inside for text in _written(element, shop))
        pieces.append(f'<svg viewBox="{box}" aria-hidden="true" focusable="false">{body}</svg>')
        widths.append(right - left)
    css = [rules(f"#{name} svg", {"fill": "#000000"} | INHERITED)]
    for text, word in shop.classes.items():
        style = dict(part.split(":", 1) for part in text.split(";"))
        css.append(rules(f"#{name} .{word}", style))
    return Drawing(
        name, pieces, widths, "\n".join(css), about["smallest"], about["csv"], shop.letters
    )


def letter_store(letters: dict[str, str]) -> str:
    """Return the outlines of all letters of a page, which no reader sees here."""
    paths = "".join(
        f'<path id="{name}" d="{path}" transform="scale(.015625)"/>'
        for name, path in sorted(letters.items())
    )
    return (
        '<svg class="sgd-letters" width="0" height="0" aria-hidden="true" focusable="false">'
        f"<defs>{paths}</defs></svg>"
    )


def _panels(root) -> tuple[dict, tuple[list, list]]:
    """Panels by their position in the figure; what stands before and after the first of them."""
    panels, before, after = {}, [], []
    figure = next(e for e in root if e.get("id", "").startswith("figure"))
    others = [e for e in root if e is not figure and _tag(e) == "defs"]
    for element in [*figure, *others]:
        found = re.fullmatch(r"panel-(\d+)", element.get("id", ""))
        if found:
            panels[int(found[1])] = element
        else:
            (after if panels else before).append(element)
    return panels, (before, after)


def _written(element, shop: _Workshop) -> Iterator[str]:
    """The markup of an element and all inside it; nothing for what cannot be seen."""
    tag = _tag(element)
    if tag in ("metadata", "style", "title"):
        return
    style = _style(element)
    if tag == "path" and element.get("transform") == LETTER:
        shop.letters[_letter(element.get("id"))] = short(element.get("d", ""), digits=0)
        return
    if tag == "path" and style == EMPTY and not element.get("id"):
        return
    if tag == "path" and element.get("id"):
        shop.markers[element.get("id")] = element.get("d"), style
    if tag == "g" and (cloud := _cloud(element, shop)):
        yield cloud
        return
    inside = "".join(text for child in element for text in _written(child, shop))
    if tag in ("g", "defs", "clipPath") and not inside:
        return
    attributes = _attributes(element, style, shop)
    if tag == "g" and not attributes:
        yield inside
    else:
        yield f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _attributes(element, style, shop) -> str:
    """The attributes of an element as the page has them."""
    found = {}
    for name, value in element.attrib.items():
        if name == XLINK or name == "href":
            target = value.removeprefix("#")
            if value.startswith("data:"):
                found |= {"href": value} | ({"class": "ink"} if is_ink(value) else {})
            else:
                own = OWN.fullmatch(target) is not None
                found["href"] = "#" + (shop.own(target) if own else _letter(target))
        elif name == "id":
            if _tag(element) in ("path", "clipPath"):
                found["id"] = shop.own(value)
        elif name == "transform":
            found |= shorter_transform(value, plain=_tag(element) == "use")
        elif name == "d":
            found["d"] = short(value)
        elif name in ("x", "y", "width", "height"):
            found[name] = short(value)
        elif name == "clip-path":
            found[name] = shop.clip(value)
        elif name != "style":
            found[name] = value
    if style:
        found["class"] = shop.class_of(style)
    return "".join(f' {name}="{escape(str(value))}"' for name, value in found.items())


def _cloud(group, shop) -> str | None:
    """Many equal round dots as one path whose strokes are the dots: a tenth of the bytes."""
    uses = [e for e in group if _tag(e) == "use"]
    if len(uses) < FEW or len(uses) < len(group):
        return None
    marker = shop.markers.get(uses[0].get(XLINK, "").removeprefix("#"))
    if marker is None or len({(u.get(XLINK), u.get("style")) for u in uses}) > 1:
        return None
    outline, style = marker[0], _style(uses[0]) | marker[1]
    found = dots(outline, style, [(u.get("x"), u.get("y")) for u in uses])
    if found is None:
        return None
    path, style = found
    clip = shop.clip(group.get("clip-path", ""))
    clip = f' clip-path="{clip}"' if clip else ""
    return f'<path d="{path}" class="{shop.class_of(style)}"{clip}/>'


def _style(element) -> dict:
    """The style of an element, without what the whole drawing has anyway."""
    parts = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    style = {name.strip(): value.strip() for name, value in parts}
    return {name: value for name, value in style.items() if INHERITED.get(name) != value}


def _letter(name):
    return name.replace("DejaVuSans", "letter")


def _tag(element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
