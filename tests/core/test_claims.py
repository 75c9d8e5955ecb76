"""Claims: verdicts, power against rivals, refusals, declarations, and what a notebook keeps."""

import dataclasses
import html.parser
import importlib
import json
import re
import sys

import nbformat
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import sgdescape
from sgdescape.core import claims
from sgdescape.core.claims import (
    ClaimError,
    as_expected,
    check,
    declared,
    identity,
    judge,
    judged,
    not_testable,
    volatile,
)
from sgdescape.core.stats.intervals import Interval, computed

numbers = st.floats(-1e6, 1e6)
tolerances = st.floats(0, 0.9)
resolutions = st.floats(1e-3, 10)


@st.composite
def intervals(draw):
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Interval(value, low, high)


def between(low, high):
    return Interval((low + high) / 2, low, high)


def claim(**changes):
    arguments = {
        "source": "Mori et al., Eq. (8)",
        "predicted": 0.1,
        "measured": Interval(0.101, 0.099, 0.103),
        "rivals": {"no 1/B": 1.0},
        "expected": "confirmed",
    } | changes
    return check("The noise falls as $1/B$ & not <faster>.", **arguments)


@pytest.mark.parametrize(
    ("predicted", "ends", "tolerance", "verdict"),
    [
        (1.0, (0.9, 1.1), 0, "confirmed"),
        (1.0, (1.0, 1.1), 0, "confirmed"),  # an end counts as inside
        (1.0, (0.75, 1.25), 0, "confirmed"),  # the resolution as well
        (1.0, (0.7, 1.1), 0, "consistent (coarse)"),
        (1.0, (1.01, 1.1), 0, "refuted"),
        (1.0, (0.98, 1.02), 0.05, "confirmed"),  # the tolerance was not needed
        (1.0, (1.01, 1.02), 0.05, "approximate (within 5 %)"),
        (-1.0, (-1.02, -1.01), 0.05, "approximate (within 5 %)"),
        (1.0, (1.01, 1.07), 0.05, "inconclusive"),
        (1.0, (0.5, 1.5), 0.05, "consistent (coarse)"),
        (1.0, (1.06, 1.5), 0.05, "refuted"),
        (1.0, (1.3, 1.4), 0.5, "approximate (within a factor of 1.5)"),
        (1.0, (0.6, 0.7), 0.5, "approximate (within a factor of 2)"),  # the band ends at a half
        (-1.0, (-1.4, -1.3), 0.5, "approximate (within a factor of 1.5)"),
        (-1.0, (-0.7, -0.6), 0.5, "approximate (within a factor of 2)"),
        (1.0, (-0.1, 0.2), 1.2, "approximate (within 120 %)"),  # no factor reaches zero
        (0.0, (-0.01, 0.02), 0.05, "confirmed"),  # absolute at zero
        (0.0, (0.01, 0.02), 0.05, "approximate (within 0.05)"),
        (0.0, (0.06, 0.07), 0.05, "refuted"),
    ],
)
def test_verdicts(predicted, ends, tolerance, verdict):
    assert judge(predicted, between(*ends), tolerance=tolerance) == verdict


def test_octaves_are_factors():
    found = judge(0.0, between(0.2, 0.5), tolerance=1.0, unit="octaves")
    assert found == "approximate (within a factor of 2)"
    assert judge(0.0, between(0.2, 0.5), tolerance=1.0, unit="nats") == (
        "approximate (within 1 nats)"
    )


@given(numbers, intervals(), tolerances, resolutions)
def test_verdict_is_what_the_sets_say(predicted, measured, tolerance, resolution):
    half, narrow = (x * abs(predicted) if predicted else x for x in (tolerance, resolution))
    low, high = predicted - half, predicted + half
    apart = measured.high < low or high < measured.low
    inside = low <= measured.low and measured.high <= high
    holds = measured.low <= predicted <= measured.high
    seen = predicted - narrow <= measured.low and measured.high <= predicted + narrow
    verdict = judge(predicted, measured, tolerance=tolerance, resolution=resolution)
    assert (verdict == "refuted") == apart
    assert (verdict == "confirmed") == (holds and seen)
    assert (verdict == "consistent (coarse)") == (holds and not seen)
    assert verdict.startswith("approximate") == (inside and not holds and not apart)
    if tolerance == 0:
        assert verdict in ("refuted", "confirmed", "consistent (coarse)")


@given(numbers, intervals(), st.integers(-30, 30))
def test_verdict_does_not_depend_on_the_unit(predicted, measured, power):
    # Powers of two only move the exponent, so the comparison is exact; below 1e-290 they would not.
    assume(predicted != 0 and all(v == 0 or abs(v) > 1e-200 for v in (predicted, measured.low)))
    assume(measured.high == 0 or abs(measured.high) > 1e-200)
    c = 2.0**power
    scaled = Interval(c * measured.value, c * measured.low, c * measured.high)
    flipped = Interval(-measured.value, -measured.high, -measured.low)
    for tolerance in (0.0, 0.125):
        verdict = judge(predicted, measured, tolerance=tolerance)
        assert verdict == judge(c * predicted, scaled, tolerance=tolerance)
        assert verdict == judge(-predicted, flipped, tolerance=tolerance)


@given(numbers, intervals(), tolerances, tolerances)
def test_more_tolerance_never_refutes(predicted, measured, one, other):
    small, large = sorted((one, other))
    if judge(predicted, measured, tolerance=large) == "refuted":
        assert judge(predicted, measured, tolerance=small) == "refuted"


@given(numbers, intervals(), st.floats(0.01, 0.9), numbers)
def test_a_returned_claim_excludes_its_rivals(predicted, measured, tolerance, rival):
    arguments = {
        "source": "this book",
        "predicted": predicted,
        "measured": measured,
        "rivals": {"rival": rival},
        "tolerance": tolerance,
        "resolution": 0.1,
    }
    verdict = judge(predicted, measured, tolerance=tolerance, resolution=0.1)
    assume(verdict != "inconclusive")
    expected = verdict.split(" ")[0]
    wrong = "confirmed" if verdict == "refuted" else "refuted"
    with pytest.raises(ClaimError, match=f"verdict '{re.escape(verdict)}', expected '{wrong}'"):
        check("a", expected=wrong, **arguments)
    half = tolerance * abs(rival) if predicted else tolerance
    met = rival - half <= measured.high and measured.low <= rival + half
    if met and expected == "consistent":
        assert check("a", expected=expected, **arguments).undecided == ("rival",)
    elif met:
        with pytest.raises(ClaimError, match="no power against 'rival'"):
            check("a", expected=expected, **arguments)
    else:
        assert check("a", expected=expected, **arguments).verdict == verdict


def test_a_wide_interval_has_no_power():
    with pytest.raises(ClaimError, match=r"verdict 'consistent \(coarse\)', expected 'confirmed'"):
        claim(measured=Interval(0.5, -1.0, 2.0))
    with pytest.raises(ClaimError, match=r"no power against 'no 1/B' \(1\)"):
        claim(measured=Interval(0.5, -1.0, 2.0), resolution=30.0)


def test_a_coarse_claim_names_what_it_cannot_tell():
    found = claim(
        measured=between(0.04, 0.15), rivals={"half": 0.05, "none": 0.0}, expected="consistent"
    )
    assert found.verdict == "consistent (coarse)" and found.undecided == ("half",)
    text = claims.as_text(found)
    assert "Cannot tell: half (0.05)" in text and "Rejected: none (0)" in text
    rivals = [(r["name"], r["rejected"]) for r in claims.record(found)["rivals"]]
    assert rivals == [("half", False), ("none", True)]


@pytest.mark.parametrize(
    ("ends", "expected", "verdict"),
    [
        ((0.101, 0.104), "approximate", "approximate (within 5 %)"),
        ((0.099, 0.104), "approximate", "confirmed"),
        ((0.101, 0.104), "confirmed", "approximate (within 5 %)"),
        ((0.096, 0.104), "confirmed", "consistent (coarse)"),
    ],
)
def test_with_a_tolerance_more_passes_and_the_verdict_is_the_true_one(ends, expected, verdict):
    found = claim(measured=between(*ends), expected=expected, tolerance=0.05, resolution=0.041)
    if verdict.startswith("consistent"):
        found = claim(measured=between(*ends), expected=expected, tolerance=0.05, resolution=0.01)
    assert found.verdict == verdict


def test_a_tolerance_excuses_nothing_outside():
    with pytest.raises(ClaimError, match="consistent"):  # holds p, wider than both
        claim(measured=between(0.06, 0.14), tolerance=0.05)
    with pytest.raises(ClaimError, match="consistent"):
        claim(
            measured=between(0.097, 0.104), tolerance=0.05, expected="approximate", resolution=0.01
        )


def test_resolution_at_zero_is_half_way_to_the_nearest_rival():
    changes = {"predicted": 0.0, "rivals": {"far": 2.0, "near": -0.1}}
    assert claim(measured=between(-0.02, 0.05), **changes).resolution == 0.05
    with pytest.raises(ClaimError, match="consistent"):
        claim(measured=between(-0.02, 0.06), **changes)


def test_rivals_stand_nearest_first():
    found = claim(rivals={"far": 1.0, "b": 0.15, "a": 0.05, "near": 0.11})
    assert list(found.rivals) == ["near", "b", "a", "far"]  # equal distances: as they came
    assert "Rejected: near (0.11); b (0.15); a (0.05); far (1)" in claims.as_text(found)


def test_a_refuted_claim_is_a_finding():
    found = claim(predicted=0.2, expected="refuted")
    assert found.verdict == "refuted"
    with pytest.raises(ClaimError, match="verdict 'refuted', expected 'confirmed'"):
        claim(predicted=0.2)


def test_inconclusive_never_passes():
    for expected in claims.EXPECTED:
        with pytest.raises(ClaimError, match="verdict 'inconclusive'"):
            claim(predicted=0.098, tolerance=0.02, expected=expected)


@pytest.mark.parametrize(
    ("ends", "predicted", "number", "text"),
    [
        ((0.9, 1.2), 1.0, 0.2, "Would have seen: a deviation of 20 %; asked for 25 %"),
        ((-3.0, -0.5), -1.0, 2.0, "Would have seen: a factor of 3; asked for 25 %"),
        ((-0.1, 0.2), 0.0, 0.2, "Would have seen: a deviation of 0.2 s; asked for 4.5 s"),
        ((1.5, 9.0), 1.0, 0.5, "Off by: at least 50 %"),
        ((3.0, 9.0), 1.0, 2.0, "Off by: at least a factor of 3"),
        ((0.1, 0.2), 1.0, 0.8, "Off by: at least a factor of 5"),
        ((-3.0, -2.0), 1.0, 3.0, "Off by: at least 300 %"),
    ],
)
def test_what_would_have_been_seen(ends, predicted, number, text):
    measured = between(*ends)
    expected = judge(predicted, measured).split(" ")[0]
    changes = {"predicted": predicted, "rivals": {"other": -9.0 if predicted >= 0 else 9.0}}
    found = claim(measured=measured, expected=expected, unit="s", **changes)
    assert claims.detectable(found) == pytest.approx(number, rel=1e-12)
    assert text in claims.as_text(found).replace("\u2060", "")


def test_kinds_of_evidence():
    assert claim().evidence == "sampled"
    bound = claim(measured=computed(0.101, 0.099, 0.103, "two grids"))
    assert bound.evidence == "computed"
    assert "0.101 in [0.099, 0.103] (numerical bound, two grids)" in repr(bound)
    assert "no sampling" in repr(bound)
    assert claims.record(bound)["measured"]["level"] is None
    untested = not_testable("a", source="this book", reason="r")
    assert untested.evidence == "none" and claims.detectable(untested) is None


def test_an_identity_is_no_confirmation():
    arguments = {"source": "this book", "predicted": 2.0, "error": 1e-9}
    found = identity("Traces agree.", measured=2.0 + 5e-10, **arguments)
    assert found.verdict == "identity" == found.evidence
    assert "sgd-claim--identity" in claims.as_html(found) and "confirmed" not in repr(found)
    with pytest.raises(ClaimError, match="no identity: 2.00000001 instead of 2"):
        identity("Traces agree.", measured=2.0 + 1e-8, **arguments)


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A chapter `sgdescape.fake_stem` whose claims are what the test writes."""
    monkeypatch.setattr(sgdescape, "__path__", [*sgdescape.__path__, str(tmp_path)])
    (tmp_path / "fake_stem").mkdir()
    (tmp_path / "fake_stem" / "__init__.py").write_text("", encoding="utf-8")
    head = "from sgdescape.core.claims import claim, check\n"
    head += "from sgdescape.core.stats.intervals import Interval\n"
    half = "return check('Half.', source='this book', predicted=x, measured=Interval(1.0, 0.9, 1.1)"
    half += ", rivals={'two': 2.0}, expected='confirmed')\n"

    def write(body):
        text = head + body.replace("HALF", half)
        (tmp_path / "fake_stem" / "claims.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    yield write
    for name in [name for name in sys.modules if name.startswith("sgdescape.fake_stem")]:
        del sys.modules[name]
    claims.declaration._declared.pop("fake_stem", None)


def test_claims_are_declared_in_order(chapter):
    chapter("@claim\ndef z(x):\n  'A.'\n  HALF\n@claim\ndef a(x):\n  HALF\n")
    z, a = declared("fake_stem")
    assert (z.__name__, z.__doc__, a.__name__) == ("z", "A.", "a")
    assert z(1.0).identifier == "fake_stem.z" and z(1.0).verdict == "confirmed"
    with pytest.raises(ClaimError, match="^fake_stem.a: verdict 'refuted', expected 'confirmed'"):
        a(3.0)
    module = importlib.reload(sys.modules["sgdescape.fake_stem.claims"])
    assert declared("fake_stem") == (module.z, module.a)


def test_a_private_package_declares_under_its_chapters_name():
    def half(x):
        return not_testable("a", source="this book", reason="r")

    half.__module__ = "sgdescape._fake_stem.claims.more"
    try:
        assert claims.claim(half)(1).identifier == "fake_stem.half"
    finally:
        claims.declaration._declared.pop("fake_stem", None)


@pytest.mark.parametrize("stem", ["no_such_chapter", "cli", "core"])
def test_a_stem_without_claims_is_refused(stem):
    with pytest.raises(ValueError, match=f"no chapter '{stem}'|declares no claims"):
        declared(stem)


def test_a_missing_dependency_is_not_an_unknown_stem(chapter):
    chapter("import no_such_library\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        declared("fake_stem")


def test_bad_declarations(chapter):
    chapter("@claim\ndef none(x):\n  pass\n")
    (none,) = declared("fake_stem")
    with pytest.raises(TypeError, match="fake_stem.none must return a Claim: got NoneType"):
        none(1.0)
    with pytest.raises(ValueError, match="named in lower case: got 'test_claims.Upper'"):
        claims.claim(type("Upper", (), {"__module__": "tests.core.test_claims"}))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rivals": {}}, ValueError, "rivals must name at least one"),
        ({"rivals": {"x": float("nan")}}, ValueError, "rival 'x' must be finite"),
        ({"predicted": float("inf")}, ValueError, "predicted must be finite"),
        ({"predicted": "0.1"}, TypeError, "predicted must be a real number"),
        ({"measured": 0.1}, TypeError, "measured must be an Interval: got float"),
        ({"tolerance": -0.1}, ValueError, "tolerance must be non-negative"),
        ({"expected": "true"}, ValueError, "expected must be one of 'confirmed', 'approximate'"),
        ({"expected": "approximate"}, ValueError, "tolerance must be above 0"),
        ({"resolution": 0}, ValueError, "resolution must be positive"),
        ({"source": " "}, ValueError, "source must be a text"),
        ({"source": "us"}, ValueError, "source must begin with one of this book.*got 'us'"),
    ],
)
def test_refusals(changes, error, message):
    with pytest.raises(error, match=message):
        claim(**changes)


def test_not_testable_needs_a_reason():
    source = "Kunin et al., Fig. 9"
    found = not_testable("ImageNet escapes.", source=source, reason="no ImageNet here")
    assert found.verdict == "not testable here" and "no ImageNet here" in repr(found)
    assert "sgd-claim--not-testable" in claims.as_html(found)
    with pytest.raises(ValueError, match="reason must be a text"):
        not_testable("c", source=source, reason="")


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
    assert "\\(1/B\\) & not <faster>" in reader.text and "style=" not in claims.as_html(claim())


def test_record_is_json_and_complete():
    undeclared = claim(measured=Interval(0.10123456, 0.099, 0.103), unit="s")
    assert undeclared._repr_mimebundle_()[1] == {}  # a page may try something out
    data, metadata = dataclasses.replace(undeclared, identifier="a.b")._repr_mimebundle_()
    record = json.loads(json.dumps(metadata[claims.METADATA_KEY]))
    assert record["measured"] == {
        "value": 0.101235,
        "low": 0.099,
        "high": 0.103,
        "level": 1 - 1e-5,
        "method": "",
    }
    assert record["verdict"] == "confirmed" and record["identifier"] == "a.b"
    assert record["rivals"] == [{"name": "no 1/B", "value": 1.0, "rejected": True}]
    assert record["evidence"] == "sampled" and record["unit"] == "s"
    assert record["detectable"] == 0.03 and record["resolution"] == 0.25
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
        "@claims.claim\ndef half():\n"
        "    return claims.check('Half.', source='this book', predicted=0.5, rivals={'one': 1.0},\n"
        "        measured=Interval(0.5, 0.4, 0.6), expected='confirmed')\n"
        "c = half()\nc",
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
        assert "Claim main.half: confirmed" in output.data["text/plain"]
    (output,) = book.cells[3].outputs
    assert list(output.data.values()) == ["\u20600.51\u2060"]


def test_an_error_carries_the_claim_that_failed():
    with pytest.raises(ClaimError) as caught:
        check(
            "A number.",
            source="this book",
            predicted=1.0,
            measured=Interval(2.0, 1.9, 2.1),
            rivals={"two": 2.0},
            expected="confirmed",
        )
    found = caught.value.claim
    assert (found.verdict, found.undecided, found.expected) == ("refuted", ("two",), "confirmed")
    assert not as_expected(found)
    right = judged(found, Interval(1.0, 0.9, 1.1))
    assert as_expected(right) and right.verdict == "confirmed" and not right.undecided
    assert ClaimError("no verdict was reached").claim is None
