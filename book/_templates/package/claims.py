"""The claims of chapter `template_trial`: each compares a measurement with its prediction."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.template_trial import estimates


@claim
def variance(ds) -> Claim:
    """Stationary variance at the largest learning rate."""
    at = ds.sel(learning_rate=ds.learning_rate.max())
    return check(
        r"At the largest learning rate the variance of SGD is that of the discrete steps.",
        source="this book",
        predicted=float(at.variance_theory),
        measured=estimates.mean_square(at.position.values),
        rivals={"continuous time, eta/2": float(at.learning_rate) / 2},
        expected="confirmed",
        resolution=0.1,
    )
