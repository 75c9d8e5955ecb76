"""Directive `chapter-map`: the parts and chapters of the table of contents, with reading times."""

import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

WORDS_A_MINUTE = 180  # slow: half of the words stand beside a formula


class ChapterMap(SphinxDirective):
    """A table of the chapters in reading order; reading time from the words outside code."""

    def run(self):
        """Write the table as MyST and let the parser of the page read it."""
        root = Path(self.env.srcdir)
        rows = ["| part | chapter | answers | reading time |", "|---|---|---|---|"]
        for part in yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")).get(
            "parts", []
        ):
            for chapter in part["chapters"]:
                source = root / f"{chapter['file']}.md"
                if source.parent.name != "chapters":
                    continue
                self.env.note_dependency(str(source))
                text = source.read_text(encoding="utf-8")
                question = re.search(r"^  question: (.+)$", text, re.M)
                minutes = _words(text) / WORDS_A_MINUTE
                rows.append(
                    f"| {part['caption']} | [](/{chapter['file']}.md) "
                    f"| {question[1] if question else ''} | {minutes:.0f} min |"
                )
        container = nodes.container()
        self.state.nested_parse(
            StringList(rows, source="chapter-map"), self.content_offset, container
        )
        return container.children


def _words(text):
    prose = re.sub(r"```\{code-cell\}.*?```", "", text.split("---\n", 2)[-1], flags=re.S)
    return len(prose.split())


def setup(app):
    """Register the directive."""
    app.add_directive("chapter-map", ChapterMap)
    return {"parallel_read_safe": True}
