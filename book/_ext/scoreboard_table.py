"""The HTML of the scoreboard: counts of verdicts and one row a claim."""

import html
import re
from collections import Counter

COLUMNS = ("Claim", "Verdict", "Predicted", "Measured", "Rivals rejected", "Source")
KINDS = ("confirmed", "approximate", "consistent", "refuted", "identity", "not testable")


def number(value: float) -> str:
    """Return a number in four digits."""
    return f"{value:.4g}"


def kind(claim: dict) -> str:
    """Return a claim's verdict without what it adds about its size or place."""
    return claim["verdict"].split(" (")[0].removesuffix(" here")


def formulas(text: str) -> str:
    """Return plain text as HTML, what stands between dollars for MathJax."""
    math = r'<span class="math notranslate nohighlight">\\(\1\\)</span>'
    return re.sub(r"\$([^$]+)\$", math, html.escape(text))


def interval(measured: dict) -> str:
    """Return a measured value, its interval and the interval's level, on a line each."""
    ends = f"[{number(measured['low'])}, {number(measured['high'])}]"
    level = measured["level"]
    holds = "numerical bound" if level is None else f"at {100 * level:.6g} %"
    return f"{number(measured['value'])}<br>{ends}<br>{holds}"


def row(claim: dict, link: str) -> str:
    """Return one claim as a table row."""
    measured = claim.get("measured")
    rivals = [rival for rival in claim.get("rivals") or () if rival["rejected"]]
    sampled = {"computed": "<br>computed, no sampling"}.get(claim["evidence"], "")
    cells = (
        f'<a href="{html.escape(link)}">{formulas(claim["statement"])}</a>'
        f"<br><code>{html.escape(claim['identifier'])}</code>",
        html.escape(claim["verdict"]) + sampled,
        "" if claim.get("predicted") is None else number(claim["predicted"]),
        interval(measured) if measured else html.escape(claim.get("reason", "")),
        "<br>".join(f"{html.escape(r['name'])}: {number(r['value'])}" for r in rivals),
        html.escape(claim["source"]),
    )
    values = (claim["identifier"], claim["verdict"], claim.get("predicted"))
    values += (measured["value"] if measured else None, len(rivals), claim["source"])
    body = "".join(
        f'<td data-value="{html.escape("" if v is None else str(v))}">{c}</td>'
        for v, c in zip(values, cells, strict=True)
    )
    return f'<tr class="sgd-verdict--{kind(claim).replace(" ", "-")}">{body}</tr>'


def table(claims: list) -> str:
    """Return the counts and the table of (claim, link) pairs."""
    counts = Counter(kind(claim) for claim, _ in claims)
    order = sorted(counts, key=KINDS.index)
    summary = ", ".join(f"{counts[name]} {name}" for name in order)
    head = "".join(f'<th scope="col">{c}</th>' for c in COLUMNS)
    rows = "\n".join(row(claim, link) for claim, link in claims)
    return (
        f'<p class="sgd-scoreboard__count"><strong>{len(claims)} claims</strong>: {summary}.</p>\n'
        '<div class="sgd-scoreboard" tabindex="0" role="region" aria-label="All claims">'
        f'<table class="table sgd-sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
