"""The axis of a claim's picture: what it must show, where it is logarithmic, its round numbers."""

import math
from dataclasses import dataclass

FACTOR = 6
"""Positive values that span at least this factor get a logarithmic axis."""

SLIVER = 0.08
"""If prediction and interval take less of the axis than this, a second axis magnifies them."""

REACH = 5
"""Rivals farther off than this many times the nearest one leave the axis, as arrows."""


@dataclass(frozen=True)
class Axis:
    """Maps values to a position in [0, 1]."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value; outside of [0, 1] if it is off the axis."""
        if self.log and value <= 0:
            return -1.0
        t = math.log if self.log else float
        return (t(value) - t(self.low)) / (t(self.high) - t(self.low))

    def holds(self, value: float) -> bool:
        """Return whether a value is on the axis."""
        return -1e-9 <= self(value) <= 1 + 1e-9

    def ticks(self, number: int) -> list:
        """Return about a number of round values, fewer than twice as many.

        Example:
            >>> Axis(0.1, 200, log=True).ticks(4), Axis(-0.3, 1.0).ticks(4)
            ([0.1, 1.0, 10.0, 100.0], [0.0, 0.5, 1.0])
        """
        if self.log and self.high / self.low >= 4:
            decades = math.log10(self.high / self.low)
            steps = (1, 2, 5) if 3 * decades <= 1.6 * number else (1, 3) if decades < 2 else (1,)
            every = max(1, math.ceil(decades / number))
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [s * 10.0**k for k in powers if k % every == 0 for s in steps]
        else:
            raw = (self.high - self.low) / number
            power = 10 ** math.floor(math.log10(raw))
            step = next(s * power for s in (1, 2, 5, 10) if s * power >= 0.999 * raw)
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            found = [round(k * step, 14) + 0.0 for k in range(first, last + 1)]
        return [x for x in found if self.holds(x)]


@dataclass(frozen=True)
class Scene:
    """What a picture shows: one axis, perhaps a magnified one, and where the rivals are.

    Args:
        axis: of everything.
        lens: of prediction and interval alone, if they are a sliver of the axis; else None.
        core: ends of what the lens magnifies.
        off: for each rival -1 (left of the axis), 1 (right) or 0.
    """

    axis: Axis
    lens: Axis | None
    core: tuple
    off: tuple


def tolerated(claim: dict) -> tuple:
    """Return the ends of the tolerated range."""
    return _band(claim, claim.get("tolerance") or 0.0)


def resolved(claim: dict) -> tuple:
    """Return the range in which an interval confirms, the prediction alone if nothing is asked."""
    return _band(claim, claim.get("resolution") or 0.0)


def scene(claim: dict) -> Scene:
    """Return what the picture of a claim with a measurement shows."""
    ends = (claim["measured"]["low"], claim["measured"]["high"])
    rivals = [rival["value"] for rival in claim["rivals"]]
    core = [claim["predicted"], *ends, *tolerated(claim)]
    low, high = min(core), max(core)
    positive = [v for v in (*core, *rivals) if v > 0]
    log = low > 0 and max(positive) / min(positive) >= FACTOR
    t = math.log if log else float
    shown = [t(v) for v in rivals if v > 0 or not log]
    distances = [max(t(low) - v, v - t(high), 0.0) for v in shown]
    reach = max(REACH * min(distances, default=0.0), 2 * (t(high) - t(low)))
    kept = [v for v, distance in zip(shown, distances, strict=True) if distance <= reach]
    axis = _padded(min([t(low), *kept]), max([t(high), *kept]), 0.06, log)
    off = tuple(0 if axis.holds(v) else -1 if axis(v) < 0 else 1 for v in rivals)
    share = axis(high) - axis(low)
    lens = _padded(t(low), t(high), 0.25, log) if share < SLIVER else None
    return Scene(axis, lens, (low, high), off)


def _band(claim, width):
    half = width * (abs(claim["predicted"]) or 1.0)
    return claim["predicted"] - half, claim["predicted"] + half


def _padded(low, high, share, log):
    """An axis with room on both sides; low and high are logarithms where it is logarithmic."""
    pad = share * (high - low) or (0.01 if log else 0.01 * abs(low) or 1.0)
    back = math.exp if log else float
    return Axis(back(low - pad), back(high + pad), log)
