"""Claims on the stationary law, Fig. 3a: the exponent of its fit, and whether it is a power law."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.linear_regression.estimates import exponent, gain, protocol_exponent
from sgdescape.linear_regression.theory.stationary import power_law_gain

PAPER_17, OWN = "Mori et al., Eq. (17)", "this book"


@claim
def paper_exponent(ds) -> Claim:
    """Eq. (17) at a small learning rate."""
    eta, b = 0.01, 1
    return check(
        f"At $\\eta={eta:g}$, $B={b}$ the stationary law fitted by $L^{{-\\phi}}$ has "
        "$\\phi=1+B/\\eta$; the 1 is too small to be seen here.",
        source=PAPER_17,
        predicted=_at(ds.exponent_paper, eta, b),
        measured=exponent(ds, eta, b),
        rivals={
            "temperature halved": 1 + 2 * b / eta,
            "temperature doubled": 1 + b / (2 * eta),
        },
        resolution=0.005,
        expected="consistent",
    )


@claim
def one_run(ds) -> Claim:
    """Eq. (17) in one long run of the size of Fig. 3a."""
    about, eta, b = provenance.settings(ds), 0.01, 1
    return check(
        f"One run on $N={about.stationary_samples}$ samples, recorded {about.records} times every "
        f"{about.record_every} steps at $\\eta={eta:g}$, $B={b}$, has $\\phi=1+B/\\eta$.",
        source="Mori et al., Fig. 3a",
        predicted=_at(ds.exponent_paper, eta, b),
        measured=protocol_exponent(ds, eta, b),
        rivals={"temperature halved": 1 + 2 * b / eta, "temperature doubled": 1 + b / (2 * eta)},
        resolution=0.2,
        expected="confirmed",
    )


@claim
def large_rate(ds) -> Claim:
    """Eq. (17) at the largest learning rate of Fig. 3a."""
    eta, b = 1.0, 5
    return check(
        f"Even at $\\eta={eta:g}$, $B={b}$, where a step is not small, continuous time is not "
        "meant to hold and the paper itself sees a slight deviation, the stationary law fitted by "
        "$L^{-\\phi}$ has $\\phi=1+B/\\eta$.",
        source=PAPER_17,
        predicted=_at(ds.exponent_paper, eta, b),
        measured=exponent(ds, eta, b),
        rivals={"exact covariance, continuous time": _at(ds.exponent_covariance, eta, b)},
        expected="refuted",
    )


@claim
def discrete_exponent(ds) -> Claim:
    """The discrete-time exponent of Ziyin et al. at the same place."""
    eta, b = 1.0, 5
    return check(
        f"At eta = {eta:g}, B = {b} the stationary law fitted by L^-phi has "
        "phi = 1/2 + B/eta - B/2.",
        source="Ziyin et al. (2022)",
        predicted=_at(ds.exponent_discrete, eta, b),
        measured=exponent(ds, eta, b),
        rivals={
            "1 + B/eta": _at(ds.exponent_paper, eta, b),
            "exact covariance, continuous time": _at(ds.exponent_covariance, eta, b),
        },
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def gaussian(ds) -> Claim:
    """At a small learning rate the Gaussian describes the samples better than the power law."""
    eta, b = 0.1, 1
    return check(
        f"At eta = {eta:g}, B = {b} the best L^-phi has a smaller likelihood than the best "
        "Gaussian: nats a sample, from the exact law of discrete SGD.",
        source=OWN,
        predicted=_at(ds.gain_exact, eta, b),
        measured=gain(ds, eta, b),
        rivals={"equally good": 0.0, "if Eq. (17) held": _paper_gain(ds, eta, b)},
        expected="consistent",
    )


@claim
def power_law(ds) -> Claim:
    """At a large learning rate the power law describes the samples better than the Gaussian."""
    eta, b = 1.0, 10
    return check(
        f"At eta = {eta:g}, B = {b} the best L^-phi has a larger likelihood than the best "
        "Gaussian: nats a sample, from the exact law of discrete SGD.",
        source=OWN,
        predicted=_at(ds.gain_exact, eta, b),
        measured=gain(ds, eta, b),
        rivals={"equally good": 0.0, "if Eq. (17) held": _paper_gain(ds, eta, b)},
        expected="confirmed",
    )


def _at(variable, learning_rate, batch_size):
    return float(variable.sel(learning_rate=learning_rate, batch_size=batch_size))


def _paper_gain(ds, learning_rate, batch_size):
    """What the power law would win if its exponent were that of Eq. (17)."""
    return power_law_gain(_at(ds.exponent_paper, learning_rate, batch_size))
