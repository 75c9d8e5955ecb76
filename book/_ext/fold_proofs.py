"""Proofs of class ``dropdown`` fold without scripts.

The toggle button of admonitions looks for a title, which a proof has not.
"""

from docutils import nodes

OPEN = '<details class="sgd-proof"><summary>Proof</summary>'


def fold(app, doctree, docname):
    """Put each such proof into a ``details`` element."""
    for proof in list(doctree.findall(nodes.admonition)):
        if {"proof", "dropdown"} <= set(proof["classes"]) and not list(proof.findall(nodes.title)):
            proof["classes"].remove("dropdown")
            begin, end = (nodes.raw("", html, format="html") for html in (OPEN, "</details>"))
            place = proof.parent.index(proof)  # replace_self would give the tags the proof's class
            proof.parent[place : place + 1] = [begin, proof, end]


def setup(app):
    """Register the extension."""
    app.connect("doctree-resolved", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
