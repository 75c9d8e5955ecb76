"""Claims on time reversal: currents without entropy production, and with it; one direction."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.modified_loss import estimates
from sgdescape.modified_loss.predictions import SEEN

OWN = "this book"


@claim
def reversible(ds) -> Claim:
    """Currents without entropy production."""
    return check(
        r"Real batches, $\Sigma$ proportional to $H$ up to the data's scatter: the log ratio of a "
        "path's chance to its reversal's under normal noise, nats a step, is zero.",
        source=OWN,
        predicted=ds.attrs["commuting_production"],
        measured=mean_interval(ds.quiet_entropy.values),
        rivals={"every current counted": ds.attrs["current"]},
        tolerance=0.005,
        resolution=0.005,
        expected="confirmed",
    )


@claim
def irreversible(ds) -> Claim:
    """Entropy production where Sigma and H do not commute."""
    made = ds.attrs["swirl_production"]
    return check(
        "Label noise that depends on the inputs: the log ratio of a path's chance to its "
        r"reversal's, in nats a step, is $-\frac S2\mathrm{tr}(\Sigma^{-1}[H,[H,C]])$, "
        r"$C=\mathbb{E}[xx^{\mathsf T}]$.",
        source=OWN,
        predicted=made,
        measured=mean_interval(ds.swirl_entropy.values),
        rivals={
            "reversible": 0.0,
            "overdamped": ds.attrs["swirl_production_overdamped"],
            "every current counted": ds.attrs["swirl_current"],
        },
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def position_current(ds) -> Claim:
    """Currents in the plane of two positions."""
    rate = ds.attrs["swirl_circulation"]
    return check(
        "Label noise that depends on the inputs: the weights turn in the plane of two "
        r"eigenvectors, $\mathbb{E}[x_1^{(k)}x_2^{(k+1)}-x_2^{(k)}x_1^{(k+1)}]="
        r"\eta(h_1-h_2)C_{12}/(1-\beta)$.",
        source=OWN,
        predicted=rate,
        measured=mean_interval(ds.swirl_area.values),
        rivals={
            "no current": 0.0,
            "the other way round": -rate,
            "overdamped": ds.attrs["swirl_circulation_overdamped"],
        },
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def images(ds) -> Claim:
    """Real images: nothing was arranged here."""
    return check(
        "Regression on principal components of Fashion-MNIST: the log ratio of a path's chance to "
        "its reversal's under normal noise, nats a step, is the commutator formula's with the "
        r"data's $H$ and $\Sigma$.",
        source=OWN,
        predicted=ds.attrs["image_production"],
        measured=mean_interval(ds.image_entropy.values),
        rivals={
            "reversible, Sigma = sigma^2 H": 0.0,
            "every current counted": ds.attrs["image_current"],
        },
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def image_currents(ds) -> Claim:
    """All planes of two components at once."""
    return check(
        "Regression on principal components of Fashion-MNIST: areal rates in all planes of two "
        "eigenvectors, slope of measured against predicted.",
        source=OWN,
        predicted=1.0,
        measured=estimates.image_slope(ds),
        rivals={"no current, Sigma = sigma^2 H": 0.0, "the other way round": -1.0},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def arrow(ds) -> Claim:
    """One direction is irreversible, too: minibatch noise is not normal."""
    config = provenance.settings(ds)
    return check(
        "SGD on regression in one direction "
        rf"($\eta h={config.arrow_rate:g}$, $\beta={config.arrow_momentum:g}$, batches of "
        rf"{int(ds.arrow_batch[0])}) runs differently backwards: "
        r"$\mathbb{E}[x_k^3x_{k+1}]-\mathbb{E}[x_kx_{k+1}^3]$ in units of the squared variance is "
        "not zero but that of the closed fourth moments.",
        source=OWN,
        predicted=float(ds.arrow_exact[0]),
        measured=estimates.arrow(ds, 0),
        rivals={"reversible, as every stationary normal sequence is": 0.0},
        expected="confirmed",
    )


@claim
def arrow_size(ds) -> Claim:
    """It goes away as the noise becomes normal, in proportion to 1/S."""
    sizes = ds.arrow_batch.values
    return check(
        "In one direction the asymmetry under time reversal falls nearly as 1/S: log-log slope "
        f"against the batch size, S = {sizes[0]} to {sizes[SEEN - 1]}.",
        source=OWN,
        predicted=ds.attrs["arrow_slope"],
        measured=estimates.arrow_slope(ds, last=SEEN),
        rivals={"as the skewness of the noise, its square root": -0.5, "as 1 / S^2": -2.0},
        expected="confirmed",
    )
