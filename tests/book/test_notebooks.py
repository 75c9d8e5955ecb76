"""Each notebook is its chapter, executed: what readers download is what the page says."""

import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.compare import compare_notebooks

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import notebooks  # noqa: E402  (tools is no package)

STEMS = sorted(path.stem for path in notebooks.CHAPTERS.glob("*.md"))
HEADER = "---\nkernelspec:\n  display_name: Python 3\n  name: python3\n---\n\n# A\n\n"
each_chapter = pytest.mark.parametrize("stem", STEMS)


def stored(stem):
    return nbformat.read(notebooks.NOTEBOOKS / f"{stem}.ipynb", as_version=4)


@each_chapter
def test_notebook_has_the_cells_of_its_chapter(stem):
    chapter = jupytext.read(notebooks.CHAPTERS / f"{stem}.md")
    compare_notebooks(stored(stem), chapter, fmt="md:myst", compare_outputs=False)


@each_chapter
def test_notebook_was_executed_whole(stem):
    codes = [cell for cell in stored(stem).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    assert [o for cell in codes for o in cell.outputs if o.output_type == "error"] == []


@each_chapter
def test_notebook_depends_on_nothing_but_text_and_results(stem):
    notebook = stored(stem)
    assert notebook.metadata.language_info == {"name": "python"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    fresh = notebooks.converted(notebooks.CHAPTERS / f"{stem}.md")
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in fresh.cells]


def test_every_notebook_has_a_chapter():
    assert sorted(path.stem for path in notebooks.NOTEBOOKS.glob("*.ipynb")) == STEMS


def test_drift_is_seen(tmp_path):
    text = HEADER + "```{code-cell}\n1 + 1\n```\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    (tmp_path / "b.md").write_text(text.replace("1 + 1", "1 + 2"), encoding="utf-8")
    one, other = (notebooks.converted(tmp_path / name) for name in ("a.md", "b.md"))
    with pytest.raises(Exception, match="differ"):
        compare_notebooks(one, other, fmt="md:myst", compare_outputs=False)


def test_execution_leaves_no_times_and_same_bytes(tmp_path):
    text = HEADER + "```{code-cell}\nprint(1 + 1)\n```\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    for name in ("one.ipynb", "two.ipynb"):
        notebooks.write(notebooks.executed(notebooks.converted(tmp_path / "a.md")), tmp_path / name)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    assert nbformat.read(tmp_path / "one.ipynb", 4).cells[1].outputs[0].text == "2\n"


def test_a_failing_cell_is_an_error(tmp_path):
    text = HEADER + "```{code-cell}\n1 / 0\n```\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match="ZeroDivisionError"):
        notebooks.executed(notebooks.converted(tmp_path / "a.md"))


CLAIM_CELLS = """```{code-cell}
from sgdescape.core import claims
print("verdict: confirmed, measured", claims.volatile("1.02"))
```
"""


@pytest.mark.parametrize(
    "old, new, status", [("1.02", "1.03", 0), ("confirmed", "refuted", 1)], ids=["digit", "verdict"]
)
def test_comparison_skips_measured_digits_and_nothing_else(tmp_path, old, new, status):
    (tmp_path / "a.md").write_text(HEADER + CLAIM_CELLS, encoding="utf-8")
    notebook = notebooks.executed(notebooks.converted(tmp_path / "a.md"))
    output = notebook.cells[1].outputs[0]
    assert old in output.text
    output.text = output.text.replace(old, new)
    notebooks.write(notebook, tmp_path / "a.ipynb")
    sanitize = ROOT / "tests" / "book" / "nbval_sanitize.cfg"
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", sanitize]
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "a.ipynb"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == status
