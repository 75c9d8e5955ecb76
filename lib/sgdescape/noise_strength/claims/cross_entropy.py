"""Claims on training with cross-entropy: residuals, noise and gradients against the loss."""

import numpy as np

from sgdescape.core.claims import check, claim
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.noise_strength.estimates import (
    CNN_ENTROPY,
    CNN_FITTED,
    CNN_LEVEL,
    ENTROPY,
    FITTED,
    WRONG,
    log_mean,
    median_interval,
    slopes,
    trained,
)


@claim
def entropy_early(dataset):
    """Confirm that residuals are proportional to the loss while there are wrong samples."""
    ds = trained(dataset, ENTROPY)
    chosen = (ds.loss > WRONG[0]) & (ds.loss < WRONG[1])
    return check(
        "With cross-entropy, while there are wrong samples, the mean squared residual is "
        "proportional to the loss (slope in log-log).",
        source="Mori et al., Appendix D",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.residual, chosen)),
        rivals={"to its square, as when all are fitted": 2.0, "residuals that do not change": 0.0},
        tolerance=0.15,
        expected="approximate",
    )


@claim
def entropy_middle(dataset):
    """Refute that the noise itself is proportional to the loss while there are wrong samples."""
    return _middle(dataset, ENTROPY, "fully connected", LEVEL)


@claim
def cnn_entropy_middle(dataset):
    """Refute the same for the convolutional network."""
    return _middle(dataset, CNN_ENTROPY, "convolutional", CNN_LEVEL)


@claim
def entropy_residual(dataset):
    """Confirm that residuals follow the square of the loss when all samples are fitted."""
    ds = dataset.sel(case=ENTROPY)
    return check(
        "With cross-entropy, when all samples are fitted, the mean squared residual is "
        "proportional to the square of the loss (slope in log-log).",
        source="Mori et al., Appendix D",
        predicted=2.0,
        measured=median_interval(slopes(ds.loss, ds.residual, ds.loss < FITTED)),
        rivals={"to the loss, as while samples are wrong": 1.0},
        tolerance=0.1,
        expected="approximate",
    )


@claim
def entropy_late(dataset):
    """Confirm that the noise follows nearly the square of the loss at small cross-entropy."""
    ds = dataset.sel(case=ENTROPY)
    return check(
        "With cross-entropy and small loss the noise strength of a fully connected network is "
        "proportional to the square of the loss (slope in log-log).",
        source="Mori et al., Appendix D and Fig. 5",
        predicted=2.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss < FITTED)),
        rivals={"to the loss, as for the square loss": 1.0},
        tolerance=0.25,
        expected="approximate",
    )


@claim
def cnn_entropy_late(dataset):
    """Confirm the same for the convolutional network."""
    ds = dataset.sel(case=CNN_ENTROPY)
    return check(
        "With cross-entropy and small loss the noise strength of a convolutional network is "
        "proportional to the square of the loss (slope in log-log).",
        source="Mori et al., Appendix D and Fig. 5",
        predicted=2.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss < CNN_FITTED), level=CNN_LEVEL),
        rivals={"to the loss, as for the square loss": 1.0},
        tolerance=0.25,
        expected="approximate",
    )


@claim
def margin_growth(dataset):
    """Confirm how the outputs' gradients grow at small cross-entropy."""
    ds = dataset.sel(case=ENTROPY)
    return check(
        "At small cross-entropy the mean squared gradient of the outputs of a network of 4 layers "
        "grows as $(\\log(1/L))^{3/2}$, the power being $2-2/D$ for $D$ layers (exponent).",
        source="this chapter",
        predicted=float(ds.margin_exponent),
        measured=median_interval(slopes(ds.margin, ds.jacobian, ds.loss < FITTED)),
        rivals={"one layer: gradients that stand still": 0.0, "the outputs' own square": 2.0},
        tolerance=0.3,
        expected="approximate",
    )


@claim
def entropy_prediction(dataset):
    """Confirm the size of the prediction with measured residuals, for the cross-entropy."""
    ds = trained(dataset, ENTROPY)
    doubled = log_mean(ds.prediction / ds.residual_prediction)
    return check(
        "With cross-entropy, on the average over training, the noise strength is the product of "
        "mean squared residual and mean squared gradient of the outputs, over $C$ (ratio).",
        source="this chapter",
        predicted=1.0,
        measured=median_interval(log_mean(ds.noise / ds.residual_prediction)),
        rivals={
            "2L in place of the squared residual": float(np.median(doubled)),
            "summed over outputs": float(ds.outputs),
        },
        tolerance=0.35,
        expected="approximate",
    )


def _middle(dataset, case, network, level):
    ds = trained(dataset, case)
    chosen = (ds.loss > WRONG[0]) & (ds.loss < WRONG[1])
    return check(
        "With cross-entropy, while there are wrong samples, the noise strength itself of a "
        f"{network} network is proportional to the loss (slope in log-log).",
        source="Mori et al., Appendix D and Fig. 5",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.noise, chosen), level=level),
        rivals={"to its square, as when all are fitted": 2.0},
        expected="refuted",
    )
