"""Claims of chapter `linear_regression`: each compares a measurement with its prediction.

Predictions come with the dataset (`predictions.predict`), so that a wrong formula there makes the
claim here fail. `stationary` is Fig. 3a, `passages` Fig. 3b, `barriers` the limit of small eta.
Fits and intervals are not here but in `estimates`.
"""

from sgdescape.linear_regression.claims.barriers import (
    jump,
    jump_far,
    kurtosis,
    laplace,
    linear_barrier,
    log_barrier,
)
from sgdescape.linear_regression.claims.passages import (
    data_spread,
    equal_barrier,
    exact_time,
    exact_time_ten,
    kesten,
    sde_time,
    slope_dimension,
    slope_high,
    slope_low,
    slope_ten,
    smaller_rate,
    zero_loss,
)
from sgdescape.linear_regression.claims.stationary import (
    discrete_exponent,
    gaussian,
    large_rate,
    one_run,
    paper_exponent,
    power_law,
)

__all__ = [
    "data_spread",
    "discrete_exponent",
    "equal_barrier",
    "exact_time",
    "exact_time_ten",
    "gaussian",
    "jump",
    "jump_far",
    "kesten",
    "kurtosis",
    "laplace",
    "large_rate",
    "linear_barrier",
    "log_barrier",
    "one_run",
    "paper_exponent",
    "power_law",
    "sde_time",
    "slope_dimension",
    "slope_high",
    "slope_low",
    "slope_ten",
    "smaller_rate",
    "zero_loss",
]
