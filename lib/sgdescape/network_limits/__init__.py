"""The limiting dynamics of networks: a small one, completely known, then a ResNet-18.

`run` measures SGD on both, with the longer runs taken from the result that is kept (`load_result`),
and `predict` puts beside it what the known Hessian and noise imply;
`claims` and `figures` show both. `imagenet` holds what the paper's own runs would take: a reader
and data-parallel training.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.network_limits import claims, figures, predictions
from sgdescape.network_limits.config import PAPER, QUICK, Config, Follow
from sgdescape.network_limits.estimates.resnet import mode_equipartition
from sgdescape.network_limits.experiment import run
from sgdescape.network_limits.kept_result import agree
from sgdescape.network_limits.kept_result import load as load_result
from sgdescape.network_limits.predictions import predict
from sgdescape.network_limits.prose import summary
from sgdescape.network_limits.theory.balance import (
    equipartition,
    force_balance,
    noise_ratio,
    norm_drift,
)
from sgdescape.network_limits.theory.filtered import (
    displacement,
    filtered_variance,
    impulse,
    moments,
    released,
    ring,
)

__all__ = [
    "Config",
    "Follow",
    "PAPER",
    "QUICK",
    "agree",
    "claims",
    "displacement",
    "equipartition",
    "figures",
    "filtered_variance",
    "force_balance",
    "impulse",
    "load_result",
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
