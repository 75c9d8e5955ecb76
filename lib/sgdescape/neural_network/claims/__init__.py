"""Claims of chapter `neural_network`: statements with their verdicts.

`escape` is about the main network's times, `minimum` about its minimum and paths, `other_networks`
about another seed, width, depth and data set. No fits and intervals here: those are in `estimates`.
"""

from sgdescape.neural_network.claims.escape import (
    arrhenius,
    bowl,
    continuous_time,
    implied_dimension,
    looks,
    mean_loss,
    measured_noise,
    paper_numbers,
    participation,
    ratio_alone,
)
from sgdescape.neural_network.claims.minimum import (
    bulk,
    decoupling,
    displacement,
    energy,
    flat_noise,
    frozen,
    gauss_newton,
    kurtosis,
    lead_energy,
    path_decoupling,
    rotation,
    spectral_gap,
)
from sgdescape.neural_network.claims.other_networks import controls, depth, linearised

__all__ = [
    "arrhenius",
    "bowl",
    "bulk",
    "continuous_time",
    "controls",
    "decoupling",
    "depth",
    "displacement",
    "energy",
    "flat_noise",
    "frozen",
    "gauss_newton",
    "implied_dimension",
    "kurtosis",
    "lead_energy",
    "linearised",
    "looks",
    "mean_loss",
    "measured_noise",
    "paper_numbers",
    "participation",
    "path_decoupling",
    "ratio_alone",
    "rotation",
    "spectral_gap",
]
