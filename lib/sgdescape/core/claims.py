"""Claims: a paper's statement, the number it predicts, what was measured, and the verdict.

A claim names the rival predictions that the same data must reject, so that agreement means
something. A refuted claim is a finding, not an error; a claim whose verdict is not the expected
one, or that cannot tell its rivals apart, raises `ClaimError` and stops the book's build.

Numbers that differ in the last digits between processors are wrapped by `volatile`, so that the
notebook comparison skips them; verdicts, predictions and rivals are compared strictly. Where the
prediction itself comes from a trained network, measure the ratio to it and predict 1.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from numbers import Real

from sgdescape.core import validate
from sgdescape.core.stats.intervals import Interval

METADATA_KEY = "sgdescape_claim"
"""Key of a claim's record in the metadata of the notebook output that shows it."""

CONFIRMED, REFUTED, INCONCLUSIVE = "confirmed", "refuted", "inconclusive"
NOT_TESTABLE = "not testable here"

_JOINER = "\u2060"  # WORD JOINER: invisible, of no width, and in no ordinary text


class ClaimError(AssertionError):
    """A claim's verdict is not the expected one, or its data cannot reject a rival."""


@dataclass(frozen=True)
class Claim:
    """One checked statement; it shows itself as a card in a notebook.

    Args:
        identifier: ``chapter.name``, unique in the book.
        statement: what is claimed, one sentence of plain text.
        source: where it is stated, for example ``Mori et al., Eq. (8)``.
        predicted: the stated number; None if not testable here.
        measured: the measured number with its interval; None if not testable here.
        rivals: name -> value of the other predictions, all rejected.
        tolerance: relative to ``|predicted|`` (absolute if that is 0).
        verdict: "confirmed", "confirmed within ...", "refuted" or "not testable here".
        reason: why it is not testable here, else empty.
    """

    identifier: str
    statement: str
    source: str
    predicted: float | None
    measured: Interval | None
    rivals: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.0
    verdict: str = INCONCLUSIVE
    reason: str = ""

    def __repr__(self):
        return as_text(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"text/plain": as_text(self), "text/html": as_html(self)}
        return data, {METADATA_KEY: record(self)}


def check(
    identifier: str,
    statement: str,
    *,
    source: str,
    predicted: float,
    measured: Interval,
    rivals: Mapping[str, float],
    expected: str,
    tolerance: float = 0.0,
) -> Claim:
    """Judge a claim; return it if the verdict is the expected one and every rival is rejected.

    Args:
        identifier: ``chapter.name`` in lower case, for example ``decoupling.trace``.
        statement: what is claimed, one sentence of plain text (no markup).
        source: where it is stated.
        predicted: the stated number.
        measured: the measured number with its interval.
        rivals: name -> value of at least one other prediction that this data must reject: the
            whole interval has to lie outside rival x (1 ± tolerance).
        expected: "confirmed" (with or without tolerance) or "refuted".
        tolerance: at least 0; relative to ``|predicted|``, absolute if that is 0.

    Returns:
        The claim with its verdict, as `judge` gives it.

    Raises:
        ClaimError: if the verdict is another one, or if a rival is not rejected.
        TypeError: if an argument has another type.
        ValueError: if an argument is empty, not finite or outside its range.

    Example:
        >>> check("noise.batch", "The noise falls as 1/B.", source="Mori et al., Eq. (8)",
        ...       predicted=0.1, measured=Interval(0.101, 0.099, 0.103),
        ...       rivals={"no 1/B": 1.0}, expected="confirmed").verdict
        'confirmed'
    """
    _texts(identifier, statement, source)
    validate.one_of("expected", expected, (CONFIRMED, REFUTED))
    predicted = _number("predicted", predicted)
    if not isinstance(rivals, Mapping) or not rivals:
        raise ValueError(f"rivals must name at least one other prediction: got {rivals!r}")
    rivals = {_text("rival", k): _number(f"rival {k!r}", v) for k, v in rivals.items()}
    verdict = judge(predicted, measured, tolerance=tolerance)
    found = f"measured {_interval_text(measured)}, predicted {predicted:.6g}"
    if not verdict.startswith(expected):
        raise ClaimError(f"{identifier}: verdict {verdict!r}, expected {expected!r}: {found}")
    for name, value in rivals.items():
        low, high = _band(value, tolerance, absolute=predicted == 0)
        if not (measured.high < low or measured.low > high):
            raise ClaimError(f"{identifier}: no power against {name!r} ({value:.6g}): {found}")
    return Claim(
        identifier, statement, source, predicted, measured, rivals, float(tolerance), verdict
    )


def not_testable(identifier: str, statement: str, *, source: str, reason: str) -> Claim:
    """Return a claim that this book states but cannot test, with the reason.

    Args:
        identifier: ``chapter.name`` in lower case.
        statement: what is claimed, one sentence of plain text.
        source: where it is stated.
        reason: what would be needed.

    Returns:
        A claim with verdict "not testable here".

    Raises:
        ValueError: if a text is empty or the identifier malformed.
    """
    _texts(identifier, statement, source)
    _text("reason", reason)
    return Claim(identifier, statement, source, None, None, verdict=NOT_TESTABLE, reason=reason)


def judge(predicted: float, measured: Interval, *, tolerance: float = 0.0) -> str:
    """Compare an interval [a, b] with the band predicted x (1 ± tolerance).

    Args:
        predicted: the stated number p.
        measured: the interval.
        tolerance: at least 0; relative to ``|p|``, absolute if p = 0.

    Returns:
        "confirmed" (tolerance 0, p in [a, b]), "confirmed within ..." ([a, b] inside the band),
        "refuted" ([a, b] wholly outside it) or "inconclusive".

    Raises:
        TypeError: if ``measured`` is not an `Interval`.
        ValueError: if the tolerance is negative or a number is not finite.

    Example:
        >>> judge(1.0, Interval(1.01, 0.98, 1.04), tolerance=0.05)
        'confirmed within 5 %'
    """
    if not isinstance(measured, Interval):
        raise TypeError(f"measured must be an Interval: got {type(measured).__name__}")
    predicted = _number("predicted", predicted)
    tolerance = validate.non_negative("tolerance", tolerance)
    low, high = _band(predicted, tolerance, absolute=predicted == 0)
    if measured.high < low or measured.low > high:
        return REFUTED
    if tolerance == 0:
        return CONFIRMED
    if low <= measured.low and measured.high <= high:
        size = f"{tolerance:.4g}" if predicted == 0 else f"{100 * tolerance:.4g} %"
        return f"{CONFIRMED} within {size}"
    return INCONCLUSIVE


def volatile(text) -> str:
    """Mark text whose digits may differ between machines, by an invisible U+2060 on either side.

    The notebook comparison replaces everything between two such marks. Give text that would
    read the same after rounding as an ordinary string instead: then it is compared.
    """
    return f"{_JOINER}{str(text).replace(_JOINER, '')}{_JOINER}"


def glue(name: str, value, fmt: str = "") -> None:
    """Store a measured number for the prose, where ``{glue:text}`name``` prints it.

    Args:
        name: unique in the book, for example ``decoupling-range``.
        value: number or text; marked by `volatile`.
        fmt: format specification, for example ``.2f``.

    Raises:
        ModuleNotFoundError: if myst-nb (extra ``book``) is not installed.
    """
    import myst_nb  # only notebooks need it

    myst_nb.glue(name, _Plain(volatile(format(value, fmt))), display=False)


def record(claim: Claim) -> dict:
    """Return the whole claim as a dictionary that JSON can hold."""
    return asdict(claim) | {"rivals": dict(claim.rivals), "anchor": anchor(claim.identifier)}


def anchor(identifier: str) -> str:
    """Return the HTML id of a claim's card.

    Example:
        >>> anchor("noise_covariance.batch_factor")
        'claim-noise-covariance-batch-factor'
    """
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", identifier.lower())


def as_text(claim: Claim) -> str:
    """Return the claim as lines of plain text."""
    lines = [f"Claim {claim.identifier}: {claim.verdict}", f"  {claim.statement}"]
    lines += [f"  {name}: {text}" for name, text in _rows(claim)]
    return "\n".join(lines)


def as_html(claim: Claim) -> str:
    """Return the claim as an HTML card; the colours are in ``sgdescape.css``."""
    kind = claim.verdict.split(" within")[0].removesuffix(" here").replace(" ", "-")
    rows = "".join(f"<dt>{escape(n)}</dt><dd>{escape(t)}</dd>" for n, t in _rows(claim))
    return (
        f'<div class="sgd-claim sgd-claim--{kind}" id="{anchor(claim.identifier)}">'
        f'<p class="sgd-claim__head"><span class="sgd-claim__verdict">{escape(claim.verdict)}'
        f'</span> <code class="sgd-claim__id">{escape(claim.identifier)}</code></p>'
        f'<p class="sgd-claim__statement">{escape(claim.statement)}</p>'
        f'<dl class="sgd-claim__facts">{rows}</dl></div>'
    )


@dataclass(frozen=True)
class _Plain:
    """Text that displays without quotes and without escaping (a str's repr does both)."""

    text: str

    def __repr__(self):
        return self.text


def _rows(claim):
    """Name and text of each line under the statement."""
    rows = [("Source", claim.source)]
    if claim.verdict == NOT_TESTABLE:
        return [*rows, ("Why not", claim.reason)]
    rivals = "; ".join(f"{name} ({value:.4g})" for name, value in claim.rivals.items())
    return [
        ("Predicted", f"{claim.predicted:.4g}"),
        ("Measured", volatile(_interval_text(claim.measured))),
        ("Rejected", rivals),
        *rows,
    ]


def _interval_text(interval):
    level = f"{100 * interval.level:.6g} %"
    ends = f"[{interval.low:.4g}, {interval.high:.4g}]"
    method = f", {interval.method}" if interval.method else ""
    return f"{interval.value:.4g} in {ends} ({level}{method})"


def _band(value, tolerance, *, absolute):
    half = tolerance if absolute else tolerance * abs(value)
    return value - half, value + half


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number: got {value!r}")
    return float(validate.finite(name, value))


def _text(name, value):
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a text that is not empty: got {value!r}")
    return value


def _texts(identifier, statement, source):
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", _text("identifier", identifier)):
        raise ValueError(f"identifier must be 'chapter.name' in lower case: got {identifier!r}")
    _text("statement", statement)
    _text("source", source)
