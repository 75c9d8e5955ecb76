"""Claims: a paper's statement, the number it predicts, what was measured, and the verdict.

A claim names the rival predictions that the same data must reject, so that agreement means
something. A refuted claim is a finding, not an error; a claim whose verdict is not the expected
one, or that cannot tell its rivals apart, raises `ClaimError` and stops the book's build.

A chapter declares its claims once, in ``sgdescape.<stem>.claims``::

    @claim
    def power(dataset) -> Claim:
        return check("The escape rate is ...", source="Mori et al., Eq. (15)", ...)

Its identifier is ``<stem>.power``; `declared` lists them. Verdicts, predictions and rivals are
compared strictly between machines, measured digits are not (`volatile`), and records hold six
significant digits. Where the prediction itself comes from a trained network, measure the ratio to
it and predict 1.
"""

from sgdescape.core.claims.card import as_html, as_text, volatile
from sgdescape.core.claims.checks import EXPECTED, SOURCES, check, identity, not_testable
from sgdescape.core.claims.declaration import claim, declared, glue
from sgdescape.core.claims.judging import as_expected, judged
from sgdescape.core.claims.records import METADATA_KEY, detectable, record
from sgdescape.core.claims.statement import Claim, ClaimError
from sgdescape.core.claims.verdict import judge, kind

__all__ = [
    "EXPECTED",
    "METADATA_KEY",
    "SOURCES",
    "Claim",
    "ClaimError",
    "as_expected",
    "as_html",
    "as_text",
    "check",
    "claim",
    "declared",
    "detectable",
    "glue",
    "identity",
    "judge",
    "judged",
    "kind",
    "not_testable",
    "record",
    "volatile",
]
