"""Downloaded notebooks in plain Markdown: what the book's markup means, as Jupyter shows it.

The notebooks of the repository are MyST; Jupyter would show its roles and boxes as they are
written. `resolved` replaces them by what the built page shows: numbers of equations, names of
theorems, works cited, and the numbers that the cells compute.
"""

import copy
import re
from collections.abc import Callable

from bs4 import BeautifulSoup
from docutils.nodes import make_id
from scene import as_text

ROLE = re.compile(r"\{(?P<role>[a-z:]+)\}`(?P<text>[^`]+)`")
FENCE = re.compile(r"^(?P<mark>:{3,}|`{3,})\{(?P<kind>[a-z:_-]+)\} ?(?P<argument>.*)$")
LABELLED = re.compile(r"\$\$(?P<tex>.+?)\$\$ *\((?P<label>[\w-]+)\)", re.S)
SILENT = ("exercise-end", "solution-end", "bibliography", "tableofcontents")


def page_texts(html: str) -> dict[str, str]:
    """Return id -> the text by which a page calls what stands there."""
    soup = BeautifulSoup(html, "html.parser")
    for hidden in soup.find_all("noscript"):
        hidden.decompose()
    texts = {}
    for link in soup.find_all("a", class_="reference"):
        fragment = link.get("href", "").partition("#")[2]
        if fragment and (text := link.get_text(" ", strip=True)):
            texts.setdefault(fragment, text)
    for title in soup.find_all("p", class_="admonition-title"):
        box = title.find_parent(id=True)
        if box is not None:
            texts[f"title {box['id']}"] = " ".join(title.get_text().split())
    return texts


def glued(notebook) -> dict[str, str]:
    """Return name -> text of every number that the cells glue."""
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            glue = output.get("metadata", {}).get("scrapbook", {})
            if name := glue.get("name"):
                kinds = output.get("data", {})
                key = glue.get("mime_prefix", "") + "text/plain"
                values[name] = kinds.get(key, "").replace("\u2060", "")
    return values


def resolved(notebook, *, numbers: dict, texts: dict, cite: Callable[[str, str], str], page: str):
    """Return a copy of a notebook whose text cells are plain Markdown.

    Args:
        notebook: of nbformat.
        numbers: label -> number of every equation of the book.
        texts: of `page_texts`.
        cite: (kind "t" or "p", keys) -> the citation in words.
        page: address of the page, named at the top.
    """
    plain = copy.deepcopy(notebook)
    values = glued(notebook)

    def role(found):
        kind, text = found["role"], found["text"]
        shown, _, target = text.rpartition("<")
        label = target.rstrip(">").strip() if shown else text
        if kind == "eq":
            return f"({numbers.get(label, label)})"
        if kind == "glue:text":
            return values.get(label, f"[{label}]")
        if kind.startswith("cite"):
            return cite(kind.rpartition(":")[2], label)
        return shown.strip() or texts.get(make_id(label), label)

    for cell in plain.cells:
        if cell.cell_type == "markdown":
            text = LABELLED.sub(lambda f: _numbered(f, numbers), cell.source)
            text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.M)
            text = re.sub(r"\]\(([a-z_]+)\.md(#[^)]*)?\)", r"](\1.ipynb)", text)
            cell.source = ROLE.sub(role, unboxed(as_text(text), texts))
    first = next((c for c in plain.cells if c.cell_type == "markdown"), None)
    if first is not None:
        first.source += f"\n\n*A chapter of How SGD Escapes, made plain for Jupyter; page: {page}.*"
    return plain


def _numbered(found, numbers):
    number = numbers.get(found["label"], found["label"])
    return f"$${found['tex'].rstrip()} \\tag{{{number}}}$$"


def unboxed(text: str, texts: dict) -> str:
    """Return Markdown in which the book's boxes are quotations with their titles in bold.

    Example:
        >>> print(unboxed(":::{prf:proof}\\nIt is so.\\n:::", {}))
        > **Proof.**
        > It is so.
    """
    lines, boxes = [], []  # boxes: (mark, quoted) of those that are open
    for line in text.split("\n"):
        opened = FENCE.match(line.strip()) if not _in_code(boxes) else None
        if opened and opened["kind"] in SILENT:
            boxes.append((opened["mark"], None))
        elif opened and opened["kind"] == "code-cell":
            boxes.append((opened["mark"], False))
            lines.append(line)
        elif opened:
            boxes.append((opened["mark"], True))
            lines.append(_quote(boxes[:-1]) + "> " + _title(opened, text, texts))
        elif boxes and line.strip() == boxes[-1][0]:
            if boxes.pop()[1] is False:
                lines.append(line)
        elif boxes and (boxes[-1][1] is None or re.match(r":[a-z-]+:", line.strip())):
            continue  # an option, or what plain Jupyter has no use for
        else:
            lines.append(_quote(boxes) + line if _quote(boxes) else line)
    return "\n".join(lines)


def _in_code(boxes):
    return bool(boxes) and boxes[-1][1] is False


def _quote(boxes):
    return "> " * sum(1 for _, quoted in boxes if quoted)


def _title(opened, text, texts):
    kind = opened["kind"].rpartition(":")[2].removesuffix("-start").capitalize()
    argument = opened["argument"].strip()
    label = re.search(re.escape(opened[0]) + r"\n:label: ([\w-]+)", text)
    if label and (title := texts.get(f"title {make_id(label[1])}")):
        return f"**{title}**"
    if kind == "Solution":
        return "**Solution.**"
    return f"**{kind}{f' ({argument})' if argument else ''}.**"
