"""Claims of the chapter `neural_network` about the other networks: seed, width, depth, data set."""

import numpy as np

from sgdescape.core.claims import check, claim
from sgdescape.neural_network.estimates import passages
from sgdescape.neural_network.estimates.comparisons import (
    control_times,
    linearised_times,
    over_linearised,
)


@claim
def controls(dataset):
    """Confirm the bowl with measured noise for another seed, another width and another data set."""
    pairs, rival = [], []
    for case in ("second seed", "twice as wide", "Fashion-MNIST"):
        runs, _, refined, equal = control_times(dataset, case)
        pairs.append((runs, refined))
        rival.append(np.mean(passages.log2_times(equal) - passages.log2_times(refined)))
    return check(
        "The bowl with measured noise predicts the times of three other networks (seed, "
        "width, Fashion-MNIST), within a factor of 2 on the average.",
        source="this chapter",
        predicted=0.0,
        measured=passages.log_ratio(pairs),
        rivals={"equal curvatures, as many as (45)": float(np.mean(rival))},
        tolerance=1.0,
        unit="octaves",
        expected="confirmed",
    )


@claim
def linearised(dataset):
    """Confirm that it is the batches that do it, not the shape of the valley."""
    rival = []
    for case in dataset.case.values:
        _, linear, bowl = linearised_times(dataset, case)
        rival.append(np.mean(passages.log2_times(bowl) - passages.log2_times(linear)))
    return check(
        "Passage times are those of the network linearised at its minimum, run with the same "
        "batches, within a factor of 1.4 on the average over four networks.",
        source="this chapter",
        predicted=0.0,
        measured=over_linearised(dataset),
        rivals={"the bowls with the noise of Eq. (6), at least": float(np.mean(rival))},
        tolerance=0.5,
        unit="octaves",
        expected="confirmed",
    )


@claim
def depth(dataset):
    """Refute the paper's noise in a network with two hidden layers."""
    runs, plain, *_ = control_times(dataset, "two hidden layers")
    one_layer = []
    for case in ("second seed", "twice as wide"):
        single, bowl, *_ = control_times(dataset, case)
        one_layer.append(passages.log_ratio([(single, bowl)]).value)
    return check(
        "With two hidden layers passage times are those of the bowl with the noise $2LH/B$, "
        "within a factor of 2.",
        source="Mori et al., Eqs. (3) and (6)",
        predicted=0.0,
        measured=passages.log_ratio([(runs, plain)]),
        rivals={"as with one hidden layer": float(np.mean(one_layer))},
        tolerance=1.0,
        unit="octaves",
        expected="refuted",
    )
