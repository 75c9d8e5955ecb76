"""False alarms, misses and the smallest deviation seen, from a claim judged on many runs.

Each `Outcome` is a claim's check on one run. A false alarm is a run on which the check does not
end as the book prints it. For misses the law of the measurement, which the runs sample, is moved so
that its middle is what another theory says, and the claim is judged again on each: a miss is a run
on which the verdict still is the expected one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sgdescape.core import validate
from sgdescape.core.claims import Claim, ClaimError, as_expected, judged
from sgdescape.core.claims.records import six_digits
from sgdescape.core.claims.verdict import REFUTED
from sgdescape.core.doors import door

__all__ = [
    "Outcome",
    "false_alarms",
    "moved",
    "outcome",
    "rejected",
    "seen",
    "summary",
    "wrong_theories",
]

ITSELF = "the statement itself"
"""The rival of a claim that is expected to be refuted: that the statement holds after all."""

SHARE = 0.9
"""Share of the runs that must see a deviation."""

FEWEST = 3
"""Runs without which a law is not moved: its middle would be known from one or two."""


@dataclass(frozen=True)
class Outcome:
    """What became of a claim's check on one run.

    Args:
        claim: as judged; None where the check could not be made.
        alarm: why it does not end as expected, else empty.
    """

    claim: Claim | None
    alarm: str = ""


def outcome(check, dataset) -> Outcome:
    """Return what becomes of a claim on a dataset; nothing is raised.

    Args:
        check: a declared claim.
        dataset: of its chapter; where it lacks what the claim is about, the outcome is empty.
    """
    try:
        return Outcome(check(dataset))
    except ClaimError as error:
        return Outcome(error.claim, str(error))
    except (AttributeError, LookupError):  # a run of before the claim was thought of
        return Outcome(None)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        return Outcome(None, f"{type(error).__name__}: {error}")


@door
def false_alarms(outcomes: Sequence[Outcome]) -> int:
    """Return the number of runs on which a check does not end as expected."""
    return sum(bool(o.alarm) for o in outcomes)


@door
def wrong_theories(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return name -> value of the theories that must be rejected, nearest first.

    Values are the middle ones of the runs. For a claim that is expected to be refuted it is the
    statement itself.
    """
    claims = _judged(outcomes)
    if claims[0].expected == REFUTED:
        return {ITSELF: float(np.median([c.predicted for c in claims]))}
    names = [n for n in claims[0].rivals if all(n in c.rivals for c in claims)]
    return {n: float(np.median([c.rivals[n] for c in claims])) for n in names}


@door
def moved(outcomes: Sequence[Outcome], truths: Sequence[float]) -> list[Claim]:
    """Return the claims judged on their own measurements, moved to a middle of another truth.

    Where all numbers are positive the measurements are multiplied, else something is added.

    Args:
        outcomes: of one claim.
        truths: of each run, in which the measurement's law then has its mean.

    Example:
        >>> from sgdescape.core.claims import check
        >>> from sgdescape.core.stats.intervals import Interval
        >>> one = Outcome(check("A number.", source="this book", predicted=1.0,
        ...                     measured=Interval(1.0, 0.9, 1.1), rivals={"two": 2.0},
        ...                     expected="confirmed"))
        >>> moved([one], [2.0])[0].measured.high, moved([one], [2.0])[0].verdict
        (2.2, 'refuted')
    """
    claims = _judged(outcomes)
    truths = validate.finite("truths", truths).tolist()
    if len(truths) != len(claims):
        raise ValueError(f"truths must be one of each run, {len(claims)}: got {len(truths)}")
    lows = [min(c.measured.low, c.predicted, *c.rivals.values()) for c in claims]
    positive = min(*lows, *truths) > 0
    if positive:  # the law is that of measured over predicted, which may differ from run to run
        middle = np.mean([c.measured.value / c.predicted for c in claims])
        by = [t / c.predicted / middle for c, t in zip(claims, truths, strict=True)]
    else:
        middle = np.mean([c.measured.value - c.predicted for c in claims])
        by = [t - c.predicted - middle for c, t in zip(claims, truths, strict=True)]
    return [
        judged(c, _moved(c.measured, float(b), positive)) for c, b in zip(claims, by, strict=True)
    ]


@door
def rejected(outcomes: Sequence[Outcome], name: str) -> int:
    """Return on how many runs the expected verdict is gone if the truth is that of a wrong theory.

    Args:
        outcomes: of one claim.
        name: of `wrong_theories`.
    """
    claims = _judged(outcomes)
    truths = [c.predicted if name == ITSELF else c.rivals[name] for c in claims]
    return sum(not as_expected(c) for c in moved(outcomes, truths))


@door
def seen(outcomes: Sequence[Outcome]) -> float | None:
    """Return the smallest deviation that nine runs of ten see, on either side.

    It is relative to the prediction, absolute if that is 0, and found by bisection. None for a
    refuted claim, where the check fails without a deviation too, and where even a deviation by a
    factor of 100 is not seen.
    """
    claims = _judged(outcomes)
    if claims[0].expected == REFUTED:
        return None
    unit = 1.0
    if all(c.predicted == 0 for c in claims):
        unit = max(abs(v) for c in claims for v in (*c.rivals.values(), c.measured.high))
    near, far = 1e-6, 100.0

    def enough(step):
        return all(_share_seen(outcomes, side * step * unit) >= SHARE for side in (-1, 1))

    if _share_seen(outcomes, 0.0) > 1 - SHARE or not enough(far):
        return None
    while far / near > 1.01:
        middle = (near * far) ** 0.5
        near, far = (near, middle) if enough(middle) else (middle, far)
    return far * unit


@door
def summary(outcomes: Sequence[Outcome]) -> dict:
    """Return the numbers of one claim as a dictionary that JSON can hold.

    Args:
        outcomes: of one claim; those without a claim and without an alarm do not count. With
            fewer than `FEWEST` there are no wrong theories and no smallest deviation. Where the
            samples are the same on all runs (published data, images), the evidence is "given".
    """
    outcomes = [o for o in outcomes if o.claim is not None or o.alarm]
    claims = [o.claim for o in outcomes if o.claim is not None]
    found = {"seeds": len(outcomes), "evidence": claims[0].evidence if claims else "none"}
    if found["evidence"] == "sampled" and _unmoved(claims):
        found["evidence"] = "given"  # samples, but not this seed's
    if found["evidence"] not in ("sampled", "computed"):
        return found
    found |= {
        "expected": claims[0].expected,
        "predicted": float(np.median([c.predicted for c in claims])),
        "false_alarms": false_alarms(outcomes),
        "alarms": sorted({o.alarm for o in outcomes if o.alarm})[:3],
    }
    if found["evidence"] == "sampled" and len(claims) >= FEWEST:
        found["rivals"] = [
            {"name": name, "value": value, "rejected": rejected(outcomes, name)}
            for name, value in wrong_theories(outcomes).items()
        ]
        found["seen"] = seen(outcomes)
    return six_digits(found)


def _unmoved(claims):
    """Whether all runs measure the very same."""
    ends = {(c.measured.low, c.measured.value, c.measured.high) for c in claims}
    return len(claims) >= FEWEST and len(ends) == 1


def _share_seen(outcomes, step):
    truths = [c.predicted + step * (abs(c.predicted) or 1) for c in _judged(outcomes)]
    return np.mean([not as_expected(c) for c in moved(outcomes, truths)])


def _judged(outcomes):
    if not all(isinstance(o, Outcome) for o in outcomes):
        raise TypeError(f"outcomes must hold `Outcome`: got {outcomes!r:.60}")
    claims = [o.claim for o in outcomes if o.claim is not None]
    if not claims:
        raise ValueError("outcomes must hold a claim that was judged: got none")
    return claims


def _moved(interval, by, factor):
    ends = [getattr(interval, name) for name in ("value", "low", "high")]
    value, low, high = (end * by if factor else end + by for end in ends)
    return replace(interval, value=value, low=low, high=high)
