"""The HTML of what a paper says against what became of it: a matrix, and one entry a statement.

A statement's reading (``now``) names claims of this book, or else public functions (``fn:``) and
labels (``lab:``); an empty one is open. What is covered by claims stands under their verdicts.
"""

import re
from html import escape

from claim_marks import MEANINGS, css, mark
from claim_math import as_html

from sgdescape.core.claims.verdict import kind

PAPERS = {
    "mori": "Mori et al. (2022)",
    "kunin": "Kunin et al. (2023)",
    "other": "other literature",
    "book": "this book",
}
SHOWN, OPEN = "shown, not judged", "open"
_WORDS = {
    "eq": "Eq.", "def": "Def.", "asm": "Ass.", "thm": "Thm.", "fig": "Fig.", "exp": "exp.",
    "abs": "sentence", "contrib": "item", "fault": "point",
}  # fmt: skip


def paper(source: str) -> str:
    """Return which paper the source of a claim belongs to, a key of `PAPERS`.

    Example:
        >>> paper("left open by Mori et al., Eq. (4)"), paper("Kesten (1973)"), paper("this book")
        ('mori', 'other', 'book')
    """
    for key, name in (("mori", "Mori et al."), ("kunin", "Kunin et al.")):
        if name in source:
            return key
    return "book" if re.match(r"([Tt]his |chapter )", source) else "other"


def label(identifier: str) -> str:
    """Return the short name of a statement.

    Example:
        >>> [label(f"mori.{name}") for name in ("eq-6", "fig-5cd", "contrib-1a")]
        ['Eq. (6)', 'Fig. 5cd', 'item 1a']
        >>> label("mori.sec-3.2-frozen-clock"), label("kunin.c18")
        ('frozen clock', 'C18')
    """
    name = identifier.partition(".")[2]
    first, _, rest = name.partition("-")
    if first == "eq":
        rest = f"({rest})" if re.fullmatch(r"[\d.]+", rest) else rest
    if first in _WORDS:
        return f"{_WORDS[first]} {rest.replace('-', ', ')}"
    if first in ("sec", "intro", "related", "concl") or re.fullmatch(r"app[A-Z]", first):
        words = re.sub(r"^[\d.]+-", "", rest).replace("-", " ")
        return words if re.search("[a-z]", words) else f"{first.removeprefix('app')} {words}"
    return name.upper() if re.fullmatch(r"[a-z]\d+", name) else name.replace("-", " ")


def section(where: str) -> str:
    """Return the part of the paper in which a statement stands.

    Example:
        >>> section("Section 3.1, Eq. (6)"), section("Fig. 1b, c"), section("restoration Eq. (6.2)")
        ('Section 3.1', 'Figures', 'Section 6')
        >>> section("restoration C4 and Eqs. (4.3), (4.4)"), section("restoration E8; point 18")
        ('Statements', 'Experiments')
    """
    text = where.removeprefix("restoration ")
    for pattern, name in (
        (r"Abstract", "Abstract"),
        (r"C\d", "Statements"),
        (r"Fig", "Figures"),
        (r"E\d", "Experiments"),
        (r"Section 12", "Faults"),
        (r"Eqs?\. \((\d+)", "Section {}"),
        (r"(Section [\d.]*\d|Appendix \w)", "{}"),
    ):
        if found := re.match(pattern, text):
            return name.format(*found.groups())
    return "Elsewhere"


def _order(name):
    first = ("Abstract", "Statements", "Section", "Appendix", "Figures", "Experiments", "Faults")
    word, _, number = name.partition(" ")
    place = first.index(word) if word in first else len(first)
    return place, [int(n) for n in re.findall(r"\d+", number)], number


def share(leaves: list) -> float:
    """Return the share covered, by weight: an entry with a gap counts half."""
    credit = sum(x["weight"] * (0 if not x["now"] else 0.5 if "gap" in x else 1) for x in leaves)
    return credit / sum(x["weight"] for x in leaves)


def verdicts(leaf: dict, claims: dict) -> list:
    """Return the columns in which a statement stands: verdicts of its claims, or what else it is.

    Args:
        leaf: an entry of ``coverage.yml``.
        claims: identifier -> (record, link).
    """
    found = {kind(claims[name][0]["verdict"]) for name in leaf["now"] if name in claims}
    return [name for name in MEANINGS if name in found] or [SHOWN if leaf["now"] else OPEN]


def matrix(key: str, leaves: list, claims: dict) -> str:
    """Return the matrix of one paper: its sections against verdicts, each statement a link."""
    columns = [*MEANINGS, SHOWN, OPEN]
    cells, totals = {}, dict.fromkeys(columns, 0)
    for leaf in leaves:
        for column in verdicts(leaf, claims):
            cells.setdefault(section(leaf["where"]), {}).setdefault(column, []).append(leaf)
            totals[column] += 1
    head = "".join(f'<th scope="col">{_head(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(column, cells[name].get(column, ())) for column in columns)
        + "</tr>"
        for name in sorted(cells, key=_order)
    )
    foot = "".join(f'<td data-label="{escape(name)}">{totals[name]}</td>' for name in columns)
    count = sum(bool(leaf["now"]) for leaf in leaves)
    name = f"Coverage of {PAPERS[key]}"
    return (
        f'<div class="sgd-board"><p>{len(leaves)} statements, {count} of them covered; by weight '
        f"{100 * share(leaves):.0f} % (where something of a statement is missing it is dotted "
        "here, and counts half). A statement stands under every verdict that its claims have.</p>"
        f'<div class="sgd-scroll" tabindex="0" role="region" aria-label="{name}">'
        f'<table class="sgd-matrix"><thead><tr><th scope="col">Part</th>{head}</tr></thead>'
        f'<tbody>{body}</tbody><tfoot><tr><th scope="row">statements</th>{foot}</tr></tfoot>'
        "</table></div></div>"
    )


def _head(name):
    if name not in MEANINGS:
        return escape(name)
    return (
        f'<span class="sgd-verdict sgd-verdict--{css(name)}">{mark(name)}<span>{name}</span></span>'
    )


def _cell(column, leaves):
    style = f"sgd-verdict--{css(column)}" if column in MEANINGS else "sgd-other"
    links = " ".join(
        f'<a href="#{anchor(leaf)}"{_gap(leaf)}>{escape(label(leaf["id"]))}</a>' for leaf in leaves
    )
    style += " sgd-open" if column == OPEN else ""
    return f'<td class="{style}" data-label="{escape(column)}">{links}</td>'


def _gap(leaf):
    return f' class="sgd-gap" title="{escape(leaf["gap"])}"' if "gap" in leaf else ""


def anchor(leaf: dict) -> str:
    """Return the HTML id of a statement's entry."""
    return "entry-" + re.sub(r"[^a-z0-9]+", "-", leaf["id"].lower())


def entries(leaves: list, claims: dict, link) -> str:
    """Return every statement with what covers it, folded.

    Args:
        leaves: entries of ``coverage.yml``.
        claims: identifier -> (record, link).
        link: from ``fn:...`` or ``lab:...`` to an address, None where the book has none.
    """
    body = "".join(_entry(leaf, claims, link) for leaf in leaves)
    return (
        '<details class="sgd-entries sgd-board"><summary>The statements one by one, with what '
        f"covers them</summary>{body}</details>"
    )


def _entry(leaf, claims, link):
    items = "".join(f"<li>{_cover(name, claims, link)}</li>" for name in leaf["now"])
    notes = f"<ul>{items}</ul>"
    if "gap" in leaf:
        notes += f'<p class="sgd-missing">Missing: {as_html(leaf["gap"])}</p>'
    if not leaf["now"]:
        notes = f'<p class="sgd-missing">Open. It would take: {as_html(leaf["needs"])}</p>'
    return (
        f'<div class="sgd-entry" id="{anchor(leaf)}"><div>{escape(label(leaf["id"]))}'
        f"<small>{escape(leaf['where'])}</small></div>"
        f"<div><p>{as_html(leaf['text'].strip())}</p>{notes}</div></div>"
    )


def _cover(name, claims, link):
    """What covers a statement, as a link where there is a place to go."""
    if name in claims:
        record, address = claims[name]
        verdict = kind(record["verdict"])
        shape = f'<span class="sgd-verdict sgd-verdict--{css(verdict)}">{mark(verdict)}</span>'
        return f'{shape} <a href="{escape(address)}">{escape(name)}</a> {verdict}'
    what, _, rest = name.rpartition(":")
    text = f"<code>{escape(rest)}</code>"
    address = link(name)
    place = f'<a href="{escape(address)}">{text}</a>' if address else text
    return f"{ {'fn': 'function', 'lab': 'text'}.get(what, 'claim') } {place}"
