"""Paths and transforms of SVG in fewer bytes, to a hundredth of a point."""

import re

TOKEN = re.compile(r"[MLHVCQZz]|-?\d+\.?\d*(?:e-?\d+)?")
SIZE = {"M": 2, "L": 2, "Q": 4, "C": 6}
NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"
SHIFT = re.compile(rf"translate\({NUMBER}[ ,]+{NUMBER}\)")


def digits_of(value: float, digits: int = 2) -> str:
    """Return a number as SVG reads it, without what can be left out.

    Example:
        >>> digits_of(0.504), digits_of(-0.001), digits_of(12.0)
        ('.5', '0', '12')
    """
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    text = re.sub(r"^(-?)0\.", r"\1.", text)
    return "0" if text in ("-0", "-", "") else text


def short(value, digits: int = 2) -> str:
    """Return a number, or a path of absolute M, L, Q, C and Z in relative steps.

    Rounding does not add up along a path.

    Example:
        >>> short("M 10 20 L 10.004 30.5 L 12 30.5 z")
        'M10 20v10.5h2z'
    """
    if isinstance(value, int | float) or re.fullmatch(NUMBER, value):
        return digits_of(float(value), digits)
    return "".join(_commands(TOKEN.findall(value), digits))


def _commands(tokens, digits):
    """Yield a path's commands; `here` is what a reader of the rounded path arrives at."""
    here = start = (0.0, 0.0)
    command, position, last = "", 0, ""
    while position < len(tokens):
        if tokens[position].isalpha():
            command = tokens[position].upper()
            position += 1
        if command == "Z":
            here = start
            last = "z"
            yield "z"
            continue
        values = [float(token) for token in tokens[position : position + SIZE[command]]]
        position += SIZE[command]
        ends = list(zip(values[::2], values[1::2], strict=True))
        if command == "M":
            here = start = tuple(round(c, digits) for c in ends[0])
            text, last = "M" + _joined([digits_of(c, digits) for c in here]), "M"
        else:
            steps = [round(end[i] - here[i], digits) for end in ends for i in (0, 1)]
            here = tuple(h + s for h, s in zip(here, steps[-2:], strict=True))
            text, last = _step(command, steps, last, digits)
        yield text
        if command == "M":
            command = "L"  # what follows a move without a letter


def _step(command, steps, last, digits):
    """One relative command, its letter left out where it repeats."""
    word = command.lower()
    if word == "l" and steps[0] == 0:
        word, steps = "v", steps[1:]
    elif word == "l" and steps[1] == 0:
        word, steps = "h", steps[:1]
    numbers = _joined([digits_of(s, digits) for s in steps])
    if word != last:
        return word + numbers, word
    return numbers if numbers.startswith("-") else f" {numbers}", word


def _joined(numbers):
    """Numbers with a blank only where nothing else parts them."""
    text = numbers[0]
    for before, number in zip(numbers, numbers[1:], strict=False):
        apart = number[0] == "-" or number[0] == "." and "." in before
        text += number if apart else f" {number}"
    return text


def shorter_transform(value: str, *, plain: bool) -> dict[str, str]:
    """Return the attributes of a transform; of a `use` that is only moved, x and y.

    Example:
        >>> shorter_transform("translate(63.62305 0.78125)", plain=True)
        {'x': '63.62', 'y': '.78'}
        >>> shorter_transform("translate(1.005 2) scale(0.09 -0.09)", plain=False)
        {'transform': 'translate(1 2) scale(0.09 -0.09)'}
    """
    moved = SHIFT.fullmatch(value.strip())
    if plain and moved:
        found = {"x": short(moved[1]), "y": short(moved[2])}
        return {name: number for name, number in found.items() if number != "0"}
    text = SHIFT.sub(lambda m: f"translate({short(m[1])} {short(m[2])})", value.strip())
    return {"transform": text}


def dots(outline: str, style: dict, places: list) -> tuple[str, dict] | None:
    """Return many equal filled circles as one path and its style, or None for other markers.

    Args:
        outline: path of the marker.
        style: of each of them.
        places: x and y of each.
    """
    numbers = [float(n) for n in TOKEN.findall(outline) if not n.isalpha()]
    round_one = outline.count("C") == 8 and "L" not in outline
    colour, edge = style.get("fill", "#000000"), style.get("stroke", "none")
    clear = {"opacity", "fill-opacity", "stroke-opacity"} & set(style)  # darker where they overlap
    if not round_one or clear or colour == "none" or edge not in ("none", colour):
        return None
    width = 2 * max(map(abs, numbers))
    width += float(style.get("stroke-width", 1)) if edge != "none" else 0
    new = {"fill": "none", "stroke": colour, "stroke-width": digits_of(width)}
    new["stroke-linecap"] = "round"
    points = dict.fromkeys((round(float(x), 1), round(float(y), 1)) for x, y in places)
    path = short(" ".join(f"M {x} {y} L {x} {y}" for x, y in points), digits=1)
    return path, new
