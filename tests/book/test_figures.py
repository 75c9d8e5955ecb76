"""Figures on the pages: what the kernel draws, and what the build makes of it."""

import base64
import csv
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure

from sgdescape.core import page_figures, plotting

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
sys.path.insert(0, str(EXTENSIONS))
import figure_colours  # noqa: E402
import figure_drawing  # noqa: E402
import figure_paths  # noqa: E402

RNG = np.random.default_rng(5)


def panels(columns=2, points=30):
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    for ax in np.atleast_1d(figure.subplots(1, columns)):
        x = np.linspace(1, 2, points)
        ax.plot(x, np.sin(9 * x), color=plotting.COLOURS["black"], label="a line")
        ax.plot(x, RNG.normal(size=points), "o", color=plotting.COLOURS["blue"], label="points")
        ax.errorbar([1.5], [0.0], [[0.2], [0.4]], fmt="s", mfc="white", label="measured")
        ax.set(xlabel="$x_1$", ylabel="value")
        ax.legend()
    return figure


# --- the kernel's half -------------------------------------------------------------------------


def test_panels_are_parted_where_nothing_stands():
    figure = panels(3)
    page_figures.svg(figure)
    found = page_figures.columns(figure)
    assert [c["panels"] for c in found] == [[0], [1], [2]]
    assert found[0]["left"] == 0 and found[-1]["right"] == 1
    for one, other in zip(found, found[1:], strict=False):
        assert one["right"] == other["left"]
        cut = one["right"] * figure.bbox.width
        boxes = [ax.get_tightbbox() for ax in figure.axes]
        assert not any(box.x0 < cut < box.x1 for box in boxes)


def test_a_figure_with_a_common_legend_or_panels_that_overlap_is_not_parted():
    figure = panels()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center")
    page_figures.svg(figure)
    assert len(page_figures.columns(figure)) == 1
    figure = panels()
    figure.axes[0].twinx()
    page_figures.svg(figure)
    assert [c["panels"] for c in page_figures.columns(figure)] == [[0, 2], [1]]


def test_a_colour_bar_stays_beside_its_panel():
    figure = Figure(layout="constrained")
    ax, other = figure.subplots(1, 2)
    figure.colorbar(ax.imshow(np.eye(3)), ax=ax)
    other.plot([1, 2])
    page_figures.svg(figure)
    assert [c["panels"] for c in page_figures.columns(figure)] == [[0, 2], [1]]


def test_the_numbers_are_those_that_are_drawn():
    figure = panels(1)
    rows = [r for r in csv.reader(page_figures.numbers(figure).splitlines()) if r[0][0] != "#"]
    head, *rows = rows
    assert head == ["panel", "series", "x", "y", "low", "high"]
    ax = figure.axes[0]
    line = np.array([row[2:4] for row in rows if row[1] == "a line"], float)
    np.testing.assert_allclose(line, np.transpose(ax.lines[0].get_data()), rtol=1e-5)
    (bar,) = [row for row in rows if row[1] == "measured"]
    np.testing.assert_allclose(np.array(bar[2:], float), [1.5, 0, -0.2, 0.4])
    assert {row[1] for row in rows} == {"a line", "points", "measured"}


def test_bands_bars_pictures_and_lines_across_have_numbers_too():
    ax = Figure().subplots()
    ax.fill_between([0, 1], [0, 0], [1, 2], label="band")
    ax.hist([1, 1, 2], bins=[0.5, 1.5, 2.5], label="found")
    ax.hist([1, 2, 2], bins=[0.5, 1.5, 2.5], histtype="step", label="expected")
    ax.imshow([[7.0, 8.0]])
    ax.axhline(3.5, label="level")
    ax.contour(np.outer([1, 2, 3], [1, 2, 3]), levels=[2.0])
    rows = list(csv.reader(page_figures.numbers(ax.figure).splitlines()))
    found = [[float(value) for value in r[2:4]] for r in rows if r[1:2] == ["found"]]
    assert found == [[0.5, 2], [1.5, 1], [2.5, 0]]
    outline = [[float(value) for value in r[2:4]] for r in rows if r[1:2] == ["expected"]]
    assert [0.5, 1] in outline and [2.5, 2] in outline
    assert ["1", "row 1", "2", "8", "", ""] in rows
    assert [r[2:4] for r in rows if r[1:2] == ["level"]] == [["", "3.5"]] * 2
    assert {"band", "contour at 2"} < {r[1] for r in rows if len(r) > 1}


def test_clouds_beyond_what_a_page_can_hold_become_pictures():
    ax = Figure().subplots()
    ax.plot(RNG.normal(size=page_figures.MOST_POINTS + 1), "o")
    svg = page_figures.svg(ax.figure)
    assert (
        "data:image/png" in svg and 'class="ink"' not in figure_drawing.drawing(svg, "f").pieces[0]
    )
    ax.lines[0].set_color("black")
    drawn = figure_drawing.drawing(page_figures.svg(ax.figure), "f")
    assert 'class="ink"' in drawn.pieces[0]  # which the style sheet inverts by night
    ax.lines[0].remove()
    ax.plot(RNG.normal(size=page_figures.MOST_POINTS), "o", rasterized=True)
    assert "data:image/png" not in page_figures.svg(ax.figure)


def test_notebooks_show_svg_while_pages_are_built(monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("SGDESCAPE_FIGURES", "svg")
    source = "from sgdescape.core import plotting\nfig, ax = plotting.figure()\nax.plot([1, 2]);"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    (output,) = book.cells[0].outputs
    assert set(output.data) == {"image/svg+xml", "text/plain"}
    assert figure_drawing.drawing(output.data["image/svg+xml"], "f").csv.count("\n") == 4


# --- paths -------------------------------------------------------------------------------------


def absolute(path):
    """The points of a path of `short`, each with its command."""
    here, start, found = np.zeros(2), np.zeros(2), []
    for word, text in re.findall(r"([MlhvqczZ])([^MlhvqczZ]*)", path):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]
        size = {"M": 2, "l": 2, "h": 1, "v": 1, "q": 4, "c": 6, "z": 0}[word]
        if not size:
            here = start
            found.append(("Z", ()))
        for k in range(0, len(numbers), size or 1):
            steps = numbers[k : k + size]
            steps = {"h": [*steps, 0.0], "v": [0.0, *steps]}.get(word, steps)
            points = np.reshape(steps, (-1, 2)) + (0 if word == "M" else here)
            found.append((word.upper().replace("H", "L").replace("V", "L"), points))
            here = points[-1]
            start = here if word == "M" else start
    return found


def test_short_paths_are_the_same_paths():
    original, text = [], []
    for command, size in [("M", 1), *[("L", 1)] * 300, ("Z", 0), ("M", 1), ("Q", 2), ("C", 3)] * 4:
        points = RNG.uniform(-300, 300, (size, 2))
        if command == "L" and RNG.random() < 0.3:
            points[0, RNG.integers(2)] = original[-1][1][-1, RNG.integers(2)] if size else 0
        original.append((command, points))
        text.append(" ".join([command, *(f"{c:.6f}" for c in points.ravel())]))
    found = absolute(figure_paths.short("\n".join(text)))
    assert [c for c, _ in found] == [c for c, _ in original]
    for (_, mine), (_, theirs) in zip(found, original, strict=True):
        if len(theirs):
            np.testing.assert_allclose(mine, theirs, atol=0.0051)  # also at the end: no drift


def test_a_repeated_command_and_exponents_are_read():
    assert figure_paths.short("M 1e-05 2 L 3.5 2 L 4 2.25 L 5 2 Z") == "M0 2h3.5l.5.25 1-.25z"


def test_round_dots_become_one_path_and_others_stay():
    drawn = figure_drawing.drawing(page_figures.svg(panels(1, points=200)), "f")
    assert "stroke-linecap:round" in drawn.css
    assert len(re.findall(r"v0", drawn.pieces[0])) > 150
    figure = panels(1, points=200)
    figure.axes[0].lines[1].set_marker("s")
    drawn = figure_drawing.drawing(page_figures.svg(figure), "f")
    assert drawn.pieces[0].count("<use") > 200


# --- the page's half -----------------------------------------------------------------------------


def parsed(drawn):
    store = figure_drawing.letter_store(drawn.letters)
    return ElementTree.fromstring(f"<div>{''.join(drawn.pieces)}{store}</div>")


def test_pieces_hold_everything_once_and_name_their_own():
    drawn = figure_drawing.drawing(page_figures.svg(panels()), "drawn-a")
    root = parsed(drawn)
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))
    assert all(n.startswith(("drawn-a-", "letter-")) for n in names)
    links = {e.get("href")[1:] for e in root.iter("use")}
    links |= {m[1] for e in root.iter() if (m := re.match(r"url\(#(.*)\)", e.get("clip-path", "")))}
    assert links <= set(names)
    boxes = [list(map(float, svg.get("viewBox").split())) for svg in root.findall("svg[@viewBox]")]
    assert len(boxes) == 2 and boxes[1][0] == pytest.approx(boxes[0][2], abs=0.02)
    assert sum(box[2] for box in boxes) == pytest.approx(9 * 72, abs=0.05)
    assert not [e for e in root.iter() if e.get("style")]
    assert sum(map(len, drawn.pieces)) < 0.45 * len(page_figures.svg(panels()))


def test_names_of_two_figures_differ_but_letters_are_shared():
    svg = page_figures.svg(panels())
    one, other = (figure_drawing.drawing(svg, name) for name in ("a", "b"))
    ids = [{e.get("id") for e in parsed(d).iter() if e.get("id")} for d in (one, other)]
    assert {name for name in ids[0] & ids[1]} == set(one.letters) == set(other.letters)


def test_ink_and_paper_are_the_themes():
    drawn = figure_drawing.drawing(page_figures.svg(panels()), "f")
    assert "stroke:var(--pst-color-text-base)" in drawn.css  # the black line
    assert "fill:var(--pst-color-background)" in drawn.css  # the hollow marker
    assert "stroke:var(--sgd-grid)" in drawn.css  # the grid
    assert not re.search(r"#(000000|ffffff|222222|333333|dddddd)", drawn.css)


@pytest.mark.parametrize("name", plotting.COLOURS)
def test_every_colour_can_be_seen_at_night(name):
    day, night = figure_colours.themed(plotting.COLOURS[name].lower())
    if name == "black":
        assert (day, night) == ("var(--pst-color-text-base)", None)
        return
    rgb = [int((night or day)[i : i + 2], 16) for i in (1, 3, 5)]
    assert day == plotting.COLOURS[name].lower()
    assert min(figure_colours.contrast(rgb, figure_colours.DARK),
               figure_colours.contrast(rgb, figure_colours.NIGHT)) >= 3  # fmt: skip


def test_grey_stays_between_ink_and_paper():
    for level in range(0x34, 0xCC):
        _, night = figure_colours.themed(f"#{level:02x}{level:02x}{level:02x}")
        rgb = [int(night[i : i + 2], 16) for i in (1, 3, 5)]
        assert figure_colours.contrast(rgb, figure_colours.DARK) >= 3


def test_the_grounds_are_those_of_the_theme():
    import pydata_sphinx_theme
    import sphinx_book_theme

    styles = [
        Path(package.__file__).parent / "theme" / package.__name__ / "static" / "styles"
        for package in (pydata_sphinx_theme, sphinx_book_theme)
    ]
    text = "".join(p.read_text(encoding="utf-8") for f in styles for p in f.glob("*-theme.css"))
    for name, rgb in (("surface", figure_colours.DARK), ("background", figure_colours.NIGHT),
                      ("text-base", figure_colours.CHALK)):  # fmt: skip
        assert f"--pst-color-{name}:#{bytes(rgb).hex()}" in text


CONFIGURATION = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "figures"]
nb_execution_mode = "off"
root_doc = "index"
html_theme = "basic"
"""


@pytest.fixture
def figures_of_this_build_only(monkeypatch):
    monkeypatch.setenv("SGDESCAPE_FIGURES", "svg")  # which the extension sets: undone afterwards


def built(tmp_path, data):
    from sphinx.cmd.build import build_main

    about = {
        "figure": {"name": "fig-a", "caption": "The black line."},
        "image": {"alt": "A <line>"},
    }
    output = nbformat.v4.new_output("display_data", data=data)
    cell = nbformat.v4.new_code_cell("1", outputs=[output], metadata={"mystnb": about})
    cells = [nbformat.v4.new_markdown_cell("# T"), cell]
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text(CONFIGURATION.format(ext=str(EXTENSIONS)), encoding="utf-8")
    book = nbformat.v4.new_notebook(cells=cells, metadata=language)
    (source / "index.ipynb").write_text(nbformat.writes(book), encoding="utf-8")
    out = tmp_path / "out" / "html"
    assert build_main(["-q", "-W", "--keep-going", str(source), str(out)]) == 0
    return out, (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("figures_of_this_build_only")
def test_a_page_draws_its_figures_and_offers_their_numbers(tmp_path):
    figure = panels()
    out, page = built(tmp_path, {"image/svg+xml": page_figures.svg(figure)})
    assert 'role="img" aria-label="A &lt;line&gt;"' in page and "<img" not in page
    assert page.count('class="sgd-letters"') == 1
    link = re.search(r'href="(figures/index/a\.csv)" download', page)[1]
    assert (out / link).read_text(encoding="utf-8") == page_figures.numbers(figure)
    assert re.search('"sgd-day">black</span>.?<span class="sgd-night">white</span>', page)
    words = (out / "searchindex.js").read_text(encoding="utf-8")
    assert '"white"' in words or "white:" in words
    assert not re.search("blackwhit|stroke|aria|letter", words)  # no markup of the drawing


@pytest.mark.usefixtures("figures_of_this_build_only")
def test_a_picture_from_an_older_cache_stays_one(tmp_path):
    figure = panels()
    file = tmp_path / "a.png"
    figure.savefig(file)
    data = {"image/png": base64.b64encode(file.read_bytes()).decode()}
    _, page = built(tmp_path, data)
    assert '<img alt="A &lt;line&gt;"' in page and "sgd-figure" not in page


def test_the_cache_tells_drawings_from_pictures(monkeypatch, tmp_path):
    import cache_key

    monkeypatch.setenv("SGDESCAPE_FIGURES", "svg")
    one = cache_key.code_hash(tmp_path)
    monkeypatch.delenv("SGDESCAPE_FIGURES")
    assert cache_key.code_hash(tmp_path) != one


def test_settings_of_matplotlib_are_left_alone():
    before = dict(matplotlib.rcParams)
    page_figures.svg(panels())
    assert dict(matplotlib.rcParams) == before
