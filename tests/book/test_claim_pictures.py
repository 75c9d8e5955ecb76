"""Pictures of claims: axes, digits, places of texts; in a Chromium, no text touches anything."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgdescape import claims_file

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import claim_axis  # noqa: E402
import claim_labels  # noqa: E402
import claim_math  # noqa: E402
import claim_picture  # noqa: E402

CLAIMS = [c for c in claims_file.stored() if c["measured"] and c["rivals"]]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (("narrow", 250), ("narrow", 330), ("wide", 520), ("wide", 660))


def claim(predicted, ends, rivals, **changes):
    low, high = ends
    return {
        "predicted": predicted,
        "measured": {"value": (low + high) / 2, "low": low, "high": high},
        "rivals": [{"name": f"r{i}", "value": v, "rejected": True} for i, v in enumerate(rivals)],
        "tolerance": 0.0,
        "resolution": 0.25,
        "unit": "",
    } | changes


@pytest.mark.parametrize(
    ("found", "log", "lens", "off"),
    [
        (claim(1.0, (0.9, 1.1), [2.0]), False, False, (0,)),
        (claim(1.0, (0.9, 1.1), [0.1, 10.0]), True, True, (0, 0)),
        (claim(1.0, (0.99, 1.01), [2.0]), False, True, (0,)),
        (claim(1.0, (0.9, 1.1), [2.0, 1000.0]), True, False, (0, 1)),
        (claim(1.0, (0.9, 1.1), [2.0, 1000.0, -1.0]), True, False, (0, 1, -1)),
        (claim(0.0, (-0.1, 0.2), [0.5, -9.0]), False, False, (0, -1)),
        (claim(10.0, (1.0, 1.1), [30.0]), True, False, (0,)),  # refuted, by a factor
    ],
)
def test_what_an_axis_shows(found, log, lens, off):
    scene = claim_axis.scene(found)
    assert (scene.axis.log, scene.lens is not None, scene.off) == (log, lens, off)
    for value in (found["predicted"], *(found["measured"][k] for k in ("low", "high"))):
        assert scene.axis.holds(value) and (scene.lens or scene.axis).holds(value)


numbers = st.floats(-1e5, 1e5).map(lambda x: round(x, 3))
positives = st.floats(-6, 6).map(lambda x: 10**x)


@given(numbers, st.tuples(numbers, numbers), st.lists(numbers, min_size=1, max_size=5))
def test_everything_is_on_the_axis_or_an_arrow(predicted, ends, rivals):
    found = claim(predicted, sorted(ends), rivals)
    scene = claim_axis.scene(found)
    assert all(scene.axis.holds(found["measured"][k]) for k in ("low", "high"))
    for rival, side in zip(rivals, scene.off, strict=True):
        assert (side == 0) == scene.axis.holds(rival)


@given(positives, st.floats(1.001, 1e6), st.booleans(), st.integers(3, 9))
def test_ticks_are_few_round_and_on_the_axis(low, ratio, log, number):
    axis = claim_axis.Axis(low, low * ratio, log)
    ticks = axis.ticks(number)
    assert len(ticks) <= 2 * number + 1 and all(axis.holds(tick) for tick in ticks)
    assert all(float(f"{tick:.6g}") == pytest.approx(tick, rel=1e-4) for tick in ticks)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(3, 497), st.floats(20, 240), st.just(1)), min_size=1, max_size=5)
)
def test_flags_find_places_where_they_do_not_touch(flags):
    try:
        where = claim_labels.places(flags, 500)
    except ValueError:
        return  # the picture wraps the texts to less and tries again
    boxes = [
        (row, *claim_labels.beside(x, wide, side, 500))
        for (x, wide, _), (row, side) in zip(flags, where, strict=True)
    ]
    for i, (row, low, high) in enumerate(boxes):
        assert low >= 0 and high <= 500
        for other, left, right in boxes[:i]:
            assert row != other or high < left or right < low


def test_marks_are_where_the_numbers_are():
    found = claim(1.0, (0.8, 1.2), [2.0])
    svg = claim_picture.card(found, "wide")
    bar = re.search(r'<line class="bar" x1="([\d.]+)%" y1="30" x2="([\d.]+)%"', svg)
    line = re.search(r'<line class="prediction" x1="([\d.]+)%"', svg)
    low, high, middle = float(bar[1]), float(bar[2]), float(line[1])
    assert middle == pytest.approx((low + high) / 2, abs=0.02) and low < middle < high
    rival = re.search(r'<svg x="([\d.]+)%"[^>]*><path class="rival-mark"', svg)
    assert float(rival[1]) - high == pytest.approx((high - low) * 2, abs=0.05)  # 0.8 beside 0.4
    assert "predicted 1<" in svg and "measured 1.00 [0.80, 1.20]" in svg


def test_words_say_what_the_picture_shows():
    rivals = [
        {"name": r"if it were $\eta/S$", "value": 2.0, "rejected": True},
        {"name": "none", "value": 1.1, "rejected": False},
    ]
    text = claim_picture.words(claim(1.0, (0.8, 1.2), []) | {"rivals": rivals, "unit": "nats"})
    assert text == (
        "Measured 1.00 nats, interval from 0.80 to 1.20. Predicted 1, inside the interval. "
        "Rejected: if it were η/S at 2. Not rejected: none at 1.1."
    )


def test_undecided_rivals_are_hollow():
    rivals = [{"name": "a", "value": 1.1, "rejected": False}]
    svg = claim_picture.card(claim(1.0, (0.8, 1.2), []) | {"rivals": rivals}, "narrow")
    assert 'class="rival-mark undecided"' in svg and "not rejected" in svg


def test_a_text_is_html_whatever_it_holds():
    assert claim_math.as_html("a < b & $x<y$") == (
        'a &lt; b &amp; <span class="math notranslate nohighlight">\\(x&lt;y\\)</span>'
    )
    assert claim_math.as_html("E|delta|^2, S^-p, (1 - beta^2), `a_b`, network_limits") == (
        "E|δ|<sup>2</sup>, S<sup>−p</sup>, (1 − β<sup>2</sup>), <code>a_b</code>, network_limits"
    )


TOUCHING = """() => {
  const found = [], touch = (a, b) =>
    a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom && b.top < a.bottom;
  for (const box of document.querySelectorAll("[data-claim]")) {
    const frame = box.firstElementChild.getBoundingClientRect();
    const letters = (e) => { // a line's box is higher than its letters
      const b = e.getBoundingClientRect();
      return {left: b.left, right: b.right, top: b.top + 2.5, bottom: b.bottom - 3};
    };
    const trunk = (e) => { // the upright part of a pole
      const b = e.getBoundingClientRect(), foot = /h-/.test(e.getAttribute("d"));
      const left = foot ? b.right - 1 : b.left;
      return {left, right: left + 1, top: b.top, bottom: b.bottom};
    };
    const texts = [...box.querySelectorAll("text")].map((e) => [e.textContent, letters(e)]);
    const inked = ".prediction, .bar, .end, .dot, .rival-mark, .axis, .pole";
    const marks = [...box.querySelectorAll(inked)].map((e) =>
      [e.getAttribute("class"), e.matches(".pole") ? trunk(e) : e.getBoundingClientRect()]);
    texts.forEach(([text, a], i) => {
      const size = parseFloat(getComputedStyle(box.querySelectorAll("text")[i]).fontSize);
      const say = (what) => found.push([box.dataset.claim, frame.width, text, what].join(" | "));
      if (size < 10.5) say("smaller than 10.5 px");
      if (a.left < frame.left - 1 || a.right > frame.right + 1) say("leaves the picture");
      if (a.top < frame.top - 1 || a.bottom > frame.bottom + 1) say("leaves the picture");
      for (const [other, b] of [...texts.slice(i + 1), ...marks]) if (touch(a, b)) say(other);
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def tab():
    playwright = pytest.importorskip("playwright.sync_api")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, f"no browser: install one of {BROWSERS}"
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        yield chromium.new_page()
        chromium.close()


def show(tab, style=""):
    css = (ROOT / "book" / "_static" / "claims.css").read_text(encoding="utf-8")
    pictures = "".join(
        f'<div data-claim="{c["identifier"]}" style="width:{width}px">'
        f"{claim_picture.card(c, name)}</div>"
        for c in CLAIMS
        for name, width in WIDTHS
    )
    tab.set_content(
        f"<style>{css} body {{ font-family: 'DejaVu Sans', Verdana, sans-serif }} {style}</style>"
        f"{pictures}"
    )
    return tab.evaluate(TOUCHING)


@pytest.mark.browser
def test_no_text_of_any_claim_touches_anything(tab):
    assert show(tab) == []


@pytest.mark.browser
def test_touching_texts_are_seen(tab):
    assert len(show(tab, ".sgd-plot text.rival { font-size: 20px !important }")) > 50
    assert any("10.5" in line for line in show(tab, ".sgd-plot text { font-size: 9px !important }"))


def test_records_of_all_chapters_can_be_drawn():
    assert len(CLAIMS) > 200 and json.dumps(CLAIMS)
    for found in CLAIMS:
        for name in claim_picture.WIDTHS:
            assert "nan" not in claim_picture.card(found, name).replace("nant", "")
