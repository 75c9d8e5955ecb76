"""What turns numbers into claims: `check` against rivals, `identity`, `not_testable`."""

from collections.abc import Mapping
from numbers import Real

from sgdescape.core import validate
from sgdescape.core.claims.judging import as_expected, judged
from sgdescape.core.claims.records import six_digits
from sgdescape.core.claims.statement import Claim, ClaimError
from sgdescape.core.claims.verdict import (
    APPROXIMATE,
    CONFIRMED,
    IDENTITY,
    NOT_TESTABLE,
    REFUTED,
    RESOLUTION,
)
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import Interval, computed

__all__ = ["EXPECTED", "SOURCES", "check", "identity", "not_testable"]

EXPECTED = (CONFIRMED, APPROXIMATE, REFUTED, "consistent")
"""The verdicts that a check may expect."""

SOURCES = (
    "this book",
    "This book",
    "this chapter",
    "chapter ",
    "Mori et al.",
    "the short form of Mori et al.",
    "left open by Mori et al.",
    "Kunin et al.",
    "reconstructed from Kunin et al.",
    "Azizian et al.",
    "Freidlin and Wentzell",
    "Gürbüzbalaban et al.",
    "Hodgkinson and Mahoney",
    "Hu et al.",
    "Kesten",
    "Kloeden and Platen",
    "Kramers",
    "Kühn and Rosenow",
    "Mandt et al.",
    "Yaida",
    "Ziyin et al.",
)
"""How the source of a claim may begin."""


@door
def check(
    statement: str,
    *,
    source: str,
    predicted: float,
    measured: Interval,
    rivals: Mapping[str, float],
    expected: str,
    tolerance: float = 0.0,
    resolution: float | None = None,
    unit: str = "",
) -> Claim:
    """Judge a claim; return it if the verdict is the expected one and every rival is rejected.

    A rival is rejected if the whole interval lies outside rival x (1 ± tolerance). Only a claim
    that is expected to be no more than consistent may leave some: its card names them.

    Args:
        statement: what is claimed, one sentence of plain text, formulas as ``$...$``.
        source: where it is stated; begins like one of `SOURCES`.
        predicted: the stated number.
        measured: the measured number with its interval.
        rivals: name -> value of at least one other prediction.
        expected: "confirmed", "approximate", "refuted" or "consistent". With a tolerance,
            "approximate" also passes as confirmed, and "confirmed" also if the interval lies in
            the tolerated range without holding the prediction, or is wider than the resolution.
            The verdict of the returned claim is the true one in any case.
        tolerance: at least 0; relative to ``|predicted|``, absolute if that is 0.
        resolution: above 0, relative or absolute as the tolerance; `RESOLUTION` unless given, and
            half the distance to the nearest rival where the prediction is 0.
        unit: of all these numbers; differences in "octaves" are shown as factors.

    Returns:
        The claim with its verdict, as `judge` gives it, and its rivals nearest first.

    Raises:
        ClaimError: if the verdict is another one, or if a rival is not rejected.
        TypeError: if an argument has another type.
        ValueError: if an argument is empty, not finite or outside its range.

    Example:
        >>> check("The noise falls as 1/B.", source="Mori et al., Eq. (8)", predicted=0.1,
        ...       measured=Interval(0.101, 0.099, 0.103), rivals={"no 1/B": 1.0},
        ...       expected="confirmed").verdict
        'confirmed'
    """
    _texts(statement, source)
    validate.one_of("expected", expected, EXPECTED)
    predicted = _number("predicted", predicted)
    tolerance = validate.non_negative("tolerance", tolerance)
    if expected == APPROXIMATE and tolerance == 0:
        raise ValueError("tolerance must be above 0 where 'approximate' is expected: got 0")
    rivals = _nearest_first(predicted, rivals)
    if resolution is None:
        nearest = next(iter(rivals.values()))
        resolution = RESOLUTION if predicted else abs(nearest) / 2
    else:
        resolution = validate.positive("resolution", resolution)
    empty = Claim(
        statement,
        source,
        predicted,
        measured,
        rivals,
        tolerance=tolerance,
        resolution=resolution,
        unit=unit,
        expected=expected,
    )
    found = judged(empty, measured)
    if not as_expected(found):
        raise ClaimError(
            f"verdict {found.verdict!r}, expected {expected!r}: {_found(found)}", found
        )
    if found.undecided and expected != "consistent":
        name = found.undecided[0]
        raise ClaimError(f"no power against {name!r} ({rivals[name]:.6g}): {_found(found)}", found)
    return found


@door
def identity(
    statement: str, *, source: str, predicted: float, measured: float, error: float
) -> Claim:
    """Check what holds whatever the theory, up to rounding; it is never counted as confirmed.

    Args:
        statement: what is claimed, one sentence of plain text.
        source: where it is stated; begins like one of `SOURCES`.
        predicted: the number that must come out.
        measured: the number that did.
        error: largest absolute difference that rounding explains, at least 0.

    Returns:
        A claim with verdict "identity".

    Raises:
        ClaimError: if they differ by more.
        ValueError: if an argument is empty, not finite or outside its range.
    """
    _texts(statement, source)
    predicted, measured = _number("predicted", predicted), _number("measured", measured)
    error = validate.non_negative("error", error)
    if abs(measured - predicted) > error:
        raise ClaimError(f"no identity: {measured:.9g} instead of {predicted:.9g} ± {error:.3g}")
    interval = computed(measured, measured - error, measured + error, "rounding")
    return Claim(statement, source, predicted, interval, verdict=IDENTITY)


@door
def not_testable(statement: str, *, source: str, reason: str) -> Claim:
    """Return a claim that this book states but cannot test, with the reason.

    Args:
        statement: what is claimed, one sentence of plain text.
        source: where it is stated; begins like one of `SOURCES`.
        reason: what would be needed.

    Returns:
        A claim with verdict "not testable here".

    Raises:
        ValueError: if a text is empty or the source unknown.
    """
    _texts(statement, source)
    _text("reason", reason)
    return Claim(statement, source, None, None, verdict=NOT_TESTABLE, reason=reason)


def _found(claim):
    """What was measured and predicted, in words of an error."""
    measured = claim.measured
    ends = f"[{measured.low:.6g}, {measured.high:.6g}]"
    return f"measured {measured.value:.6g} in {ends}, predicted {claim.predicted:.6g}"


def _nearest_first(predicted, rivals):
    if not isinstance(rivals, Mapping) or not rivals:
        raise ValueError(f"rivals must name at least one other prediction: got {rivals!r}")
    rivals = {_text("rival", k): _number(f"rival {k!r}", v) for k, v in rivals.items()}
    # Rounded, so that two at the same distance keep their order on every machine.
    return dict(sorted(rivals.items(), key=lambda r: six_digits(abs(r[1] - predicted))))


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number: got {value!r}")
    return float(validate.finite(name, value))


def _text(name, value):
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a text that is not empty: got {value!r}")
    return value


def _texts(statement, source):
    _text("statement", statement)
    if not _text("source", source).startswith(SOURCES):
        raise ValueError(f"source must begin with one of {', '.join(SOURCES)}: got {source!r}")
