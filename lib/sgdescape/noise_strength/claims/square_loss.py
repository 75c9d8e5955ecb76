"""Claims on training with the square loss: noise and its prediction against the loss."""

import numpy as np

from sgdescape.core.claims import check, claim, not_testable
from sgdescape.noise_strength.estimates import (
    CNN_LATE,
    CNN_LEVEL,
    CNN_SQUARE,
    EARLY,
    LATE,
    ONE_OUTPUT,
    SQUARE,
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
def paper_curves(dataset):
    """State that the paper's own curves cannot be repeated."""
    return not_testable(
        "The training curves of Figs 2 and 5.",
        source="Mori et al., Figs 2 and 5",
        reason="number of epochs, learning rates of Fig. 5 and the scale of the noise in the "
        "figures are not available to us",
    )


def _powers(ds):
    """The largest deviation of other powers of the loss that are right at the start, in octaves."""
    fall = median_fall(ds.loss)
    return {CONSTANT: fall, SQUARED: fall}
