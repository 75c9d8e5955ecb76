"""Heavy tails, exactly: the tail index of SGD, with momentum, on finite data, and its estimators.

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.heavy_tails import claims, figures, predictions
from sgdescape.heavy_tails.config import PAPER, QUICK, Config
from sgdescape.heavy_tails.experiment import run
from sgdescape.heavy_tails.predictions import predict
from sgdescape.heavy_tails.prose import summary
from sgdescape.heavy_tails.theory.finite_data import bound, data_root, samples_needed
from sgdescape.heavy_tails.theory.index import tail_index
from sgdescape.heavy_tails.theory.kesten import (
    kesten_root,
    log_moment,
    lyapunov,
    small_step_limit,
)
from sgdescape.heavy_tails.theory.log_periodic import Wave, complex_log_moment, wave
from sgdescape.heavy_tails.theory.momentum import (
    largest_growth,
    log_growth,
    lyapunov_momentum,
    momentum_root,
    second_moment_growth,
)
from sgdescape.heavy_tails.theory.published import (
    covariance_index,
    discrete_index,
    jump_index,
    momentum_limit,
    paper_index,
    zeta_seen_as_continuous,
)
from sgdescape.heavy_tails.theory.radius import Radius, radius_law

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "Radius",
    "Wave",
    "bound",
    "claims",
    "complex_log_moment",
    "covariance_index",
    "data_root",
    "discrete_index",
    "figures",
    "jump_index",
    "kesten_root",
    "largest_growth",
    "log_growth",
    "log_moment",
    "lyapunov",
    "lyapunov_momentum",
    "momentum_limit",
    "momentum_root",
    "paper_index",
    "predict",
    "predictions",
    "radius_law",
    "run",
    "samples_needed",
    "second_moment_growth",
    "small_step_limit",
    "summary",
    "tail_index",
    "wave",
    "zeta_seen_as_continuous",
]
