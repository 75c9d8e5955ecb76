"""Claims on the process of the paper's Fig. 3: which way it turns, and that it is irreversible.

Predictions come with the dataset (`predictions.predict`), so that a wrong formula there makes the
claim here fail.
"""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import mean_interval

OWN = "this book"


@claim
def toy_current(ds) -> Claim:
    """The sense of rotation of Fig. 3's process."""
    rate = ds.attrs["toy_rate"]
    return check(
        r"The process of Fig. 3 turns at the areal rate of the current $-QUz\,p$, in units with "
        r"$\kappa=1$.",
        source=OWN,
        predicted=rate,
        measured=mean_interval(ds.toy_area.values),
        rivals={"no current": 0.0, "+QU z p, as the authors' notebook draws it": -rate},
        expected="confirmed",
    )


@claim
def toy_entropy(ds) -> Claim:
    """Fig. 3's process is irreversible."""
    made = ds.attrs["toy_production"]
    return check(
        "The process of Fig. 3 produces entropy at the rate "
        r"$\mathrm{tr}(D^{-1}QUQ^{\mathsf T})$, nats a time.",
        source=OWN,
        predicted=made,
        measured=mean_interval(ds.toy_entropy.values),
        rivals={"reversible": 0.0},
        tolerance=0.1,
        expected="confirmed",
    )
