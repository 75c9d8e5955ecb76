"""Claims about what is simulated: paths of the diffusion, and SGD between two valleys."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.runs import provenance
from sgdescape.kramers_escape import estimates

THEOREM = "Mori et al., Theorem 4.7, Eq. (15)"
OWN = "this book"


@claim
def paths(ds) -> Claim:
    """Mean escape time of simulated paths in the plane, censored ones counted."""
    about = provenance.settings(ds)
    exact = float(ds.path_time.sel(place="beyond"))
    return check(
        "Simulated paths of the diffusion over a saddle in the plane need the mean time of the "
        "Fokker-Planck operator to be beyond it, at strong noise, "
        f"$B/(\\eta h)={about.batch_size / about.learning_rate:g}$.",
        source=OWN,
        predicted=exact,
        measured=estimates.mean_time(ds, "beyond"),
        rivals={
            "time to the saddle": float(ds.path_time.sel(place="saddle")),
            "one direction": float(ds.line_time),
            "linear barrier": float(ds.linear_time),
        },
        unit="units of t",
        expected="confirmed",
    )


@claim
def paths_saddle(ds) -> Claim:
    """Mean time of the same paths to the saddle."""
    return check(
        "The same paths first reach the saddle in the operator's mean time, about half as long.",
        source=OWN,
        predicted=float(ds.path_time.sel(place="saddle")),
        measured=estimates.mean_time(ds, "saddle"),
        rivals={"time to beyond the saddle": float(ds.path_time.sel(place="beyond"))},
        unit="units of t",
        expected="confirmed",
    )


@claim
def network(ds) -> Claim:
    """What would be needed to test the theorem on a network."""
    return not_testable(
        "SGD on a network leaves a minimum over a saddle at the rate of Theorem 4.7.",
        source=THEOREM,
        reason="needs minimum, saddle and most probable path of one network; the paper's own test "
        "times the first passage to a level of the loss, where no saddle need be",
    )


@claim
def flat_chosen(ds) -> Claim:
    """SGD between two valleys of the same losses, one flatter: odds of its transition matrix."""
    about = provenance.settings(ds)
    return check(
        "SGD itself ($\\eta=" + f"{about.choice_rate:g}$, one sample a step) is more often in the "
        f"flatter of two minima of the same losses, curvatures 1 and {about.choice_flat:g}, with "
        "the log odds of its own exact transition matrix.",
        source=OWN,
        predicted=round(ds.attrs["odds_chain"], 9),
        measured=estimates.log_odds(ds, "flat"),
        rivals={
            "log c, Theorem 4.7": round(float(ds.odds_theory.sel(choice="flat")), 9),
            "c - 1, noise of the minimum": round(ds.attrs["odds_linear"], 9),
            "isotropic noise": -np.log(about.choice_flat) / 2,
            "no preference": 0.0,
        },
        resolution=0.15,
        expected="confirmed",
    )


@claim
def few_chosen(ds) -> Claim:
    """SGD between two valleys that differ in the number of their stiff directions."""
    more = provenance.settings(ds).choice_directions
    return check(
        f"Of two minima of equal losses and curvature, one with {more} stiff directions more, "
        "SGD is in the other one with the odds $c^{" + f"{more}" + "/2}$ (log odds).",
        source=THEOREM,
        predicted=round(float(ds.odds_theory.sel(choice="few")), 9),
        measured=estimates.log_odds(ds, "few"),
        rivals={"the number of directions does not count": 0.0},
        expected="refuted",
    )


@claim
def capacity(ds) -> Claim:
    """What would be needed to test that few dimensions mean a low capacity."""
    return not_testable(
        "Since minima with $n>n_c$ are unstable, SGD is confined to networks of low capacity, and "
        "generalises better for it.",
        source="Mori et al., Section 4",
        reason="in networks the $n$ of Theorem 4.7 is no count of stiff directions (claims "
        "outliers and path_dimension), so that $n_c$ bounds no number that a measure of capacity "
        "could be held against; it would need networks trained to $n$ on either side of $n_c$",
    )
