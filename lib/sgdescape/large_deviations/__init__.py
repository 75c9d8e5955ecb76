"""Large deviations of SGD itself: many small pushes that conspire, against one big one.

The escape exponent of discrete SGD at every loss ratio: the price of a climb, of a jump, and of the
cheapest sequence of both, for linear regression, on a circle with true saddles and on the
three-hump camel; prefactors; exact chains and real SGD that the theory must meet. Here are the
chapter's rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and
other chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.large_deviations import claims, figures, predictions
from sgdescape.large_deviations.config import PAPER, QUICK, Config
from sgdescape.large_deviations.experiment import run, run_network
from sgdescape.large_deviations.measure.circle_chain import circle_passage_time
from sgdescape.large_deviations.measure.circle_plane_chain import direction_effect
from sgdescape.large_deviations.predictions import barriers, predict
from sgdescape.large_deviations.prose import network_summary, summary
from sgdescape.large_deviations.theory.camel import (
    camel_barrier,
    camel_gaussian_barrier,
    camel_loss,
    camel_stationary,
    camel_time,
)
from sgdescape.large_deviations.theory.circle import (
    circle_barrier,
    circle_climb,
    circle_crossover,
    circle_jump_cost,
    circle_loss,
    circle_path,
    circle_potential,
)
from sgdescape.large_deviations.theory.circle_plane import (
    circle_plane_time,
    log_dimension_factor,
    paper_dimension_factor,
)
from sgdescape.large_deviations.theory.circle_prefactor import (
    circle_climb_time,
    circle_diffusion_factor,
    overshoot_length,
)
from sgdescape.large_deviations.theory.circle_sde import circle_sde_time
from sgdescape.large_deviations.theory.outliers import outlier_barrier, raised_base, spread_of
from sgdescape.large_deviations.theory.prefactors import (
    climb_passage_time,
    jump_passage_time,
    overshoot_factor,
)
from sgdescape.large_deviations.theory.regression import (
    cheapest_path,
    climb_momentum,
    cumulant,
    jump_cost,
    jump_factor,
    quasi_potential,
    single_jump,
    tail_slope,
)
from sgdescape.large_deviations.theory.sampled import (
    SampledPassage,
    decoupled_passage,
    sampled_passage,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "SampledPassage",
    "barriers",
    "camel_barrier",
    "camel_gaussian_barrier",
    "camel_loss",
    "camel_stationary",
    "camel_time",
    "cheapest_path",
    "circle_barrier",
    "circle_climb",
    "circle_climb_time",
    "circle_crossover",
    "circle_diffusion_factor",
    "circle_jump_cost",
    "circle_loss",
    "circle_passage_time",
    "circle_path",
    "circle_plane_time",
    "circle_potential",
    "circle_sde_time",
    "claims",
    "climb_momentum",
    "climb_passage_time",
    "cumulant",
    "decoupled_passage",
    "direction_effect",
    "figures",
    "jump_cost",
    "jump_factor",
    "jump_passage_time",
    "log_dimension_factor",
    "network_summary",
    "outlier_barrier",
    "overshoot_factor",
    "overshoot_length",
    "paper_dimension_factor",
    "predict",
    "predictions",
    "quasi_potential",
    "raised_base",
    "run",
    "run_network",
    "sampled_passage",
    "single_jump",
    "spread_of",
    "summary",
    "tail_slope",
]
