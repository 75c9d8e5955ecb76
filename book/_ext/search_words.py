"""What the search finds: words without TeX; equations, theorems and symbols by name and place.

Sphinx indexes every word of a formula's TeX and lands on pages. Here formulas are left out, and
numbered equations, theorems, figures of the papers and the rows of the notation's tables count as
titles of their own: an equation by its number and subject, a theorem by its number too, a row by
its meaning, its symbols ("κ" and "kappa") and its name in the code.
"""

import re
from functools import cache

from coverage_matrix import label, statements
from docutils import nodes
from plain_tex import plain as untexed
from sphinx.search import IndexBuilder

FORMULA = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$[^$]+\$", re.S)
UNREAD = re.compile(r"<(style|script|pre)\b.*?</\1>|<[^<>]+>", re.S)
NUMBERED = re.compile(r"(Theorem|Assumption|Definition)s? (\d[\d.]*)(?: and (\d[\d.]*))?")
COMMA = re.compile(r"(?<!\\),(?![^{(]*[)}])")
RELATION = re.compile(r"=|\\propto|\\in\b|\\ll\b")
NOTATION = "book/notation"


def slug(text: str) -> str:
    """Return a text as an HTML id.

    Example:
        >>> slug("Loss ratio (of a valley)")
        'loss-ratio-of-a-valley'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def plain(node, *, formulas: bool = False) -> str:
    """Return a node's text, its formulas left out or spelled with signs that a font has."""
    copy = node.deepcopy()
    for formula in list(copy.findall(nodes.math)):
        spelled = [nodes.Text(untexed(formula.astext()))] if formulas else []
        formula.parent.replace(formula, spelled)
    return " ".join(copy.astext().split())


def bare(title: str) -> str:
    """Return a title without the brackets around all of it.

    Example:
        >>> bare("(Escape rate (Theorem 4.7))"), bare("(a) and (b)"), bare("Paths")
        ('Escape rate (Theorem 4.7)', '(a) and (b)', 'Paths')
    """
    return re.sub(r"^\(((?:[^()]|\([^()]*\))*)\)$", r"\1", " ".join(title.split()))


def spelled(tex: str) -> str:
    r"""Return a symbol as one types it.

    Example:
        >>> spelled(r"\kappa_e"), spelled(r"\mathrm{Tr}\,\Sigma"), spelled("P_{ss}")
        ('kappa_e', 'Tr Sigma', 'P_ss')
    """
    text = re.sub(r"\\(?:[,;!]|mathrm|mathcal|mathsf|rm)|[{}]", "", tex)
    return " ".join(text.replace("\\", " ").split())


def symbols(row) -> list:
    """Return what else a row of the notation is called: its symbols, and its name in the code."""
    found = []
    for cell in row[1:]:
        for formula in cell.findall(nodes.math):
            if _explains(formula):
                continue
            for part in COMMA.split(formula.astext()):
                symbol = RELATION.split(part)[0].removeprefix("\\ ").strip()
                if symbol and not symbol[0].isdigit():
                    found += [untexed(symbol), spelled(symbol)]
        found += [name.astext() for name in cell.findall(nodes.literal) if "_" not in name.astext()]
    return list(dict.fromkeys(found))


def _explains(formula):
    """Whether a formula only says what stands in the one before it: "$1/x$ with $x=2y$"."""
    before = formula.parent[: formula.parent.index(formula)]
    return bool(before) and before[-1].astext().rstrip().endswith("with")


@cache
def subjects(root) -> dict:
    """Return id -> titles: subjects of the first paper's equations, numbers of the figures."""
    found = {}
    for leaf in statements(root):
        kind = leaf["id"].partition(".")[2].partition("-")[0]
        labels = [name[4:] for name in leaf["now"] if name.startswith("lab:")]
        if kind == "eq" and leaf["paper"] == "mori":
            found.setdefault(f"equation-{leaf['id'].partition('.')[2]}", []).append(leaf["name"])
        elif kind == "fig" and labels:
            place = next((name for name in labels if name.startswith("fig-")), labels[0])
            found.setdefault(nodes.make_id(place), []).append(label(leaf).partition(":")[0])
    return found


def landings(node, names: dict) -> list:
    """Return (title, id) of what the search should land on.

    Args:
        node: of a page.
        names: id -> further titles.
    """
    found, place = [], None
    if isinstance(node, nodes.math_block) and node.get("number") and node.get("label"):
        place = nodes.make_id(f"equation-{node['label']}")
        found = [f"Equation ({node['number']})"]
    elif node.tagname == "row" and node.get("ids"):
        place, found = node["ids"][0], [plain(node[0]), *symbols(node)]
    elif isinstance(node, nodes.Admonition) and "proof" in node.get("classes", []):
        if node.get("ids") and isinstance(node[0], nodes.title):
            title = bare(plain(node[0], formulas=True))
            place, found = node["ids"][0], [title]
            for kind, *numbers in NUMBERED.findall(title):
                found += [f"{kind} {number}" for number in numbers if number]
    further = [(name, i) for i in [place, *_ids(node)] if i for name in names.get(i, ())]
    return list(dict.fromkeys([(title, place) for title in found] + further))


def _ids(node):
    return node.get("ids", ()) if isinstance(node, nodes.Element) else ()


def collected(index, doctree):
    """Return the words and titles of one page, in place of Sphinx's own method."""
    names = subjects(index.env.srcdir)
    places = [place for node in doctree.findall() for place in landings(node, names)]
    page = doctree.deepcopy()
    for formula in [*page.findall(nodes.math), *page.findall(nodes.math_block)]:
        named = isinstance(formula.parent, nodes.title)
        formula.parent.replace(formula, [nodes.Text(untexed(formula.astext()))] if named else [])
    for raw in list(page.findall(nodes.raw)):
        raw.children = [nodes.Text(UNREAD.sub(" ", FORMULA.sub(" ", raw.astext())))]
    store = theirs(index, page)
    titles = [(bare(title), place) for title, place in store.titles]
    store.titles = list(dict.fromkeys(titles + places))
    for title, _ in places:
        store.title_words.extend(index.lang.split(title))
    return store


def name_rows(app, doctree):
    """Give each row of the notation's tables an id made from its first cell."""
    if app.env.docname != NOTATION:
        return
    for body in doctree.findall(nodes.tbody):
        for row in body:
            row["ids"].append(f"notation-{slug(plain(row[0]))}")


theirs = IndexBuilder._word_collector


def setup(app):
    """Register the extension."""
    IndexBuilder._word_collector = collected
    app.add_js_file("find.js", loading_method="defer")
    app.connect("doctree-read", name_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
