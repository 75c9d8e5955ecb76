"""The built book in a headless Chromium, opened from file://: complete, legible, accessible."""

import json
import re
import shutil
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urlsplit

import pytest

pytestmark = pytest.mark.browser

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(str(path.relative_to(HTML)) for path in HTML.rglob("*.html"))
PAGES = [page for page in PAGES if not page.startswith("_") and page != "index.html"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-quic"
).split()
PHONE, TABLET, DESK, SCREEN = 390, 768, 1280, 1440
PATIENCE = 180_000  # ms: a busy machine is slow, not wrong

# All checks of a page together and by one worker: it opens once, and closes before the next.
BY_PAGE = [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in PAGES]


@pytest.fixture(scope="module", params=BY_PAGE)
def page(request):
    return request.param


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"no browser: install one of {BROWSERS}"
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Seen:
    tab: object
    requests: list
    failures: list
    messages: list


@pytest.fixture(scope="module")
def visit(browser):
    seen = {}

    def opened(page, scheme="light"):
        if (page, scheme) not in seen:
            for other in [key for key in seen if key[0] != page]:
                seen.pop(other).tab.context.close()  # its moving figures would go on and on
            seen[page, scheme] = look(page, scheme)
        return seen[page, scheme]

    def look(page, scheme):
        tab = browser.new_context(color_scheme=scheme).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.set_viewport_size({"width": DESK, "height": 900})
        seen = Seen(tab, [], [], [])
        tab.on("request", lambda request: seen.requests.append(request.url))
        tab.on("requestfailed", lambda request: seen.failures.append(request.url))
        tab.on("console", lambda message: seen.messages.append(message.text))
        tab.on("pageerror", lambda error: seen.messages.append(str(error)))
        tab.goto((HTML / page).as_uri(), wait_until="load")
        tab.wait_for_function(
            "() => !document.querySelector('.math') || window.MathJax?.startup?.promise"
        )
        tab.evaluate("() => window.MathJax?.startup?.promise")
        # What a click would show is part of the page: open every dropdown.
        tab.evaluate(
            "() => { for (const d of document.querySelectorAll('details')) d.open = true;"
            " for (const b of document.querySelectorAll('.toggle-hidden'))"
            " b.classList.remove('toggle-hidden'); }"
        )
        tab.evaluate(  # and let it fade in
            "() => new Promise(requestAnimationFrame).then(() => Promise.all("
            "document.getAnimations().map((animation) => animation.finished)))"
        )
        return seen

    return opened


def test_the_book_is_built():
    assert len(PAGES) > 5, f"no pages in {HTML}: run make book first"


def test_the_front_door_leads_to_the_first_page():
    door = (HTML / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"url=([\w/.]+)", door) == ["book/intro.html"] and "book/intro.html" in PAGES


def test_needs_no_network(visit, page):
    seen = visit(page)
    assert [url for url in seen.requests if urlsplit(url).scheme not in ("file", "data")] == []
    assert seen.failures == []


def test_leaves_the_console_empty(visit, page):
    assert visit(page).messages == []


def test_mathematics_is_rendered(visit, page):
    tab = visit(page).tab
    sources = tab.locator("main .math").count()
    assert tab.locator("main .math mjx-container").count() >= sources
    assert tab.locator("mjx-merror, [data-mjx-error]").count() == 0
    text = tab.evaluate(
        "() => { const copy = document.body.cloneNode(true);"
        " for (const e of copy.querySelectorAll("
        "  'pre, code, script, noscript, style, mjx-container'))"
        "  e.remove(); return copy.textContent; }"
    )
    raw = re.findall(r"\$[^$\n]+\$|\\[(\[]|\\[a-zA-Z]{2,}|\{[a-z:]+\}`", text)
    assert raw == [], "raw TeX or markup in the visible text"


def test_no_formula_is_cut_off_on_a_phone(visit, page):
    tab = visit(page).tab
    tab.set_viewport_size({"width": PHONE, "height": 900})
    cut = tab.evaluate(  # what lies left of its box cannot be scrolled to
        "() => [...document.querySelectorAll('div.math mjx-container > svg')].filter(svg =>"
        "  svg.getBoundingClientRect().left + svg.parentElement.scrollLeft <"
        "  svg.closest('div.math').getBoundingClientRect().left - 1"
        ").map(svg => svg.closest('div.math').id)"
    )
    tab.set_viewport_size({"width": DESK, "height": 900})
    assert cut == []


@pytest.mark.parametrize("name", ["notation", "parameters"])
def test_no_table_of_the_text_scrolls_sideways_on_a_phone(browser, name):
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto((HTML / "book" / f"{name}.html").as_uri(), wait_until="load")
    tab.wait_for_selector("table.sgd-stacks")
    tab.wait_for_timeout(500)
    wide = tab.evaluate(
        "() => [...document.querySelectorAll('.pst-scrollable-table-container')].filter("
        "box => box.scrollWidth > box.clientWidth).map(box => box.innerText.slice(0, 40))"
    )
    labels = tab.evaluate(
        "() => getComputedStyle(document.querySelector("
        "'table.sgd-stacks td + td:not(.sgd-nothing)'), '::before').content"
    )
    context.close()
    assert wide == [] and len(labels) > 4


def test_mathematics_is_readable_without_scripts(browser, page):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto((HTML / page).as_uri(), wait_until="load")
    plain = tab.locator("main .math math, main .math noscript code").count()
    hidden = tab.locator("main .math .sgd-tex:visible").count()
    formulas = tab.locator("main .math").count()
    context.close()
    assert plain >= formulas and hidden == 0


def test_a_link_shows_its_equation_in_place(visit):
    tab = visit("book/chapters/kramers_escape.html").tab
    tab.keyboard.press("Tab")  # by keyboard: a click shows no tip
    tab.locator("article p a[href='#equation-eq-15']:visible").first.focus()
    tab.wait_for_selector("#sgd-tip mjx-container")
    assert "(15)" in tab.locator("#sgd-tip").inner_text()
    tab.keyboard.press("Escape")
    assert not tab.locator("#sgd-tip").is_visible()


def test_a_folded_proof_holds_its_proof(visit):
    fold = visit("book/chapters/random_time_change.html").tab.locator("details.sgd-proof").first
    proof = fold.locator(".proof")
    assert proof.count() == 1
    fold.evaluate("fold => { fold.open = false; }")  # other checks unfold what they measure
    assert not proof.is_visible()
    fold.locator("summary").press("Enter")
    assert proof.is_visible()


def test_the_search_knows_equations_and_symbols_and_no_tex():
    text = (HTML / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    titles = {title for title, places in index["alltitles"].items() if places}
    assert {"Equation (15)", "loss ratio"} <= titles
    assert not [title for title in titles if "\\" in title]
    assert not [w for w in ("mathrm", "frac", "langl", "mathsf") if index["terms"].get(w)]


@pytest.mark.parametrize(
    ("room", "name"),
    [
        ("kramers_escape", "kramers_escape.escape_rate"),
        ("core_stats", "core.stats.intervals.mean_interval"),
    ],
)
def test_a_function_is_found_by_its_name(browser, room, name):
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto((HTML / "search.html").as_uri() + f"?q={name.rpartition('.')[2]}")
    place = f"api/{room}.html#sgdescape.{name}"
    tab.locator(f"#search-results li a[href$='{place}']").first.click()
    entry = tab.locator(f"dt[id='sgdescape.{name}']")
    entry.wait_for(state="visible")
    assert tab.url.endswith(place) and f"{name.rpartition('.')[2]}(" in entry.inner_text()
    tab.close()


@pytest.mark.parametrize("words", ["Eq. (15)", "15", "equation 15"])
def test_an_equation_is_found_by_its_number(browser, words):
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    messages = []
    tab.on("console", lambda message: messages.append(message.text))
    tab.goto((HTML / "search.html").as_uri() + f"?q={quote(words)}")
    first = tab.locator("#search-results li a").first
    assert first.get_attribute("href").endswith("kramers_escape.html#equation-eq-15")
    tab.close()
    assert messages == []


def test_what_became_of_an_equation_is_read_on_a_phone(visit):
    tab = visit("book/scoreboard.html").tab
    tab.set_viewport_size({"width": PHONE, "height": 900})
    outside = tab.evaluate(
        "() => [...document.querySelectorAll('.sgd-matrix a')].filter(a => {"
        "  const box = a.getBoundingClientRect(); return !box.width || box.right > innerWidth;"
        "}).map(a => a.textContent)"
    )
    tab.locator(".sgd-matrix a[href='#entry-mori-eq-15']").first.click()
    entry = tab.locator("#entry-mori-eq-15")
    entry.locator(".sgd-says").first.wait_for(state="visible")
    claims, sentences = entry.locator("a[href*='#claim-']").count(), entry.locator(".sgd-says")
    said = sentences.all_inner_texts()
    tab.set_viewport_size({"width": DESK, "height": 900})
    assert outside == []
    assert len(said) == claims > 3 and all(said)


WIDE = "main, main * { font-family: 'DejaVu Sans', Verdana, sans-serif; letter-spacing: 0.04em }"


@pytest.mark.parametrize(
    ("width", "style"), [(PHONE, ""), (PHONE, WIDE), (TABLET, ""), (DESK, ""), (SCREEN, "")]
)
def test_fits_the_window_whatever_the_fonts(visit, page, width, style):
    tab = visit(page).tab
    tab.evaluate(
        "text => { let s = document.getElementById('fonts-of-this-test');"
        " if (!s) { s = document.createElement('style'); s.id = 'fonts-of-this-test';"
        " document.head.append(s); } s.textContent = text; }",
        style,
    )
    tab.set_viewport_size({"width": width, "height": 900})
    wide = tab.evaluate(
        "() => document.documentElement.scrollWidth <= innerWidth ? [] :"
        " [...document.querySelectorAll('main *')].filter("
        "  e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map("
        "  e => e.outerHTML.slice(0, 120))"
    )
    room = tab.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    tab.set_viewport_size({"width": DESK, "height": 900})
    tab.evaluate("() => { document.getElementById('fonts-of-this-test').textContent = ''; }")
    assert room <= 0, wide


# The strokes of set formulas are two thirds of a page's elements: no rule looks at them, each pays.
LIFT = """() => {
  const strokes = [...document.querySelectorAll("mjx-container > svg")];
  window.lifted = strokes.map((element) => [element, [...element.childNodes]]);
  for (const [element] of lifted) element.replaceChildren();
}"""
PUT_BACK = "() => { for (const [element, inside] of lifted) element.replaceChildren(...inside); }"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.mark.parametrize(  # a scheme changes colours and nothing else
    ("scheme", "rules"), [("light", LEVELS), ("dark", ["color-contrast"])], ids=["light", "dark"]
)
def test_is_accessible(visit, page, scheme, rules):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tab = visit(page, scheme).tab
    tab.evaluate(LIFT)
    tab.wait_for_timeout(500)  # code that scrolls is made focusable after a change of size
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = axe.run(tab, options=options).response["violations"]
    tab.evaluate(PUT_BACK)
    assert [
        (rule["id"], len(rule["nodes"]), rule["nodes"][0]["html"][:200]) for rule in found
    ] == []


class Anchors(HTMLParser):
    """Collects the targets, links and pictures of one page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.pictures = {""}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids |= {values.get("id"), values.get("name") if tag == "a" else None}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "img":
            self.pictures.append(values)


@cache
def anchors(path):
    return Anchors(path)


def test_links_lead_somewhere(page):
    broken = []
    for link in anchors(HTML / page).links:
        if urlsplit(link).scheme:
            continue  # another site: not reachable from a test
        file, fragment = urldefrag(link)
        target = (HTML / page).parent / unquote(file.split("?")[0]) if file else HTML / page
        target = target.resolve()
        if not target.is_file():
            broken.append(link)
        elif target.suffix == ".html" and unquote(fragment) not in anchors(target).ids:
            broken.append(link)
    assert broken == []


def test_pictures_have_a_text(page):
    assert [p["src"][:80] for p in anchors(HTML / page).pictures if not p.get("alt")] == []


def test_chapters_offer_their_notebook():
    chapters = sorted((HTML / "book" / "chapters").glob("*.html"))
    assert chapters
    for chapter in chapters:
        assert f"../../notebooks/{chapter.stem}.ipynb" in anchors(chapter).links


# --- figures -----------------------------------------------------------------------------------

NAMES = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const inside = ".sgd-figure, .sgd-figure *, .sgd-letters *";
  const twice = [...document.querySelectorAll(inside)].filter(
    (element) => element.id && ids.indexOf(element.id) !== ids.lastIndexOf(element.id));
  const known = new Set(ids);
  const lost = [...document.querySelectorAll(".sgd-figure use")].filter(
    (use) => !known.has(use.getAttribute("href").slice(1)));
  const clips = [...document.querySelectorAll(".sgd-figure [clip-path]")].filter(
    (path) => !known.has(path.getAttribute("clip-path").slice(5, -1)));
  return [twice, lost, clips].map((found) => found.map((element) => element.outerHTML));
}"""
COLOURS = """() => {
  const probe = document.createElement("p");
  document.body.append(probe);
  probe.style.color = "var(--pst-color-text-base)";
  const ink = getComputedStyle(probe).color;
  probe.style.color = "var(--pst-color-background)";
  const paper = getComputedStyle(probe).color;
  probe.remove();
  const fills = [...document.querySelectorAll(".sgd-figure use[href^='#letter-']")].map(
    (letter) => getComputedStyle(letter).fill);
  const boxes = [...document.querySelectorAll(".sgd-figure, .sgd-figure__box, .sgd-figure svg")];
  const grounds = boxes.map((box) => getComputedStyle(box).backgroundColor);
  return { ink, paper, fills, grounds };
}"""
SMALLEST = """() => [...document.querySelectorAll(".sgd-figure svg")].map((svg) => {
  const pixels = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const sizes = [...svg.querySelectorAll("g[transform*='scale(0.']")].map(
    (text) => 100 * Number(text.getAttribute("transform").match(/scale\\((0\\.\\d+)/)[1]));
  return (0.75 * pixels * Math.min(...sizes));
})"""


def luminance(colour):
    """Of what a browser calls rgb(...) or rgba(...)."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_figures_are_drawings_and_not_pictures():
    chapters = [HTML / page for page in PAGES if page.startswith("book/chapters/")]
    assert [c.stem for c in chapters if "sgd-figure__box" not in c.read_text("utf-8")] == []
    assert [c.stem for c in chapters for p in anchors(c).pictures if "_images/" in p["src"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_have_the_colours_of_the_page(visit, page, scheme):
    tab = visit(page, scheme).tab
    found = tab.evaluate(COLOURS)
    clear = ("rgba(0, 0, 0, 0)", "transparent")
    assert [ground for ground in found["grounds"] if ground not in clear] == []
    assert (luminance(found["ink"]) > luminance(found["paper"])) == (scheme == "dark")
    if found["fills"]:  # nearly all letters are ink, some name a series in its colour
        assert found["fills"].count(found["ink"]) > 0.7 * len(found["fills"])
    dim = [c for c in set(found["fills"]) if abs(luminance(c) - luminance(found["paper"])) < 0.1]
    assert dim == []


def test_names_inside_figures_are_unique_and_known(visit, page):
    assert visit(page).tab.evaluate(NAMES) == [[], [], []]


def test_figures_say_what_they_show(visit, page):
    tab = visit(page).tab
    boxes = tab.locator(".sgd-figure")
    labels = tab.locator(".sgd-figure [role=img][aria-label]")
    assert labels.count() == boxes.count()
    texts = labels.evaluate_all("all => all.map((box) => box.getAttribute('aria-label'))")
    assert [text for text in texts if len(text.split()) < 4] == []


def test_text_of_figures_is_readable_on_a_phone(visit, page):
    tab = visit(page).tab
    tab.set_viewport_size({"width": PHONE, "height": 900})
    sizes = tab.evaluate(SMALLEST)
    tab.set_viewport_size({"width": DESK, "height": 900})
    assert [size for size in sizes if size is not None and size < 7.999] == []


def test_a_page_weighs_little(page):
    pictures = {p["src"] for p in anchors(HTML / page).pictures}
    files = [(HTML / page).parent / unquote(src) for src in pictures if not urlsplit(src).scheme]
    assert sum(path.stat().st_size for path in [HTML / page, *files]) < 1.5e6


def test_a_figure_is_enlarged_and_put_back(visit):
    tab = visit("book/chapters/random_time_change.html").tab
    tab.set_viewport_size({"width": PHONE, "height": 900})
    box = tab.locator(".sgd-figure__box").first
    before = box.evaluate("box => [box.parentElement.id, box.querySelector('svg').clientWidth]")
    tab.locator(".sgd-figure__tools button").first.press("Enter")
    dialog = tab.locator("dialog.sgd-enlarged[open]")
    large = dialog.locator(".sgd-figure__box svg").first.evaluate("svg => svg.clientWidth")
    assert large > 1.2 * before[1] or dialog.locator("svg").count() > 1
    tab.keyboard.press("Escape")
    tab.wait_for_selector("dialog.sgd-enlarged", state="hidden")
    after = box.evaluate("box => [box.parentElement.id, box.querySelector('svg').clientWidth]")
    tab.set_viewport_size({"width": DESK, "height": 900})
    assert after == before
