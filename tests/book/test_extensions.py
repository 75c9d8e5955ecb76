"""The book's own Sphinx extensions, on a book of two small chapters."""

import hashlib
import json
import re
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sgdescape import claims_file

ROOT = Path(__file__).parents[2]
EXTENSIONS = ROOT / "book" / "_ext"

CLAIM = {
    "identifier": "first.slope",
    "statement": "The slope $s$ is < 2.",
    "source": "A paper, Eq. (8)",
    "evidence": "sampled",
    "predicted": 1.0,
    "measured": {"value": 1.02, "low": 0.99, "high": 1.04, "level": 0.99999, "method": "t"},
    "unit": "",
    "tolerance": 0.05,
    "resolution": 0.25,
    "detectable": 0.04,
    "reason": "",
    "rivals": [
        {"name": "slope 2", "value": 2.0, "rejected": True},
        {"name": "slope 1.03", "value": 1.03, "rejected": False},
    ],
    "verdict": "approximate (within 5 %)",
    "anchor": "claim-first-slope",
}
UNTESTED = CLAIM | {
    "identifier": "second.tail",
    "predicted": None,
    "measured": None,
    "rivals": [],
    "detectable": None,
    "evidence": "none",
    "verdict": "not testable here",
    "reason": "no data",
    "anchor": "claim-second-tail",
}
COVERAGE = """
- {id: mori.eq-8, paper: mori, kind: equation, text: The slope is $s$., where: "Section 3, Eq. (8)",
   sureness: A, weight: 3, needs: a test, now: [first.slope, "lab:eq-a"], gap: one width only}
- {id: mori.fig-2, paper: mori, kind: figure, text: A tail., where: Fig. 2, sureness: A, weight: 1,
   needs: data, now: ["fn:nowhere.x", "lab:eq-b"]}
- {id: mori.fig-3, paper: mori, kind: figure, text: A head., where: Fig. 3, sureness: A, weight: 1,
   needs: a larger machine, now: []}
- {id: kunin.c1, paper: kunin, kind: claim, text: Another., where: Fig. 1, sureness: A, weight: 1,
   needs: x, now: []}
"""
NAMES = "mori.eq-8: a slope\nmori.fig-2: a tail\nmori.fig-3: a head\nkunin.c1: another\n"
DARK = 'html[data-theme="dark"] '
CONFIGURATION = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "equation_numbers", "claim_cards", "provenance", "run_times"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
root_doc = "index"
html_theme = "basic"
nitpicky = True
"""


def notebook(title, *, labels, claim):
    card = f'<div class="sgd-claim sgd-claim--x" id="{claim["anchor"]}">plain card</div>'
    output = new_output(
        "display_data", data={"text/html": card}, metadata={"sgdescape_claim": claim}
    )
    formulas = [new_markdown_cell(f"$$\nx\n$$ ({label})") for label in labels]
    cells = [new_markdown_cell(f"# {title}"), *formulas, new_code_cell("1", outputs=[output])]
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    return nbformat.writes(new_notebook(cells=cells, metadata=language))


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    pages = {
        "conf.py": CONFIGURATION.format(ext=str(EXTENSIONS)),
        "index.md": "# Index\n\n{eq}`eq-8` {eq}`eq-a` {eq}`eq-b`\n\n"
        "```{toctree}\nb_first\na_second\nboard\n```\n",
        "board.md": "# Board\n\n```{coverage} mori\n```\n\n```{scoreboard}\n```\n\n"
        "```{provenance}\n```\n\n```{run-times}\n```\n",
        "book/coverage.yml": COVERAGE,
        "book/coverage_names.yml": NAMES,
        "b_first.ipynb": notebook("First", labels=["eq-8", "eq-a"], claim=CLAIM),
        "a_second.ipynb": notebook("Second", labels=["eq-b"], claim=UNTESTED),
    }
    (source / "book").mkdir()
    for name, text in pages.items():
        (source / name).write_text(text, encoding="utf-8")
    return source


def build(source, *options):
    from sphinx.cmd.build import build_main

    out = source.parent / "out" / "html"
    assert build_main(["-q", "-W", "--keep-going", *options, str(source), str(out)]) == 0
    return {path.stem: path.read_text(encoding="utf-8") for path in out.glob("*.html")}


def numbers_in(page):
    return re.findall(r'class="eqno">\((\w+)\)', page)


@pytest.mark.parametrize("options", [[], ["-j", "2"]], ids=["serial", "parallel"])
def test_equations_carry_the_papers_numbers(source, options):
    pages = build(source, *options)
    assert numbers_in(pages["b_first"]) == ["8", "E1"]
    assert numbers_in(pages["a_second"]) == ["E2"]
    assert re.findall(r"\((?:8|E\d)\)", pages["index"]) == ["(8)", "(E1)", "(E2)"]


def test_equation_numbers_follow_an_edit_elsewhere(source):
    build(source)
    edited = notebook("First", labels=["eq-8", "eq-new", "eq-a"], claim=CLAIM)
    (source / "b_first.ipynb").write_text(edited, encoding="utf-8")
    pages = build(source)
    assert numbers_in(pages["a_second"]) == ["E3"]
    assert "(E3)" in pages["index"]


def test_claims_of_pages_from_the_cache_are_not_lost(source):
    cache = get_cache(source.parent / "cache")
    for source_code, name in enumerate(("b_first", "a_second")):
        path = source / f"{name}.ipynb"
        executed = nbformat.read(path, 4)
        executed.cells[-1].source = str(source_code)  # the cache knows a notebook by its code
        cache.cache_notebook_bundle(CacheBundleIn(executed, str(path)), check_validity=False)
        executed.cells[-1].outputs = []
        nbformat.write(executed, path)
    with (source / "conf.py").open("a", encoding="utf-8") as file:
        file.write(f'nb_execution_mode = "cache"\nnb_execution_cache_path = {str(cache.path)!r}\n')
    pages = build(source)
    assert "2 claims" in pages["board"] and "sgd-plot--" in pages["b_first"]


@pytest.mark.parametrize("options", [[], ["-j", "2"]], ids=["serial", "parallel"])
def test_scoreboard_holds_every_claim_in_the_order_of_the_book(source, options):
    page = build(source, *options)["board"]
    assert re.search(r"<script[^>]+mathjax", page)  # though no node of the document is a formula
    assert "2 claims" in page and "1 approximate" in page and "1 not testable" in page
    assert page.index("first.slope") < page.index("second.tail")
    assert '<a href="b_first.html#claim-first-slope">first.slope</a>' in page
    assert 'The slope <span class="math notranslate nohighlight">\\(s\\)</span> is &lt; 2.' in page
    assert "1.020<small>[0.990, 1.040]</small>" in page and "level 99.999 %" in page
    assert "slope 2 (2)" in page and "Not testable here: no data" in page
    rows = re.findall(r'<tr class="sgd-verdict--[\w-]+" id="row-([\w-]+)"', page)
    assert rows == ["first-slope", "second-tail"] and page.count('class="sgd-line"') == 2


def test_scoreboard_follows_a_cached_build(source):
    build(source)
    changed = CLAIM | {"verdict": "refuted"}
    text = notebook("First", labels=["eq-8", "eq-a"], claim=changed)
    (source / "b_first.ipynb").write_text(text, encoding="utf-8")
    page = build(source)["board"]  # the other chapter was not read again
    assert "1 refuted" in page and "1 not testable" in page and "1 approximate" not in page


def cells_of(page):
    """Part of the paper -> for each of its statements the name and the links of the columns."""
    table = re.search(r'<table class="sgd-matrix">.*?</table>', page, re.S)[0]
    return {
        re.search(r'class="sgd-part"[^>]*>(.*?)<', part)[1]: [
            [name, *(re.findall(r'href="([^"]+)"', cell) for cell in cells.split("</td>")[:-1])]
            for name, cells in re.findall(r'<th scope="row"><a[^>]*>(.*?)</a></th>(.*?)</tr>', part)
        ]
        for part in re.findall(r"<tbody>(.*?)</tbody>", table, re.S)
    }


def test_every_statement_of_a_paper_stands_in_its_matrix(source):
    page = build(source)["board"]
    assert cells_of(page) == {
        "Section 3": [["Eq. (8): a slope", ["b_first.html#claim-first-slope"], [], []]],
        "Figures": [
            ["Fig. 2: a tail", [], ["#entry-mori-fig-2"], []],
            ["Fig. 3: a head", [], [], ["#entry-mori-fig-3"]],
        ],
    }
    assert "3 statements, 2 of them covered; by weight 50 %" in page  # (3/2 + 1 + 0) / 5
    for link in re.findall(r'<a href="#(entry-[\w-]+)"', page):
        assert f'id="{link}"' in page
    assert 'class="sgd-gap" title="one width only"' in page and "Missing: one width only" in page
    assert '<a href="b_first.html#claim-first-slope">first.slope</a> approximate' in page
    assert 'text <a href="a_second.html#equation-eq-b"><code>eq-b</code></a>' in page
    assert "function <code>nowhere.x</code>" in page  # no page has it: no dead link
    assert "Open. It would take: a larger machine" in page and "Another." not in page


def test_matrix_follows_the_coverage(source):
    build(source)
    (source / "book" / "coverage.yml").write_text(
        COVERAGE.replace("now: []", "now: [second.tail]", 1), encoding="utf-8"
    )
    found = cells_of(build(source)["board"])["Figures"]
    assert found == [
        ["Fig. 2: a tail", [], [], ["#entry-mori-fig-2"]],
        ["Fig. 3: a head", [], ["a_second.html#claim-second-tail"], []],
    ]


def test_cards_are_drawn_on_the_page(source):
    pages = build(source)
    page = pages["b_first"]
    assert "plain card" not in page and page.count('id="claim-first-slope"') == 1
    assert page.count('<svg class="sgd-plot sgd-plot--') == 2 and 'role="img" aria-label="' in page
    assert "Would have seen a deviation of <strong>4 %</strong>; asked for 25 %." in page
    assert "@misc{sgdescape_first_slope," in page and "slope 1.03" in page
    assert "Not testable here: no data." in pages["a_second"]
    assert "sgd-plot" not in pages["a_second"]


def test_bibtex_of_every_claim_is_what_latex_reads(extension):
    cards = extension("claim_cards")
    book = {"authors": "A. Author", "title": "A 5 % book_", "version": "1", "year": "2026"}
    for claim in claims_file.stored():
        entry = cards.bibtex(claim, book)
        outside = "".join(re.split(r"\$[^$]*\$", entry.partition(",")[2])[::2])
        assert not re.search(r"(?<!\\)[%_&#]", outside), claim["identifier"]
        assert "$" not in outside and entry.count("{") == entry.count("}")


def test_a_changed_record_changes_the_drawing_only(extension):
    cards = extension("claim_cards")
    one = cards.picture(CLAIM)
    other = cards.picture(CLAIM | {"measured": CLAIM["measured"] | {"high": 1.045}})
    assert one != other and cards.picture(CLAIM) == one
    assert cards.picture(UNTESTED) == ""


def test_claims_are_written_beside_the_pages(source):
    build(source)
    path = source.parent / "out" / "html" / "claims.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert [claim["identifier"] for claim in content["claims"]] == ["first.slope", "second.tail"]
    assert content["claims"][0]["rivals"] == CLAIM["rivals"]
    assert content["claims"][0]["kind"] == "approximate"


def test_a_claim_shown_twice_fails_the_build(source, capsys):
    text = notebook("Second", labels=["eq-b"], claim=CLAIM)
    (source / "a_second.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        build(source)
    assert "claim first.slope is shown 2 times" in capsys.readouterr().err


def test_provenance_names_versions_and_processor(source):
    page = build(source)["board"]
    version = ".".join(map(str, sys.version_info[:3]))
    assert version in page and "torch" in page and "Processor" in page


def executable(code):
    """A page that myst-nb would execute."""
    cell = new_code_cell(code)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.writes(new_notebook(cells=[new_markdown_cell("# T"), cell], metadata=kernel))


@pytest.fixture
def executed(source, monkeypatch):
    """Build a book of two pages whose first waits for its second; return the seen log."""
    lines = """
        import time
        from pathlib import Path
        Path("runs").open("a").write("{own} ")
        deadline = time.monotonic() + 60
        while "{other}" not in Path("runs").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "{other}" in Path("runs").read_text(), "executed alone"
    """
    for own, other in (("b_first", "a_second"), ("a_second", "b_first")):
        code = textwrap.dedent(lines.format(own=own, other=other))
        (source / f"{own}.ipynb").write_text(executable(code), encoding="utf-8")
    (source / "index.md").write_text("# Index\n\n```{toctree}\nb_first\na_second\n```\n")
    for name in ("board.md", "book/coverage.yml"):
        (source / name).unlink()
    with (source / "conf.py").open("a", encoding="utf-8") as file:
        file.write('extensions.insert(1, "execute_pages")\nnb_execution_mode = "cache"\n')
        file.write(f"nb_execution_cache_path = {str(source.parent / 'cache')!r}\n")
        file.write("nb_execution_show_tb = True\nnb_execution_raise_on_error = True\n")
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return source


def test_pages_are_executed_side_by_side_and_once(executed, monkeypatch):
    monkeypatch.setattr(__import__("execute_pages"), "_workers", lambda: 2)
    build(executed)
    runs = executed / "runs"
    assert sorted(runs.read_text().split()) == ["a_second", "b_first"]
    build(executed, "-E")  # every page is read again, none executed
    assert len(runs.read_text().split()) == 2


def test_a_page_that_fails_fails_the_build(executed, monkeypatch, capsys):
    monkeypatch.setattr(__import__("execute_pages"), "_workers", lambda: 2)
    code = "raise RuntimeError('a number is wrong')"
    (executed / "a_second.ipynb").write_text(executable(code), encoding="utf-8")
    (executed / "b_first.ipynb").write_text(executable("print(1)"), encoding="utf-8")
    with pytest.raises(AssertionError):
        build(executed)
    assert "a number is wrong" in capsys.readouterr().err


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return lambda name: __import__(name)


def test_the_cache_is_keyed_on_the_package_and_the_lock(extension, tmp_path):
    code_hash = extension("cache_key").code_hash
    package = tmp_path / "lib" / "sgdescape"
    (package / "core").mkdir(parents=True)
    (package / "core" / "sgd.py").write_text("x = 1\n", encoding="utf-8")
    seen = {code_hash(tmp_path)}
    (package / "core" / "sgd.py").write_text("x = 2\n", encoding="utf-8")
    seen.add(code_hash(tmp_path))
    (tmp_path / "requirements.lock").write_text("numpy==2\n", encoding="utf-8")
    seen.add(code_hash(tmp_path))
    assert len(seen) == 3
    (package / "core" / "__pycache__").mkdir()
    (package / "core" / "__pycache__" / "sgd.pyc").write_bytes(b"1")
    assert code_hash(tmp_path) in seen


def test_vendored_mathjax_is_the_one_it_says():
    table = (ROOT / "book" / "_vendor" / "README.md").read_text(encoding="utf-8")
    file = (ROOT / "book" / "_vendor" / "mathjax" / "tex-svg.js").read_bytes()
    assert hashlib.sha256(file).hexdigest() in table


def test_verdicts_are_counted_apart(extension):
    verdicts = ("not testable here", "identity", "refuted", "consistent (coarse)", "confirmed")
    verdicts += ("approximate (within a factor of 2)", "approximate (within 5 %)", "confirmed")
    found = extension("scoreboard_table").counts([CLAIM | {"verdict": v} for v in verdicts])
    assert "<strong>8 claims</strong>" in found
    counts = re.findall(r"<span>(\d [a-z ]+)</span></span>", found)
    assert counts == [
        "2 confirmed", "2 approximate", "1 consistent", "1 refuted", "1 identity", "1 not testable",
    ]  # fmt: skip


def test_a_computed_claim_has_no_level_on_the_scoreboard(extension):
    measured = CLAIM["measured"] | {"level": None}
    claim = CLAIM | {"measured": measured, "evidence": "computed"}
    row = extension("scoreboard_table").row(claim, "#", "first", (1, "First"))
    assert "numerical bound" in row and "· computed" in row and "level " not in row


def luminance(colour):
    """Relative luminance of #rrggbb, by WCAG 2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "kind", "confirmed approximate consistent refuted identity not-testable".split()
)
def test_verdicts_are_readable_in_light_and_dark(kind):
    css = (ROOT / "book" / "_static" / "claims.css").read_text(encoding="utf-8")
    # The theme's surfaces: --pst-color-surface and, behind it, the page; then the pictures' bands.
    bands = re.findall(r"--sgd-(?:tolerance|resolution): (#[0-9a-f]{6});", css)
    light, night = ["#f3f4f5", "#ffffff", *bands[:2]], ["#29313d", "#14181e", *bands[2:]]
    assert len(bands) == 4
    for dark, grounds in (("", light), (DARK, night)):
        rule = rf"^{re.escape(dark)}\.sgd-(?:claim|verdict)--{kind} {{ --sgd-verdict: (\S+); }}$"
        (colour,) = set(re.findall(rule, css, flags=re.MULTILINE))
        for ground in grounds:
            dim, bright = sorted((luminance(colour), luminance(ground)))
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (dark, colour, ground)
