"""How far SGD goes: local and global displacement, and the exponents of "anomalous" diffusion.

`run` measures minibatch SGD on regression and `predict` puts the exact displacement beside it;
`claims` and `figures` show both. The formulas are those of `theory`, the exponents of `estimates`,
and the numbers that Kunin et al.'s authors stored are in `published`.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.anomalous_diffusion import claims, figures, predictions
from sgdescape.anomalous_diffusion.config import PAPER, QUICK, Config
from sgdescape.anomalous_diffusion.estimates.collapse import explained, free_powers, variables
from sgdescape.anomalous_diffusion.estimates.exponents import local_exponents
from sgdescape.anomalous_diffusion.experiment import run
from sgdescape.anomalous_diffusion.measure.batch_orders import power_law_spectrum
from sgdescape.anomalous_diffusion.predictions import predict
from sgdescape.anomalous_diffusion.prose import summary
from sgdescape.anomalous_diffusion.published import (
    PRINTED_STEPS,
    RUN_MOMENTUM,
    RUN_STEPS,
    RUNS,
    SAMPLES,
    Exponents,
    Run,
    actual_batch_size,
    published_exponents,
)
from sgdescape.anomalous_diffusion.theory.displacement import (
    drift_share,
    first_exponent,
    free_displacement,
    local_displacement,
    mean_squared_displacement,
    overdamped_displacement,
    saturation,
)
from sgdescape.anomalous_diffusion.theory.fixed_start import (
    epoch_time,
    fixed_start_displacement,
    overdamped_start,
)
from sgdescape.anomalous_diffusion.theory.power_law import power_law_displacement
from sgdescape.anomalous_diffusion.theory.shuffling import (
    crossover_curvature,
    epoch_weights,
    fixed_order_displacement,
    shuffled_displacement,
    shuffled_fraction,
    shuffled_variance,
)
from sgdescape.anomalous_diffusion.theory.summed import spurious_rate, summed_displacement

__all__ = [
    "Config",
    "Exponents",
    "PAPER",
    "PRINTED_STEPS",
    "QUICK",
    "RUNS",
    "RUN_MOMENTUM",
    "RUN_STEPS",
    "Run",
    "SAMPLES",
    "actual_batch_size",
    "claims",
    "crossover_curvature",
    "drift_share",
    "epoch_time",
    "epoch_weights",
    "explained",
    "figures",
    "first_exponent",
    "fixed_order_displacement",
    "fixed_start_displacement",
    "free_displacement",
    "free_powers",
    "local_displacement",
    "local_exponents",
    "mean_squared_displacement",
    "overdamped_displacement",
    "overdamped_start",
    "power_law_displacement",
    "power_law_spectrum",
    "predict",
    "predictions",
    "published_exponents",
    "run",
    "saturation",
    "shuffled_displacement",
    "shuffled_fraction",
    "shuffled_variance",
    "spurious_rate",
    "summary",
    "summed_displacement",
    "variables",
]
