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

import functools
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from numbers import Real

from sgdescape.core import validate
from sgdescape.core.claim_card import anchor, as_html, as_text, volatile
from sgdescape.core.stats.intervals import Interval, computed
from sgdescape.core.verdict import (
    APPROXIMATE,
    CONFIRMED,
    IDENTITY,
    INCONCLUSIVE,
    NOT_TESTABLE,
    REFUTED,
    RESOLUTION,
    apart,
    band,
    inside,
    judge,
    kind,
)

__all__ = [
    "Claim",
    "ClaimError",
    "METADATA_KEY",
    "SOURCES",
    "check",
    "claim",
    "declared",
    "detectable",
    "glue",
    "identity",
    "not_testable",
    "record",
]

METADATA_KEY = "sgdescape_claim"
"""Key of a claim's record in the metadata of the notebook output that shows it."""

EXPECTED = (CONFIRMED, APPROXIMATE, REFUTED, "consistent")

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

_declared: dict[str, dict[str, Callable]] = {}  # stem -> name -> claim, as declared


class ClaimError(AssertionError):
    """A claim's verdict is not the expected one, or its data cannot reject a rival."""


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


def claim(function: Callable[..., Claim]) -> Callable[..., Claim]:
    """Declare a chapter's claim: ``<stem>.<function name>``, in the order of the decorators.

    The stem is the second part of the function's module, ``sgdescape.<stem>.claims``. Declaring
    a name again replaces it (a module that is reloaded).

    Args:
        function: takes the chapter's dataset, returns what `check` returns.

    Returns:
        The function; its claims carry the identifier, and so do the `ClaimError` it raises.

    Raises:
        ValueError: if the name is not in lower case, ``[a-z][a-z0-9_]*``.
        TypeError: on a call, if the function returns something else than a `Claim`.
    """
    stem, name = _stem(function.__module__), function.__name__
    identifier = f"{stem}.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", identifier):
        raise ValueError(f"a claim must be named in lower case: got {identifier!r}")

    @functools.wraps(function)
    def checked(*arguments, **options):
        try:
            found = function(*arguments, **options)
        except ClaimError as error:
            raise ClaimError(f"{identifier}: {error}") from error
        if not isinstance(found, Claim):
            raise TypeError(f"{identifier} must return a Claim: got {type(found).__name__}")
        return replace(found, identifier=identifier)

    _declared.setdefault(stem, {})[name] = checked
    return checked


def declared(stem: str) -> tuple[Callable[..., Claim], ...]:
    """Return the claims of a chapter, in the order in which they are declared.

    Args:
        stem: of the chapter; ``sgdescape.<stem>.claims`` is imported first.

    Raises:
        ValueError: if there is no such module, or if it declares no claim.
    """
    module = f"sgdescape.{stem}.claims"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in (module, f"sgdescape.{stem}"):
            raise  # something that the chapter itself imports is missing
        raise ValueError(f"no chapter {stem!r} with claims: there is no {module}") from error
    if stem not in _declared:
        raise ValueError(f"{module} declares no claims")
    return tuple(_declared[stem].values())


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
    verdict = judge(predicted, measured, tolerance=tolerance, resolution=resolution, unit=unit)
    found = f"measured {measured.value:.6g} in [{measured.low:.6g}, {measured.high:.6g}], "
    found += f"predicted {predicted:.6g}"
    within = inside(measured, band(predicted, tolerance, absolute=predicted == 0))
    also = {APPROXIMATE: (CONFIRMED,), CONFIRMED: (APPROXIMATE, "consistent")}.get(expected, ())
    if kind(verdict) != expected and not (tolerance and within and kind(verdict) in also):
        raise ClaimError(f"verdict {verdict!r}, expected {expected!r}: {found}")
    undecided = tuple(
        name
        for name, value in rivals.items()
        if not apart(measured, band(value, tolerance, absolute=predicted == 0))
    )
    if undecided and expected != "consistent":
        name = undecided[0]
        raise ClaimError(f"no power against {name!r} ({rivals[name]:.6g}): {found}")
    return Claim(
        statement,
        source,
        predicted,
        measured,
        rivals,
        undecided,
        tolerance,
        resolution,
        unit,
        verdict,
    )


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


def detectable(claim: Claim) -> float | None:
    """Return the smallest deviation that the measurement would have seen.

    ``max(|a - p|, |b - p|) / |p|``, absolute if p = 0; for a refuted claim the distance from p to
    the nearer end in the same measure, by which the prediction is off at least. None if nothing
    was measured.
    """
    if claim.measured is None:
        return None
    p = claim.predicted
    distances = abs(claim.measured.low - p), abs(claim.measured.high - p)
    distance = min(distances) if claim.verdict == REFUTED else max(distances)
    return distance / abs(p) if p else distance


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
    """Return the whole claim as a dictionary that JSON can hold, in six significant digits.

    Rivals are a list, nearest first: a notebook sorts the keys of a dictionary.
    """
    rivals = [
        {"name": name, "value": value, "rejected": name not in claim.undecided}
        for name, value in claim.rivals.items()
    ]
    whole = asdict(claim) | {
        "rivals": rivals,
        "evidence": claim.evidence,
        "detectable": detectable(claim),
        "anchor": anchor(claim.identifier),
    }
    del whole["undecided"]
    return _six_digits(whole)


@dataclass(frozen=True)
class _Plain:
    """Text that displays without quotes and without escaping (a str's repr does both)."""

    text: str

    def __repr__(self):
        return self.text


def _stem(module):
    """Second part of a module's name in this package, else the last: without underscores."""
    parts = module.split(".")
    return (parts[1] if parts[0] == "sgdescape" and len(parts) > 1 else parts[-1]).strip("_")


def _nearest_first(predicted, rivals):
    if not isinstance(rivals, Mapping) or not rivals:
        raise ValueError(f"rivals must name at least one other prediction: got {rivals!r}")
    rivals = {_text("rival", k): _number(f"rival {k!r}", v) for k, v in rivals.items()}
    # Rounded, so that two at the same distance keep their order on every machine.
    return dict(sorted(rivals.items(), key=lambda r: _six_digits(abs(r[1] - predicted))))


def _six_digits(value):
    if isinstance(value, dict):
        return {key: _six_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_six_digits(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


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
