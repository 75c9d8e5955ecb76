"""The HTML of what a paper says against what became of it: a matrix, and one entry a statement.

A statement's reading (``now``) names claims of this book, or else public functions (``fn:``) and
labels (``lab:``); an empty one is open. What is covered by claims stands under their verdicts.
"""

import re
from html import escape
from pathlib import Path

import yaml
from claim_marks import MEANINGS, css, mark
from claim_math import as_html, as_unicode

from sgdescape.core.claims.verdict import kind

PAPERS = {
    "mori": "Mori et al. (2022)",
    "kunin": "Kunin et al. (2023)",
    "other": "other literature",
    "book": "this book",
}
SHOWN, OPEN = "shown, not judged", "open"
_WORDS = {
    "eq": "Eq.", "def": "Definition", "asm": "Assumption", "thm": "Theorem", "fig": "Fig.",
}  # fmt: skip


def statements(root) -> list:
    """Return what the papers say and where the book has it, each with its name.

    Args:
        root: folder of the sources, whose ``book`` has ``coverage.yml`` and ``coverage_names.yml``.
    """
    folder = Path(root) / "book"
    leaves, names = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        for name in ("coverage.yml", "coverage_names.yml")
    )
    return [leaf | {"name": names[leaf["id"]]} for leaf in leaves]


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


def label(leaf: dict) -> str:
    """Return what a reader may call a statement: its number in the paper, if any, and its subject.

    Example:
        >>> label({"id": "mori.eq-6", "name": "noise covariance"})
        'Eq. (6): noise covariance'
        >>> label({"id": "mori.fig-5cd", "name": "loss"}), label({"id": "kunin.c2", "name": "v"})
        ('Fig. 5cd: loss', 'v')
    """
    kind, _, number = leaf["id"].partition(".")[2].partition("-")
    pattern = r"[\d.]+" if kind == "eq" else r"[\d.]+[a-z]*(-[a-z]+)?"
    if kind not in _WORDS or not re.fullmatch(pattern, number):
        return leaf["name"]
    number = f"({number})" if kind == "eq" else number.replace("-", ", ")
    return f"{_WORDS[kind]} {number}: {leaf['name']}"


def place(where: str) -> str:
    """Return where a statement stands, without the marks of our list of the second paper.

    Of that paper we have no printed equations: what was worked out again is called reconstructed.

    Example:
        >>> place("Section 3.1, Eq. (6)"), place("restoration C2 and Eq. (6.1); Fig. 7 top")
        ('Section 3.1, Eq. (6)', 'reconstructed Eq. (6.1); Fig. 7 top')
        >>> place("restoration C1; Fig. 1b"), place("restoration E8; point 18 of Section 12")
        ('Fig. 1b', 'reconstructed')
        >>> place("restoration Section 12, point 1")
        'a fault that this book found'
    """
    if where.startswith("restoration Section 12"):
        return "a fault that this book found"
    text = re.sub(r"(;| and) points? [\d and]+ of Section 12", "", where)
    text = re.sub(r"restoration C\d+; ", "", text)
    text = re.sub(r"restoration [CE]\d+( to E\d+, column .*| and)?", "restoration", text)
    return text.replace("restoration", "reconstructed")


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


def verdicts(leaf: dict, claims: dict) -> dict:
    """Return the columns in which a statement stands, each with the links to its claims there.

    Args:
        leaf: an entry of ``coverage.yml``.
        claims: identifier -> (record, link).
    """
    found = {}
    for name in leaf["now"]:
        if name in claims:
            record, link = claims[name]
            found.setdefault(kind(record["verdict"]), []).append(link)
    return found or {SHOWN if leaf["now"] else OPEN: []}


def matrix(key: str, leaves: list, claims: dict) -> str:
    """Return the matrix of one paper: statements, by section, against verdicts; cells are links."""
    rows, totals = {}, dict.fromkeys((*MEANINGS, SHOWN, OPEN), 0)
    for leaf in leaves:
        found = verdicts(leaf, claims)
        rows.setdefault(section(leaf["where"]), []).append((leaf, found))
        for column in found:
            totals[column] += 1
    columns = [name for name, total in totals.items() if total]
    head = "".join(f'<th scope="col">{_head(name)}</th>' for name in columns)
    body = "".join(_part(name, rows[name], columns) for name in sorted(rows, key=_order))
    foot = "".join(f"<td>{totals[name]}</td>" for name in columns)
    count = sum(bool(leaf["now"]) for leaf in leaves)
    return (
        f'<div class="sgd-board"><p>{len(leaves)} statements, {count} of them covered; by weight '
        f"{100 * share(leaves):.0f} % (a statement of which something is missing is dotted here, "
        "and counts half). A mark leads to the claim with that verdict; where there are several, "
        "their number stands beside it, and it leads to their list, as the statement does.</p>"
        f'<table class="sgd-matrix"><caption class="sgd-unseen">Coverage of {PAPERS[key]}</caption>'
        f'<thead><tr><th scope="col">statement</th>{head}</tr></thead>{body}'
        f'<tfoot><tr><th scope="row">statements</th>{foot}</tr></tfoot></table></div>'
    )


def _head(name):
    shape = mark(name) if name in MEANINGS else ""
    return f'<span class="sgd-verdict sgd-verdict--{css(name)}">{shape}<span>{name}</span></span>'


def _part(name, rows, columns):
    """One section of the paper: its name, and a row for each of its statements."""
    span = f'scope="rowgroup" colspan="{len(columns) + 1}"'
    head = f'<tr><th class="sgd-part" {span}>{escape(name)}</th></tr>'
    body = "".join(
        f'<tr><th scope="row"><a href="#{anchor(leaf)}"{_gap(leaf)}>{escape(label(leaf))}</a></th>'
        + "".join(_cell(column, leaf, found) for column in columns)
        + "</tr>"
        for leaf, found in rows
    )
    return f"<tbody>{head}{body}</tbody>"


def _cell(column, leaf, found):
    if column not in found:
        return "<td></td>"
    links = found[column]
    target = links[0] if len(links) == 1 else f"#{anchor(leaf)}"
    if not links:
        shown, words = ("shown" if column == SHOWN else "open"), column
    else:
        count = f"<span>{len(links)}</span>" if len(links) > 1 else ""
        shown, words = mark(column) + count, f"{len(links)} {column}"
    name = f"{label(leaf)}: {words}"
    return (
        f'<td class="sgd-verdict--{css(column.replace(",", ""))}"><a href="{escape(target)}" '
        f'aria-label="{escape(name)}" title="{escape(words)}">{shown}</a></td>'
    )


def _gap(leaf):
    return f' class="sgd-gap" title="{escape(as_unicode(leaf["gap"]))}"' if "gap" in leaf else ""


def anchor(leaf: dict) -> str:
    """Return the HTML id of a statement's entry."""
    return "entry-" + re.sub(r"[^a-z0-9]+", "-", leaf["id"].lower())


def entries(leaves: list, claims: dict, link) -> str:
    """Return every statement with what covers it, folded.

    Args:
        leaves: entries of ``coverage.yml``, with their names.
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
        f'<div class="sgd-entry" id="{anchor(leaf)}"><div>{escape(label(leaf))}'
        f"<small>{escape(place(leaf['where']))}</small></div>"
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
