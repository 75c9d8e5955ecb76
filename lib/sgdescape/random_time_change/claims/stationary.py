"""Claims about stationary laws in t and in tau, and how the two clocks run."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.random_time_change import estimates

OWN = "this book"


@claim
def gibbs(ds) -> Claim:
    """Exponent of the stationary law of Eq. (14) in tau, Eq. (41)."""
    return check(
        "In tau the stationary law is Gibbs' law of the log loss, L^(-B / eta h).",
        source="Mori et al., Eq. (41)",
        predicted=round(float(ds.gibbs_theory), 9),
        measured=estimates.loss_exponent(ds, ds.gibbs.values),
        rivals={"law in t": round(float(ds.phi_theory.sel(convention="Ito")), 9)},
        tolerance=0.1,
        resolution=0.06,
        expected="confirmed",
    )


@claim
def exponent(ds) -> Claim:
    """Exponent of the stationary law of Eq. (12) in t, in the sense of Ito, Eq. (17)."""
    return _convention(
        ds,
        "Ito",
        "In t the stationary law of Eq. (12) read in the sense of Ito (noise taken at the start of "
        "the step) is $L^{-\\phi}$ with $\\phi=1+B/(\\eta h)$.",
        "Mori et al., Eq. (17)",
    )


@claim
def stratonovich(ds) -> Claim:
    """The same with the noise taken in the middle of the step, Eq. (conventions)."""
    return _convention(
        ds,
        "Stratonovich",
        "In t the stationary law of Eq. (12) read in the sense of Stratonovich (noise taken in the "
        "middle of the step) is $L^{-\\phi}$ with $\\phi=\\frac12+B/(\\eta h)$.",
        OWN,
    )


@claim
def anti_ito(ds) -> Claim:
    """The same with the noise taken at the end of the step, Eq. (conventions)."""
    return _convention(
        ds,
        "anti-Ito",
        "In t the stationary law of Eq. (12) read in the sense of anti-Ito (noise taken at the end "
        "of the step) is $L^{-\\phi}$ with $\\phi=B/(\\eta h)$.",
        OWN,
    )


@claim
def mean_loss(ds) -> Claim:
    """The constant of Eq. (43), measured in tau: the harmonic mean of the loss there."""
    in_tau, in_t = (round(float(v), 9) for v in ds.mean_loss_theory.values)
    return check(
        "The mean loss in t is the harmonic mean of the loss in tau, and is "
        "L* / (1 - n eta h / 2B).",
        source="Mori et al., Eq. (43)",
        predicted=in_t,
        measured=estimates.harmonic_loss(ds),
        rivals={"plain mean in tau": in_tau, "loss at the minimum": 1.0},
        tolerance=0.03,
        resolution=0.03,
        expected="confirmed",
    )


@claim
def wide_exponent(ds) -> Claim:
    """Eq. (17) where the mean loss of Eq. (43) is infinite."""
    phi, n = float(ds.phi_wide_theory), _sizes(ds).wide
    return check(
        f"In n = {n} directions the mean loss is infinite and the step tau = (mean loss) t of "
        "Appendix C fails, but Eq. (17) still holds.",
        source=OWN,
        predicted=phi,
        measured=estimates.wide_exponent(ds),
        rivals={"Stratonovich": phi - 0.5, "anti-Ito, or no factor 1/L": phi - 1},
        tolerance=0.08,
        resolution=0.06,
        expected="confirmed",
    )


@claim
def clock_power(ds) -> Claim:
    """How tau grows with t where the mean loss is infinite, Eq. (clock-power)."""
    return check(
        f"In n = {_sizes(ds).wide} directions tau grows like the power 1/nu of t, not in "
        "proportion to it.",
        source=OWN,
        predicted=round(float(ds.clock_power_theory), 9),
        measured=estimates.clock_power(ds),
        rivals={"Appendix C: (mean loss) t": 1.0},
        tolerance=0.1,
        resolution=0.15,
        expected="confirmed",
    )


def _convention(ds, name, statement, source):
    theory = {
        str(c): round(float(ds.phi_theory.sel(convention=c)), 9) for c in ds.convention.values
    }
    return check(
        statement,
        source=source,
        predicted=theory.pop(name),
        measured=estimates.loss_exponent(ds, ds.stationary.sel(convention=name).values),
        rivals=theory,
        tolerance=0.08,
        resolution=0.08,
        expected="confirmed",
    )


def _sizes(ds):
    return provenance.settings(ds)
