"""Make the pages complete without a network: vendored MathJax, no thebe, a quiet console."""

from pathlib import Path


def add_vendored(app, config):
    """Serve MathJax from the book itself.

    Its folder joins the static path here and not in the settings, where every script of a static
    folder would be loaded on every page.
    """
    config.html_static_path.append(str(Path(app.srcdir) / "book" / "_vendor" / "mathjax"))


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove thebe's scripts: they declare a constant twice, an error on each page."""

    def is_thebe(script):
        return "thebe" in str(getattr(script, "filename", "") or "").lower() or (
            "THEBE_JS_URL" in str(getattr(script, "attributes", {}).get("body", ""))
        )

    context["script_files"] = [s for s in context["script_files"] if not is_thebe(s)]


def drop_thebe_settings(app, doctree, docname):
    """Remove the inert settings block that thebe adds to each page."""
    for node in list(doctree.findall(lambda n: n.tagname == "raw")):
        if "text/x-thebe-config" in node.astext():
            node.parent.remove(node)


def setup(app):
    """Register the extension."""
    app.add_js_file("quiet.js", priority=1)
    app.connect("config-inited", add_vendored)
    app.connect("doctree-resolved", drop_thebe_settings, priority=900)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
