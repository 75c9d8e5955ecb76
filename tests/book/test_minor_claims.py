"""The table of a section's other claims, on a page made by hand."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))

import chapter_map  # noqa: E402  (the extensions are no package)
import minor_claims  # noqa: E402

RECORD = {
    "statement": "The slope $s$ is < 2.",
    "predicted": 1.0,
    "measured": {"value": 1.02, "low": 0.99, "high": 1.04, "level": 0.99999},
    "unit": "steps",
}


def record(name, verdict="confirmed", **changes):
    return RECORD | {"anchor": f"claim-{name}", "verdict": verdict} | changes


def cell(name, *tags):
    found = nodes.container(classes=["cell", *(f"tag_{tag}" for tag in tags)])
    found += nodes.raw("", f'<div class="sgd-claim" id="claim-{name}">card</div>', format="html")
    return found


def page(*children):
    """Return a page whose children are names of minor claims, or nodes, after folding."""
    document = new_document("page")
    for child in children:
        document += cell(child, "minor-claim") if isinstance(child, str) else child
    known = [record("a"), record("b", "refuted"), record("c", "not testable here", measured=None)]
    env = SimpleNamespace(sgdescape_claims={"page": known})
    minor_claims.fold(SimpleNamespace(env=env), document, "page")
    return document


def html(document):
    return "".join(node.astext() for node in document.findall(nodes.raw))


def test_neighbours_become_one_table_in_their_order():
    text = html(page("a", "b", nodes.paragraph("", "words"), "c"))
    assert text.count('<details class="sgd-minor">') == 2
    assert "2 claims, 1 confirmed, 1 refuted" in text and "one claim, not testable" in text
    order = [text.index(f'id="claim-{name}"') for name in "abc"]
    assert order == sorted(order)
    assert text.count("<details") == text.count("</details>") == 5


def test_a_row_says_what_its_card_says():
    text = html(page("a"))
    assert "predicted 1, measured 1.020 steps" in text
    assert r"\(s\)" in text and "&lt; 2" in text


def test_what_was_not_measured_has_no_numbers():
    assert "measured" not in html(page("c")).split("</summary>")[1]


def test_other_cells_stay_where_they_are():
    assert "sgd-minor" not in html(page(cell("a")))
    assert "sgd-minor" not in html(page("a", "no-claim"))


TEXT = "---\nx\n---\n\n# A\n\nOne two.\n\n(lab)=\n## B\n\n### C\n\nThree four.\n\n## D\n\nFive.\n"


def test_a_reading_path_counts_the_words_of_its_sections():
    stem, link, minutes = chapter_map.found("lab", {"a": TEXT})
    assert (stem, link) == ("a", "{ref}`lab`")
    assert minutes == pytest.approx(5 / chapter_map.WORDS_A_MINUTE)  # B ### C Three four.
    assert chapter_map.found("a", {"a": TEXT})[1] == "the opening"


def test_a_section_that_does_not_exist_is_an_error():
    with pytest.raises(chapter_map.ExtensionError, match="gone"):
        chapter_map.found("gone", {"a": TEXT})
