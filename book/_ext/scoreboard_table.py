"""The HTML of the scoreboard: counts of verdicts and one row a claim."""

import html
from collections import Counter

COLUMNS = ("Claim", "Verdict", "Predicted", "Measured", "Rivals rejected", "Source")


def number(value: float) -> str:
    """Return a number in four digits."""
    return f"{value:.4g}"


def interval(measured: dict) -> str:
    """Return a measured value, its interval and the interval's level, on a line each."""
    ends = f"[{number(measured['low'])}, {number(measured['high'])}]"
    return f"{number(measured['value'])}<br>{ends}<br>at {100 * measured['level']:.6g} %"


def row(claim: dict, link: str) -> str:
    """Return one claim as a table row."""
    measured, rivals = claim.get("measured"), claim.get("rivals") or {}
    cells = (
        f'<a href="{html.escape(link)}">{html.escape(claim["statement"])}</a>'
        f"<br><code>{html.escape(claim['identifier'])}</code>",
        html.escape(claim["verdict"]),
        "" if claim.get("predicted") is None else number(claim["predicted"]),
        interval(measured) if measured else html.escape(claim.get("reason", "")),
        "<br>".join(f"{html.escape(n)}: {number(v)}" for n, v in rivals.items()),
        html.escape(claim["source"]),
    )
    kind = claim["verdict"].split(" within")[0].removesuffix(" here").replace(" ", "-")
    values = (claim["identifier"], claim["verdict"], claim.get("predicted"))
    values += (measured["value"] if measured else None, len(rivals), claim["source"])
    body = "".join(
        f'<td data-value="{html.escape("" if v is None else str(v))}">{c}</td>'
        for v, c in zip(values, cells, strict=True)
    )
    return f'<tr class="sgd-verdict--{kind}">{body}</tr>'


def table(claims: list) -> str:
    """Return the counts and the table of (claim, link) pairs."""
    counts = Counter(claim["verdict"].split(" within")[0] for claim, _ in claims)
    summary = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    head = "".join(f'<th scope="col">{c}</th>' for c in COLUMNS)
    rows = "\n".join(row(claim, link) for claim, link in claims)
    return (
        f'<p class="sgd-scoreboard__count"><strong>{len(claims)} claims</strong>: {summary}.</p>\n'
        '<div class="sgd-scoreboard" tabindex="0" role="region" aria-label="All claims">'
        f'<table class="table sgd-sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
