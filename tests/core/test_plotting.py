"""The figures' style: contrast, fixed colours, helpers, bytes and what a notebook stores."""

import base64
import io
import struct

import matplotlib
import numpy as np
import pytest
from matplotlib import colors

matplotlib.use("Agg")

from sgdescape.core import plotting  # noqa: E402


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    figure, ax = plotting.figure()
    yield ax
    plt.close(figure)


def luminance(colour):
    r = np.array(colors.to_rgb(colour))
    return np.where(r <= 0.04045, r / 12.92, ((r + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_on_the_card():
    rc = matplotlib.rcParams
    card = rc["figure.facecolor"]
    assert card == rc["axes.facecolor"] == rc["savefig.facecolor"] == "white"
    for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
        assert contrast(rc[name], card) > 7  # WCAG AAA for text
    first = [plotting.line(i)["color"] for i in range(4)]
    assert min(contrast(c, card) for c in first) > 3  # WCAG 1.4.11 for graphics


def test_cycle_is_the_palette():
    cycle = [f"#{c.lstrip('#')}" for c in matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert cycle == list(plotting.COLOURS.values())


def test_points_draw_the_intervals(ax):
    plotting.points(ax, [1, 2], [1.0, 2.0], [0.5, 1.9], [2.0, 2.1], label="m")
    (container,) = ax.containers
    (bars,) = container.lines[2]
    np.testing.assert_allclose([s[:, 1] for s in bars.get_segments()], [[0.5, 2.0], [1.9, 2.1]])
    assert container.lines[0].get_linestyle() == "None"


def test_points_without_intervals_and_theory(ax):
    plotting.points(ax, [1, 2], [1.0, 2.0], **plotting.points_style(1))
    plotting.theory(ax, [1, 2], [1.0, 2.0], **plotting.line(1))
    measured, predicted = ax.lines
    assert measured.get_color() == predicted.get_color() == plotting.COLOURS["vermilion"]
    assert measured.get_linestyle() == "None" and predicted.get_marker() == ""
    assert measured.get_zorder() > predicted.get_zorder()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plotting.points(ax, [1], [1.0], [0.5]), "low and high must be given together"),
        (
            lambda ax: plotting.points(ax, [1], [1.0], [1.5], [2.0]),
            "must contain its value: 1 ends",
        ),
        (lambda ax: plotting.log_axes(ax, "z"), "axes must be one of 'x', 'y', 'xy'"),
        (lambda ax: plotting.figure("huge"), "size must be one of 'single'"),
        (lambda ax: plotting.line(-1), "index must be at least 0: got -1"),
    ],
)
def test_refusals(ax, call, message):
    with pytest.raises(ValueError, match=message):
        call(ax)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 1e6, [f"$\\mathdefault{{10^{{{k}}}}}$" for k in range(7)]),
        (1, 8, ["1", "2", "5"]),
        (2e-5, 8e-5, [rf"$\mathdefault{{{k}\times10^{{-5}}}}$" for k in (2, 4, 6, 8)]),
        (0.19, 0.65, ["0.2", "0.4", "0.6"]),  # not ten labels on top of each other
    ],
)
def test_log_axes_are_labelled_in_powers(ax, low, high, expected):
    ax.plot([low, high], [low, high])
    plotting.log_axes(ax)
    ax.figure.draw_without_rendering()
    ends = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    assert [t.get_text() for x, t in ticks if ends[0] <= x <= ends[1]] == expected
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_ticks_between_the_powers_are_for_few_decades(ax):
    ax.plot([1, 100], [1, 1e6])
    plotting.log_axes(ax)
    assert len(ax.get_xticks(minor=True)) > 8 and not len(ax.get_yticks(minor=True))


def test_power_guide_has_its_slope(ax):
    plotting.power_guide(ax, [1, 10], through=(2.0, 3.0), power=1.5)
    x, y = ax.lines[0].get_data()
    assert np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(1.5)
    assert np.interp(2.0, *ax.lines[0].get_data()) != 3.0  # a chord in linear coordinates
    assert y[0] * 2.0**1.5 == pytest.approx(3.0)


def png():
    import matplotlib.pyplot as plt

    figure, axes = plotting.figure("double", columns=2)
    for ax in axes:
        plotting.theory(ax, [1, 10, 100], [1, 5, 25])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()


def test_same_figure_same_bytes():
    assert png() == png()


def test_notebook_figures_have_two_dots_a_pixel_and_stay_small():
    import nbformat
    from nbclient import NotebookClient

    source = (
        "from sgdescape.core import plotting\nimport numpy as np\n"
        "figure, ax = plotting.figure()\nx = np.geomspace(1, 100, 400)\n"
        "for i in range(6):\n    plotting.points(ax, x, x**i, 0.5 * x**i, 2 * x**i)\n"
        "plotting.log_axes(ax);"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    (output,) = book.cells[0].outputs
    image = base64.b64decode(output.data["image/png"])
    width, _ = struct.unpack(">II", image[16:24])
    # The notebook trims the white border, so the width is a little below 6 inches.
    assert 2 * 520 < width < 2 * 620 and len(image) < 150_000
    assert output.metadata["image/png"]["width"] == pytest.approx(width / 2, abs=1)
