"""Claims of chapter `anomalous_diffusion` on windows that grow, and on what momentum amounts to."""

from sgdescape.anomalous_diffusion.estimates.exponents import exponent_change, window_change
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


def _window(ds, begin, words):
    """Fitted exponent of a long window less that of a short one from the same first step."""
    first, middle, last = settings(ds).growing
    steps, windows = ds.step.values, ((first, last), (first, middle))
    exact = {
        name: exponent_change(steps, ds.windowed_exact.sel(begin=name).values, windows)
        for name in ds.begin.values
    }
    other = "minimum" if begin == "near" else "near"
    return check(
        f"{words}: c fitted from step {first} to {last} less c fitted from {first} to {middle}.",
        source=OWN,
        predicted=exact[begin],
        measured=window_change(steps, ds.windowed.sel(begin=begin).values, windows),
        rivals={
            "one power of k": 0.0,
            "without drift" if begin == "near" else "with drift": exact[other],
        },
        resolution=0.6,
        expected="confirmed",
    )


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
    config = settings(ds)
    exact = (ds.noise_exact.sel(start="minimum") / ds.plain_exact).values
    beta, k = config.momentum, int(ds.step[index])
    late = index == -1
    return check(
        rf"From the minimum, after {k:,} steps: $E\|\Delta\|^2$ of SGD with $\beta={beta:g}$ over "
        r"that of plain SGD of rate $\eta/(1-\beta)$.",
        source="reconstructed from Kunin et al." if late else OWN,
        predicted=round(float(exact[index]), 4),
        measured=ratio_interval(
            *(ds.beside.sel(kind=kind).values[:, index] for kind in ds.kind.values)
        ),
        rivals={
            "as within the memory": round(float(exact[2]), 3),
            "if momentum did nothing": round((1 - beta) ** 2, 3),
        }
        if late
        else {"as after many memories": round(float(exact[-1]), 3)},
        expected="confirmed",
    )
