"""``{scoreboard}``: every claim of this build in one sortable table, linked to its chapter.

A displayed claim leaves its record in the metadata of its notebook output. The records are read
from the notebook that myst-nb writes while it parses a chapter, are kept in Sphinx's environment
(so they survive cached and parallel builds), and become a table once every document is read.
"""

import html
import json
from collections import Counter
from pathlib import Path

from docutils import nodes
from equation_numbers import documents_in_order
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

KEY = "sgdescape_claim"
COLUMNS = ("Claim", "Verdict", "Predicted", "Measured", "Rivals rejected", "Source")


class scoreboard(nodes.General, nodes.Element):
    """Where the table goes, until every document is read."""


class Scoreboard(SphinxDirective):
    """The directive: leaves a placeholder."""

    def run(self):
        """Mark this document as one to be written again when a claim changes."""
        self.env.sgdescape_boards = {*getattr(self.env, "sgdescape_boards", ()), self.env.docname}
        return [scoreboard()]


def claims_of(notebook: Path) -> list:
    """Return the records of the claims displayed in an executed notebook, top to bottom."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [o["metadata"][KEY] for o in outputs if KEY in o.get("metadata", {})]


def read(app, doctree):
    """Keep the claims of the document just read."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{app.env.docname}.ipynb"
    found = claims_of(path) if path.exists() else []
    app.env.sgdescape_claims = getattr(app.env, "sgdescape_claims", {})
    app.env.sgdescape_claims[app.env.docname] = found


def purge(app, env, docname):
    """Forget the claims of a document that is gone or about to be read again."""
    getattr(env, "sgdescape_claims", {}).pop(docname, None)


def merge(app, env, docnames, other):
    """Take over what a parallel reader found."""
    env.sgdescape_claims = getattr(env, "sgdescape_claims", {})
    theirs = getattr(other, "sgdescape_claims", {})
    env.sgdescape_claims.update({d: theirs[d] for d in docnames if d in theirs})
    boards = getattr(other, "sgdescape_boards", set())
    env.sgdescape_boards = getattr(env, "sgdescape_boards", set()) | boards


def check(app, env):
    """Warn about an identifier used twice; have the tables written again."""
    everything = [c["identifier"] for d in env.sgdescape_claims.values() for c in d]
    for identifier, times in Counter(everything).items():
        if times > 1:
            logging.getLogger(__name__).warning("claim %s is shown %d times", identifier, times)
    return sorted(getattr(env, "sgdescape_boards", ()))


def row(claim: dict, link: str) -> str:
    """Return one claim as a table row."""
    measured, rivals = claim.get("measured"), claim.get("rivals") or {}
    number = "{:.4g}".format
    cells = (
        f'<a href="{html.escape(link)}">{html.escape(claim["statement"])}</a>'
        f"<br><code>{html.escape(claim['identifier'])}</code>",
        html.escape(claim["verdict"]),
        "" if claim.get("predicted") is None else number(claim["predicted"]),
        f"{number(measured['value'])}<br>[{number(measured['low'])}, {number(measured['high'])}]"
        if measured
        else html.escape(claim.get("reason", "")),
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


def table(app, docname) -> str:
    """Return the counts and the table of all claims, in the order of the book."""
    env, link = app.env, app.builder.get_relative_uri
    found = [
        (claim, f"{link(docname, place)}#{claim['anchor']}")
        for place in documents_in_order(env)
        for claim in env.sgdescape_claims.get(place, [])
    ]
    counts = Counter(claim["verdict"].split(" within")[0] for claim, _ in found)
    summary = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    head = "".join(f'<th scope="col">{c}</th>' for c in COLUMNS)
    rows = "\n".join(row(claim, target) for claim, target in found)
    return (
        f'<p class="sgd-scoreboard__count"><strong>{len(found)} claims</strong>: {summary}.</p>\n'
        '<div class="sgd-scoreboard" tabindex="0" role="region" aria-label="All claims">'
        f'<table class="table sgd-sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def resolve(app, doctree, docname):
    """Put the table in its place."""
    for node in list(doctree.findall(scoreboard)):
        node.replace_self(nodes.raw("", table(app, docname), format="html"))


def setup(app):
    """Register the extension."""
    app.add_node(scoreboard)
    app.add_directive("scoreboard", Scoreboard)
    app.add_js_file("sortable.js", loading_method="defer")
    app.connect("doctree-read", read)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", check)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
