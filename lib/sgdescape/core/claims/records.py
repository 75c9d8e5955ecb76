"""A claim as data: the record that a notebook keeps of it, and the deviation it would have seen."""

from dataclasses import asdict

from sgdescape.core.claims.card import anchor
from sgdescape.core.claims.verdict import REFUTED
from sgdescape.core.doors import door

__all__ = ["METADATA_KEY", "detectable", "record", "six_digits"]

METADATA_KEY = "sgdescape_claim"
"""Key of a claim's record in the metadata of the notebook output that shows it."""


@door
def detectable(claim) -> float | None:
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


@door
def record(claim) -> dict:
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
    del whole["undecided"], whole["expected"]
    return six_digits(whole)


def six_digits(value):
    """Return a number, or all numbers in dictionaries and lists, in six significant digits.

    Args:
        value: anything that JSON can hold.

    Example:
        >>> six_digits({"a": [1 / 3, 2]})
        {'a': [0.333333, 2]}
    """
    if isinstance(value, dict):
        return {key: six_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [six_digits(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
