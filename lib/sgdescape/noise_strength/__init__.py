"""How strong the noise of SGD is along training, Figs 2 and 5 of Mori et al. (Sec. 5.2, App. D).

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.
"""

from sgdescape.noise_strength import claims, figures, predictions
from sgdescape.noise_strength.config import PAPER, QUICK, Config
from sgdescape.noise_strength.experiment import run
from sgdescape.noise_strength.measure import (
    CASES,
    MOMENTS,
    in_span,
    measure,
    moments,
    network_and_data,
)
from sgdescape.noise_strength.predictions import predict
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
    "Config",
    "MOMENTS",
    "PAPER",
    "QUICK",
    "claims",
    "figures",
    "in_span",
    "margin_exponent",
    "measure",
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
    "wrong_share_residual",
]
