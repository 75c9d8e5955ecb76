"""Directives `chapter-map` and `reading-path`: what to read, and how long it takes.

`chapter-map` is the table of contents with reading times. The lines of a `reading-path` are labels
of sections, or names of chapters for their openings; it becomes a table with times.
"""

import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
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
        return stacked(container)


class ReadingPath(SphinxDirective):
    """A table of sections, by chapter, with the time that each chapter's take."""

    has_content = True

    def run(self):
        """Write the table as MyST and let the parser of the page read it."""
        folder = Path(self.env.srcdir) / "book" / "chapters"
        texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
        chapters, total = {}, 0.0
        for name in (line.strip() for line in self.content if line.strip()):
            stem, link, minutes = found(name, texts)
            chapters.setdefault(stem, []).append((link, minutes))
            total += minutes
            self.env.note_dependency(str(folder / f"{stem}.md"))
        rows = [f"| chapter | sections | {total:.0f} min |", "|---|---|---|"]
        for stem, sections in chapters.items():
            links = "; ".join(link for link, _ in sections)
            time = sum(minutes for _, minutes in sections)
            rows.append(f"| [](/book/chapters/{stem}.md) | {links} | {time:.0f} min |")
        container = nodes.container()
        self.state.nested_parse(
            StringList(rows, source="reading-path"), self.content_offset, container
        )
        return stacked(container)


def stacked(container) -> list:
    """Return what a container holds; on a narrow page the rows of its tables become blocks."""
    for table in container.findall(nodes.table):
        table["classes"].append("sgd-stacked")
    return container.children


def found(name: str, texts: dict) -> tuple:
    """Return chapter, link and minutes of a section's label, or of a chapter's opening.

    Example:
        >>> text = "---\\n---\\n\\n# A\\nOne two.\\n(lab)=\\n## B\\nThree.\\n## C"
        >>> found("lab", {"a": text})[:2], found("a", {"a": text})[:2]
        (('a', '{ref}`lab`'), ('a', 'the opening'))
    """
    if name in texts:
        opening = re.split(r"^## ", texts[name], maxsplit=1, flags=re.M)[0]
        return name, "the opening", _words(opening) / WORDS_A_MINUTE
    for stem, text in texts.items():
        start = re.search(rf"^\({re.escape(name)}\)=\n+(#+) ", text, re.M)
        if start:
            rest = text[start.end() :]
            end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.M)
            section = rest[: end.start()] if end else rest
            return stem, f"{{ref}}`{name}`", len(_without_code(section).split()) / WORDS_A_MINUTE
    raise ExtensionError(f"reading-path: no chapter or section is called {name!r}")


def _words(text):
    return len(_without_code(text.split("---\n", 2)[-1]).split())


def _without_code(text):
    return re.sub(r"```\{code-cell\}.*?```", "", text, flags=re.S)


def setup(app):
    """Register the directive."""
    app.add_directive("chapter-map", ChapterMap)
    app.add_directive("reading-path", ReadingPath)
    return {"parallel_read_safe": True}
