"""The limiting dynamics of networks: a small one, completely known, then a ResNet-18.

`run` measures SGD on both and `predict` puts beside it what the known Hessian and noise imply;
`claims` and `figures` show both. `imagenet` holds what the paper's own runs would take: a reader
and data-parallel training.
"""

from sgdescape.network_limits import claims, figures, predictions
from sgdescape.network_limits.config import PAPER, QUICK, Config
from sgdescape.network_limits.estimates import mode_equipartition
from sgdescape.network_limits.experiment import run
from sgdescape.network_limits.predictions import predict
from sgdescape.network_limits.prose import summary
from sgdescape.network_limits.theory import (
    displacement,
    equipartition,
    filtered_variance,
    impulse,
    moments,
    noise_ratio,
    norm_drift,
    released,
    ring,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "claims",
    "displacement",
    "equipartition",
    "figures",
    "filtered_variance",
    "impulse",
    "mode_equipartition",
    "moments",
    "noise_ratio",
    "norm_drift",
    "predict",
    "predictions",
    "released",
    "ring",
    "run",
    "summary",
]
