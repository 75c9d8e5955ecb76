"""The less important claims of a section as one table that unfolds, each row onto its card.

A code cell with the tag ``minor-claim`` shows one claim. Such cells that follow each other become
one table: a row has verdict, statement, prediction and measurement, and holds the claim's card.
"""

from collections import Counter
from html import escape

from claim_labels import interval, number
from claim_marks import verdict
from claim_math import as_html
from docutils import nodes

from sgdescape.core.claims.verdict import kind

TAG = "tag_minor-claim"


def groups(doctree) -> list[list]:
    """Return the cells of minor claims, those that follow each other together."""
    found = []
    for cell in doctree.findall(nodes.container):
        if TAG not in cell["classes"]:
            continue
        if found and _follows(found[-1][-1], cell):
            found[-1].append(cell)
        else:
            found.append([cell])
    return found


def summary(claims: list[dict]) -> str:
    """Return the line over a table: how many claims, and what became of them.

    Example:
        >>> summary([{"verdict": "confirmed"}, {"verdict": "refuted"}, {"verdict": "confirmed"}])
        'Also checked in this section: 3 claims, 2 confirmed, 1 refuted'
        >>> summary([{"verdict": "confirmed"}, {"verdict": "confirmed"}])
        'Also checked in this section: 2 claims, all confirmed'
    """
    verdicts = Counter(kind(claim["verdict"]) for claim in claims)
    many = f"{len(claims)} claims" if len(claims) > 1 else "one claim"
    if len(verdicts) > 1:
        found = ", ".join(f"{n} {name}" for name, n in verdicts.items())
    else:
        found = ("all " if len(claims) > 1 else "") + next(iter(verdicts))
    return f"Also checked in this section: {many}, {found}"


def row(claim: dict) -> str:
    """Return what a folded row shows: verdict, statement, prediction and measurement."""
    numbers = ""
    if claim["measured"]:
        unit = f" {claim['unit']}" if claim["unit"] else ""
        value, *_ = interval(claim["measured"])
        numbers = (
            f'<span class="sgd-minor__numbers">predicted {escape(number(claim["predicted"]))}, '
            f"measured {escape(value + unit)}</span>"
        )
    return (
        f'{verdict(claim, short=True)}<span class="sgd-minor__text">'
        f"{as_html(claim['statement'])}</span>{numbers}"
    )


def fold(app, doctree, docname):
    """Put each group of cells into one table."""
    records = {r["anchor"]: r for r in getattr(app.env, "sgdescape_claims", {}).get(docname, [])}
    for cells in groups(doctree):
        cards = [(cell, record) for cell in cells if (record := _record(cell, records))]
        if len(cards) < len(cells):
            continue  # a cell that shows no claim: leave all of them as they are
        table = nodes.container(classes=["sgd-minor-place"])
        head = escape(summary([record for _, record in cards]))
        table += _raw(f'<details class="sgd-minor"><summary>{head}</summary>')
        cells[0].replace_self(table)
        for cell, record in cards:
            table += _raw(f'<details class="sgd-minor__row"><summary>{row(record)}</summary>')
            table += cell.deepcopy()
            table += _raw("</details>")
            if cell.parent is not None and cell is not cells[0]:
                cell.parent.remove(cell)
        table += _raw("</details>")


def _follows(one, other):
    return one.parent is other.parent and one.parent.index(other) == one.parent.index(one) + 1


def _record(cell, records):
    """The record of the claim that a cell shows, found by the anchor of its card."""
    text = " ".join(node.astext() for node in cell.findall(nodes.raw))
    return next((r for anchor, r in records.items() if f'id="{anchor}"' in text), None)


def _raw(html):
    return nodes.raw("", html, format="html")


def setup(app):
    """Register the extension; `claim_cards` draws the cards first."""
    app.setup_extension("claim_cards")
    app.connect("doctree-resolved", fold, priority=650)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
