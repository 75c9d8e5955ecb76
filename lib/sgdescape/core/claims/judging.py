"""A claim on any measurement: its verdict, what it rejects, and whether the text expects that."""

from dataclasses import replace

from sgdescape.core.claims.statement import Claim
from sgdescape.core.claims.verdict import (
    APPROXIMATE,
    CONFIRMED,
    apart,
    band,
    inside,
    judge,
    kind,
)
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import Interval

__all__ = ["as_expected", "judged"]


@door
def judged(claim: Claim, measured: Interval) -> Claim:
    """Return a claim as it would be with another measurement: its verdict and what it rejects.

    Args:
        claim: as `check` made it, also one that a `ClaimError` carries.
        measured: the other measurement.

    Raises:
        TypeError: if that is no `Interval`.

    Example:
        >>> from sgdescape.core.claims import check
        >>> claim = check("The noise falls as 1/B.", source="Mori et al., Eq. (8)", predicted=0.1,
        ...               measured=Interval(0.101, 0.099, 0.103), rivals={"no 1/B": 1.0},
        ...               expected="confirmed")
        >>> judged(claim, Interval(0.9, 0.8, 1.1)).verdict
        'refuted'
    """
    p, tolerance = claim.predicted, claim.tolerance
    verdict = judge(p, measured, tolerance=tolerance, resolution=claim.resolution, unit=claim.unit)
    undecided = tuple(
        name
        for name, value in claim.rivals.items()
        if not apart(measured, band(value, tolerance, absolute=p == 0))
    )
    return replace(claim, measured=measured, verdict=verdict, undecided=undecided)


@door
def as_expected(claim: Claim) -> bool:
    """Return whether a claim has the verdict that the text is written for; see `check`."""
    within = inside(
        claim.measured, band(claim.predicted, claim.tolerance, absolute=claim.predicted == 0)
    )
    also = {APPROXIMATE: (CONFIRMED,), CONFIRMED: (APPROXIMATE, "consistent")}
    near = claim.tolerance and within and kind(claim.verdict) in also.get(claim.expected, ())
    return kind(claim.verdict) == claim.expected or bool(near)
