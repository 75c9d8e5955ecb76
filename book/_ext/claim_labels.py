"""Texts of a claim's picture: digits, widths, and places where no two of them touch.

Widths are those of DejaVu Sans, the widest of the usual fonts: what fits there fits everywhere.
"""

import math

RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WIDTHS = {  # hundredths of the font size -> characters
    28: "ijlI'J", 34: " .,·|!:;/\\", 41: "()[]rtf-\"²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉ⁿⁱˢᵗᶜᵀ⁽⁾ᵢⱼₙₛₜ",
    53: "?s_*⁻z‖ᵏᵖₑₖₚₓ₊⁺ℓ",
    59: "cvxykLFεγλκ", 64: "abdeghnopquE0123456789PTYαβδημθρσπτφψξ",
    70: "ABCKRSVXZΔΣ√∝Λ∇", 79: "UDGHNOQwΘ", 84: "#<>=+^~−×≥≤≈→±∞ω⟨⟩",
}  # fmt: skip
_WIDTH = {character: size / 100 for size, text in _WIDTHS.items() for character in text}
GAP = 9  # between two texts of one row


def number(value: float, digits: int = 4) -> str:
    """Return a number with a real minus and powers of ten.

    Example:
        >>> number(-0.25), number(66610.0), number(6.661e5), number(1e-5)
        ('−0.25', '66610', '6.661 × 10⁵', '10⁻⁵')
    """
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-3 <= abs(value) < 1e5:
        text = f"{float(text):.0f}"
    base, _, power = text.partition("e")
    base = base.replace("-", "−")
    if not power:
        return base
    raised = "10" + str(int(power)).translate(RAISED)
    return {"1": raised, "−1": f"−{raised}"}.get(base, f"{base} × {raised}")


def interval(measured: dict, most: int = 7) -> tuple:
    """Return value, low and high as texts, in two digits of the interval's half-width.

    Example:
        >>> interval({"value": 102.21, "low": 97.28, "high": 107.63})
        ('102.2', '97.3', '107.6')
    """
    values = [measured[key] for key in ("value", "low", "high")]
    half, largest = (values[2] - values[1]) / 2, max(map(abs, values))
    if not 1e-4 <= largest < 1e6 or half < 1e-9 * largest:
        return tuple(number(value) for value in values)
    places = min(max(1 - math.floor(math.log10(half)), 0), most)
    return tuple(f"{round(v, places) + 0.0:.{places}f}".replace("-", "−") for v in values)


def width(text: str, size: float) -> float:
    """Return the width of a text in pixels, rather too much than too little."""
    return size * sum(_WIDTH.get(character, 1.0) for character in text) + 1


def wrapped(text: str, size: float, room: float) -> list:
    """Return a text as lines that fit a width, if its words do."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


TRIES = 4000  # for each number of rows
SIDES = (1, -1, 0, 2, -2)


def beside(x: float, wide: float, side: int, room: float) -> tuple:
    """Return the ends of a text near a place.

    Args:
        x: the place.
        wide: width of the text.
        side: 1 right of it, -1 left of it, 0 around it but inside the picture, 2 or -2 flush with
            the right or left edge of the picture.
        room: width of the picture.
    """
    if side in (1, -1):
        return (x + 6, x + 6 + wide) if side > 0 else (x - 6 - wide, x - 6)
    if side:
        return (room - wide, room) if side > 0 else (0.0, wide)
    low = min(max(x - wide / 2, 0.0), max(room - wide, 0.0))
    return low, low + wide


def places(flags: list, room: float) -> list:
    """Return (row, side) of each flag so that no texts touch and no pole crosses a text.

    The side is that of `beside`; beyond 1 and -1 the text stands below its pole.

    A pole goes down from the axis to its flag's first row; the fewest rows are found by trying.

    Args:
        flags: (x of the pole, width of the text, number of its lines).
        room: width of the picture.

    Raises:
        ValueError: if there is no such arrangement: wrap the texts to less.

    Example:
        >>> places([(20, 80, 1), (60, 80, 1), (280, 80, 1)], 300)
        [(1, 1), (0, 1), (0, -1)]
    """
    for rows in range(1, sum(flag[2] for flag in flags) + 1):
        found = _placed(flags, room, rows, [], iter(range(TRIES)))
        if found is not None:
            return found
    raise ValueError(f"no room for {flags} in {room}")


def _placed(flags, room, rows, done, tries):
    """The first arrangement in a number of rows that continues what is done, or None."""
    if len(done) == len(flags):
        return done
    new = flags[len(done)]
    for row in range(rows - new[2] + 1):
        for side in SIDES:
            low, high = beside(new[0], new[1], side, room)
            if low < 0 or high > room or (abs(side) > 1 and not low < new[0] < high):
                continue
            if next(tries, None) is None:
                return None
            placed = (row, side)
            if any(_clash(new, placed, flags[i], other, room) for i, other in enumerate(done)):
                continue
            found = _placed(flags, room, rows, [*done, placed], tries)
            if found is not None:
                return found
    return None


def _clash(one, at, other, there, room):
    """Whether two flags touch: text and text, or the pole of one and the text of the other."""
    a, b = beside(*one[:2], at[1], room), beside(*other[:2], there[1], room)
    together = at[0] < there[0] + other[2] and there[0] < at[0] + one[2]
    if together and a[0] < b[1] + GAP and b[0] < a[1] + GAP:
        return True
    return _crosses(one[0], at, b, there) or _crosses(other[0], there, a, at)


def _crosses(x, own, text, place):
    """Whether a pole at x, down to its own row, meets a text."""
    return place[0] < own[0] + (abs(own[1]) == 1) and text[0] - 4 < x < text[1] + 4
