"""Linear regression, the one experiment where every theory of escape has exact numbers: Fig. 3a, b.

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.linear_regression import claims, figures, predictions
from sgdescape.linear_regression.config import PAPER, QUICK, Config
from sgdescape.linear_regression.experiment import run
from sgdescape.linear_regression.predictions import predict
from sgdescape.linear_regression.prose import summary
from sgdescape.linear_regression.theory.chain import (
    Passage,
    data_passage,
    first_passage,
    nested_times,
)
from sgdescape.linear_regression.theory.data_barrier import data_barrier, momentum
from sgdescape.linear_regression.theory.diffusion import (
    asymptotic_passage_time,
    kurtosis_passage_time,
    linear_barrier_time,
    local_slope,
    log_mean_first_passage_time,
    mean_first_passage_time,
    paper_slope,
)
from sgdescape.linear_regression.theory.large_deviations import (
    cheapest_path,
    jump_cost,
    jump_factor,
    quasi_potential,
    tail_slope,
)
from sgdescape.linear_regression.theory.one_step import exceedance, radial_exceedance
from sgdescape.linear_regression.theory.stationary import (
    StationaryLaw,
    covariance_exponent,
    discrete_exponent,
    fitted_laws,
    kesten_exponent,
    likelihood_gain,
    power_law_gain,
    stationary_averages,
    stationary_law,
    stationary_variance,
)

__all__ = [
    "Config",
    "PAPER",
    "Passage",
    "QUICK",
    "StationaryLaw",
    "asymptotic_passage_time",
    "cheapest_path",
    "claims",
    "covariance_exponent",
    "data_barrier",
    "data_passage",
    "discrete_exponent",
    "exceedance",
    "figures",
    "first_passage",
    "fitted_laws",
    "jump_cost",
    "jump_factor",
    "kesten_exponent",
    "kurtosis_passage_time",
    "likelihood_gain",
    "linear_barrier_time",
    "local_slope",
    "log_mean_first_passage_time",
    "mean_first_passage_time",
    "momentum",
    "nested_times",
    "paper_slope",
    "power_law_gain",
    "predict",
    "predictions",
    "quasi_potential",
    "radial_exceedance",
    "run",
    "stationary_averages",
    "stationary_law",
    "stationary_variance",
    "summary",
    "tail_slope",
]
