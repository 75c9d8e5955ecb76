"""Mend what an accessibility check finds in the pages of the tools, where no style sheet can."""

from functools import wraps


def mend(app, pagename, templatename, context, doctree):
    """Call an entry of a bibliography a list item: docutils' role for it left ARIA."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def name_arrows(app, pagename, templatename, context, doctree):
    """Give the arrows of the contents, which are pictures, a name."""
    if make := context.get("generate_toctree_html"):

        @wraps(make)
        def named(*arguments, **options):
            soup = make(*arguments, **options)
            for arrow in soup.select("summary:not(:has(p))"):  # with a caption it has a name
                arrow["aria-label"] = "Its pages"
            return soup

        context["generate_toctree_html"] = named


def setup(app):
    """Register the extension."""
    app.add_js_file("focusable.js", loading_method="defer")
    app.add_js_file("stacked.js", loading_method="defer")
    app.connect("html-page-context", mend)
    app.connect("html-page-context", name_arrows, priority=900)  # after the theme's
    return {"parallel_read_safe": True, "parallel_write_safe": True}
