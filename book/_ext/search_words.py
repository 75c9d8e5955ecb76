"""What the search finds: words without TeX; equations, theorems and symbols by name and place.

Sphinx indexes every word of a formula's TeX and lands on pages. Here formulas are left out, and
numbered equations, theorems and the rows of the notation's tables count as titles of their own.
"""

import re

from docutils import nodes
from sphinx.search import IndexBuilder

FORMULA = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$[^$]+\$", re.S)
NOTATION = "book/notation"


def slug(text: str) -> str:
    """Return a text as an HTML id.

    Example:
        >>> slug("Loss ratio (of a valley)")
        'loss-ratio-of-a-valley'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def plain(node) -> str:
    """Return a node's text without its formulas."""
    copy = node.deepcopy()
    for formula in list(copy.findall(nodes.math)):
        formula.parent.remove(formula)
    return " ".join(copy.astext().split())


def landing(node):
    """Return (title, id) of what the search should land on, or None."""
    if isinstance(node, nodes.math_block) and node.get("number") and node.get("label"):
        return f"Equation ({node['number']})", nodes.make_id(f"equation-{node['label']}")
    if node.tagname == "row" and node.get("ids"):
        return plain(node[0]), node["ids"][0]
    if isinstance(node, nodes.admonition) and "proof" in node.get("classes", []):
        if node.get("ids") and isinstance(node[0], nodes.title):
            return plain(node[0]), node["ids"][0]
    return None


def collected(index, doctree):
    """Return the words and titles of one page, in place of Sphinx's own method."""
    places = [place for node in doctree.findall() if (place := landing(node))]
    page = doctree.deepcopy()
    for formula in [*page.findall(nodes.math), *page.findall(nodes.math_block)]:
        formula.parent.remove(formula)
    for raw in list(page.findall(nodes.raw)):
        raw.children = [nodes.Text(FORMULA.sub(" ", raw.astext()))]
    store = theirs(index, page)
    store.titles = [(" ".join(title.split()), place) for title, place in store.titles] + places
    for title, _ in places:
        store.title_words.extend(index.lang.split(title))
    return store


def name_rows(app, doctree):
    """Give each row of the notation's tables an id made from its first cell."""
    if app.env.docname != NOTATION:
        return
    for body in doctree.findall(nodes.tbody):
        for row in body:
            row["ids"].append(f"notation-{slug(plain(row[0]))}")


theirs = IndexBuilder._word_collector


def setup(app):
    """Register the extension."""
    IndexBuilder._word_collector = collected
    app.add_js_file("find.js", loading_method="defer")
    app.connect("doctree-read", name_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
