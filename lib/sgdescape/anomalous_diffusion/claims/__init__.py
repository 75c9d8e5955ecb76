"""Claims of chapter `anomalous_diffusion`: statements with their verdicts.

`displacement` is about SGD's distance from its start, `windows` about windows that grow and plain
SGD, `shuffling` about epochs, `reanalysis` and `published_sweeps` about the numbers that the
paper's authors stored. No fits and intervals here: those are in `estimates`.
"""

from sgdescape.anomalous_diffusion.claims.displacement import (
    drift_exponent,
    first_exponent,
    global_displacement,
    local_displacement,
    power_law,
    same_epochs,
    same_steps,
    stationary_exponent,
    summed_displacement,
)
from sgdescape.anomalous_diffusion.claims.published_sweeps import (
    published_batch,
    published_small_batch,
    published_speed,
)
from sgdescape.anomalous_diffusion.claims.reanalysis import (
    collapse_batch,
    collapse_momentum,
    grid_batch,
    grid_batch_steps,
    grid_momentum,
    grid_theory,
    number_epoch_time,
    number_temperature,
    resnet_drift,
    same_steps_network,
    vgg_drift,
)
from sgdescape.anomalous_diffusion.claims.shuffling import (
    crossover,
    fixed_order,
    memory_fixed,
    memory_independent,
    memory_shorter,
    memory_shuffled,
    shuffled_exponent,
    speed_is_blind,
)
from sgdescape.anomalous_diffusion.claims.windows import (
    plain_sgd,
    plain_sgd_early,
    window_drift,
    window_still,
)

__all__ = [
    "collapse_batch",
    "collapse_momentum",
    "crossover",
    "drift_exponent",
    "first_exponent",
    "fixed_order",
    "global_displacement",
    "grid_batch",
    "grid_batch_steps",
    "grid_momentum",
    "grid_theory",
    "local_displacement",
    "memory_fixed",
    "memory_independent",
    "memory_shorter",
    "memory_shuffled",
    "number_epoch_time",
    "number_temperature",
    "plain_sgd",
    "plain_sgd_early",
    "power_law",
    "published_batch",
    "published_small_batch",
    "published_speed",
    "resnet_drift",
    "same_epochs",
    "same_steps",
    "same_steps_network",
    "shuffled_exponent",
    "speed_is_blind",
    "stationary_exponent",
    "summed_displacement",
    "vgg_drift",
    "window_drift",
    "window_still",
]
