"""How strong the noise of SGD is along training, Figs 2 and 5 of Mori et al. (Sec. 5.2, App. D).

The formulas for several outputs and for the cross-entropy, `run` and the result that is kept,
and the chapter's rooms `claims` and `figures`.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.noise_strength import claims, figures, predictions
from sgdescape.noise_strength.config import KEPT, PAPER, QUICK, Config
from sgdescape.noise_strength.experiment import run
from sgdescape.noise_strength.kept_result import agree
from sgdescape.noise_strength.kept_result import load as load_result
from sgdescape.noise_strength.measure import CASES, Case, moments, network_and_data
from sgdescape.noise_strength.predictions import predict
from sgdescape.noise_strength.prose import summary
from sgdescape.noise_strength.theory import (
    margin_exponent,
    noise_factors,
    noise_strength,
    predicted_noise,
    residual_bounds,
    residual_noise,
    sample_norm,
    wrong_share_residual,
)

__all__ = [
    "CASES",
    "Case",
    "Config",
    "KEPT",
    "PAPER",
    "QUICK",
    "agree",
    "claims",
    "figures",
    "load_result",
    "margin_exponent",
    "moments",
    "network_and_data",
    "noise_factors",
    "noise_strength",
    "predict",
    "predicted_noise",
    "predictions",
    "residual_bounds",
    "residual_noise",
    "run",
    "sample_norm",
    "summary",
    "wrong_share_residual",
]
