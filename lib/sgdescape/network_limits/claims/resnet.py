"""Claims of chapter `network_limits` on the narrow ResNet-18, and what is not tested of it."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, not_testable
from sgdescape.core.stats.intervals import LEVEL, Interval
from sgdescape.network_limits import theory
from sgdescape.network_limits.claims.small_network import OWN, PAPER
from sgdescape.network_limits.estimates import pooled, settings

BURN = 30
"""Steps of each run that averages leave out: 3 / (1 - beta) at beta = 0.9."""

FEW = 0.84
"""Level of an interval from two runs: Student's t gives it twice their range each way."""


@claim
def resnet_speed(ds) -> Claim:
    """C2 with the measured noise of the minibatch gradient."""
    eta, beta, size, steps = settings(ds)["residual_runs"][0]
    speed = ds.residual_speed.values[0, BURN : int(steps)]
    blocks = speed[: len(speed) // 10 * 10].reshape(-1, 10).mean(1)
    draws = ds.residual_noise.values
    low, high = _mean_ends(blocks), _mean_ends(draws)
    unit = eta**2 / (size * (1 - beta**2))
    value = blocks.mean() / draws.mean() / unit
    relative = np.hypot(low / blocks.mean(), high / draws.mean())
    return check(
        "Narrow ResNet-18: E|delta|^2 in units of the law with the variance of the minibatch "
        "gradient at the checkpoint.",
        source=PAPER,
        predicted=1.0,
        measured=Interval(
            value, value * (1 - relative), value * (1 + relative), LEVEL, "blocks of 10 steps"
        ),
        rivals={"no momentum": 1 - beta**2, "friction squared": (1 + beta) / (1 - beta)},
        tolerance=0.8,
        expected="confirmed",
    )


def _mean_ends(values):
    """Half width of the normal interval of a mean at `LEVEL`."""
    return 4.42 * values.std(ddof=1) / np.sqrt(len(values))


def norm_growth(ds, run):
    """Measured and predicted change of the convolutions' |theta|^2 in a step, Eq. (norm-drift)."""
    eta, beta, _, steps = settings(ds)["residual_runs"][run]
    decay = settings(ds)["weight_decay"]
    at = ds.isel(residual_run=run)
    norm = at.residual_norm.values[: int(steps)]
    moved = at.residual_norm_speed.values[: int(steps)]
    measured = (norm[-1] - norm[BURN]) / (len(norm) - 1 - BURN)
    return measured, _drift(norm[BURN:-1].mean(), moved[BURN + 1 :].mean(), eta, beta, decay)


def _drift(norm, square, eta, beta, decay):
    return ((1 + beta) * square - 2 * eta * decay * norm) / (1 - beta)


@claim
def resnet_norm(ds) -> Claim:
    """BatchNorm makes the loss independent of a convolution's length: it only decays and grows."""
    runs = range(ds.sizes["residual_run"])
    found = np.array([measured / predicted for measured, predicted in map(_growth(ds), runs)])
    return check(
        "Narrow ResNet-18: growth of |theta|^2 of the convolutions, in units of what steps at "
        "right angles and weight decay give.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found, level=FEW),
        rivals={"at rest": 0.0, "half": 0.5},
        tolerance=0.2,
        expected="confirmed",
    )


def _growth(ds):
    return lambda run: norm_growth(ds, run)


@claim
def resnet_mode(ds) -> Claim:
    """The Hessian depends on BatchNorm's mode."""
    values = dict(zip(ds.norm_mode.values, ds.residual_mode_curvature.values, strict=True))
    ratio = float(values["eval"] / values["train, batches"])
    error = float(ds.residual_residual[0] / ds.residual_curvature[0]) * ratio + 1e-3
    return check(
        "Narrow ResNet-18: the curvature along the first eigenvector is the same in BatchNorm's "
        "evaluation mode as in training mode.",
        source=OWN,
        predicted=1.0,
        measured=Interval(ratio, ratio - error, ratio + error, LEVEL, "Lanczos residual"),
        rivals={"none": 0.0},
        tolerance=0.1,
        expected="refuted",
    )


def ring_crossing(track) -> float:
    """Return the step, between two by a straight line, at which a ring first passes zero.

    Args:
        track: position after a kick, in units of it (steps + 1,).

    Raises:
        ValueError: if it does not.

    Example:
        >>> ring_crossing([1.0, 0.5, -0.5])
        1.5
    """
    track = np.asarray(track, dtype=float)
    below = np.flatnonzero(track <= 0)
    if not below.size:
        raise ValueError(f"track must pass zero: got a least value of {track.min():.3g}")
    k = below[0]
    return float(k - track[k] / (track[k] - track[k - 1]))


def quarter_period(ds, curvature) -> float:
    """Return the same by theory, for a curvature rho."""
    eta, beta, *_ = settings(ds)["residual_ring"]
    decay = settings(ds)["weight_decay"]
    at = {"learning_rate": eta, "momentum": beta, "weight_decay": decay}
    (answer,) = theory.impulse([curvature], 400, **at)
    return ring_crossing(answer - beta * np.append(0, answer[:-1]))  # kicked at rest


@claim
def resnet_ring(ds) -> Claim:
    """C4, column (iii), in little: kicked along the first eigenvector, a quarter of a period."""
    modes = dict(zip(ds.norm_mode.values, ds.residual_mode_curvature.values, strict=True))
    expected = quarter_period(ds, modes["train, batches"])
    found = np.array([ring_crossing(track) for track in ds.residual_ring.values])
    return check(
        "Narrow ResNet-18, full batch, kicked along the first eigenvector: a quarter of a period, "
        "in units of the prediction with the curvature of BatchNorm's training mode.",
        source=PAPER,
        predicted=1.0,
        measured=pooled(found / expected, level=FEW),
        rivals={
            "batch of all 128 images": quarter_period(ds, modes["train, all"]) / expected,
            "curvature over all images": quarter_period(ds, modes["all images"]) / expected,
        },
        tolerance=0.15,
        expected="confirmed",
    )


def resnet_equipartition(ds, run, *, burn=BURN) -> np.ndarray:
    """Return kinetic over potential energy of each mode in a run, Eq. (network-equipartition).

    For runs of thousands of steps; those of the page are too short for it.

    Args:
        ds: result of `network_limits.run`.
        run: number of the run.
        burn: steps that the averages leave out.

    Returns:
        (modes,), 1 if theory and Hessian are right.
    """
    eta, beta, _, steps = settings(ds)["residual_runs"][run]
    seen = ds.isel(residual_run=run, residual_step=slice(burn, int(steps)))
    return theory.equipartition(
        (seen.residual_move.values**2).mean(0),
        seen.residual_position.values.var(0),
        ds.residual_curvature.values,
        learning_rate=eta,
        momentum=beta,
        weight_decay=settings(ds)["weight_decay"],
    )


@claim
def resnet_batch(ds) -> Claim:
    """The loss function itself depends on the batch size."""
    losses = dict(zip(ds.norm_batch.values, ds.residual_batch_loss.values, strict=True))
    errors = dict(zip(ds.norm_batch.values, ds.residual_batch_error.values, strict=True))
    value = losses[4] / losses[32]
    half = 4.42 * float(np.hypot(errors[4], errors[32])) / losses[32]
    return check(
        "Narrow ResNet-18: the loss by batches of 4 is that by batches of 32, at the same weights.",
        source=PAPER,
        predicted=1.0,
        measured=Interval(value, value - half, value + half, LEVEL, "normal"),
        rivals={"half": 0.5},
        tolerance=0.02,
        expected="refuted",
    )


@claim
def resnet_full(ds) -> Claim:
    """Column (iii): what needs a GPU."""
    return not_testable(
        "ResNet-18 of full width, thirty eigenvectors: round positions, elliptic velocities, "
        "equipartition (C6-C8), speed within 10 % (C2) and c against eta, S, beta (C13-C15).",
        source=PAPER,
        reason="no GPU where this page was made; `sgdescape run network_limits --scale paper` "
        "does it on one",
    )


@claim
def imagenet(ds) -> Claim:
    """Column (iii): the paper's data."""
    return not_testable(
        "Pre-trained ResNet-18 on ImageNet: |Delta_k|^2 grows as k^c with c near 1.07 while "
        "|delta_k|^2 stays constant.",
        source=PAPER,
        reason="needs ImageNet and a cluster; the reader and the training command are in the "
        "package, a result is not made up",
    )
