"""Mend what an accessibility check finds in the pages of the tools, where no style sheet can."""


def mend(app, pagename, templatename, context, doctree):
    """Call an entry of a bibliography a list item: docutils' role for it left ARIA."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app):
    """Register the extension."""
    app.add_js_file("focusable.js", loading_method="defer")
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
