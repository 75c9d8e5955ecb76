"""Claims on the three-hump camel: slopes of log time against 1/eta out of its shallow wells."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import scaled
from sgdescape.large_deviations.estimates.camel import passage_slope, slope

_SOURCE = "Azizian et al. (2025)"


@claim
def camel_normal(ds) -> Claim:
    """Normal noise: the slope that a published figure shows, with Kramers' prefactor."""
    barrier, rates = float(ds.camel_exponent), ds.camel_rate.values
    ends = (barrier / rates).round(1)
    return check(
        "The three-hump camel, normal noise, barriers of "
        f"{ends[0]:g} to {ends[-1]:g}: the slope of the logarithm of the mean number of steps "
        "against $1/\\eta$, in units of $2\\Delta L/\\sigma^2$, is that of Kramers' formula.",
        source=f"{_SOURCE} and Kramers",
        predicted=slope(ds.camel_predicted.values / rates, rates) / barrier,
        measured=scaled(passage_slope(ds.camel_steps.values, rates), barrier),
        rivals={"the exponent alone": 1.0},
        resolution=0.1,
        expected="confirmed",
    )


@claim
def camel_helped(ds) -> Claim:
    """Rare large gradients that point to the saddle: faster than any SDE says."""
    return _skewed(ds, "right", "towards the saddle")


@claim
def camel_hindered(ds) -> Claim:
    """The same noise in the mirror image of the well: slower than any SDE says."""
    return _skewed(ds, "left", "away from the saddle")


def _skewed(ds, well, words):
    at, config = ds.sel(well=well), settings(ds)
    rates = at.skewed_rate.values
    times = at.skewed_steps.values * rates[:, None]
    return check(
        f"The three-hump camel, one gradient in {config.camel_odds} large and pushing {words}: "
        "the slope of the logarithm of the mean time against $1/\\eta$ is that of the least "
        "action.",
        source=_SOURCE,
        predicted=slope(at.skewed_predicted.values, rates),
        measured=passage_slope(times, rates),
        rivals={
            "any SDE, $2\\Delta L/\\sigma^2$": slope(at.skewed_sde.values, rates),
        },
        resolution=0.15,
        expected="confirmed",
    )
