"""Claims on models with more directions: the circle's saddle in a valley, and a network."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.large_deviations.estimates.exponents import dimension_limit
from sgdescape.large_deviations.estimates.network import (
    bend_place,
    growth,
    mean_octaves,
    predicted_growth,
    predicted_octaves,
)

_OWN = "this book"


@claim
def circle_dimension(ds) -> Claim:
    """More directions, shorter times over a true saddle."""
    n, variance = ds.attrs["plane_dimension"], ds.attrs["plane_variance"]
    return check(
        f"The circle model with {n - 1} quadratic directions, $\\sigma^2={variance:g}$, "
        "$\\eta\\to0$: real SGD passes the saddle sooner than on the circle alone by the factor "
        "$e^{(n-1)I}$.",
        source=_OWN,
        predicted=float(ds.plane_factor),
        measured=dimension_limit(ds),
        rivals={
            "$n$ does not matter": 1.0,
            "Mori et al., Eq. (15), $n/2$ in the exponent": float(ds.plane_paper),
        },
        resolution=0.1,
        expected="consistent",
    )


@claim
def network_times(ds) -> Claim:
    """One direction with the images' own gradients gives the network's passage times."""
    return check(
        "Network 784-10-1, all nine learning rates and batch sizes, far from the minimum: its "
        "passage times are within a factor of two those of a Markov chain on the leading direction "
        "with the images' own gradients, nothing fitted.",
        source=_OWN,
        predicted=0.0,
        measured=mean_octaves(ds, "chain_log_time"),
        rivals={
            "the same without what the other directions add": predicted_octaves(
                ds, "bare_log_time"
            ),
        },
        tolerance=1.0,
        resolution=1.0,
        unit="octaves",
        expected="approximate",
    )


@claim
def network_bend(ds) -> Claim:
    """At B = 2 far out the times grow faster with the exponent than log c allows."""
    pair, batch = (6.0, 8.5), 2
    threshold = bend_place(ds, batch, pair)
    at = {"batch_size": batch, "pair": pair, "threshold": threshold}
    return check(
        f"Network 784-10-1, $B={batch}$: from $B/(\\eta h^*)={pair[0]:g}$ to {pair[1]:g} the "
        f"logarithm of the time to $c={threshold:.2f}$ grows as the chain on the leading direction "
        "says.",
        source=_OWN,
        predicted=predicted_growth(ds, "chain_log_time", **at),
        measured=growth(ds, **at),
        rivals={
            "the paper's noise along the same direction": predicted_growth(
                ds, "paper_log_time", **at
            ),
        },
        resolution=0.2,
        expected="confirmed",
    )
