"""Verdicts: an interval compared with a prediction, and how far apart they are in words."""

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import Interval

__all__ = [
    "APPROXIMATE",
    "CONFIRMED",
    "CONSISTENT",
    "IDENTITY",
    "INCONCLUSIVE",
    "NOT_TESTABLE",
    "REFUTED",
    "RESOLUTION",
    "apart",
    "asked",
    "band",
    "extent",
    "inside",
    "judge",
    "kind",
    "seen",
]

CONFIRMED, APPROXIMATE, REFUTED = "confirmed", "approximate", "refuted"
CONSISTENT, INCONCLUSIVE = "consistent (coarse)", "inconclusive"
IDENTITY, NOT_TESTABLE = "identity", "not testable here"

RESOLUTION = 0.25
"""A confirmation must have been able to see a deviation of this share, unless it says otherwise."""


@door
def judge(
    predicted: float,
    measured: Interval,
    *,
    tolerance: float = 0.0,
    resolution: float = RESOLUTION,
    unit: str = "",
) -> str:
    """Compare an interval [a, b] with a prediction p and the band p x (1 ± tolerance).

    Args:
        predicted: the stated number p.
        measured: the interval.
        tolerance: at least 0; relative to ``|p|``, absolute if p = 0.
        resolution: at least 0, at which nothing is sharp enough; relative or absolute alike.
        unit: for the words only, see `check`.

    Returns:
        "refuted" if [a, b] lies wholly outside the band; where it holds p, "confirmed" if no end
        is farther from p than the resolution and "consistent (coarse)" otherwise; where it misses
        p, "approximate (within ...)" if it lies inside the band and "inconclusive" otherwise. A
        tolerance of a half or more is named by the factor to the edge of the band on that side.

    Raises:
        TypeError: if ``measured`` is not an `Interval`.
        ValueError: if a number is not finite or outside its range.

    Example:
        >>> judge(1.0, Interval(1.02, 1.01, 1.04), tolerance=0.05)
        'approximate (within 5 %)'
    """
    if not isinstance(measured, Interval):
        raise TypeError(f"measured must be an Interval: got {type(measured).__name__}")
    predicted = _finite("predicted", predicted)
    tolerance = validate.non_negative("tolerance", tolerance)
    resolution = validate.non_negative("resolution", resolution)
    tolerated = band(predicted, tolerance, absolute=predicted == 0)
    if apart(measured, tolerated):
        return REFUTED
    if measured.low <= predicted <= measured.high:
        narrow = band(predicted, resolution, absolute=predicted == 0)
        return CONFIRMED if inside(measured, narrow) else CONSISTENT
    if not inside(measured, tolerated):
        return INCONCLUSIVE
    larger = (measured.low > predicted) == (predicted > 0)
    return f"{APPROXIMATE} (within {_tolerated(predicted, tolerance, larger, unit)})"


@door
def kind(verdict: str) -> str:
    """Return a verdict without what it adds about its size or place.

    Example:
        >>> kind("approximate (within a factor of 2)"), kind("not testable here")
        ('approximate', 'not testable')
    """
    return verdict.split(" (")[0].removesuffix(" here")


@door
def extent(value: float, predicted: float, unit: str = "") -> str:
    """Return in words how far a value lies from the prediction: a factor beyond 2, else a share.

    Args:
        value: any number.
        predicted: the prediction; if 0, the distance is absolute.
        unit: of both; a distance in "octaves" is a factor.

    Example:
        >>> extent(1.05, 1.0), extent(0.2, 1.0), extent(-1.0, 0.0, "octaves")
        ('5 %', 'a factor of 5', 'a factor of 2')
    """
    value, predicted = _finite("value", value), _finite("predicted", predicted)
    if predicted == 0:
        distance = abs(value)
        if unit == "octaves":
            return f"a factor of {2**distance:.3g}"
        return f"{distance:.3g} {unit}".rstrip()
    ratio = value / predicted
    if ratio > 2 or 0 < ratio < 0.5:
        return f"a factor of {max(ratio, 1 / ratio):.3g}"
    return f"{100 * abs(ratio - 1):.3g} %"


@door
def seen(predicted: float, low: float, high: float, verdict: str, unit: str = "") -> str:
    """Return in words the smallest deviation that an interval would have seen.

    For a refuted claim it is the distance from the prediction to the nearer end, by which the
    prediction is off at least; else that to the farther end, beyond which both sides are excluded.

    Args:
        predicted: the prediction.
        low: lower end of the interval.
        high: upper end.
        verdict: as `judge` gives it.
        unit: of all three.

    Example:
        >>> seen(1.0, 0.9, 1.2, "confirmed"), seen(1.0, 3.0, 9.0, "refuted")
        ('20 %', 'a factor of 3')
    """
    predicted, low, high = map(_finite, ("predicted", "low", "high"), (predicted, low, high))
    near, far = sorted((low, high), key=lambda end: abs(end - predicted))
    if verdict == REFUTED:
        return extent(near, predicted, unit)
    # On the upper side it may be a factor.
    mirrored = predicted + abs(far - predicted) * (-1 if predicted < 0 else 1)
    return extent(mirrored, predicted, unit)


@door
def asked(predicted: float, resolution: float, unit: str = "") -> str:
    """Return a resolution in words.

    Args:
        predicted: the prediction.
        resolution: relative to it, absolute if it is 0.
        unit: of the prediction.

    Example:
        >>> asked(2.0, 0.25), asked(0.0, 1.0, "octaves")
        ('25 %', 'a factor of 2')
    """
    predicted = _finite("predicted", predicted)
    resolution = validate.non_negative("resolution", resolution)
    return extent(predicted + resolution * (predicted if predicted else 1), predicted, unit)


@door
def band(value: float, width: float, *, absolute: bool) -> tuple[float, float]:
    """Return the ends of value x (1 ± width), or of value ± width.

    Args:
        value: finite.
        width: at least 0.
        absolute: whether the width is not a share of the value.

    Raises:
        ValueError: if a number is not finite or outside its range.

    Example:
        >>> band(2.0, 0.25, absolute=False)
        (1.5, 2.5)
    """
    value, width = _finite("value", value), validate.non_negative("width", width)
    half = width if absolute else width * abs(value)
    return value - half, value + half


def apart(interval, ends) -> bool:
    """Return whether an interval and the range between two ends have no number in common."""
    return interval.high < ends[0] or ends[1] < interval.low


def inside(interval, ends) -> bool:
    """Return whether an interval lies between two ends."""
    return ends[0] <= interval.low and interval.high <= ends[1]


def _finite(name, value) -> float:
    return float(validate.finite(name, value))


def _tolerated(predicted, tolerance, larger, unit):
    """The tolerance in words, on the side where the interval lies."""
    if predicted == 0:
        return extent(tolerance, 0.0, unit)
    if tolerance >= 0.5 and (larger or tolerance < 1):
        return f"a factor of {1 + tolerance if larger else 1 / (1 - tolerance):.3g}"
    return f"{100 * tolerance:.4g} %"
