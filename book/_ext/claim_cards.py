"""Draw the cards of claims: on the pages, each claim's plain card is replaced by its picture.

The notebooks keep light cards that every machine makes alike. A drawing is made here from the
record in the output's metadata, so that pictures can change without a chapter being executed.
"""

import re
from html import escape
from pathlib import Path

import yaml
from claim_labels import interval, number
from claim_marks import css, verdict
from claim_math import as_html, as_unicode
from claim_picture import WIDTHS, card, words
from docutils import nodes

from sgdescape.core.claims.verdict import REFUTED, asked, kind, seen
from sgdescape.core.power.kept import power

EVIDENCE = {
    "sampled": "a sample: the interval holds at its level",
    "computed": "computed without sampling: the interval bounds the numerical error",
    "identity": "true whatever the theory",
    "none": "nothing measured",
}
_LINK = (
    '<svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true" fill="none" '
    'stroke="currentColor" stroke-width="1.5" stroke-linecap="round"><path d="M6.5 9.5l3-3M7 4.5'
    'l1.6-1.6a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.6 1.6a3.2 3.2 0 0 1-4.5-4.5L4.5 7"/></svg>'
)


def html(claim: dict, cite: str, repeated: str | None = None) -> str:
    """Return the card of a claim.

    Args:
        claim: its record.
        cite: BibTeX entry.
        repeated: what many seeds say about its check.
    """
    name = kind(claim["verdict"])
    evidence = claim["evidence"]
    pill = f'<span class="sgd-claim__pill" title="{EVIDENCE[evidence]}">{evidence}</span>'
    link = (
        f'<a class="sgd-claim__link" href="#{claim["anchor"]}" '
        f'aria-label="Link to the claim {claim["identifier"]}">{_LINK}</a>'
    )
    note = f'<p class="sgd-claim__power">{escape(repeated)}</p>' if repeated else ""
    return (
        f'<div class="sgd-claim sgd-claim--{css(name)}" id="{claim["anchor"]}">'
        f'<div class="sgd-claim__head">{verdict(claim)}'
        f"{pill if evidence in ('sampled', 'computed') else ''}"
        f'<span class="sgd-claim__source">{escape(claim["source"])} {link}</span></div>'
        f'<p class="sgd-claim__statement">{as_html(claim["statement"])}</p>'
        f"{picture(claim)}{sentence(claim)}{note}"
        '<details class="sgd-claim__more"><summary>Numbers, method, citation</summary>'
        f"{facts(claim)}"
        f'<pre class="sgd-claim__cite" tabindex="0">{escape(cite, quote=False)}</pre>'
        "</details></div>"
    )


def picture(claim: dict) -> str:
    """Return the drawings of a card; nothing where there is nothing to compare."""
    if not claim["measured"] or not claim["rivals"]:
        return ""
    drawings = "".join(card(claim, name) for name in WIDTHS)
    return (
        f'<div class="sgd-claim__plot" role="img" aria-label="{escape(words(claim))}">'
        f"{drawings}</div>"
    )


def sentence(claim: dict) -> str:
    """Return the line under the picture: what would have been seen, or why there is nothing."""
    if not claim["measured"]:
        text = f"Not testable here: {as_html(claim['reason'])}."
    elif kind(claim["verdict"]) == "identity":
        value, *_ = interval(claim["measured"])
        half = (claim["measured"]["high"] - claim["measured"]["low"]) / 2
        exact = f"{number(claim['predicted'], 6)} came out as {value}"
        text = f"{exact}, to within {number(half, 2)}." if half else f"{exact}, exactly."
    else:
        ends = claim["measured"]["low"], claim["measured"]["high"]
        size = seen(claim["predicted"], *ends, claim["verdict"], claim["unit"])
        text = "Off by at least " if claim["verdict"] == REFUTED else "Would have seen "
        if claim["verdict"] != REFUTED and not size.startswith("a factor"):
            text += "a deviation of "
        text += f"<strong>{escape(size)}</strong>"
        if claim["verdict"] != REFUTED and claim["resolution"] is not None:
            wanted = asked(claim["predicted"], claim["resolution"], claim["unit"])
            text += f"; asked for {escape(wanted)}"
        text += "."
    return f'<p class="sgd-claim__seen">{text}</p>'


def facts(claim: dict) -> str:
    """Return everything that a claim's record says, as a list of terms."""
    rows = [("Name", f"<code>{escape(claim['identifier'])}</code>")]
    if claim["measured"]:
        unit = f" {claim['unit']}" if claim["unit"] else ""
        value, low, high = interval(claim["measured"])
        level = claim["measured"]["level"]
        holds = "numerical bound" if level is None else f"level {100 * level:.6g} %"
        method = claim["measured"].get("method") or ""
        rows += [
            ("Predicted", escape(number(claim["predicted"], 6) + unit)),
            ("Measured", escape(f"{value} in [{low}, {high}]{unit}")),
            ("Interval", escape(f"{holds}, {method}" if method else holds)),
        ]
        if claim["tolerance"]:
            rows.append(
                ("Tolerance", escape(asked(claim["predicted"], claim["tolerance"], claim["unit"])))
            )
        for title, rejected in (("Rejected", True), ("Cannot tell", False)):
            rivals = [r for r in claim["rivals"] if r["rejected"] == rejected]
            if rivals:
                text = "; ".join(f"{as_unicode(r['name'])} ({number(r['value'])})" for r in rivals)
                rows.append((title, escape(text)))
    rows.append(("Source", escape(claim["source"])))
    return (
        '<dl class="sgd-claim__facts">'
        + "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in rows)
        + "</dl>"
    )


def latex(text: str) -> str:
    r"""Return text with formulas between dollars as LaTeX reads it: specials escaped outside them.

    Example:
        >>> print(latex("a_b is 5 % of $x_1$"))
        a\_b is 5 \% of $x_1$
    """
    parts = re.split(r"(\$[^$]*\$)", text)
    parts[::2] = [re.sub(r"(?<!\\)([%_&#])", r"\\\1", words) for words in parts[::2]]
    return "".join(parts)


def bibtex(claim: dict, book: dict, page: str = "") -> str:
    r"""Return the BibTeX entry of a claim.

    Args:
        claim: its record.
        book: title, version, year and authors, as `citation` gives them.
        page: address of the card; empty where the book's address is not set.
    """
    fields = {
        "author": f"{{{book['authors']}}}",
        "title": f"{{Claim {claim['identifier']}: {claim['statement'].rstrip('.')}}}",
        "howpublished": f"In: {book['title']}, version {book['version']}",
        "year": book["year"],
        "note": f"{claim['verdict']}; source: {claim['source']}",
    } | ({"url": page} if page else {})
    fields = {k: v if k == "url" else latex(v) for k, v in fields.items()}
    width = max(map(len, fields))
    key = re.sub(r"\W", "_", claim["identifier"])
    body = ",\n".join(f"  {name:<{width}} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{sgdescape_{key},\n{body}\n}}"


def citation(root: Path, copyright_line: str) -> dict:
    """Return how the book is cited, from ``CITATION.cff``; plain words where there is none."""
    path = root / "CITATION.cff"
    data = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    year = re.search(r"\d{4}", copyright_line or "")
    return {
        "title": data.get("title", "How SGD Escapes"),
        "version": str(data.get("version", "")),
        "year": year.group() if year else "",
        "authors": " and ".join(a.get("name", "") for a in data.get("authors", ())),
    }


def measured_power(identifier: str) -> str | None:
    """Return what many seeds say about a claim's check, in one sentence, if it was measured."""
    found = power(identifier)
    return None if found is None else f"Repeated with {found.seeds} seeds: {found}."


def replace(app, doctree, docname):
    """Put the drawn cards of one document in the places of its plain ones."""
    found = getattr(app.env, "sgdescape_claims", {}).get(docname, [])
    records = {record["anchor"]: record for record in found}
    if not records:
        return
    book = citation(Path(app.srcdir), str(app.config.copyright))
    base = app.config.html_baseurl
    for node in list(doctree.findall(nodes.raw)):
        place = re.match(r'<div class="sgd-claim [^"]*" id="([\w-]+)"', node.astext().strip())
        claim = records.get(place.group(1)) if place else None
        if claim:
            page = f"{base.rstrip('/')}/{docname}.html#{claim['anchor']}" if base else ""
            text = html(claim, bibtex(claim, book, page), measured_power(claim["identifier"]))
            node.replace_self(nodes.raw("", text, format="html"))


def setup(app):
    """Register the extension; `scoreboard` collects the records."""
    app.setup_extension("scoreboard")
    app.add_js_file("claims.js", loading_method="defer")
    app.connect("doctree-resolved", replace, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
