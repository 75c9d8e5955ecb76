"""The report of every claim's fresh value against the record."""

import importlib

import pytest

from sgdescape.core.roots import PROJECT


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "tools"))
    return importlib.import_module("drift")


def record(name="a.b", *, value=1.0, low=0.9, high=1.3, verdict="confirmed", predicted=1.0):
    measured = {"value": value, "low": low, "high": high, "level": None, "method": ""}
    return {"identifier": name, "verdict": verdict, "predicted": predicted, "measured": measured}


def test_the_difference_is_in_half_widths_of_the_interval_on_record(tool):
    found = tool.drift(record(), record(value=1.1, low=0.0, high=9.0))
    assert found.units == pytest.approx(0.5)  # 0.1 of (1.3 - 0.9) / 2
    assert not found.wrong and not found.same and found.predicted == 0
    down = tool.drift(record(), record(value=0.6, verdict="refuted", predicted=1.02))
    assert down.units == pytest.approx(-2) and down.wrong
    assert down.predicted == pytest.approx(0.02)


def test_digits_beyond_those_of_a_record_are_no_drift(tool):
    assert tool.drift(record(), record(value=1.000001, predicted=0.999999)).same
    assert not tool.drift(record(), record(value=1.00002)).same


def test_intervals_without_width_and_claims_without_numbers(tool):
    sharp = record(low=1.0, high=1.0, verdict="identity")
    assert tool.drift(sharp, sharp).same
    moved = tool.drift(sharp, record(value=1.5))
    assert moved.units is None and moved.wrong
    bare = record(predicted=None) | {"measured": None}
    assert tool.drift(bare, bare).same


def test_the_table_has_every_claim_and_the_changed_verdicts_first(tool):
    kept = [record("a.far"), record("a.gone"), record("a.same"), record("a.turned")]
    fresh = [record("a.far", value=1.2), record("a.new"), record("a.same"),
             record("a.turned", verdict="refuted")]  # fmt: skip
    found = tool.drifts(kept, fresh)
    assert {d.identifier for d in found[:3]} == {"a.gone", "a.new", "a.turned"}
    assert [d.identifier for d in found[3:]] == ["a.far", "a.same"]
    first, _, _, _, *rows = tool.table(found).splitlines()
    assert first == "5 claims: 3 with another verdict or missing, 1 with the same digits, " \
                    "1 with others."  # fmt: skip
    assert "| a.far | confirmed | 1.2 | 1 | +1 |  |" in rows
    assert "| a.gone | **confirmed → missing** |  |  |  |  |" in rows
    assert "| a.turned | **confirmed → refuted** | 1 | 1 | +0 |  |" in rows


PAGE = """---
kernelspec:
  display_name: Python 3
  name: python3
---

# A

```{code-cell}
from sgdescape.core.claims import check, claim
from sgdescape.core.stats.intervals import Interval

@claim
def turned(value):
    return check("A number.", source="this book", predicted=1.0, rivals={"two": 2.0},
                 measured=Interval(value, 2.9, 3.1), expected="confirmed")

turned(3.0)
```

```{code-cell}
print("the page goes on")
```
"""


def test_a_page_whose_claim_fails_is_executed_to_its_end(tool, tmp_path, monkeypatch):
    (tmp_path / "a.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(tool.notebooks, "CHAPTERS", tmp_path)
    (found,) = tool.fresh_records("a")
    assert found["verdict"] == "refuted" and found["measured"]["value"] == 3
