"""``{scoreboard}`` and ``{coverage}``: every claim of this build in a list, every paper a matrix.

A displayed claim leaves its record in the metadata of its notebook output. The records are read
while a chapter is, are kept in Sphinx's environment (so they survive parallel builds), and become
tables once every document is read. The same records are written beside the pages as
``claims.json``.
"""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import nbformat
from coverage_matrix import PAPERS, entries, matrix, statements
from docutils import nodes
from equation_numbers import documents_in_order
from jupyter_cache import get_cache
from myst_nb.sphinx_ import NbMetadataCollector
from scoreboard_table import board
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from sgdescape import claims_file


class scoreboard(nodes.General, nodes.Element):
    """Where the list goes, until every document is read."""


class coverage(nodes.General, nodes.Element):
    """Where a paper's matrix goes, until every document is read."""


class Scoreboard(SphinxDirective):
    """The directive of the list: leaves a placeholder."""

    def run(self):
        """Mark this document as one to be written again when a claim changes."""
        self.env.sgdescape_boards = {*getattr(self.env, "sgdescape_boards", ()), self.env.docname}
        return [scoreboard()]


class Coverage(SphinxDirective):
    """The directive of a paper's matrix, ``{coverage} mori``: leaves a placeholder."""

    required_arguments = 1

    def run(self):
        """Mark this document as one to be written again when a claim or the coverage changes."""
        if self.arguments[0] not in PAPERS:
            raise self.error(f"no such paper: {self.arguments[0]!r}")
        for name in ("coverage.yml", "coverage_names.yml"):
            self.env.note_dependency(str(Path(self.env.srcdir) / "book" / name))
        self.env.sgdescape_boards = {*getattr(self.env, "sgdescape_boards", ()), self.env.docname}
        return [coverage(paper=self.arguments[0])]


def executed(notebook: Path, cache: str) -> dict:
    """Return the notebook that myst-nb writes while it parses a chapter, with its outputs.

    After an execution it holds them; where the page came from the cache, only the cache does.

    Args:
        notebook: path of the written file.
        cache: folder of myst-nb's cache of executed notebooks; empty if it keeps none.
    """
    found = nbformat.read(notebook, nbformat.NO_CONVERT)
    if cache and Path(cache).is_dir():
        with suppress(KeyError):  # a page that is not executed is not there
            _, found = get_cache(cache).merge_match_into_notebook(found)
    return found


def read(app, doctree):
    """Keep the claims of the document just read."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{app.env.docname}.ipynb"
    found = []
    if path.exists():
        found = claims_file.records_in(executed(path, app.config.nb_execution_cache_path))
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
    boards = getattr(env, "sgdescape_boards", set())
    # Their formulas come later, as HTML: Sphinx, which looks for nodes, must be told of them.
    shown = {docname for docname, claims in env.sgdescape_claims.items() if claims}
    env.get_domain("math").data["has_equations"].update(dict.fromkeys(boards | shown, True))
    return sorted(boards)


def in_order(app) -> list:
    """Return (record, document) of every claim, in the order of the book."""
    return [
        (claim, place)
        for place in documents_in_order(app.env)
        for claim in app.env.sgdescape_claims.get(place, [])
    ]


def chapters(app) -> dict:
    """Return document -> (number, title) of the documents with claims, in the book's order."""
    places = list(dict.fromkeys(place for _, place in in_order(app)))
    return {p: (i, app.env.titles[p].astext()) for i, p in enumerate(places, 1)}


def resolve(app, doctree, docname):
    """Put the list and the matrices in their places."""
    to = app.builder.get_relative_uri
    found = [
        (claim, f"{to(docname, place)}#{claim['anchor']}", place) for claim, place in in_order(app)
    ]
    for node in list(doctree.findall(scoreboard)):
        node.replace_self(nodes.raw("", board(found, chapters(app)), format="html"))
    for node in list(doctree.findall(coverage)):
        leaves = [leaf for leaf in statements(app.srcdir) if leaf["paper"] == node["paper"]]
        claims = {claim["identifier"]: (claim, link) for claim, link, _ in found}
        html = matrix(node["paper"], leaves, claims)
        html += entries(leaves, claims, lambda name: address(app, docname, name))
        node.replace_self(nodes.raw("", html, format="html"))


def address(app, docname: str, name: str) -> str | None:
    """Return where a function (``fn:``) or a label (``lab:``) is, None where the book has none."""
    what, _, rest = name.partition(":")
    domains, target = app.env.domains, None
    if what == "fn":
        found = domains["py"].objects.get(f"sgdescape.{rest}")
        target = (found.docname, found.node_id) if found else None
    elif rest in domains["math"].equations:
        target = (domains["math"].equations[rest][0], f"equation-{rest}")
    elif rest in domains["std"].anonlabels:
        target = domains["std"].anonlabels[rest][:2]
    if target is None:
        return None
    return f"{app.builder.get_relative_uri(docname, target[0])}#{target[1]}"


def seconds(env) -> dict:
    """Return stem -> seconds of the chapters that this build, or the one it remembers, executed."""
    data = NbMetadataCollector.get_doc_data(env)
    times = {
        Path(place).name: (data.get(place, {}).get("exec_data") or {}).get("runtime")
        for place in env.sgdescape_claims
    }
    return {stem: round(time, 1) for stem, time in times.items() if time is not None}


def write(app, exception):
    """Write ``claims.json`` beside the pages."""
    if exception or app.builder.format != "html":
        return
    found = [claim for claim, _ in in_order(app)]
    document = claims_file.document(found, seconds=seconds(app.env))
    path = Path(app.outdir) / claims_file.NAME
    path.write_text(claims_file.text(document), encoding="utf-8")


def setup(app):
    """Register the extension."""
    app.add_node(scoreboard)
    app.add_node(coverage)
    app.add_directive("scoreboard", Scoreboard)
    app.add_directive("coverage", Coverage)
    app.add_css_file("claims.css")
    app.add_js_file("sortable.js", loading_method="defer")
    app.add_js_file("scoreboard.js", loading_method="defer")
    app.connect("doctree-read", read)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", check)
    app.connect("doctree-resolved", resolve)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
