"""The HTML of the list of claims: counts, filters and one row a claim with its forest plot."""

from collections import Counter
from html import escape

from claim_cards import facts, sentence
from claim_labels import interval, number
from claim_marks import MEANINGS, css, mark, verdict
from claim_math import as_html, as_unicode
from claim_picture import strip
from coverage_matrix import PAPERS, paper

from sgdescape.core.claims.verdict import kind

COLUMNS = ("Ch.", "Verdict", "Claim", "On one axis", "Predicted", "Measured")


def board(entries: list, titles: dict) -> str:
    """Return the legend, the filters and the list.

    Args:
        entries: (record, link to the card, document) of each claim, in the order of the book.
        titles: document -> (number, title), in the order of the book.
    """
    rows = "\n".join(row(claim, link, place, titles[place]) for claim, link, place in entries)
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    return (
        f'<div class="sgd-board">{counts([claim for claim, *_ in entries])}'
        f"{filters(entries, titles)}"
        '<div class="sgd-list" tabindex="0" role="region" aria-label="All claims">'
        f'<table class="sgd-sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def counts(claims: list) -> str:
    """Return how many claims have which verdict, with the meaning of each."""
    found = Counter(kind(claim["verdict"]) for claim in claims)
    items = "".join(
        f'<li><span class="sgd-verdict sgd-verdict--{css(name)}">{mark(name)}'
        f"<span>{found[name]} {name}</span></span> {meaning}</li>"
        for name, meaning in MEANINGS.items()
        if found[name]
    )
    return (
        f'<p class="sgd-count"><strong>{len(claims)} claims</strong></p>'
        f'<ul class="sgd-legend">{items}</ul>'
    )


def filters(entries: list, titles: dict) -> str:
    """Return the form above the list; the script shows it."""
    chapters = [(place, f"{n}. {title}") for place, (n, title) in titles.items()
                if any(entry[2] == place for entry in entries)]  # fmt: skip
    present = Counter(kind(claim["verdict"]) for claim, *_ in entries)
    kinds = sorted({claim["evidence"] for claim, *_ in entries})
    fields = (
        ("paper", "Source", [(key, name) for key, name in PAPERS.items()]),
        ("chapter", "Chapter", chapters),
        ("verdict", "Verdict", [(css(name), name) for name in MEANINGS if present[name]]),
        ("evidence", "Evidence", [(name, name) for name in kinds]),
    )
    selects = "".join(
        f'<label>{title}<select name="{name}"><option value="">all</option>'
        + "".join(f'<option value="{escape(v)}">{escape(text)}</option>' for v, text in options)
        + "</select></label>"
        for name, title, options in fields
    )
    return (
        f'<form class="sgd-filter" hidden>{selects}'
        '<label>Text<input type="search" name="text" autocomplete="off"></label>'
        '<button type="reset">Show all</button><output aria-live="polite"></output></form>'
    )


def row(claim: dict, link: str, place: str, chapter: tuple) -> str:
    """Return one claim as a table row; it unfolds to all that its card says."""
    measured, name = claim["measured"], kind(claim["verdict"])
    predicted = "" if claim["predicted"] is None else number(claim["predicted"])
    got = ""
    if measured:
        value, low, high = interval(measured, most=5)
        got = f"{value}<small>[{low}, {high}]</small>"
    drawn = strip(claim) if measured and claim["rivals"] else ""
    what = (
        f'<details><summary><span class="sgd-line">{as_html(claim["statement"])}</span></summary>'
        f"{sentence(claim)}{facts(claim)}</details>"
        f'<span class="sgd-under"><a href="{escape(link)}">{escape(claim["identifier"])}</a> · '
        f"{escape(claim['source'])}{'' if not measured else ' · ' + claim['evidence']}</span>"
    )
    cells = (
        (chapter[0], f'<td title="{escape(chapter[1])}">{chapter[0]}</td>'),
        (list(MEANINGS).index(name), f"<td>{verdict(claim, short=True)}</td>"),
        (claim["identifier"], f'<td class="sgd-what">{what}</td>'),
        (
            "" if claim["detectable"] is None else claim["detectable"],
            f'<td class="sgd-drawn">{drawn}</td>',
        ),
        ("" if not measured else claim["predicted"], number_cell("predicted", predicted)),
        ("" if not measured else measured["value"], number_cell("measured", got)),
    )
    body = "".join(
        cell.replace("<td", f'<td data-value="{escape(str(value))}"', 1) for value, cell in cells
    )
    texts = [claim[key] for key in ("identifier", "statement", "source", "verdict")]
    texts += [as_unicode(claim["statement"]), *(as_unicode(r["name"]) for r in claim["rivals"])]
    words = " ".join(dict.fromkeys(" ".join(texts).lower().split()))  # each once: they are many
    return (
        f'<tr class="sgd-verdict--{css(name)}" id="row-{claim["anchor"].removeprefix("claim-")}" '
        f'data-paper="{paper(claim["source"])}" data-chapter="{escape(place)}" '
        f'data-verdict="{css(name)}" data-evidence="{claim["evidence"]}" '
        f'data-text="{escape(words)}">{body}</tr>'
    )


def number_cell(label: str, text: str) -> str:
    """Return the cell of a number; on a narrow page its label stands before it."""
    return f'<td class="sgd-number" data-label="{label}">{text}</td>'
