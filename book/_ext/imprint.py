"""The foot of each page: when and from what it was made, how to cite it, where to report a fault.

Descriptions and a picture for previews go into the page's head. The address for reports is the
setting ``sgdescape_report_url`` in ``_config.yml``; while it is empty, there is no such link.
"""

import re
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from urllib.parse import urlencode

from docutils import nodes

from sgdescape.core.runs.provenance import commit

PACKAGES = ("numpy", "scipy", "torch")
PREVIEW = "_static/escape.png"
LONGEST = 160  # characters of a description that search engines show


def description(doctree) -> str:
    """Return the first sentences of a page as plain text, at most `LONGEST` characters."""
    for paragraph in doctree.findall(nodes.paragraph):
        plain = paragraph.deepcopy()
        for formula in list(plain.findall(nodes.math)):
            formula.replace_self(nodes.Text("…"))
        text = " ".join(plain.astext().split())
        if len(text) > 40:
            return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"
    return ""


def bibtex(title: str, pagename: str, *, author: str, release: str, made: datetime) -> str:
    """Return the BibTeX entry of one page."""
    key = re.sub(r"\W+", "_", pagename.rsplit("/", 1)[-1])
    return (
        f"@incollection{{how_sgd_escapes_{key},\n"
        f"  title     = {{{title}}},\n"
        f"  booktitle = {{How SGD Escapes}},\n"
        f"  author    = {{{{{author}}}}},\n"
        f"  year      = {{{made.year}}},\n"
        f"  note      = {{Executable book, version {release}}}\n}}"
    )


def foot(title: str, pagename: str, *, author: str, made: datetime, report: str) -> str:
    """Return the HTML of the foot of one page."""
    release, source = version("sgdescape"), commit()
    short = source if source.startswith("release") else f"commit {source[:10]}"
    if source.endswith("+"):
        short += ", changed since"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    entry = bibtex(title, pagename, author=author, release=f"{release} ({short})", made=made)
    parts = [
        f"<p>Made on {made:%Y-%m-%d} by version {release} ({escape(short)}), with {packages}.</p>",
        f'<details><summary>Cite this page</summary><pre tabindex="0">{escape(entry)}</pre>'
        "</details>",
    ]
    if report:
        query = urlencode({"title": f"{title}: ", "body": f"Page {pagename}, {short}\n\n"})
        address = escape(f"{report}{'&' if '?' in report else '?'}{query}")
        parts.append(f'<p><a href="{address}">Report a fault on this page</a></p>')
    return f'<footer class="sgd-imprint">{"".join(parts)}</footer>'


def add(app, pagename, templatename, context, doctree):
    """Put the foot below the page and the description into its head."""
    if doctree is None or "body" not in context:
        return
    title = context.get("title_plain") or re.sub(r"<[^>]+>", "", context.get("title", ""))
    title = re.sub(r"^[\d.]+\s+", "", " ".join(title.split()))
    context["body"] += foot(
        title,
        pagename,
        author=app.config.author,
        made=app.env.sgdescape_made,
        report=app.config.sgdescape_report_url,
    )
    text = escape(description(doctree))
    picture = context["pathto"](PREVIEW, 1)
    tags = [("name", "description", text), ("property", "og:title", escape(title))]
    tags += [("property", "og:description", text), ("property", "og:image", picture)]
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n<meta {kind}="{name}" content="{content}">' for kind, name, content in tags if content
    )


def begin(app):
    """Take one time for all pages of a build."""
    app.env.sgdescape_made = datetime.now(UTC)


def release(app, config):
    """Let the sidebar show the version of the package."""
    config.version = config.release = version("sgdescape")


def setup(app):
    """Register the extension."""
    app.connect("config-inited", release)
    app.add_config_value("sgdescape_report_url", "", "html", types=str)
    app.connect("builder-inited", begin)
    app.connect("html-page-context", add, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
