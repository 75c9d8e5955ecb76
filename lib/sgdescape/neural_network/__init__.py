"""How a real network escapes, with every ingredient measured: Figs 3c and 6 of Mori et al.

The formulas, `run` with what it simulates, the larger result that is kept, and the chapter's rooms
`claims` and `figures`.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.neural_network import claims, figures, predictions
from sgdescape.neural_network.config import PAPER, QUICK, Config
from sgdescape.neural_network.experiment import run
from sgdescape.neural_network.kept_result import load as load_result
from sgdescape.neural_network.kept_result import remade_share
from sgdescape.neural_network.predictions import predict
from sgdescape.neural_network.prose import large_summary, summary
from sgdescape.neural_network.theory import (
    direction_noise,
    entropy_number,
    escape_slope,
    gauss_newton_spectrum,
    outlier_dimension,
    participation_ratio,
    raised_loss,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "claims",
    "direction_noise",
    "entropy_number",
    "escape_slope",
    "figures",
    "gauss_newton_spectrum",
    "large_summary",
    "load_result",
    "outlier_dimension",
    "participation_ratio",
    "predict",
    "predictions",
    "raised_loss",
    "remade_share",
    "run",
    "summary",
]
