"""Colours of figures on the theme's two grounds.

A figure is drawn for white paper. Its ink and its paper become the theme's own variables and its
grid one of `figures.css`, which follow the page from light to dark; a colour that cannot be seen on
the dark page gets a lighter one of the same hue there, and every other colour stays.
"""

import base64
import io
import re

import numpy as np
from PIL import Image

ENOUGH = 3.0  # contrast of graphics, WCAG 1.4.11
DARK = (0x29, 0x31, 0x3D)  # the lighter of the dark theme's grounds: of boxes
NIGHT, CHALK = (0x12, 0x12, 0x12), (0xCE, 0xD6, 0xDD)  # its page and its text
EVEN = 6  # how far the parts of a grey may be apart
HEX = re.compile(r"#[0-9a-f]{6}")


def luminance(rgb) -> float:
    """Return the relative luminance of a colour of three numbers from 0 to 255."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
             for c in (value / 255 for value in rgb)]  # fmt: skip
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other) -> float:
    """Return the contrast of two colours, from 1 to 21.

    Example:
        >>> contrast((0, 0, 0), (255, 255, 255))
        21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themed(colour: str) -> tuple[str, str | None]:
    """Return a colour of a figure on the page, and on the dark page where it is another there.

    Example:
        >>> themed("#000000"), themed("#dddddd"), themed("#d55e00")
        (('var(--pst-color-text-base)', None), ('var(--sgd-grid)', None), ('#d55e00', None))
        >>> themed("#00224e")
        ('#00224e', '#697d97')
    """
    rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    if max(rgb) - min(rgb) <= EVEN:
        return _grey(colour, rgb[1])
    if contrast(rgb, DARK) >= ENOUGH:
        return colour, None
    return colour, lighter(rgb)


def _grey(colour, level):
    """Ink, grid and paper are the theme's; what lies between mirrors from paper to night."""
    if level <= 0x33:
        return "var(--pst-color-text-base)", None
    if level >= 0xF5:
        return "var(--pst-color-background)", None
    if level >= 0xCC:
        return "var(--sgd-grid)", None
    share = level / 255
    mirrored = tuple(
        round(chalk + share * (night - chalk)) for chalk, night in zip(CHALK, NIGHT, strict=True)
    )
    return colour, lighter(mirrored)


def lighter(rgb) -> str:
    """Return a colour with as little white in it as makes it visible on the dark page."""
    for share in range(101):
        found = [round(value + (255 - value) * share / 100) for value in rgb]
        if contrast(found, DARK) >= ENOUGH:
            break
    return "#" + "".join(f"{value:02x}" for value in found)


def is_ink(address: str) -> bool:
    """Return whether a picture inside a figure, a data address, holds ink alone: black and grey."""
    file = io.BytesIO(base64.b64decode(address.partition("base64,")[2]))
    pixels = np.asarray(Image.open(file).convert("RGBA")).astype(int)
    seen = pixels[pixels[..., 3] > 0][:, :3]
    return len(seen) > 0 and int(np.ptp(seen, axis=1).max()) <= EVEN


def rules(selector: str, style: dict[str, str]) -> str:
    """Return the CSS of one style on both pages.

    Example:
        >>> print(rules("#f .s0", {"stroke": "#00224e", "stroke-width": "2"}))
        #f .s0{stroke:#00224e;stroke-width:2}
        html[data-theme="dark"] #f .s0{stroke:#697d97}
    """
    light, dark = {}, {}
    for name, value in style.items():
        light[name] = value
        if HEX.fullmatch(value):
            light[name], other = themed(value)
            if other:
                dark[name] = other
    text = f"{selector}{{{_declared(light)}}}"
    return f'{text}\nhtml[data-theme="dark"] {selector}{{{_declared(dark)}}}' if dark else text


def _declared(style):
    return ";".join(f"{name}:{value}" for name, value in style.items())
