"""Claims on what holds whatever the noise, if it has no memory; and what memory does."""

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import mean_interval, ratio_interval
from sgdescape.modified_loss import estimates

KUNIN, OWN = "Kunin et al.", "this book"


@claim
def equipartition(ds) -> Claim:
    """Equipartition where the noise is not constant: the level is wrong by tens of per cent."""
    ratio, config = float(ds.equipartition_step[-1]), provenance.settings(ds)
    strong = ds.sel(run="strong").isel(mode=-1)
    return check(
        rf"Batches of {config.strong_batch}: $\mathbb{{E}}\,\delta^2/\mathrm{{Var}}\,\theta="
        r"2\eta\rho/(1+\beta)$ in the steepest mode.",
        source=KUNIN,
        predicted=ratio,
        measured=ratio_interval(strong.square_step.values, strong.square_position.values),
        rivals={
            "mass eta": ratio * (1 + config.momentum) / 2,
            "mass eta / 2, as without momentum": ratio * (1 + config.momentum),
        },
        expected="confirmed",
    )


@claim
def shuffled(ds) -> Claim:
    """Equipartition needs a noise without memory, which shuffled epochs do not have."""
    config, rho = provenance.settings(ds), float(ds.curvature[0])
    unit = (1 + config.momentum) / (2 * config.learning_rate * rho)
    step, spread = ds.epoch_step.values[:, 0], ds.epoch_position.values[:, 0]
    return check(
        f"Batches from shuffled epochs of {config.epoch_steps} steps: "
        r"$(1+\beta)\mathbb{E}\,\delta^2/2\eta\rho\mathrm{Var}\,\theta$ of the flattest mode is "
        "not 1 but what the anticorrelation of the batches gives.",
        source=OWN,
        predicted=float(ds.epoch_ratio[0]),
        measured=ratio_interval(unit * step, spread),
        rivals={"noise without memory": 1.0},
        tolerance=0.08,
        expected="confirmed",
    )


@claim
def curvature(ds) -> Claim:
    """Equipartition as an estimator: all curvatures from positions and steps."""
    return check(
        r"$(1+\beta)\mathbb{E}\,\delta^2/2\eta\mathrm{Var}\,\theta$ of a mode is its curvature: "
        r"slope of its logarithm against $\log\rho$, six modes.",
        source=KUNIN,
        predicted=estimates.exact_slope(ds, "equipartition_step"),
        measured=estimates.curvature_slope(ds),
        rivals={"root of rho": 0.5, "the same in every mode": 0.0},
        expected="confirmed",
    )


@claim
def rotation(ds) -> Claim:
    """Sense and rate of the rotation in the plane of position and velocity, where force shows."""
    config, exact = provenance.settings(ds), float(ds.area_ratio[-1])
    share = config.fast_rate * float(ds.curvature[-1]) / (2 * (1 + config.momentum))
    return check(
        r"In the steepest mode, at $\eta\rho/2(1+\beta)="
        rf"{share:.2f}$, $\mathbb{{E}}[x_k\delta_{{k+1}}-x_{{k+1}}\delta_k]/\mathbb{{E}}\,\delta^2"
        r"=-(1+\beta-\frac12\eta\rho)$.",
        source=OWN,
        predicted=exact,
        measured=estimates.rotation_ratio(ds, run="fast"),
        rivals={
            "no force: a walk with momentum": -(1 + config.momentum),
            "continuous time": -2.0,
            "+QU z p, the other way round": -exact,
        },
        expected="confirmed",
    )


@claim
def excess_loss(ds) -> Claim:
    """The loss above its minimum from the speed, at strong noise."""
    config = provenance.settings(ds)
    return check(
        rf"Batches of {config.strong_batch}: $(1+\beta)\mathbb{{E}}|\delta|^2/4\eta$ is the mean "
        "excess loss: ratio of the two.",
        source=KUNIN,
        predicted=1.0,
        measured=estimates.loss_ratio(ds, run="strong"),
        rivals={"mass eta": 2 / (1 + config.momentum), "kinetic and potential energy": 2.0},
        expected="confirmed",
    )


@claim
def midpoint(ds) -> Claim:
    """Half a step back the continuous formula has no error in the learning rate."""
    edge, beta = float(ds.edge[-1]), provenance.settings(ds).momentum
    unit = float(ds.edge_formula[-1])
    return check(
        rf"At $\eta h={edge:g}$, $\beta={beta:g}$: $\mathrm{{Var}}(\theta_k-\frac12\delta_k)$ is "
        "the continuous theory's variance, in units of which it is given.",
        source=OWN,
        predicted=unit / unit,
        measured=mean_interval(ds.edge_half[-1].values / unit),
        rivals={r"that of the full step": 1 / (1 - edge / (2 * (1 + beta)))},
        expected="confirmed",
    )
