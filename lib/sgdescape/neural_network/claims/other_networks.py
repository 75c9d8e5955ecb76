"""Claims of the chapter `neural_network` about the other networks: seed, width, depth, data set."""

import numpy as np

from sgdescape.core.claims import check, claim
from sgdescape.core.stats.intervals import Interval
from sgdescape.neural_network.estimates import passages
from sgdescape.neural_network.estimates.comparisons import control_times, linearised_times


@claim
def controls(dataset):
    """Confirm the bowl with measured noise for another seed, another width and another data set."""
    pairs, rival = [], []
    for case in ("second seed", "twice as wide", "Fashion-MNIST"):
        runs, plain, refined = control_times(dataset, case)
        pairs.append((runs, refined))
        rival.append(passages.log_ratio([(plain, refined)]).value)
    return check(
        "The bowl with measured noise predicts the times of three other networks (seed, "
        "width, Fashion-MNIST), within a factor of 2 on the average (octaves).",
        source="this chapter",
        predicted=0.0,
        measured=passages.log_ratio(pairs),
        rivals={"four times slower": 2.0, "four times faster": -2.0},
        tolerance=1.0,
        expected="confirmed",
    )


@claim
def linearised(dataset):
    """Confirm that it is the batches that do it, not the shape of the valley."""
    values, halves, rival = [], [], []
    for case in dataset.case.values:
        runs, linear, bowl = linearised_times(dataset, case)
        found = passages.paired_ratio(runs, linear)
        values.append(found.value)
        halves.append(found.high - found.value)
        rival.append(np.mean(passages.log2_times(bowl) - passages.log2_times(linear)))
    value, half = np.mean(values), np.linalg.norm(halves) / len(halves)
    return check(
        "Passage times are those of the network linearised at its minimum, run with the same "
        "batches, within a factor of 1.4 on the average over four networks (octaves).",
        source="this chapter",
        predicted=0.0,
        measured=Interval(value, value - half, value + half, found.level, "pairs, delta method"),
        rivals={
            "the bowls with the noise of Eq. (6), at least": float(np.mean(rival)),
            "half as long": -1.0,
        },
        tolerance=0.5,
        expected="confirmed",
    )


@claim
def depth(dataset):
    """Refute the paper's noise in a network with two hidden layers."""
    runs, plain, _ = control_times(dataset, "two hidden layers")
    return check(
        "With two hidden layers passage times are those of the bowl with the noise 2 L H / B, "
        "within a factor of 2 (octaves).",
        source="Mori et al., Eqs. (3) and (6)",
        predicted=0.0,
        measured=passages.log_ratio([(runs, plain)]),
        rivals={"four times as long": 2.0},
        tolerance=1.0,
        expected="refuted",
    )
