"""What a claim holds, and how it shows itself in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgdescape.core.claims.card import as_html, as_text
from sgdescape.core.claims.records import METADATA_KEY, record
from sgdescape.core.claims.verdict import IDENTITY, INCONCLUSIVE
from sgdescape.core.stats.intervals import Interval

__all__ = ["Claim", "ClaimError"]


class ClaimError(AssertionError):
    """A claim's verdict is not the expected one, or its data cannot reject a rival.

    Args:
        message: what is wrong.
        claim: what was found; None where no verdict was reached.
    """

    def __init__(self, message: str, claim: "Claim | None" = None):
        super().__init__(message)
        self.claim = claim


@dataclass(frozen=True)
class Claim:
    """One checked statement; it shows itself as a card in a notebook.

    Args:
        statement: what is claimed, one sentence of plain text, formulas as ``$...$``.
        source: where it is stated, for example ``Mori et al., Eq. (8)``.
        predicted: the stated number; None if not testable here.
        measured: the measured number with its interval; None if not testable here.
        rivals: name -> value of the other predictions, the nearest to the prediction first.
        undecided: names of the rivals that the interval does not reject.
        tolerance: relative to ``|predicted|`` (absolute if that is 0).
        resolution: largest distance of the interval's ends from the prediction with which it
            confirms; relative or absolute as the tolerance.
        unit: of the numbers, else empty.
        verdict: as `judge` gives it, or "identity" or "not testable here".
        reason: why it is not testable here, else empty.
        identifier: ``stem.name``, unique in the book; set by `claim`.
        expected: the verdict that the text is written for, as `check` takes it; else empty.
    """

    statement: str
    source: str
    predicted: float | None
    measured: Interval | None
    rivals: Mapping[str, float] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()
    tolerance: float = 0.0
    resolution: float | None = None
    unit: str = ""
    verdict: str = INCONCLUSIVE
    reason: str = ""
    identifier: str = ""
    expected: str = ""

    @property
    def evidence(self) -> str:
        """Return "sampled" (an interval with a level), "computed", "identity" or "none"."""
        if self.measured is None:
            return "none"
        if self.verdict == IDENTITY:
            return "identity"
        return "computed" if self.measured.level is None else "sampled"

    def __repr__(self):
        return as_text(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"text/plain": as_text(self), "text/html": as_html(self)}
        return data, {METADATA_KEY: record(self)} if self.identifier else {}
