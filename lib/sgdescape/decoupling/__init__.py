"""Are loss and gradient of a sample decoupled? Both sides of Mori et al., Eq. (7), and a null.

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.decoupling import claims, figures, predictions
from sgdescape.decoupling.config import FRACTIONS, PAPER, QUICK, Config
from sgdescape.decoupling.estimates import (
    agreement_rank,
    direction_ratio,
    largest_factor,
    pairing_deviation,
    parting,
    wasserstein,
)
from sgdescape.decoupling.experiment import run
from sgdescape.decoupling.predictions import predict
from sgdescape.decoupling.prose import summary
from sgdescape.decoupling.theory import (
    dimension,
    direction_error,
    mean_log_ratio,
    scale_of,
    scale_shift,
    trace_error,
    trace_ratio,
)

__all__ = [
    "Config",
    "FRACTIONS",
    "PAPER",
    "QUICK",
    "agreement_rank",
    "claims",
    "dimension",
    "direction_error",
    "direction_ratio",
    "figures",
    "largest_factor",
    "mean_log_ratio",
    "pairing_deviation",
    "parting",
    "predict",
    "predictions",
    "run",
    "scale_of",
    "scale_shift",
    "summary",
    "trace_error",
    "trace_ratio",
    "wasserstein",
]
