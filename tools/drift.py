"""Compare every claim's fresh value with the record: ``python tools/drift.py [STEM ...]``.

Each chapter's page is executed anew, without writing it, and its claims are put beside those of the
stored notebook. A claim whose check no longer ends as the page says does not stop the page: what it
found is reported. Exit code 1 if a verdict changed or a claim is missing; numbers alone may drift,
as with newer releases of what the book depends on.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import notebooks
from nbclient import NotebookClient

from sgdescape import claims_file

REPORT = notebooks.ROOT / "_build" / "drift.md"
SAME = 1e-5
"""Relative difference of two numbers in six digits that may be the same."""
MISSING = "missing"

WATCH = """
from IPython import get_ipython
from IPython.display import display
from sgdescape.core.claims import ClaimError

def _found(shell, kind, error, traceback, tb_offset=None):
    if error.claim is not None:
        display(error.claim)
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)

get_ipython().set_custom_exc((ClaimError,), _found)
"""


@dataclass(frozen=True)
class Drift:
    """A claim then and now.

    Args:
        identifier: of the claim.
        before: its verdict on record, "missing" where it is new.
        after: its verdict now, "missing" where it was not reached.
        recorded: measured value on record; None where there is none.
        value: measured now.
        units: difference in half-widths of the interval on record; None where it has no width.
        predicted: relative change of the prediction, absolute if it was 0.
    """

    identifier: str
    before: str
    after: str
    recorded: float | None = None
    value: float | None = None
    units: float | None = None
    predicted: float = 0.0

    @property
    def wrong(self) -> bool:
        """Return whether the page no longer says what it said."""
        return self.before != self.after

    @property
    def same(self) -> bool:
        """Return whether nothing changed in the digits of a record."""
        return not self.wrong and not self.predicted and self.recorded == self.value


def drift(record: dict | None, fresh: dict | None) -> Drift:
    """Return how a claim's fresh record differs from the kept one.

    Args:
        record: as the notebook keeps it; None if it has none.
        fresh: of the new run; None if it did not come to it.
    """
    identifier = (record or fresh)["identifier"]
    before, after = ((r["verdict"] if r else MISSING) for r in (record, fresh))
    if record is None or fresh is None:
        return Drift(identifier, before, after)
    moved = _moved(record["predicted"], fresh["predicted"])
    if record["measured"] is None or fresh["measured"] is None:
        return Drift(identifier, before, after, predicted=moved)
    kept, now = record["measured"], fresh["measured"]
    value = kept["value"] if abs(_moved(kept["value"], now["value"])) < SAME else now["value"]
    half = (kept["high"] - kept["low"]) / 2
    units = (value - kept["value"]) / half if half else None
    return Drift(identifier, before, after, kept["value"], value, units, moved)


def drifts(records: list, fresh: list) -> list[Drift]:
    """Return all claims of two lists of records, changed verdicts first, then by distance."""
    kept, now = ({r["identifier"]: r for r in some} for some in (records, fresh))
    found = [drift(kept.get(name), now.get(name)) for name in {**kept, **now}]
    return sorted(found, key=lambda d: (not d.wrong, d.same, -abs(d.units or 0)))


def table(found: list[Drift]) -> str:
    """Return a report in Markdown: what became of the claims in one line, then each of them."""
    changed = sum(d.wrong for d in found)
    same = sum(d.same for d in found)
    lines = [
        f"{len(found)} claims: {changed} with another verdict or missing, {same} with the same "
        f"digits, {len(found) - changed - same} with others.",
        "",
        "| claim | verdict | value | record | difference in half-widths | prediction |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_row, found)]) + "\n"


def fresh_records(stem: str) -> list:
    """Execute a chapter's page and return the records of its claims, failing ones included."""
    notebook = notebooks.converted(notebooks.CHAPTERS / f"{stem}.md")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WATCH))
    NotebookClient(
        notebook,
        timeout=1200,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(notebooks.CHAPTERS)}},
    ).execute()
    return claims_file.records_in(notebook)


def _moved(before, after):
    """Relative change of a number, absolute from 0; 0 where none is given or digits agree."""
    if before is None or after is None:
        return 0.0
    change = (after - before) / abs(before) if before else after - before
    return change if abs(change) >= SAME else 0.0


def _row(d):
    verdict = f"**{d.before} → {d.after}**" if d.wrong else d.after
    numbers = ["" if x is None else f"{x:.6g}" for x in (d.value, d.recorded)]
    if d.same:
        difference = "0"
    elif d.units is None:
        difference = "" if d.value is None else "no width"
    else:
        difference = f"{d.units:+.3g}"
    moved = f"{d.predicted:+.2g}" if d.predicted else ""
    return "| " + " | ".join([d.identifier, verdict, *numbers, difference, moved]) + " |"


def main():
    """Execute the chapters named and report; exit 1 if a verdict changed or a claim is missing."""
    stems = sorted(path.stem for path in notebooks.CHAPTERS.glob("*.md"))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("stems", nargs="*", metavar="STEM", help="all chapters unless given")
    parser.add_argument("--report", type=Path, default=REPORT, help="Markdown file")
    options = parser.parse_args()
    if unknown := sorted(set(options.stems) - set(stems)):
        parser.error(f"no chapter named {', '.join(unknown)}: there are {', '.join(stems)}")
    kept, fresh = [], []
    for stem in options.stems or stems:
        start = time.perf_counter()
        kept += claims_file.records(notebooks.NOTEBOOKS / f"{stem}.ipynb")
        fresh += fresh_records(stem)
        print(f"{stem}: {time.perf_counter() - start:.1f} s", flush=True)
    found = drifts(kept, fresh)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(table(found), encoding="utf-8")
    print(table(found), end="")
    if any(d.wrong for d in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
