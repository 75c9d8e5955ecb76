"""A chapter to start from: the stationary variance of SGD with label noise, theory and runs.

The face of the chapter: its rooms `claims` and `figures`, the configurations, `run` and `predict`,
and the formulas that pages and later chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.template_trial import claims, figures, predictions
from sgdescape.template_trial.config import PAPER, QUICK, Config
from sgdescape.template_trial.experiment import run
from sgdescape.template_trial.predictions import predict
from sgdescape.template_trial.prose import summary
from sgdescape.template_trial.theory import stationary_variance

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "claims",
    "figures",
    "predict",
    "predictions",
    "run",
    "stationary_variance",
    "summary",
]
