"""Claims on models with more directions: the circle's saddle in a valley, and a network."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.large_deviations.estimates.exponents import direction_limit, direction_runs
from sgdescape.large_deviations.estimates.network import bend_place, growth, predicted_growth

_OWN = "this book"


@claim
def circle_direction(ds) -> Claim:
    """A further direction shortens the time over a true saddle, as far as the rates tell."""
    return check(
        f"The circle model with a further quadratic direction, $\\sigma^2="
        f"{settings(ds).plane_variance:g}$, $\\eta\\to0$: it lowers the logarithm of the time over "
        "the saddle by $I$.",
        source=_OWN,
        predicted=float(ds.plane_log_factor),
        measured=direction_limit(ds),
        rivals={
            "Mori et al., Eq. (15), $n/2$ in the exponent": float(ds.plane_paper),
            "directions do not matter": 0.0,
        },
        resolution=0.05,
        expected="consistent",
    )


@claim
def circle_directions(ds) -> Claim:
    """Real SGD in five dimensions: each direction counts as much as one in the exact chain."""
    rate, n = settings(ds).plane_run_rate, int(ds.plane_dimension[-1])
    return check(
        f"The circle model with {n - 1} further quadratic directions, $\\eta/B={rate:g}$, $B=4$: "
        "in real SGD each lowers the logarithm of the time over the saddle by as much as a single "
        "one does in the exact chain.",
        source=_OWN,
        predicted=float(ds.plane_effect.sel(plane_rate=rate)),
        measured=direction_runs(ds, n),
        rivals={
            "the limit of small learning rates, $I$": float(ds.plane_log_factor),
            "Mori et al., Eq. (15), $n/2$ in the exponent": float(ds.plane_paper),
        },
        resolution=0.1,
        expected="confirmed",
    )


@claim
def network_bend(ds) -> Claim:
    """At B = 2 far out the times grow faster with the exponent than log c allows."""
    return _growth(ds, 2)


@claim
def network_batch(ds) -> Claim:
    """At B = 8 far out the times grow as the images' gradients say, not as a Gaussian noise."""
    return _growth(ds, 8)


def _growth(ds, batch):
    """Growth of the runs' log t between the two smaller exponents, at the farthest threshold."""
    pair = tuple(float(a) for a in ds.exponent.values[:2])
    threshold = bend_place(ds, batch, pair)
    at = {"batch_size": batch, "pair": pair, "threshold": threshold}
    predicted = predicted_growth(ds, "chain_log_time", **at)
    rivals = {
        "the paper's noise along the same direction": predicted_growth(ds, "paper_log_time", **at),
        "the paper's $\\log c$": float(np.log(threshold)),
        "the leading direction alone, $\\eta\\to0$": float(ds.leading.sel(threshold=threshold)),
    }
    nearest = min(abs(value - predicted) for value in rivals.values())
    return check(
        f"Network 784-10-1, $B={batch}$: from $B/(\\eta h^*)={pair[0]:g}$ to {pair[1]:g} the "
        f"logarithm of the time to $c={threshold:.2f}$ grows as the chain on the leading direction "
        "says.",
        source=_OWN,
        predicted=predicted,
        measured=growth(ds, **at),
        rivals=rivals,
        resolution=nearest / predicted,  # what would tell the nearest rival apart
        expected="consistent",
    )
