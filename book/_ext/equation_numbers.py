"""Number equations as the paper does: ``eq-8`` prints (8), our own ``eq-words`` (E1), (E2), ...

Our own equations are counted through the whole book in reading order, so the numbers are known
only when every document has been read: they are laid over Sphinx's own numbers at that point.
"""

import re

from docutils import nodes


def documents_in_order(env) -> list:
    """Return the names of all documents in the order of the table of contents."""
    order, stack = [], [env.config.root_doc]
    while stack:
        docname = stack.pop(0)
        if docname not in order:
            order.append(docname)
            stack = list(env.toctree_includes.get(docname, [])) + stack
    return order


def assign(app, env):
    """Give each label its number; return the documents to write again when one changed."""
    equations = env.get_domain("math").equations
    place = {docname: i for i, docname in enumerate(documents_in_order(env))}
    # Python's sort is stable and Sphinx notes the labels of one document from top to bottom.
    labels = sorted(equations, key=lambda label: place.get(equations[label][0], len(place)))
    numbers, own = {}, 0
    for label in labels:
        paper = re.fullmatch(r"eq-(\d+[a-z]?)", label)
        own += not paper
        numbers[label] = paper.group(1) if paper else f"E{own}"
        equations[label] = (equations[label][0], numbers[label])
    changed = numbers != getattr(env, "sgdescape_numbers", None)
    env.sgdescape_numbers = numbers
    return sorted(env.found_docs) if changed else []


def apply(app, doctree, docname):
    """Write the numbers into the equations of one document."""
    for node in doctree.findall(nodes.math_block):
        if node.get("label") in app.env.sgdescape_numbers:
            node["number"] = app.env.sgdescape_numbers[node["label"]]


def setup(app):
    """Register the extension."""
    app.connect("env-updated", assign)
    app.connect("doctree-resolved", apply)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
