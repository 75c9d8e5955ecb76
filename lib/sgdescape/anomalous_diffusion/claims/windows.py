"""Claims of chapter `anomalous_diffusion` on windows that grow, and on what momentum amounts to."""

from sgdescape.anomalous_diffusion.estimates.exponents import between, curve_exponent, exponent
from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import ratio_interval

OWN = "this book"
EARLY = 4
"""A step well within the memory of the momentum."""


@claim
def window_drift(ds) -> Claim:
    """With some drift the fitted exponent rises with the length of the window."""
    return _window(ds, "near", "From rest near the minimum, so that noise moves the weights first")


@claim
def window_still(ds) -> Claim:
    """Without drift it falls."""
    return _window(ds, "minimum", "From rest at the minimum")


def _window(ds, start, words):
    """Fitted exponent of a long window less that of a short one from the same first step."""
    first, middle, last = settings(ds).growing
    windows = (first, last), (first, middle)
    steps, at = ds.step.values, ds.sel(start=start)
    found = [exponent(steps, at.started.values, window) for window in windows]
    exact = _difference(ds, start, windows)
    other = _difference(ds, "minimum" if start == "near" else "near", windows)
    return check(
        f"{words}: c fitted from step {first} to {last} less c fitted from {first} to {middle}.",
        source=OWN,
        predicted=exact,
        measured=between(*found),
        rivals={
            "one power of k": 0.0,
            "without drift" if start == "near" else "with drift": other,
        },
        tolerance=0.5,
        expected="confirmed",
    )


def _difference(ds, start, windows):
    at = ds.sel(start=start)
    total = at.drift_exact.values + at.noise_exact.values
    long, short = (curve_exponent(ds.step.values, total, window) for window in windows)
    return round(long - short, 3)


@claim
def plain_sgd(ds) -> Claim:
    """After many memories momentum is plain SGD of rate eta/(1 - beta)."""
    return _plain(ds, -1)


@claim
def plain_sgd_early(ds) -> Claim:
    """Within its memory it is not."""
    steps = ds.step.values
    return _plain(ds, int((steps <= EARLY).nonzero()[0][-1]))


def _plain(ds, index):
    config, at = settings(ds), ds.sel(start="minimum")
    exact = (at.noise_exact / ds.plain_exact).values
    beta, k = config.momentum, int(ds.step[index])
    late = index == -1
    return check(
        rf"From the minimum, after {k:,} steps: $E\|\Delta\|^2$ of SGD with $\beta={beta:g}$ over "
        r"that of plain SGD of rate $\eta/(1-\beta)$.",
        source="reconstructed from Kunin et al." if late else OWN,
        predicted=round(float(exact[index]), 4),
        measured=ratio_interval(at.started.values[:, index], ds.plain.values[:, index]),
        rivals={
            "as within the memory": round(float(exact[2]), 3),
            "if momentum did nothing": round((1 - beta) ** 2, 3),
        }
        if late
        else {"as after many memories": round(float(exact[-1]), 3)},
        expected="confirmed",
    )
