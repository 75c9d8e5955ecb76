"""What every chapter's claims must do, said once; a chapter's tests bring data and wrong theories.

A chapter's ``test_claims.py`` calls these with its stem, its dataset and two tables: wrong theories
(claim -> changes of functions that `predictions.predict` looks up) and wrong data (claim -> change
of the dataset). `complete` sees to it that no claim is left out of both.
"""

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Mapping

import pytest

from sgdescape import claims_file
from sgdescape.core.claims import Claim, ClaimError, declared
from sgdescape.core.roots import PROJECT


def claims(stem: str) -> dict[str, Callable]:
    """Return name -> claim of a chapter, in the order of declaration."""
    return {claim.__name__: claim for claim in declared(stem)}


def each(stem: str):
    """Return a decorator: the test runs once for each ``name`` of the chapter's claims."""
    return pytest.mark.parametrize("name", list(claims(stem)))


def holds(stem: str, name: str, dataset) -> Claim:
    """Assert that a claim has its verdict on this dataset, and a card; return it.

    What it asks of the data must be what the executed page says: no tolerance widens unseen.
    """
    found = claims(stem)[name](dataset)
    assert found.identifier == f"{stem}.{name}"
    assert found.statement.endswith((".", "?")) and found.identifier in repr(found)
    if published := _published(stem).get(found.identifier):  # its page was executed since
        _asks_as_much(found, published)
    return found


def _asks_as_much(found, published):
    """Some of these numbers are computed from the data, which may be other data here."""
    assert found.tolerance == pytest.approx(published["tolerance"], rel=0.1)
    if published["predicted"] and published["resolution"]:  # of 0 the nearest rival sets it
        assert found.resolution == pytest.approx(published["resolution"], rel=0.1)
    if published["evidence"] == "identity":
        low, high = published["measured"]["low"], published["measured"]["high"]  # in six digits
        width = pytest.approx(high - low, rel=0.1, abs=1e-5 * max(abs(low), abs(high)))
        assert found.measured.high - found.measured.low == width
    assert (found.unit, found.source) == (published["unit"], published["source"])
    for rival in published["rivals"]:
        if _typed(rival["value"]) and rival["name"] in found.rivals:
            value = found.rivals[rival["name"]]
            assert value == pytest.approx(rival["value"], rel=0.1, abs=0.1), rival["name"]


def _typed(value):
    """Whether a number has one digit only, and so hardly comes from data."""
    return float(f"{value:.1g}") == value


@functools.cache
def _published(stem):
    """Identifier -> record of a claim, as the executed page holds it."""
    page = PROJECT / "book" / "notebooks" / f"{stem}.ipynb"
    records = claims_file.records(page) if page.is_file() else []
    return {record["identifier"]: record for record in records}


def rejects_wrong_theory(stem: str, name: str, measured, changes: Iterable, monkeypatch) -> None:
    """Assert that a claim fails under each change ``(function, wrong)`` of the predictions.

    Args:
        stem: of the chapter.
        name: of the claim.
        measured: dataset before `predict`, or after it (it is predicted anew).
        changes: pairs of a name in the chapter's `predictions` and what takes its place.
        monkeypatch: pytest's.
    """
    predictions = importlib.import_module(f"sgdescape.{stem}.predictions")
    for function, wrong in changes:
        with monkeypatch.context() as patch:
            patch.setattr(predictions, function, wrong)
            wrongly = predictions.predict(measured)
        with pytest.raises(ClaimError):
            claims(stem)[name](wrongly)


def rejects_other_data(stem: str, name: str, dataset) -> None:
    """Assert that a claim fails on a dataset that should not bear it out."""
    with pytest.raises(ClaimError):
        claims(stem)[name](dataset)


def complete(stem: str, *tables: Mapping, exempt: Iterable[str] = ()) -> None:
    """Assert that every claim stands in a table of wrong theories or data, and no other name.

    Args:
        stem: of the chapter.
        tables: claim -> anything.
        exempt: claims that cannot fail because they state no number (not testable here).
    """
    named = {name for table in tables for name in table}
    assert named | set(exempt) == set(claims(stem))
    assert not named & set(exempt)


def shown(stem: str) -> None:
    """Assert that the chapter's page calls every claim of the chapter."""
    text = (PROJECT / "book" / "chapters" / f"{stem}.md").read_text(encoding="utf-8")
    missing = [n for n in claims(stem) if not re.search(rf"\bclaims\.{n}\b", text)]
    assert not missing, f"the page shows no claims.{', claims.'.join(missing)}"


def glued(stem: str, summary: Mapping) -> None:
    """Assert that the page prints every number of the summary, and every number can be printed.

    Args:
        stem: of the chapter.
        summary: of the chapter's ``prose``: name -> (value, format).
    """
    text = (PROJECT / "book" / "chapters" / f"{stem}.md").read_text(encoding="utf-8")
    printed = set(re.findall(r"\{glue:text\}`([^`]+)`", text))
    unused = [name for name in summary if name not in printed]
    assert not unused, f"the page does not print {unused}"
    for name, (value, fmt) in summary.items():
        assert format(value, fmt).strip() not in ("", "nan"), name
