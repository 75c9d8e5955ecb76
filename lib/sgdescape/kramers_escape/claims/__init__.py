"""The claims of chapter `kramers_escape`: each compares a measurement with its prediction.

`line` is one direction, `directions` several, `processes` what is simulated. Predictions come with
the dataset (`predictions.predict`), so that a wrong formula there makes the claim here fail. What
is deterministic is extrapolated to weak noise by `estimates.weak_noise`, not here.
"""

from sgdescape.kramers_escape.claims.directions import (
    bowl_power,
    detour,
    direction_count,
    exit_points,
    instability,
    isotropic_width,
    outliers,
    path_dimension,
    plane,
    separable,
    space,
    stiff,
    tail_dimension,
)
from sgdescape.kramers_escape.claims.line import (
    arrhenius,
    bias,
    clock,
    exponent,
    half,
    log_equivalence,
    operator,
    prefactor,
    quasi_stationary,
)
from sgdescape.kramers_escape.claims.processes import (
    capacity,
    few_chosen,
    flat_chosen,
    network,
    paths,
    paths_saddle,
)

__all__ = [
    "arrhenius",
    "bias",
    "bowl_power",
    "capacity",
    "clock",
    "detour",
    "direction_count",
    "exit_points",
    "exponent",
    "few_chosen",
    "flat_chosen",
    "half",
    "instability",
    "isotropic_width",
    "log_equivalence",
    "network",
    "operator",
    "outliers",
    "path_dimension",
    "paths",
    "paths_saddle",
    "plane",
    "prefactor",
    "quasi_stationary",
    "separable",
    "space",
    "stiff",
    "tail_dimension",
]
