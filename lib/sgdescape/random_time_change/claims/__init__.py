"""The claims of chapter `random_time_change`: each takes the dataset of `run`.

`clock` compares the two equations, `stationary` their laws, `stability` asks what holds SGD back.
No fits and intervals here: those are in `estimates`.
"""

from sgdescape.random_time_change.claims.clock import (
    driver,
    driver_needed,
    equal_barrier,
    euler_order,
    law,
    passage,
    strong_order,
    unequal_curvatures,
)
from sgdescape.random_time_change.claims.stability import (
    critical_dimension,
    floor,
    frozen_clock,
    harmless_constant,
    sgd_critical_dimension,
    sgd_growth,
)
from sgdescape.random_time_change.claims.stationary import (
    anti_ito,
    clock_power,
    exponent,
    gibbs,
    mean_loss,
    stratonovich,
    wide_exponent,
)

__all__ = [
    "anti_ito",
    "clock_power",
    "critical_dimension",
    "driver",
    "driver_needed",
    "equal_barrier",
    "euler_order",
    "exponent",
    "floor",
    "frozen_clock",
    "gibbs",
    "harmless_constant",
    "law",
    "mean_loss",
    "passage",
    "sgd_critical_dimension",
    "sgd_growth",
    "stratonovich",
    "strong_order",
    "unequal_curvatures",
    "wide_exponent",
]
