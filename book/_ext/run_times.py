"""``{run-times}``: a table of the seconds that the cells of each page took."""

from docutils import nodes
from equation_numbers import documents_in_order
from myst_nb.sphinx_ import NbMetadataCollector
from provenance import table
from sphinx.util.docutils import SphinxDirective


class run_times(nodes.General, nodes.Element):
    """Where the table of seconds goes, until every document is read."""


class RunTimes(SphinxDirective):
    """The directive: leaves a placeholder."""

    def run(self):
        """Leave a placeholder; the document is read anew in each build."""
        self.env.note_reread()
        return [run_times()]


def resolve(app, doctree, docname):
    """Put the seconds of each executed page, as myst-nb took them, in their place."""
    for node in list(doctree.findall(run_times)):
        data = NbMetadataCollector.get_doc_data(app.env)
        rows = [
            (app.env.titles[page].astext(), f"{data[page]['exec_data']['runtime']:.1f}")
            for page in documents_in_order(app.env)
            if data.get(page, {}).get("exec_data", {}).get("runtime") is not None
        ]
        node.replace_self(table(["Page", "Seconds"], rows))


def setup(app):
    """Register the extension."""
    app.add_node(run_times)
    app.add_directive("run-times", RunTimes)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
