"""Claims of chapter `neural_network`: statements with their verdicts.

`escape` is about the main network, `other_networks` about another seed, width, depth and data set.
No fits and intervals here: those are in `estimates`.
"""

from sgdescape.neural_network.claims.escape import (
    arrhenius,
    bowl,
    continuous_time,
    decoupling,
    displacement,
    energy,
    gauss_newton,
    implied_dimension,
    kurtosis,
    looks,
    mean_loss,
    measured_noise,
    paper_numbers,
    participation,
    path_decoupling,
    ratio_alone,
)
from sgdescape.neural_network.claims.other_networks import controls, depth, linearised

__all__ = [
    "arrhenius",
    "bowl",
    "continuous_time",
    "controls",
    "decoupling",
    "depth",
    "displacement",
    "energy",
    "gauss_newton",
    "implied_dimension",
    "kurtosis",
    "linearised",
    "looks",
    "mean_loss",
    "measured_noise",
    "paper_numbers",
    "participation",
    "path_decoupling",
    "ratio_alone",
]
