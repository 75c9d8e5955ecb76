"""Claims of chapter `linear_regression`: statements with their verdicts."""

from sgdescape.linear_regression.claims.passages import (
    data_spread,
    exact_time,
    exact_time_ten,
    kesten,
    kurtosis,
    laplace,
    linear_barrier,
    log_barrier,
    sde_time,
    slope_high,
    slope_low,
    slope_ten,
    smaller_rate,
)
from sgdescape.linear_regression.claims.stationary import (
    discrete_exponent,
    gaussian,
    large_rate,
    paper_exponent,
    power_law,
)

__all__ = [
    "data_spread",
    "discrete_exponent",
    "exact_time",
    "exact_time_ten",
    "gaussian",
    "kesten",
    "kurtosis",
    "laplace",
    "large_rate",
    "linear_barrier",
    "log_barrier",
    "paper_exponent",
    "power_law",
    "sde_time",
    "slope_high",
    "slope_low",
    "slope_ten",
    "smaller_rate",
]
