"""The book's own Sphinx extensions, on a book of two small chapters."""

import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
EXTENSIONS = ROOT / "book" / "_ext"

CLAIM = {
    "identifier": "first.slope",
    "statement": "The slope $s$ is < 2.",
    "source": "A paper, Eq. (8)",
    "evidence": "sampled",
    "predicted": 1.0,
    "measured": {"value": 1.02, "low": 0.99, "high": 1.04, "level": 0.99999},
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
    "evidence": "none",
    "verdict": "not testable here",
    "reason": "no data",
    "anchor": "claim-second-tail",
}
DARK = 'html[data-theme="dark"] '
CONFIGURATION = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "equation_numbers", "scoreboard", "provenance", "run_times"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
root_doc = "index"
html_theme = "basic"
nitpicky = True
"""


def notebook(title, *, labels, claim):
    card = f'<div id="{claim["anchor"]}">card</div>'
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
        "board.md": "# Board\n\n```{scoreboard}\n```\n\n```{provenance}\n```\n\n"
        "```{run-times}\n```\n",
        "b_first.ipynb": notebook("First", labels=["eq-8", "eq-a"], claim=CLAIM),
        "a_second.ipynb": notebook("Second", labels=["eq-b"], claim=UNTESTED),
    }
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


@pytest.mark.parametrize("options", [[], ["-j", "2"]], ids=["serial", "parallel"])
def test_scoreboard_holds_every_claim_in_the_order_of_the_book(source, options):
    page = build(source, *options)["board"]
    assert "2 claims" in page and "1 approximate, 1 not testable." in page
    assert page.index("first.slope") < page.index("second.tail")
    assert 'href="b_first.html#claim-first-slope">The slope <span class="math' in page
    assert "\\(s\\)</span> is &lt; 2.</a>" in page
    assert "1.02<br>[0.99, 1.04]<br>at 99.999 %" in page
    assert "slope 2: 2" in page and "no data" in page and "slope 1.03" not in page


def test_scoreboard_follows_a_cached_build(source):
    build(source)
    changed = CLAIM | {"verdict": "refuted"}
    text = notebook("First", labels=["eq-8", "eq-a"], claim=changed)
    (source / "b_first.ipynb").write_text(text, encoding="utf-8")
    page = build(source)["board"]
    assert "1 refuted, 1 not testable." in page  # the other chapter was not read again


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


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return lambda name: __import__(name)


def test_the_cache_is_keyed_on_the_package_and_the_lock(extension, tmp_path):
    code_hash = extension("cache_key").code_hash
    package = tmp_path / "lib" / "sgdescape"
    (package / "core").mkdir(parents=True)
    (package / "core" / "sgd.py").write_text("x = 1\n")
    seen = {code_hash(tmp_path)}
    (package / "core" / "sgd.py").write_text("x = 2\n")
    seen.add(code_hash(tmp_path))
    (tmp_path / "requirements.lock").write_text("numpy==2\n")
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
    found = extension("scoreboard_table").table([(CLAIM | {"verdict": v}, "#") for v in verdicts])
    counts = "2 confirmed, 2 approximate, 1 consistent, 1 refuted, 1 identity, 1 not testable"
    assert f"<strong>8 claims</strong>: {counts}." in found


def test_a_computed_claim_has_no_level_on_the_scoreboard(extension):
    measured = CLAIM["measured"] | {"level": None}
    row = extension("scoreboard_table").row(
        CLAIM | {"measured": measured, "evidence": "computed"}, "#"
    )
    assert "numerical bound" in row and "computed, no sampling" in row and "at " not in row


def luminance(colour):
    """Relative luminance of #rrggbb, by WCAG 2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "kind", "confirmed approximate consistent refuted identity not-testable".split()
)
def test_verdicts_are_readable_in_light_and_dark(kind):
    css = (ROOT / "book" / "_static" / "sgdescape.css").read_text(encoding="utf-8")
    # The theme's surfaces: --pst-color-surface and, behind it, the page.
    for dark, grounds in (("", ("#f3f4f5", "#ffffff")), (DARK, ("#29313d", "#14181e"))):
        rule = rf"^{re.escape(dark)}\.sgd-claim--{kind} {{ --sgd-verdict: (#[0-9a-f]{{6}}); }}$"
        (colour,) = re.findall(rule, css, flags=re.MULTILINE)
        for ground in grounds:
            dim, bright = sorted((luminance(colour), luminance(ground)))
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (dark, colour, ground)


def test_claims_are_read_from_executed_notebooks_only(extension, tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text(notebook("First", labels=[], claim=CLAIM), encoding="utf-8")
    assert extension("scoreboard").claims_of(path) == [CLAIM]
    cells = json.loads(path.read_text(encoding="utf-8"))
    for cell in cells["cells"]:
        cell.pop("outputs", None)
    path.write_text(json.dumps(cells), encoding="utf-8")
    assert extension("scoreboard").claims_of(path) == []
