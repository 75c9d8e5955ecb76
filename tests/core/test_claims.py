"""Claims: verdicts, power against rivals, refusals, and what a notebook keeps of them."""

import html.parser
import json
import re

import nbformat
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sgdescape.core import claims
from sgdescape.core.claims import ClaimError, check, judge, not_testable, volatile
from sgdescape.core.stats.intervals import Interval

numbers = st.floats(-1e6, 1e6)
tolerances = st.floats(0, 0.9)


@st.composite
def intervals(draw):
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Interval(value, low, high)


def claim(**changes):
    arguments = {
        "source": "Mori et al., Eq. (8)",
        "predicted": 0.1,
        "measured": Interval(0.101, 0.099, 0.103),
        "rivals": {"no 1/B": 1.0},
        "expected": "confirmed",
    } | changes
    return check("noise.batch", "The noise falls as 1/B & not <faster>.", **arguments)


@pytest.mark.parametrize(
    ("predicted", "ends", "tolerance", "verdict"),
    [
        (1.0, (0.9, 1.1), 0, "confirmed"),
        (1.0, (1.0, 1.1), 0, "confirmed"),  # an end counts as inside
        (1.0, (1.01, 1.1), 0, "refuted"),
        (1.0, (0.98, 1.02), 0.05, "confirmed within 5 %"),
        (-1.0, (-1.02, -0.98), 0.05, "confirmed within 5 %"),
        (1.0, (0.98, 1.07), 0.05, "inconclusive"),
        (1.0, (0.5, 1.5), 0.05, "inconclusive"),
        (1.0, (1.06, 1.5), 0.05, "refuted"),
        (0.0, (-0.01, 0.02), 0.05, "confirmed within 0.05"),  # absolute at zero
        (0.0, (0.06, 0.07), 0.05, "refuted"),
    ],
)
def test_verdicts(predicted, ends, tolerance, verdict):
    assert judge(predicted, Interval(sum(ends) / 2, *ends), tolerance=tolerance) == verdict


@given(numbers, intervals(), tolerances)
def test_verdict_is_what_the_sets_say(predicted, measured, tolerance):
    half = tolerance * abs(predicted) if predicted else tolerance
    low, high = predicted - half, predicted + half
    apart = measured.high < low or high < measured.low
    inside = low <= measured.low and measured.high <= high
    verdict = judge(predicted, measured, tolerance=tolerance)
    assert (verdict == "refuted") == apart
    if tolerance:
        assert verdict.startswith("confirmed within") == (inside and not apart)
    else:
        assert verdict == ("refuted" if apart else "confirmed")


@given(numbers, intervals(), st.integers(-30, 30))
def test_verdict_does_not_depend_on_the_unit(predicted, measured, power):
    # Powers of two only move the exponent, so the comparison is exact; below 1e-290 they would not.
    assume(all(v == 0 or abs(v) > 1e-200 for v in (predicted, measured.low, measured.high)))
    c = 2.0**power
    scaled = Interval(c * measured.value, c * measured.low, c * measured.high)
    flipped = Interval(-measured.value, -measured.high, -measured.low)
    assert judge(predicted, measured) == judge(c * predicted, scaled)
    assert judge(predicted, measured) == judge(-predicted, flipped)


@given(numbers, intervals(), tolerances, tolerances)
def test_more_tolerance_never_refutes(predicted, measured, one, other):
    small, large = sorted((one, other))
    if judge(predicted, measured, tolerance=large) == "refuted":
        assert judge(predicted, measured, tolerance=small) == "refuted"


@given(numbers, intervals(), tolerances, numbers)
def test_a_returned_claim_excludes_its_rivals(predicted, measured, tolerance, rival):
    verdict = judge(predicted, measured, tolerance=tolerance)
    assume(verdict != "inconclusive")
    arguments = {
        "source": "s",
        "predicted": predicted,
        "measured": measured,
        "rivals": {"rival": rival},
        "tolerance": tolerance,
    }
    expected = "refuted" if verdict == "refuted" else "confirmed"
    wrong = "confirmed" if verdict == "refuted" else "refuted"
    with pytest.raises(ClaimError, match=f"verdict '{verdict}', expected '{wrong}'"):
        check("a.b", "c", expected=wrong, **arguments)
    half = tolerance * abs(rival) if predicted else tolerance
    if rival - half <= measured.high and measured.low <= rival + half:
        with pytest.raises(ClaimError, match="no power against 'rival'"):
            check("a.b", "c", expected=expected, **arguments)
    else:
        assert check("a.b", "c", expected=expected, **arguments).verdict == verdict


def test_a_wide_interval_has_no_power():
    with pytest.raises(ClaimError, match=r"noise.batch: no power against 'no 1/B' \(1\)"):
        claim(measured=Interval(0.5, -1.0, 2.0))


def test_a_refuted_claim_is_a_finding():
    found = claim(predicted=0.2, expected="refuted")
    assert found.verdict == "refuted"
    with pytest.raises(ClaimError, match="verdict 'refuted', expected 'confirmed'"):
        claim(predicted=0.2)


def test_inconclusive_never_passes():
    for expected in ("confirmed", "refuted"):
        with pytest.raises(ClaimError, match="verdict 'inconclusive'"):
            claim(tolerance=0.02, expected=expected)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rivals": {}}, ValueError, "rivals must name at least one"),
        ({"rivals": {"x": float("nan")}}, ValueError, "rival 'x' must be finite"),
        ({"predicted": float("inf")}, ValueError, "predicted must be finite"),
        ({"predicted": "0.1"}, TypeError, "predicted must be a real number"),
        ({"measured": 0.1}, TypeError, "measured must be an Interval: got float"),
        ({"tolerance": -0.1}, ValueError, "tolerance must be non-negative"),
        ({"expected": "true"}, ValueError, "expected must be one of 'confirmed', 'refuted'"),
        ({"source": " "}, ValueError, "source must be a text"),
    ],
)
def test_refusals(changes, error, message):
    with pytest.raises(error, match=message):
        claim(**changes)


@pytest.mark.parametrize("identifier", ["", "noise", "Noise.batch", "noise.batch factor", "a.b.c"])
def test_malformed_identifier(identifier):
    with pytest.raises(ValueError, match="identifier must be"):
        not_testable(identifier, "s", source="s", reason="r")


def test_not_testable_needs_a_reason():
    found = not_testable("a.b", "ImageNet escapes.", source="Fig. 9", reason="no ImageNet here")
    assert found.verdict == "not testable here" and "no ImageNet here" in repr(found)
    assert "sgd-claim--not-testable" in claims.as_html(found)
    with pytest.raises(ValueError, match="reason must be a text"):
        not_testable("a.b", "c", source="d", reason="")


def test_html_is_well_formed_and_escaped():
    class Reader(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.stack, self.text = [], ""

        def handle_starttag(self, tag, attrs):
            self.stack.append(tag)

        def handle_endtag(self, tag):
            assert self.stack.pop() == tag

        def handle_data(self, data):
            self.text += data

    reader = Reader()
    reader.feed(claims.as_html(claim()))
    assert reader.stack == []
    assert "1/B & not <faster>" in reader.text and "style=" not in claims.as_html(claim())


def test_record_is_json_and_complete():
    data, metadata = claim()._repr_mimebundle_()
    record = json.loads(json.dumps(metadata[claims.METADATA_KEY]))
    assert record["measured"] == {
        "value": 0.101,
        "low": 0.099,
        "high": 0.103,
        "level": 1 - 1e-5,
        "method": "",
    }
    assert record["verdict"] == "confirmed" and record["rivals"] == {"no 1/B": 1.0}
    assert set(data) == {"text/plain", "text/html"}


def test_numpy_numbers_are_accepted():
    found = claim(predicted=np.float64(0.1), rivals={"r": np.float32(1)}, tolerance=np.float32(0))
    assert json.dumps(claims.record(found))


SANITIZE = re.compile("\u2060[^\u2060]*\u2060")


@given(st.text(), st.text(alphabet="0123456789.e-"))
def test_volatile_hides_exactly_its_text(text, digits):
    page = "before " + volatile(text) + " between " + volatile(digits) + " after"
    assert SANITIZE.sub("X", page) == "before X between X after"


def test_only_measured_digits_are_hidden():
    one, other = claim(), claim(measured=Interval(0.1, 0.098, 0.102))
    for show in (claims.as_text, claims.as_html):
        assert show(one) != show(other)
        assert SANITIZE.sub("X", show(one)) == SANITIZE.sub("X", show(other))
        assert SANITIZE.sub("X", show(one)) != SANITIZE.sub("X", show(claim(predicted=0.1001)))


def test_claim_and_glue_survive_a_real_notebook(tmp_path):
    from nbclient import NotebookClient

    cells = [
        "from sgdescape.core import claims\nfrom sgdescape.core.stats.intervals import Interval",
        "c = claims.check('a.b', 'Half.', source='s', predicted=0.5, expected='confirmed',\n"
        "    measured=Interval(0.5, 0.4, 0.6), rivals={'one': 1.0})\nc",
        "display(c)",
        "claims.glue('half', 0.51234, '.2f')",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(book, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    nbformat.write(book, tmp_path / "book.ipynb")
    book = nbformat.read(tmp_path / "book.ipynb", as_version=4)
    for cell in book.cells[1:3]:
        (output,) = cell.outputs
        assert output.metadata["sgdescape_claim"]["verdict"] == "confirmed"
        assert output.metadata["sgdescape_claim"]["measured"]["low"] == 0.4
        assert "sgd-claim--confirmed" in output.data["text/html"]
        assert "Claim a.b: confirmed" in output.data["text/plain"]
    (output,) = book.cells[3].outputs
    assert list(output.data.values()) == ["\u20600.51\u2060"]
