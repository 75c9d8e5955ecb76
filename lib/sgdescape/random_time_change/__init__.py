"""Random time change: SGD's noise made additive by a clock, Eqs. (12)-(14) and (17), App. C.

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.random_time_change import claims, figures, predictions
from sgdescape.random_time_change.config import PAPER, QUICK, UNITS, Config
from sgdescape.random_time_change.estimates import (
    distance_interval,
    limiting_slope,
    on_grids,
    strong_order,
)
from sgdescape.random_time_change.experiment import run
from sgdescape.random_time_change.predictions import predict
from sgdescape.random_time_change.prose import summary
from sgdescape.random_time_change.theory.clock import (
    change_clock,
    convention_exponent,
    diffusion,
    gibbs_density,
    internal_time,
    log_barrier,
    log_drift,
    physical_time,
    stationary_exponent,
    temperature,
    time_average,
)
from sgdescape.random_time_change.theory.moments import (
    driver_kurtosis,
    mean_loss_curve,
    passage_means,
)
from sgdescape.random_time_change.theory.stability import (
    clock_power,
    frozen_clock,
    growth_rate,
    loss_law,
    mean_loss_ratio,
    sgd_critical_dimension,
    sgd_growth_rate,
    stability_index,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "UNITS",
    "change_clock",
    "claims",
    "clock_power",
    "convention_exponent",
    "diffusion",
    "distance_interval",
    "driver_kurtosis",
    "figures",
    "frozen_clock",
    "gibbs_density",
    "growth_rate",
    "internal_time",
    "limiting_slope",
    "log_barrier",
    "log_drift",
    "loss_law",
    "mean_loss_curve",
    "mean_loss_ratio",
    "on_grids",
    "passage_means",
    "physical_time",
    "predict",
    "predictions",
    "run",
    "sgd_critical_dimension",
    "sgd_growth_rate",
    "stability_index",
    "stationary_exponent",
    "strong_order",
    "summary",
    "temperature",
    "time_average",
]
