"""What the book's own extensions add to pages: foot, formulas without scripts, hover, search."""

import importlib.util
import sys
import zipfile
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sgdescape.core.roots import PROJECT

sys.path.insert(0, str(PROJECT / "book" / "_ext"))
BeautifulSoup = pytest.importorskip("bs4").BeautifulSoup
accessible = pytest.importorskip("accessible")
fold_proofs = pytest.importorskip("fold_proofs")
nodes_of_proofs = pytest.importorskip("sphinx_proof.nodes")
imprint = pytest.importorskip("imprint")
plain_math = pytest.importorskip("plain_math")
plain_notebook = pytest.importorskip("plain_notebook")
search_words = pytest.importorskip("search_words")
tips = pytest.importorskip("tips")

LONG = nodes.Text("; " + "word " * 60)
MADE = datetime(2026, 11, 30, tzinfo=UTC)


def tool(name):
    spec = importlib.util.spec_from_file_location(name, PROJECT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_foot_names_the_page_in_its_citation_and_escapes_it():
    foot = imprint.foot("A < B", "book/chapters/x", author="We", made=MADE, report="")
    assert "Made on 2026-11-30" in foot and "{A &lt; B}" in foot
    assert "@incollection{how_sgd_escapes_x," in foot and "Report" not in foot


def test_foot_offers_reports_where_there_is_an_address():
    foot = imprint.foot("A & B", "x", author="We", made=MADE, report="https://example.org/new")
    assert 'href="https://example.org/new?title=A+%26+B' in foot


def test_description_is_the_first_real_paragraph_without_tex():
    page = nodes.container()
    page += nodes.paragraph("", "Short.")
    page += nodes.paragraph("", "The rate of escape is ", nodes.math("", r"\kappa"), LONG)
    text = imprint.description(page)
    assert text.startswith("The rate of escape is …") and len(text) <= imprint.LONGEST


@pytest.mark.parametrize("tex", [r"\frac{a}{b}", r"\left[x\right]^{-2}", r"a&lt;b"])
def test_formulas_are_there_twice_with_scripts_and_without(tex):
    number = '<span class="eqno">(1)</span>'
    page = f'<p>p</p><div class="math notranslate" id="e">{number}\\[{tex}\\]</div>'
    soup = BeautifulSoup(plain_math.both(page), "html.parser")
    assert soup.find(class_="sgd-tex").get_text().startswith("\\[")
    assert soup.noscript.math["display"] == "block" and soup.find(class_="eqno")


def test_titles_in_the_contents_are_there_twice_too():
    title = '<a href="#s"><span class="math notranslate">\\(x\\)</span></a>'
    context = {"body": title, "toc": title}
    plain_math.add_to_contents(None, "page", "page.html", context, None)
    assert context["toc"].count("<math") == 1


def test_proofs_fold_without_scripts():
    page, text = new_document("page"), nodes.paragraph("", "Proof. It is so.")
    page += nodes.admonition("", text, classes=["proof", "dropdown"])
    page += nodes.admonition("", nodes.title("", "T"), classes=["proof", "theorem", "dropdown"])
    fold_proofs.fold(None, page, "page")
    begin, proof, end, theorem = page.children
    assert begin.astext() == fold_proofs.OPEN and end.astext() == "</details>"
    assert proof["classes"] == ["proof"] and "dropdown" in theorem["classes"]
    assert not begin["classes"] + end["classes"]  # docutils would close the tag in a box of its own


def test_arrows_of_the_contents_have_a_name():
    def soup_of(text):
        return BeautifulSoup(text, "html.parser")

    arrow = '<details><summary><span class="toctree-toggle" role="presentation"></span></summary>'
    context = {"generate_toctree_html": lambda kind, *, depth: soup_of(arrow * depth)}
    accessible.name_arrows(None, "page", "page.html", context, None)
    html = context["generate_toctree_html"]("sidebar", depth=2)
    assert str(html).count('<summary aria-label="Its pages">') == 2


def test_what_is_no_formula_stays():
    page = '<span class="math notranslate">plain</span><code>\\(x\\)</code>'
    assert plain_math.both(page) == page


def test_a_formula_that_cannot_be_converted_is_shown_as_it_is():
    assert "<code>" in plain_math.mathml(r"\frac{", display=False)


def test_tips_show_equations_theorems_and_rows():
    page = plain_math.both(
        '<div class="math notranslate" id="equation-e"><span class="eqno">(7)</span>\\[x\\]</div>'
        '<div class="proof theorem" id="t"><p>Theorem 1</p><p>It is \\(y\\).</p></div>'
        '<table><tr id="r"><td>loss</td><td></td><td>unit</td></tr></table>'
    )
    soup = BeautifulSoup(page, "html.parser")
    found = {e["id"]: tips.snippet(e) for e in soup.find_all(id=True)}
    assert found["equation-e"] == "<p>\\[x\\]</p><p>(7)</p>"
    assert "Theorem 1" in found["t"] and "It is \\(y\\)." in found["t"]
    assert found["r"] == "<p>loss · unit</p>"


def test_a_tip_is_not_cut_inside_a_formula():
    text = "x" * (tips.LONGEST - 5) + r" \(a+b+c\) tail"
    shown = tips.shorter(BeautifulSoup(f"<p>{text}</p>", "html.parser").p)
    assert shown.count(r"\(") == shown.count(r"\)")


def test_links_get_the_tip_of_the_place_they_lead_to():
    body = BeautifulSoup('<a href="b.html#e">7</a><a href="#none">0</a>', "html.parser")
    shown = {"book/chapters/b.html#e": "<p>x</p>"}
    assert tips.table("book/chapters/a.html", body, shown) == {"b.html#e": "<p>x</p>"}


def words(*parts):
    page = new_document("page")
    page += parts
    lang = SimpleNamespace(split=str.split, lang="en")
    index = SimpleNamespace(lang=lang, env=SimpleNamespace(srcdir=PROJECT))
    return search_words.collected(index, page)


def test_search_finds_words_and_no_tex():
    seen = words(nodes.paragraph("", "a rate ", nodes.math("", r"\frac12")))
    assert "rate" in seen.words and not any("frac" in word for word in seen.words)
    raw = nodes.raw("", r"<p>a \(\frac12\) card</p>", format="html")
    assert "card" in (found := words(raw).words) and not any("frac" in w for w in found)


def test_search_keeps_the_words_of_a_card_apart_and_skips_its_citation():
    card = "<b>refuted</b><i>sampled</i><dt>Name</dt><pre class='cite'>@misc{x}</pre>"
    found = words(nodes.raw("", card, format="html")).words
    assert [w for w in found if w.isalpha()] == ["refuted", "sampled", "Name"]


def test_search_lands_on_equations_by_number_and_subject():
    equation = nodes.math_block("", "x", label="eq-16", number="16")
    assert words(equation).titles == [
        ("Equation (16)", "equation-eq-16"),
        ("critical dimension", "equation-eq-16"),
    ]
    own = nodes.math_block("", "x", label="eq-own", number="E1")
    assert words(own).titles == [("Equation (E1)", "equation-eq-own")]


def test_search_lands_on_rows_of_the_notation_by_meaning_symbol_and_name():
    cells = [
        [nodes.paragraph("", "loss ratio")],
        [
            nodes.paragraph(
                "", "", nodes.math("", r"\kappa_e=L(\theta^s)/L^*,\ \mathrm{Tr}\,\Sigma")
            )
        ],
        [nodes.paragraph("", "", nodes.math("", "1/x"), nodes.Text(" with "), nodes.math("", "x"))],
        [nodes.paragraph("", "", nodes.literal("", "kurtosis"), nodes.literal("", "a_function"))],
    ]
    row = nodes.row("", *(nodes.entry("", *cell) for cell in cells), ids=["notation-loss"])
    titles = [title for title, place in words(row).titles if place == "notation-loss"]
    assert titles == ["loss ratio", "κₑ", "kappa_e", "Tr Σ", "Tr Sigma", "kurtosis"]


def test_search_lands_on_theorems_by_number_and_figures_by_that_of_the_paper():
    end = nodes.Text(" (Definitions 4.1 and 4.2))")
    title = nodes.title("", "(Valley for ", nodes.math("", r"n<n_c"), end)
    box = nodes_of_proofs.definition_node("", title, classes=["proof"], ids=["def-v"])
    names = [name for name, place in words(box).titles if place == "def-v"]
    assert names == [
        "Valley for n < n_c (Definitions 4.1 and 4.2)",
        "Definition 4.1",
        "Definition 4.2",
    ]
    figure = nodes.figure("", ids=["fig-regression-passages"])
    assert words(figure).titles == [("Fig. 3b", "fig-regression-passages")]


def test_titles_keep_their_formulas_as_signs():
    section = nodes.section("", nodes.title("", "The ", nodes.math("", "n/2")), ids=["half"])
    assert ("The n/2", "half") in words(nodes.title("", "Page"), section).titles


def test_downloaded_notebooks_are_plain_markdown():
    glued = new_output(
        "display_data",
        data={"application/papermill.record/text/plain": "\u206012\u2060"},
        metadata={"scrapbook": {"name": "n", "mime_prefix": "application/papermill.record/"}},
    )
    text = (
        "# T\n\n(here)=\n$$\nx\n$$ (eq-a)\n\n"
        ":::{prf:theorem} Name\n:label: thm-a\n\nSee {eq}`eq-a`.\n:::\n\n"
        "{cite:t}`w` has {glue:text}`n`, {prf:ref}`thm-a`; [next](other.md)."
    )
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("1", outputs=[glued])])
    plain = plain_notebook.resolved(
        notebook,
        numbers={"eq-a": "E3"},
        texts={"thm-a": "Theorem 2.1", "title thm-a": "Theorem 2.1 (Name)"},
        cite=lambda kind, keys: f"{kind}:{keys}",
        page="p.html",
    )
    shown = plain.cells[0].source
    assert "\\tag{E3}" in shown and "> **Theorem 2.1 (Name)**" in shown and "> See (E3)." in shown
    assert "t:w has 12, Theorem 2.1; [next](other.ipynb)." in shown
    assert not any(mark in shown for mark in (":::", "{eq}", ":label:", "(here)="))
    assert plain.cells[1].source == "1" and notebook.cells[0].source == text


def test_code_inside_a_cell_is_left_alone():
    text = "```{code-cell} python\nx = {eq: 1}\n```"
    assert plain_notebook.unboxed(text, {}) == text


def test_the_archive_is_the_same_for_the_same_pages(tmp_path):
    archive = tool("archive")
    (tmp_path / "html" / "b").mkdir(parents=True)
    (tmp_path / "html" / "b" / "x.html").write_text("x")
    (tmp_path / "html" / "index.html").write_text("i")
    first, second = tmp_path / "one.zip", tmp_path / "two.zip"
    assert archive.written(tmp_path / "html", first) == 2
    assert zipfile.ZipFile(first).namelist() == ["one/b/x.html", "one/index.html"]
    archive.written(tmp_path / "html", second)
    assert len(first.read_bytes()) == len(second.read_bytes())
