"""``{scoreboard}``: every claim of this build in one sortable table, linked to its chapter.

A displayed claim leaves its record in the metadata of its notebook output. The records are read
from the notebook that myst-nb writes while it parses a chapter, are kept in Sphinx's environment
(so they survive cached and parallel builds), and become a table once every document is read.
"""

import json
from collections import Counter
from pathlib import Path

from docutils import nodes
from equation_numbers import documents_in_order
from scoreboard_table import table
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

KEY = "sgdescape_claim"


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


def resolve(app, doctree, docname):
    """Put the table in its place, the claims in the order of the book."""
    link = app.builder.get_relative_uri
    for node in list(doctree.findall(scoreboard)):
        found = [
            (claim, f"{link(docname, place)}#{claim['anchor']}")
            for place in documents_in_order(app.env)
            for claim in app.env.sgdescape_claims.get(place, [])
        ]
        node.replace_self(nodes.raw("", table(found), format="html"))


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
