"""The escape rate of Mori et al.: Theorem 4.7 with its proof, Eqs. (15), (16) and (18)-(40).

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.kramers_escape import claims, figures, predictions
from sgdescape.kramers_escape.config import PAPER, QUICK, Config
from sgdescape.kramers_escape.experiment import run
from sgdescape.kramers_escape.explorer import rate_explorer
from sgdescape.kramers_escape.landscape import (
    Landscape,
    path_loss,
    path_slope,
    separable_log_loss,
    separable_loss,
)
from sgdescape.kramers_escape.measure import circle_slope
from sgdescape.kramers_escape.measure.line import log_times
from sgdescape.kramers_escape.predictions import predict
from sgdescape.kramers_escape.prose import summary
from sgdescape.kramers_escape.theory.choice import climb_log_odds, linear_log_odds, log_odds
from sgdescape.kramers_escape.theory.choice_chain import chain_log_odds
from sgdescape.kramers_escape.theory.detour import Detour, axis_threshold, off_axis
from sgdescape.kramers_escape.theory.dimension import (
    PathWidths,
    amplitude_slope,
    focusing_threshold,
    path_amplitude,
    path_dimension,
    path_widths,
    riccati,
    tail_dimension,
)
from sgdescape.kramers_escape.theory.proof import Step, steps, table
from sgdescape.kramers_escape.theory.rate import (
    critical_effective_dimension,
    escape_rate,
    growth_rate,
)
from sgdescape.kramers_escape.theory.saddle import (
    axis_current,
    axis_density,
    outflow,
    product_current,
    rate_with_curvatures,
    saddle_integral,
    transverse_factor,
    transverse_width,
    weak_axis_current,
)
from sgdescape.kramers_escape.theory.valley import (
    displacement,
    factor_integral,
    flux_free_slope,
    log_curvature,
    mixed_log_curvature,
    probability_current,
    quasi_stationary,
    rate_from_currents,
    valley_mass,
    well_mass,
)

__all__ = [
    "Config",
    "Detour",
    "Landscape",
    "PAPER",
    "PathWidths",
    "QUICK",
    "Step",
    "amplitude_slope",
    "axis_current",
    "axis_density",
    "axis_threshold",
    "circle_slope",
    "claims",
    "chain_log_odds",
    "climb_log_odds",
    "critical_effective_dimension",
    "displacement",
    "escape_rate",
    "factor_integral",
    "figures",
    "flux_free_slope",
    "focusing_threshold",
    "growth_rate",
    "linear_log_odds",
    "log_curvature",
    "log_odds",
    "log_times",
    "mixed_log_curvature",
    "off_axis",
    "outflow",
    "path_amplitude",
    "path_dimension",
    "path_loss",
    "path_slope",
    "path_widths",
    "predict",
    "predictions",
    "probability_current",
    "product_current",
    "quasi_stationary",
    "rate_explorer",
    "rate_from_currents",
    "rate_with_curvatures",
    "riccati",
    "run",
    "saddle_integral",
    "separable_log_loss",
    "separable_loss",
    "steps",
    "summary",
    "table",
    "tail_dimension",
    "transverse_factor",
    "transverse_width",
    "valley_mass",
    "weak_axis_current",
    "well_mass",
]
