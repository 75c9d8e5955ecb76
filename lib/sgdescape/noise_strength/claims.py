"""Claims of chapter `noise_strength`.

Every measured number is one number a run, and its interval that of the median run, at a level that
holds whatever the law of the runs (`estimates.median_interval`).
"""

import numpy as np

from sgdescape.core.claims import check, claim, not_testable
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.noise_strength.estimates import (
    CNN_ENTROPY,
    CNN_FITTED,
    CNN_LATE,
    CNN_LEVEL,
    CNN_SQUARE,
    EARLY,
    ENTROPY,
    FITTED,
    LATE,
    ONE_OUTPUT,
    SQUARE,
    WRONG,
    at_worst,
    farthest,
    log_mean,
    median_fall,
    median_farthest,
    median_interval,
    slopes,
    trained,
)

FACTOR_3 = float(np.log2(3))
CONSTANT, SQUARED = "noise that does not change", "noise as the square of the loss"


@claim
def early_slope(dataset):
    """Refute that the noise is proportional to the loss from the start."""
    ds = trained(dataset, SQUARE)
    return check(
        "The noise strength of a fully connected network with square loss is proportional to the "
        "loss from the first epochs on (slope of $\\log\\mathcal N$ against $\\log L$).",
        source="the short form of Mori et al., Section 5.2",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss > EARLY)),
        rivals={SQUARED: 2.0},
        tolerance=0.2,
        expected="refuted",
    )


@claim
def late_prediction(dataset):
    """Confirm that the prediction becomes proportional to the loss, for the square loss."""
    ds = dataset.sel(case=SQUARE)
    return check(
        "Late in training with square loss the mean squared gradient of the outputs of a fully "
        "connected network stands still, so that the predicted noise is proportional to the loss "
        "(slope in log-log).",
        source="Mori et al., Section 5.2",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.prediction, ds.loss < LATE)),
        rivals={SQUARED: 2.0, CONSTANT: 0.0},
        tolerance=0.05,
        expected="approximate",
    )


@claim
def late_slope(dataset):
    """Confirm that the late slope of the measured noise is nearer to 1 than to 0 or 2."""
    ds = dataset.sel(case=SQUARE)
    return check(
        "Late in training with square loss and ten outputs the noise strength of a fully connected "
        "network is proportional to the loss (slope in log-log).",
        source="Mori et al., Section 5.2 and Fig. 2",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss < LATE)),
        rivals={SQUARED: 2.0, CONSTANT: 0.0},
        tolerance=0.3,
        expected="approximate",
    )


@claim
def late_slope_undirected(dataset):
    """Confirm that the late slope is 1 once the direction factor is taken off."""
    ds = dataset.sel(case=SQUARE)
    found = median_interval(slopes(ds.loss, ds.noise / ds.direction_factor, ds.loss < LATE))
    return check(
        "Late in training with square loss and ten outputs the noise strength divided by the "
        "direction factor is proportional to the loss (slope in log-log).",
        source="this chapter",
        predicted=1.0,
        measured=found,
        rivals={
            "as without the division": float(np.median(slopes(ds.loss, ds.noise, ds.loss < LATE))),
            CONSTANT: 0.0,
        },
        expected="confirmed",
    )


@claim
def late_slope_one_output(dataset):
    """Confirm that the late slope is 1 for a network with one output, as in the derivation."""
    ds = dataset.sel(case=ONE_OUTPUT)
    return check(
        "Late in training with square loss and one output the noise strength is proportional to "
        "the loss (slope in log-log).",
        source="Mori et al., Section 5.2",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss < LATE)),
        rivals={SQUARED: 2.0, CONSTANT: 0.0},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def cnn_late_slope(dataset):
    """Confirm that the convolutional network's noise follows the loss at the end, too."""
    ds = dataset.sel(case=CNN_SQUARE)
    return check(
        "Late in training with square loss the noise strength of a convolutional network is "
        "proportional to the loss (slope in log-log).",
        source="Mori et al., Section 5.2 and Fig. 2",
        predicted=1.0,
        measured=median_interval(slopes(ds.loss, ds.noise, ds.loss < CNN_LATE), level=CNN_LEVEL),
        rivals={SQUARED: 2.0, CONSTANT: 0.0},
        tolerance=0.4,
        expected="approximate",
    )


@claim
def outputs(dataset):
    """Confirm the size of the prediction, with the mean over outputs and the factor 2."""
    ds = trained(dataset, SQUARE)
    return check(
        "On the average over training the noise strength of a fully connected network with ten "
        "outputs is $2L/C$ times the mean squared norm of the gradients of all $C$ outputs "
        "(ratio).",
        source="Mori et al., Section 5.2, with C outputs as derived here",
        predicted=1.0,
        measured=median_interval(log_mean(ds.ratio)),
        rivals={"without the factor 2": 0.5, "summed over outputs, no 1/C": float(ds.outputs)},
        tolerance=0.5,
        expected="approximate",
    )


@claim
def cnn_outputs(dataset):
    """Confirm the same for the convolutional network."""
    ds = trained(dataset, CNN_SQUARE)
    return check(
        "On the average over training the noise strength of a convolutional network with ten "
        "outputs is $2L/C$ times the mean squared norm of the gradients of all $C$ outputs "
        "(ratio).",
        source="Mori et al., Section 5.2, with C outputs as derived here",
        predicted=1.0,
        measured=median_interval(log_mean(ds.ratio), level=CNN_LEVEL),
        rivals={"without the factor 2": 0.5, "summed over outputs, no 1/C": float(ds.outputs)},
        tolerance=0.5,
        expected="confirmed",
    )


@claim
def whole_training(dataset):
    """Refute that the prediction holds to 20 % at every moment of training."""
    ds = dataset.sel(case=SQUARE)
    return check(
        "The prediction $2L/C$ times the mean squared gradient of the outputs holds to 20 % during "
        "the whole training (largest ratio, ten outputs, square loss).",
        source="Mori et al., Section 5.2, with C outputs as derived here",
        predicted=1.0,
        measured=median_interval(trained(dataset, SQUARE).ratio.max("mark")),
        rivals={"summed over outputs, no 1/C": float(ds.outputs)},
        tolerance=0.2,
        expected="refuted",
    )


@claim
def direction(dataset):
    """Confirm that the direction factor makes the deviation, at the epoch where it is largest."""
    worst = at_worst(trained(dataset, SQUARE))
    return check(
        "Where the prediction is worst, it is right once multiplied by the direction factor "
        "(ratio that is left).",
        source="this chapter",
        predicted=1.0,
        measured=median_interval(worst.ratio / worst.direction_factor),
        rivals={
            "the correlation of loss and gradient, as in Eq. (7), makes it": float(
                np.median(worst.ratio / worst.size_factor)
            )
        },
        tolerance=0.17,
        expected="confirmed",
    )


@claim
def factor(dataset):
    """Confirm that the prediction holds within a small factor at every moment, ten outputs."""
    ds = trained(dataset, SQUARE)
    return check(
        "With ten outputs and square loss the prediction holds within a factor of 3 during the "
        "whole training (largest deviation of a run, either way).",
        source="Mori et al., Section 5.2, with C outputs as derived here",
        predicted=0.0,
        measured=median_interval(farthest(ds.ratio)),
        rivals=_powers(ds) | {"summed over outputs": median_farthest(ds.ratio / ds.outputs)},
        tolerance=FACTOR_3,
        unit="octaves",
        expected="approximate",
    )


@claim
def one_output(dataset):
    """Confirm that the prediction holds within a small factor at every moment, one output."""
    ds = trained(dataset, ONE_OUTPUT)
    return check(
        "With one output and square loss the prediction holds within a factor of 3 during the "
        "whole training (largest deviation of a run, either way).",
        source="Mori et al., Section 5.2",
        predicted=0.0,
        measured=median_interval(farthest(ds.ratio)),
        rivals=_powers(ds),
        tolerance=FACTOR_3,
        unit="octaves",
        expected="approximate",
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


@claim
def paper_curves(dataset):
    """State that the paper's own curves cannot be repeated."""
    return not_testable(
        "The training curves of Figs 2 and 5.",
        source="Mori et al., Figs 2 and 5",
        reason="number of epochs, learning rates of Fig. 5 and the scale of the noise in the "
        "figures are not available to us",
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


def _powers(ds):
    """The largest deviation of other powers of the loss that are right at the start, in octaves."""
    fall = median_fall(ds.loss)
    return {CONSTANT: fall, SQUARED: fall}
