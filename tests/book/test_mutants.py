"""What the mutation tool changes, which tests it asks, what it says; without Cosmic Ray."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from sgdescape.core.roots import PROJECT


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "tools"))
    return importlib.import_module("mutants")


def relative(paths):
    return [path.relative_to(PROJECT).as_posix() for path in paths]


def test_of_a_chapter_the_rooms_that_hold_numbers_are_changed(tool):
    found = relative(tool.modules("decoupling"))
    rooms = ("claims", "estimates", "measure", "predictions", "prose", "theory")
    assert found == [f"lib/sgdescape/decoupling/{room}.py" for room in rooms]
    assert "lib/sgdescape/heavy_tails/theory/__init__.py" in relative(tool.modules("heavy_tails"))


def test_a_chapter_is_asked_nearest_first_and_its_notebook_last(tool):
    module = PROJECT / "lib" / "sgdescape" / "decoupling" / "measure.py"
    first, second, *others, last = relative(tool.tests_of(module))
    assert first == "lib/sgdescape/decoupling/measure.py"  # its examples
    assert second == "tests/decoupling/test_measure.py"
    assert {"tests/decoupling/test_theory.py", "tests/decoupling/test_claims.py"} <= set(others)
    assert last == "book/notebooks/decoupling.ipynb"


def test_every_module_of_core_has_tests(tool):
    found = {path: tool.tests_of(path) for path in tool.modules("core")}
    assert len(found) > 80
    assert not [path for path, tests in found.items() if len(tests) < 2]
    near = relative(tool.tests_of(PROJECT / "lib/sgdescape/core/stats/tails.py"))
    assert near[:2] == ["lib/sgdescape/core/stats/tails.py", "tests/core/test_tails.py"]


def item(module, operator="core/NumberReplacer"):
    path = Path("/x/lib/sgdescape") / module
    return SimpleNamespace(mutations=(SimpleNamespace(module_path=path, operator_name=operator),))


def test_a_sample_is_spread_over_chapters_and_rooms(tool):
    many = [item("a/theory/big.py") for _ in range(50)]
    few = [item("a/prose.py"), item("b/measure.py"), item("core/random/seeds.py")]
    found = tool.sampled(many + few, 4, seed=1)
    assert len({tool._pile(i) for i in found}) == 4
    assert len(tool.sampled(many + few, None, seed=1)) == 53
    assert tool.sampled(many + few, 9, seed=1) == tool.sampled(many + few, 9, seed=1)


def mutant(tool, outcome, *, module="lib/sgdescape/a/theory/x.py", old="a + b", new="a - b"):
    return tool.Mutant(module, 3, "core/ReplaceBinaryOperator_Add_Sub", old, new, outcome)


def test_the_report_lists_what_nothing_noticed_unless_it_has_a_reason(tool):
    same = mutant(tool, "unnoticed", module="lib/sgdescape/core/x.py", old="1", new="2")
    found = [mutant(tool, outcome) for outcome in ("noticed", "too long", "unnoticed")] + [same]
    known = {("lib/sgdescape/core/x.py", "1", "2"): "both are the same"}
    text = tool.report(found, known)
    counts = (
        f"4 changes, 2 noticed (1 by taking longer than {tool.SECONDS} s), 1 unnoticed, 1 that "
    )
    assert text.startswith(f"{counts}nothing can notice.")
    assert "| theory | 2 | 3 |" in text and "| core | 0 | 1 |" in text
    assert text.count("```diff") == 1 and "-a + b\n+a - b" in text
    assert tool.share(found, known) == pytest.approx(2 / 3)
    assert tool.share(found, {}) == pytest.approx(1 / 2)


def test_what_has_a_reason_is_still_there(tool):
    """A line that was rewritten no longer needs its reason."""
    for (module, old, _), reason in tool.reasons().items():
        lines = [line.strip() for line in (PROJECT / module).read_text("utf-8").splitlines()]
        assert old in lines and reason
