"""``{power} PART``: what ``results/power.json`` says of the claims' checks, as sentences or tables.

Parts: ``answer``, ``chapters``, ``short``, ``computed``, ``made``.
"""

import re
from pathlib import Path

import power_html
import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sgdescape.core.claims.card import anchor
from sgdescape.core.power import kept as power


class PowerPart(SphinxDirective):
    """The directive; its argument names the part."""

    required_arguments = 1

    def run(self):
        """Return the part as HTML; without a result, one sentence in all."""
        root = Path(self.env.srcdir)
        file = root / "results" / "power.json"
        self.env.note_dependency(str(file))
        result = power.kept(file)
        if not result:
            words = "Not measured yet: make power does it."
            return [nodes.paragraph(text=words)] if self.arguments[0] == "answer" else []
        part = PARTS[self.arguments[0]]
        return [nodes.raw("", part(result, titles(root), self.link), format="html")]

    def link(self, identifier):
        """Return the address of a claim's card, from this page."""
        page = f"book/chapters/{identifier.split('.')[0]}"
        address = self.env.app.builder.get_relative_uri(self.env.docname, page)
        return f"{address}#{anchor(identifier)}"


def titles(root: Path) -> dict:
    """Return stem -> title of the chapters, in the book's order."""
    found = {}
    for part in yaml.safe_load((root / "_toc.yml").read_text("utf-8"))["parts"]:
        for entry in part["chapters"]:
            source = root / f"{entry['file']}.md"
            if source.parent.name == "chapters":
                found[source.stem] = re.search(r"^# (.+)$", source.read_text("utf-8"), re.M)[1]
    return found


def chapters(result, names, link) -> str:
    """Return every chapter of which something was measured, in the book's order."""
    claims = power_html.sampled(result)
    parts = []
    for stem, title in names.items():
        own = {n: e for n, e in claims.items() if n.split(".")[0] == stem}
        if own:
            about = result["chapters"][stem]
            stale = about["version"] != power.version(stem)
            parts.append(power_html.chapter(title, about, own, link, stale))
    return "".join(parts)


PARTS = {
    "answer": lambda result, names, link: power_html.answer(result),
    "chapters": chapters,
    "short": lambda result, names, link: power_html.short(result, link),
    "computed": lambda result, names, link: power_html.computed(result, names),
    "made": lambda result, names, link: power_html.made(result, names),
}


def setup(app):
    """Register the directive."""
    app.add_directive("power", PowerPart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
